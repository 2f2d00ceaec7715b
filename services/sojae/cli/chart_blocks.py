"""Blocks of the Helm chart's values: the image, secrets of broker and bucket, volumes, the network."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Values(BaseModel):
    """One block of values; a name that is not here is refused."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class Image(Values):
    """The one image of all services."""

    repository: str = Field(min_length=1, description="Where the image is, without its tag.")
    tag: str = Field(description="Tag of the image; empty = the chart's appVersion.")
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(description="When the image is pulled.")
    pull_secrets: list[str] = Field(description="Names of Secrets to pull it with.")


class SecretKey(Values):
    """One key of a Secret that is there already; the chart makes none."""

    name: str = Field(description="Name of the Secret; empty = none.")
    key: str = Field(min_length=1, description="Key in it.")


class Kafka(Values):
    """What Kafka needs besides its settings."""

    password_secret: SecretKey = Field(description="Password of settings.kafka.username.")


class Credentials(Values):
    """Keys of an object store, in a Secret that is there already."""

    name: str = Field(description="Name of the Secret; empty = the identity that the cluster gives the pods.")
    access_key_id_key: str = Field(min_length=1, description="Key of the access key id in it.")
    secret_access_key_key: str = Field(min_length=1, description="Key of the secret access key in it.")


class ObjectStore(Values):
    """How to reach the bucket that settings.store.uri names."""

    endpoint: str = Field(description="URL of an S3-compatible store; empty = AWS.")
    region: str = Field(description="Region of the bucket.")
    allow_http: bool = Field(description="Whether an endpoint without TLS is taken.")
    credentials_secret: Credentials = Field(description="Where the keys are.")


class TrustedCertificates(Values):
    """Who signs the certificates of Kafka and the object store, in a ConfigMap that is there already."""

    config_map: str = Field(description="Name of the ConfigMap; empty = the image's own bundle.")
    key: str = Field(min_length=1, description="Key of the PEM bundle in it.")


class StoreVolume(Values):
    """The store as a folder on a volume, instead of an object store."""

    enabled: bool = Field(description="Whether the store is on a volume; then settings.store.uri stays unset.")
    existing_claim: str = Field(description="Claim to use; empty = the chart makes one.")
    size: str = Field(description="Size of the claim.")
    storage_class: str = Field(description="Storage class of the claim; empty = the cluster's default.")
    access_modes: list[Literal["ReadWriteOnce", "ReadWriteMany", "ReadWriteOncePod"]] = Field(
        min_length=1, description="ReadWriteOnce is enough where all pods are on one node."
    )


class State(Values):
    """SOJAE_HOME of a service: indexes that are rebuilt from the store."""

    persistent: bool = Field(description="Whether it outlives the pod, on a claim of its own; for one replica only.")
    size: str = Field(description="Size of the claim, or the limit of the emptyDir.")
    storage_class: str = Field(description="Storage class of the claim; empty = the cluster's default.")


class ServiceAccount(Values):
    """Who the pods are; they get no token of the Kubernetes API."""

    annotations: dict[str, str] = Field(description="For example the cloud identity that may use the bucket.")


class NetworkPolicy(Values):
    """Who may talk to the pods, and to whom they may."""

    enabled: bool = Field(description="Whether there are network policies.")
    telemetry_from: list[dict[str, Any]] = Field(description="Peers that may read /metrics; empty = everybody.")
    http_from: list[dict[str, Any]] = Field(description="Peers that may call the gateway; empty = everybody.")
    egress_ports: list[int] = Field(description="TCP ports that pods may reach besides DNS and the named brokers.")
