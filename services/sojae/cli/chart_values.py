"""The values of the Helm chart besides the settings: the services, and what the cluster, the broker and the store need."""

from typing import Any

from pydantic import Field

from sojae.cli.chart_blocks import (
    Image,
    Kafka,
    NetworkPolicy,
    ObjectStore,
    SecretKey,
    ServiceAccount,
    State,
    StoreVolume,
    TrustedCertificates,
    Values,
)


class Needs(Values):
    """What a service talks to: it is told of nothing else."""

    kafka: bool = Field(description="Whether it talks to Kafka.")
    store: bool = Field(description="Whether it reads or writes the store.")


class Service(Values):
    """One deployment: a command of `sojae`, with what it needs."""

    enabled: bool = Field(description="Whether it runs.")
    command: str = Field(min_length=1, description="The command: `sojae <command>`.")
    groups: list[str] = Field(min_length=1, description="Its settings groups, besides the core's.")
    replicas: int = Field(ge=0, description="How many pods.")
    single: bool = Field(description="Whether a second pod would only do the same work again.")
    http: bool = Field(description="Whether it answers HTTP besides metrics and health.")
    needs: Needs = Field(description="What it talks to.")
    settings: dict[str, Any] = Field(description="Settings of this one, before those of all.")
    secret_settings: dict[str, SecretKey] = Field(description="Settings whose value is in a Secret, by name.")
    state: State = Field(description="Its local state.")
    resources: dict[str, Any] = Field(description="Requests and limits.")
    extra_volumes: list[dict[str, Any]] = Field(description="More volumes.")
    extra_volume_mounts: list[dict[str, Any]] = Field(description="Where they are mounted.")


class Chart(Values):
    """Values of the chart `sojae`."""

    image: Image
    settings: dict[str, Any] = Field(description="Settings of all services.")
    kafka: Kafka
    object_store: ObjectStore
    trusted_certificates: TrustedCertificates
    store_volume: StoreVolume
    plant_files: dict[str, str] = Field(description="Plant files by file name, <plant>.toml, with their text.")
    service_defaults: Service
    services: dict[str, Service] = Field(description="The deployments, by name.")
    termination_grace_period_seconds: int = Field(ge=15, le=600, description="Every service ends within 10 s.")
    service_account: ServiceAccount
    network_policy: NetworkPolicy
    pod_annotations: dict[str, str] = Field(description="Annotations of all pods.")
    node_selector: dict[str, str] = Field(description="Labels of the nodes for all pods.")
    tolerations: list[dict[str, Any]] = Field(description="Tolerations of all pods.")
    parents: dict[str, Any] = Field(alias="global", description="Values of a parent chart; not used.")
