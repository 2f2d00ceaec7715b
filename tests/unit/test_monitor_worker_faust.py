"""What the monitor must know of Faust: how its app is set up, and that its committed offsets may run ahead of the work."""

import ssl
from collections import defaultdict
from pathlib import Path

import faust
import pytest
from faust.types import TP
from intervaltree import IntervalTree

from sojae.adapters.kafka_connection import Connection
from sojae.ports import Partition
from sojae.settings import read
from sojae_monitor.faust_app import build_app, credentials, instance_of
from sojae_monitor.settings import MonitorSettings
from sojae_monitor.transport import PlacedConsumer, PlacedTransport

SERVERS = Connection("one:9092,two:9093")


class Bookkeeping(PlacedConsumer):
    """A consumer's bookkeeping of acknowledged messages, without its thread and connection."""

    def __init__(self) -> None:
        self._committed_offset = defaultdict(lambda: None)
        self._acked = defaultdict(list)
        self._acked_index = defaultdict(set)
        self._gap = defaultdict(IntervalTree)


@pytest.fixture
async def app(tmp_path: Path) -> faust.App:
    return build_app(SERVERS, read(MonitorSettings), "monitor-0", tmp_path)


async def test_the_app_is_set_up_to_lose_nothing(app: faust.App) -> None:
    """Raw bytes, no web server, no waiting in a rebalance, nothing declared, a name kept over restarts."""
    conf = app.conf
    assert (conf.key_serializer, conf.value_serializer) == ("raw", "raw")
    assert (conf.web_enabled, conf.stream_wait_empty, conf.topic_allow_declare) == (False, False, False)
    assert (conf.consumer_group_instance_id, conf.consumer_auto_offset_reset) == ("monitor-0", "earliest")
    assert conf.broker_session_timeout < conf.broker_request_timeout
    assert [str(url) for url in conf.broker] == ["kafka://one:9092", "kafka://two:9093"]
    assert isinstance(app.transport, PlacedTransport)


def test_a_worker_s_name_is_its_own_and_the_same_at_every_start() -> None:
    """Workers of other plants have another: of two with one name in a group, Kafka throws one out."""
    unset, told = MonitorSettings(), MonitorSettings(instance_id="worker-7")
    assert instance_of(unset, ["b", "a"]) == instance_of(unset, ["a", "b"]) != instance_of(unset, ["a"])
    assert instance_of(told, ["a"]) == "worker-7"


@pytest.mark.parametrize(
    ("committed", "acknowledged", "told"),
    [
        (2_585, [2_586, 2_587, 2_588, 2_589], 2_590),  # 2585 is still being worked on
        (None, [1, 2, 3, 4], 5),  # 0 is
    ],
)
def test_faust_commits_past_a_message_that_is_worked_on(
    committed: int | None, acknowledged: list[int], told: int
) -> None:
    """So Kafka's committed offset is a hint, and checkpoints decide; when this fails, Faust has mended it."""
    consumer, tp = Bookkeeping(), TP("sojae.telemetry.line", 0)
    consumer._committed_offset[tp] = committed
    consumer._acked[tp] = acknowledged
    assert consumer._new_offset(tp) == told


def test_placing_clears_what_faust_remembers_of_acknowledged_messages() -> None:
    """A replay below the committed offset would otherwise never be let go of, and the group's lag stand still."""
    consumer, tp = Bookkeeping(), TP("sojae.telemetry.line", 0)
    consumer._committed_offset[tp] = 1_000
    consumer._acked[tp], consumer._acked_index[tp] = [1_000, 1_001], {1_000, 1_001}
    consumer._forget({Partition("sojae.telemetry.line", 0): 100})
    assert consumer._committed_offset[tp] == 100
    assert (consumer._acked[tp], consumer._acked_index[tp]) == ([], set())


def test_credentials_are_faust_s_form_of_ours(tmp_path: Path) -> None:
    """None in the plain; user, password and mechanism with SASL; a context with TLS."""
    password = tmp_path / "password"
    password.write_text("secret\n", encoding="utf-8")
    assert credentials(SERVERS) is None
    assert isinstance(credentials(Connection("one:9092", security_protocol="SSL")), faust.SSLCredentials)
    said = credentials(Connection("one:9092", security_protocol="SASL_SSL", username="monitor", password_file=password))
    assert isinstance(said, faust.SASLCredentials)
    assert (said.username, said.password, str(said.mechanism.value)) == ("monitor", "secret", "SCRAM-SHA-512")
    assert isinstance(said.ssl_context, ssl.SSLContext)
