"""What the chart's pods are told and allowed: known settings, no secret in the open, probes that meet a port."""

import re
from typing import Any

import pytest

from sojae.settings import check_environment, groups, read
from sojae_local.services import SERVICES
from tests.contract.chart import Manifest, environment, example, of_kind, render
from tests.contract.test_chart_values import laptop

LAPTOP, CENTRE = render(example("laptop")), render(example("centre"))
OPEN = render(laptop(settings={"kafka": {"bootstrap_servers": "a:1"}, "gateway": {"open": True}}))
NORTH = 'label = { ko = "북쪽", en = "North" }\n'
WEST = {"command": "monitor", "groups": ["monitor"], "single": True, "settings": {"monitor": {"plants": "west"}}}
PLANTS = render(
    laptop(
        plantFiles={"north.toml": NORTH, "west.toml": ""},
        services={"monitor": {"enabled": True, "settings": {"monitor": {"plants": "north"}}}, "west": WEST},
    )
)
PODS = [
    pytest.param(manifests, service, id=f"{name}-{service}")
    for name, manifests in {"laptop": LAPTOP, "centre": CENTRE, "open": OPEN, "plants": PLANTS}.items()
    for service in of_kind(manifests, "Deployment")
]


def pod(manifests: list[Manifest], service: str) -> dict[str, Any]:
    """Return the spec of a service's pod."""
    spec: dict[str, Any] = of_kind(manifests, "Deployment")[service]["spec"]["template"]["spec"]
    return spec


def container(manifests: list[Manifest], service: str) -> dict[str, Any]:
    """Return the one container of a service's pod."""
    (only,) = pod(manifests, service)["containers"]
    found: dict[str, Any] = only
    return found


def ports(manifests: list[Manifest], service: str) -> dict[str, int]:
    """Return the ports of a service's container by name."""
    return {port["name"]: port["containerPort"] for port in container(manifests, service)["ports"]}


