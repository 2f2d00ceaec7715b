"""What a development broker keeps in SOJAE_HOME/kafka: its properties, its ports, and the identity of its data."""

import base64
import uuid
from pathlib import Path
from typing import Annotated

import msgspec

from sojae.domain.errors import StateError
from sojae.home import replace_file
from sojae.topics import PARTITIONS
from sojae_local.free_ports import LOOPBACK, free_ports, is_free

RETENTION_HOURS = 7 * 24


PortNumber = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Ports(msgspec.Struct, frozen=True):
    """The two ports of one combined broker and controller on 127.0.0.1."""

    broker: PortNumber
    controller: PortNumber


def settle_ports(folder: Path) -> Ports:
    """Return the ports of the last start, kept in `folder`/ports.json, so that clients find the broker again.

    New ones are asked from the system, and kept, when there are none or one of them is taken by now.
    """
    file = folder / "ports.json"
    kept = _kept_ports(file)
    if kept is not None and is_free(kept.broker) and is_free(kept.controller):
        return kept
    ports = Ports(*free_ports(2))
    replace_file(file, msgspec.json.encode(ports))
    return ports


def server_properties(log_dir: str, ports: Ports) -> str:
    """Return the text of server.properties for one small node that is broker and controller, on 127.0.0.1 only.

    `log_dir` is a plain name in the broker's working folder: a full path would have to hold no comma (it is a list to
    Kafka), and no letter beyond Latin-1.

    Small: one partition for each internal topic (50 by default), 10 MiB for the cleaner (128 by default, out of the
    heap). A killed broker is back after 2 s of session (9 by default); after a clean stop, which Kafka calls
    controlled, it need not wait at all.
    """
    listener = f"PLAINTEXT://{LOOPBACK}:{ports.broker}"
    properties: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{LOOPBACK}:{ports.controller}",
        "listeners": f"{listener},CONTROLLER://{LOOPBACK}:{ports.controller}",
        "advertised.listeners": listener,
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": log_dir,
        "num.partitions": PARTITIONS,
        "auto.create.topics.enable": "false",
        "log.retention.hours": RETENTION_HOURS,
        "broker.session.timeout.ms": 2000,
        "broker.heartbeat.interval.ms": 500,
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        "log.cleaner.dedupe.buffer.size": 10 * 1024 * 1024,
        "offsets.topic.num.partitions": 1,
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
    }
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def new_cluster_id() -> str:
    """Return a cluster id as Kafka writes them: a random UUID in 22 characters of URL-safe base64."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        if not text.startswith("-"):  # Kafka's format tool would take it for an option
            return text


def cluster_id_of(data: Path) -> str | None:
    """Return the cluster id of formatted data, or None when `data` does not exist.

    Raises StateError when it exists without one: what lies there cannot be the data of a broker.
    """
    if not data.exists():
        return None
    meta = data / "meta.properties"
    try:
        lines = meta.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    found = [line.removeprefix("cluster.id=").strip() for line in lines if line.startswith("cluster.id=")]
    if not found or not found[0]:
        raise StateError(
            en=f"{data} holds no readable Kafka data ({meta.name} is missing or damaged). Start afresh with `make "
            f"fresh`, or move {data} away.",
            ko=f"{data}에 읽을 수 있는 Kafka 데이터가 없습니다({meta.name}이(가) 없거나 손상됨). `make fresh`로 새로 "
            f"시작하거나 {data}을(를) 옮기십시오.",
        )
    return found[0]


def run_id_of(cluster_id: str) -> str:
    """Return the run id of a cluster as a UUID: the one that the id encodes, else one derived from its text."""
    try:
        return str(uuid.UUID(bytes=base64.b64decode(cluster_id + "==", altchars=b"-_", validate=True)))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"kafka:{cluster_id}"))


def _kept_ports(file: Path) -> Ports | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Ports)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None