@pytest.mark.parametrize(("manifests", "service"), PODS)
def test_a_pod_s_settings_are_known_and_read(
    manifests: list[Manifest], service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process would start: every name means something, and every group takes its values."""
    told = environment(manifests, service)
    check_environment(told)
    for name in told:
        monkeypatch.setenv(name, told[name])
    for group in groups():
        read(group)


def test_a_large_number_is_written_out() -> None:
    """Helm's numbers are floating: 1.6777216e+07 is no integer to the settings."""
    told = environment(
        render(laptop(services={"ingest": {"settings": {"ingest": {"flush_bytes": 16777216}}}})), "ingest"
    )
    assert told["SOJAE_INGEST__FLUSH_BYTES"] == "16777216"


@pytest.mark.parametrize(("manifests", "service"), PODS)
def test_probes_and_scrapers_meet_the_port_that_is_served(manifests: list[Manifest], service: str) -> None:
    """On all addresses: the kubelet does not come from inside the pod."""
    told, one = environment(manifests, service), container(manifests, service)
    assert told["SOJAE_TELEMETRY__HOST"] == "0.0.0.0"
    assert told["SOJAE_TELEMETRY__PORT"] == str(ports(manifests, service)["telemetry"])
    probes = {name: one[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {probe["port"] for probe in probes.values()} == {"telemetry"}
    assert {n: p["path"].rpartition("/")[2] for n, p in probes.items()} == {
        "startupProbe": "live",
        "livenessProbe": "live",
        "readinessProbe": "ready",
    }
    notes = of_kind(manifests, "Deployment")[service]["spec"]["template"]["metadata"]["annotations"]
    assert notes["prometheus.io/port"] == told["SOJAE_TELEMETRY__PORT"]


def test_a_closed_gateway_is_reached_by_nobody() -> None:
    """It listens on its own default, loopback, and there is no Service that would lead nowhere."""
    assert "SOJAE_GATEWAY__HOST" not in environment(LAPTOP, "gateway")
    assert "SOJAE_GATEWAY__OPEN" not in environment(LAPTOP, "gateway")
    assert of_kind(LAPTOP, "Service") == {}
    (rule,) = of_kind(LAPTOP, "NetworkPolicy")["gateway"]["spec"]["ingress"]
    assert rule["ports"] == [{"port": "telemetry"}]


def test_an_open_gateway_has_a_service_that_meets_its_port() -> None:
    """And a network policy that lets callers in."""
    told = environment(OPEN, "gateway")
    assert (told["SOJAE_GATEWAY__HOST"], told["SOJAE_GATEWAY__OPEN"]) == ("0.0.0.0", "true")
    assert told["SOJAE_GATEWAY__PORT"] == str(ports(OPEN, "gateway")["http"])
    service = of_kind(OPEN, "Service")["gateway"]["spec"]
    assert service["ports"] == [{"name": "http", "port": ports(OPEN, "gateway")["http"], "targetPort": "http"}]
    labels = of_kind(OPEN, "Deployment")["gateway"]["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= labels.items()
    assert {"port": "http"} in [p for rule in of_kind(OPEN, "NetworkPolicy")["gateway"]["spec"]["ingress"] for p in rule["ports"]]  # fmt: skip


def test_no_secret_is_in_the_open() -> None:
    """ConfigMaps name files and nothing else; values of Secrets reach a process by reference, and the chart makes none."""
    assert of_kind(CENTRE, "Secret") == {}
    for config in of_kind(CENTRE, "ConfigMap").values():
        for name, value in config["data"].items():
            assert not re.search(r"PASSWORD|SECRET|KEY|TOKEN", name.removesuffix("PASSWORD_FILE")), name
            assert not re.search(r"://[^/]*@", value), name
    for service in of_kind(CENTRE, "Deployment"):
        assert all("value" not in each for each in container(CENTRE, service).get("env", ()))


def test_a_password_is_a_file_from_its_secret() -> None:
    """Where the setting says; only who talks to Kafka has it."""
    told = environment(CENTRE, "ingest")
    folder, _, name = told["SOJAE_KAFKA__PASSWORD_FILE"].rpartition("/")
    mounts = {mount["name"]: mount for mount in container(CENTRE, "ingest")["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod(CENTRE, "ingest")["volumes"]}
    assert mounts["kafka"]["mountPath"] == folder
    assert volumes["kafka"]["secret"]["items"] == [{"key": "password", "path": name}]
    assert not any(n.startswith("SOJAE_KAFKA__") for n in environment(CENTRE, "trainer"))


def test_own_authorities_are_where_clients_look() -> None:
    """Python and Rust go by SSL_CERT_FILE, librdkafka looks at the system's place: both are one file."""
    manifests = render(laptop(trustedCertificates={"configMap": "authorities"}))
    mounts = {mount["name"]: mount for mount in container(manifests, "ingest")["volumeMounts"]}
    (item,) = next(v for v in pod(manifests, "ingest")["volumes"] if v["name"] == "certificates")["configMap"]["items"]
    assert environment(manifests, "ingest")["SSL_CERT_FILE"] == mounts["certificates"]["mountPath"]
    assert (item["key"], item["path"]) == ("ca-certificates.crt", mounts["certificates"]["subPath"])


def test_a_setting_can_come_from_a_secret() -> None:
    """By its name."""
    given = {"SOJAE_STORE__URI": {"name": "bucket", "key": "uri"}}
    values = laptop(services={"ingest": {"secretSettings": given}})
    assert container(render(values), "ingest")["env"] == [
        {"name": "SOJAE_STORE__URI", "valueFrom": {"secretKeyRef": {"name": "bucket", "key": "uri"}}}
    ]


@pytest.mark.parametrize(("manifests", "service"), PODS)
def test_a_pod_may_do_no_more_than_it_needs(manifests: list[Manifest], service: str) -> None:
    """No root, no rights, no token, no writing but on its volumes; memory has a limit."""
    spec, one = pod(manifests, service), container(manifests, service)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] >= 1000
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(one["resources"]["requests"]) == {"cpu", "memory"}
    assert "memory" in one["resources"]["limits"]


@pytest.mark.parametrize(("manifests", "service"), PODS)
def test_kubernetes_adds_no_names_of_ours(manifests: list[Manifest], service: str) -> None:
    """A Service `sojae-gateway` would put SOJAE_GATEWAY_PORT into every environment, and processes would refuse to start."""
    assert pod(manifests, service)["enableServiceLinks"] is False


@pytest.mark.parametrize(("manifests", "service"), PODS)
def test_folders_that_settings_name_are_mounted(manifests: list[Manifest], service: str) -> None:
    """On volumes that are there, and writable where they are written."""
    mounts = {m["mountPath"]: m for m in container(manifests, service)["volumeMounts"]}
    assert {m["name"] for m in mounts.values()} == {v["name"] for v in pod(manifests, service)["volumes"]}
    told = environment(manifests, service)
    for name in ("SOJAE_HOME", "SOJAE_STORE__URI", "SOJAE_PLANTS__PATH", "SOJAE_KAFKA__PASSWORD_FILE"):
        if told.get(name, "").startswith("/"):
            (mount,) = [m for path, m in mounts.items() if told[name] == path or told[name].startswith(f"{path}/")]
            assert mount.get("readOnly", False) is (name in ("SOJAE_PLANTS__PATH", "SOJAE_KAFKA__PASSWORD_FILE")), name


def test_plant_files_reach_every_service_as_they_were_written() -> None:
    """And a changed one restarts the pods."""
    (plants,) = [m for m in PLANTS if m["metadata"]["name"].endswith("-plants")]
    assert plants["data"] == {"north.toml": NORTH, "west.toml": ""}
    sums = {m["spec"]["template"]["metadata"]["annotations"]["checksum/plants"] for m in of_kind(PLANTS, "Deployment").values()}  # fmt: skip
    before = of_kind(LAPTOP, "Deployment")["ingest"]["spec"]["template"]["metadata"]["annotations"]
    assert sums != {before["checksum/plants"]}


@pytest.mark.parametrize("service", [s for s in SERVICES if s.name != "broker"], ids=lambda s: s.name)
def test_a_pod_has_the_time_that_its_service_needs_to_end(service: Any) -> None:
    """After the wait before it is told to."""
    spec = pod(PLANTS, service.name)
    waits = container(PLANTS, service.name).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    assert spec["terminationGracePeriodSeconds"] >= waits + max(service.stop_seconds, 10)


def test_each_list_of_plants_has_a_worker_with_a_name_of_its_own() -> None:
    """Two workers of one name in a group would put each other out."""
    told = [environment(PLANTS, service) for service in ("monitor", "west")]
    assert [each["SOJAE_MONITOR__PLANTS"] for each in told] == ["north", "west"]
    assert [each["SOJAE_MONITOR__INSTANCE_ID"] for each in told] == ["monitor", "west"]


def test_several_pods_are_spread_and_go_one_by_one() -> None:
    """One pod is neither: a budget for it would block every drain."""
    budgets = of_kind(CENTRE, "PodDisruptionBudget")
    for name, deployment in of_kind(CENTRE, "Deployment").items():
        several = deployment["spec"]["replicas"] > 1
        assert (name in budgets) is several
        assert ("topologySpreadConstraints" in deployment["spec"]["template"]["spec"]) is several


def test_a_single_one_is_never_two() -> None:
    """Not even for the moment of an update."""
    strategies = {n: d["spec"]["strategy"]["type"] for n, d in of_kind(LAPTOP, "Deployment").items()}
    assert strategies["trainer"] == strategies["simulator"] == "Recreate"
    assert strategies["ingest"] == strategies["gateway"] == "RollingUpdate"


def test_pods_reach_the_ports_of_broker_and_store_only() -> None:
    """Besides DNS."""
    reached = {
        name: sorted(p["port"] for rule in policy["spec"]["egress"] for p in rule["ports"] if p["port"] != 53)
        for name, policy in of_kind(CENTRE, "NetworkPolicy").items()
    }
    assert reached == {"ingest": [443, 9096], "trainer": [443], "gateway": [443, 9096]}


def test_one_more_entry_is_one_more_deployment() -> None:
    """With what all have, and its own settings."""
    values = laptop(
        services={
            "ingest-b": {"command": "ingest", "groups": ["ingest"], "settings": {"telemetry": {"level": "DEBUG"}}}
        }
    )
    more = {m["metadata"]["name"]: m for m in render(values) if m["kind"] == "Deployment"}["lab-sojae-ingest-b"]
    assert more["spec"]["template"]["spec"]["containers"][0]["args"] == ["ingest"]
    (config,) = [
        m for m in render(values) if m["kind"] == "ConfigMap" and m["metadata"]["name"] == "lab-sojae-ingest-b"
    ]
    assert config["data"]["SOJAE_TELEMETRY__LEVEL"] == "DEBUG"
