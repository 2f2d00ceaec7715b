"""The development broker as real processes: it answers, keeps what it was told, and leaves nothing running."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from sojae.domain.errors import BrokerError, StateError
from sojae.domain.text import Text
from sojae.home import Home
from sojae.settings import KafkaSettings
from sojae_local import running_broker as brokers
from sojae_local.free_ports import LOOPBACK, free_ports
from sojae_local.kafka_broker import STOP_SECONDS
from sojae_local.kafka_data import settle_ports
from sojae_local.mock_broker import MockBroker
from sojae_local.running_broker import running_broker
from tests.tiny_services import eventually, is_gone

pytestmark = pytest.mark.kafka

COMMAND = [sys.executable, "-m", "sojae_local", "broker"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").prepare()


@pytest.fixture
def real() -> None:
    """Skip, saying why, where the jars of Kafka cannot be had."""
    try:
        brokers.kafka_parts()
    except BrokerError as exc:
        pytest.skip(exc.text.en)


@pytest.fixture
def start(home: Home) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts `sojae broker`; whatever still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SOJAE_")}
        started.append(
            subprocess.Popen(
                [*COMMAND, *arguments],
                env=clean | {"SOJAE_HOME": str(home.path)} | environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=hangs_up,  # noqa: PLW1509 - one system call, safe after a fork
            )
        )
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def hangs_up() -> None:
    """Take SIGHUP as a terminal sends it, though the tests may run under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def java_pid(home: Home) -> int:
    eventually(lambda: home.live_run() is not None)
    run = home.live_run()
    assert run is not None
    return run.processes["kafka"].pid


def create_topic(address: str, name: str) -> None:
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic(name)])[name].result(timeout=10)


def count(address: str, topic: str) -> int:
    consumer = Consumer({"bootstrap.servers": address, "group.id": "count"})
    try:
        partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        ends = [consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in partitions]
    finally:
        consumer.close()
    return sum(ends)


def send(address: str, topic: str, messages: int) -> None:
    producer = Producer({"bootstrap.servers": address, "acks": "all", "enable.idempotence": True})
    for number in range(messages):
        producer.produce(topic, str(number).encode())
    assert producer.flush(20) == 0


@pytest.mark.usefixtures("real")
class TestRealBroker:
    """Apache Kafka from pip packages."""

    def test_a_second_start_goes_on_with_the_first(self, home: Home) -> None:
        """Address, run id, topics and messages outlive a clean stop; run.json does not."""
        with running_broker(home) as first:
            assert first.kind == "real"
            assert home.live_run() is not None
            create_topic(first.bootstrap_servers, "sojae.events.kims")
            send(first.bootstrap_servers, "sojae.events.kims", 100)
        assert home.read_run() is None
        with running_broker(home) as second:
            assert second == first
            assert count(second.bootstrap_servers, "sojae.events.kims") == 100

    def test_topics_have_four_partitions_and_are_never_made_by_chance(self, home: Home) -> None:
        """A mistyped topic is an error at the producer, not a new topic."""
        with running_broker(home) as endpoint:
            create_topic(endpoint.bootstrap_servers, "made")
            admin = AdminClient({"bootstrap.servers": endpoint.bootstrap_servers})
            assert len(admin.list_topics("made", timeout=10).topics["made"].partitions) == 4
            assert admin.list_topics("mistyped", timeout=10).topics["mistyped"].error is not None
            assert set(admin.list_topics(timeout=10).topics) == {"made"}

    def test_what_was_acknowledged_survives_a_killed_java(self, home: Home, start: Callable[..., object]) -> None:
        """After kill -9 of the Java process the command says so with exit code 1, and the next start has it all."""
        process = start()
        pid = java_pid(home)
        address = home.live_run().bootstrap_servers
        create_topic(address, "kept")
        send(address, "kept", 500)
        os.kill(pid, signal.SIGKILL)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "Kafka did not come up or ended by itself" in errors
        assert "Traceback" not in errors
        with running_broker(home) as endpoint:
            assert endpoint.bootstrap_servers == address
            assert count(address, "kept") == 500

    @pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_stops_it_cleanly(self, home: Home, start: Callable[..., object], signum: int) -> None:
        """Exit code 0 in bounded time (a Kafka that lingers is ended by force), no run.json, no Java process."""
        process = start()
        pid = java_pid(home)
        process.send_signal(signum)
        output, errors = process.communicate(timeout=2 * STOP_SECONDS)
        assert process.returncode == 0, errors
        assert [line for line in errors.splitlines() if " INFO " not in line] == []
        assert "Apache Kafka" in output
        assert is_gone(pid)
        assert not home.run_file.exists()

    def test_a_killed_command_takes_its_java_along(self, home: Home, start: Callable[..., object]) -> None:
        """After kill -9 of `sojae broker` the kernel ends Java; run.json is stale then, and the home is free."""
        process = start()
        pid = java_pid(home)
        process.kill()
        process.wait()  # its lock goes with the last of its threads
        eventually(lambda: is_gone(pid), seconds=5)
        assert home.read_run() is not None
        assert home.live_run() is None
        with running_broker(home):
            pass

    def test_a_second_command_is_told_who_has_the_home(self, home: Home, start: Callable[..., object]) -> None:
        """One sentence with the pid of the first, exit code 1, and the first goes on."""
        first = start()
        java_pid(home)
        second = start()
        _, errors = second.communicate(timeout=60)
        assert second.returncode == 1
        assert f"process {first.pid}" in errors
        assert "Traceback" not in errors
        assert first.poll() is None

    def test_data_of_unknown_make_are_refused(self, home: Home) -> None:
        """Kafka's folder with something else in it is not formatted over."""
        (home.kafka / "data").mkdir()
        (home.kafka / "data" / "notes.txt").write_text("mine", encoding="utf-8")
        with pytest.raises(StateError, match=r"meta\.properties"), running_broker(home):
            pass
        assert (home.kafka / "data" / "notes.txt").read_text(encoding="utf-8") == "mine"

    def test_broken_data_are_a_plain_error_with_kafkas_reason(self, home: Home) -> None:
        """The identity is readable, the rest is not: Kafka refuses, and its own line is quoted."""
        with running_broker(home):
            pass
        meta = home.kafka / "data" / "meta.properties"
        meta.write_text(meta.read_text(encoding="utf-8").replace("node.id=1", "node.id=2"), encoding="utf-8")
        with pytest.raises(BrokerError, match="Stored node id 2"), running_broker(home):
            pass
        assert not home.run_file.exists()


class TestPorts:
    """Addresses that stay, unless somebody else took them."""

    def test_they_are_kept(self, tmp_path: Path) -> None:
        """Asked twice, the answer is the same."""
        assert settle_ports(tmp_path) == settle_ports(tmp_path)

    def test_a_taken_one_is_replaced(self, tmp_path: Path) -> None:
        """Another program listens there by now."""
        kept = settle_ports(tmp_path)
        listener = subprocess.Popen(
            [sys.executable, "-m", "http.server", str(kept.broker), "--bind", LOOPBACK],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            eventually(lambda: bool(psutil.Process(listener.pid).net_connections()))
            assert settle_ports(tmp_path).broker != kept.broker
        finally:
            listener.kill()
            listener.wait()

    @pytest.mark.parametrize("content", [b"", b"{", b'{"broker": 0, "controller": 99999999}'])
    def test_a_damaged_file_gives_new_ones(self, tmp_path: Path, content: bytes) -> None:
        """The ports can be chosen anew at no loss."""
        (tmp_path / "ports.json").write_bytes(content)
        assert settle_ports(tmp_path).broker > 0


class TestMockBroker:
    """The broker of last resort."""

    def test_it_answers_and_warns(self, home: Home) -> None:
        """Messages go in and are there, and the warning says that they will not stay."""
        said: list[Text] = []
        with running_broker(home, mock=True, report=said.append) as endpoint:
            send(endpoint.bootstrap_servers, "topic", 10)
            assert count(endpoint.bootstrap_servers, "topic") == 10
            assert home.live_run().broker == "mock"
        assert "Nothing that is sent to it outlives it" in said[0].en

    def test_each_start_is_another_broker(self, home: Home) -> None:
        """A kept store must never take a new mock's offsets for those of an old one."""
        with running_broker(home, mock=True) as first:
            pass
        with running_broker(home, mock=True) as second:
            assert second.run_id != first.run_id

    def test_without_network_it_takes_the_place_of_kafka(
        self, home: Home, start: Callable[..., object], tmp_path: Path
    ) -> None:
        """With an empty cache and no way out, `sojae broker` says why there is only a mock, and runs it."""
        closed = f"http://{LOOPBACK}:{free_ports(1)[0]}"
        process = start(
            XDG_CACHE_HOME=str(tmp_path / "cache"), HTTPS_PROXY=closed, https_proxy=closed, PYTHONUNBUFFERED="1"
        )
        eventually(lambda: home.live_run() is not None)
        process.terminate()
        output, errors = process.communicate(timeout=10)
        assert (process.returncode, "Traceback" in errors) == (0, False)
        assert "Warning: a mock broker" in output
        assert "Maven Central" in output


class TestGivenBroker:
    """SOJAE_KAFKA__BOOTSTRAP_SERVERS comes first."""

    def test_it_is_used_and_nothing_is_started(self, home: Home, start: Callable[..., object]) -> None:
        """The command says so and ends; it does not even make the home its own."""
        mock = MockBroker()
        address = mock.start().bootstrap_servers
        process = start(SOJAE_KAFKA__BOOTSTRAP_SERVERS=address)
        output, _ = process.communicate(timeout=60)
        mock.stop()
        assert process.returncode == 0
        assert f"Kafka as given at {address}" in output
        assert not (home.kafka / "data").exists()

    def test_a_fixture_may_use_it_too(self, home: Home) -> None:
        """run.json then names the given address, for as long as the block runs."""
        mock = MockBroker()
        address = mock.start().bootstrap_servers
        with running_broker(home, given=KafkaSettings(bootstrap_servers=address)) as endpoint:
            assert (endpoint.kind, endpoint.bootstrap_servers) == ("given", address)
            assert home.live_run().run_id == endpoint.run_id
        mock.stop()
        assert not home.run_file.exists()

    def test_one_that_does_not_answer_is_a_plain_error(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        """A wrong address and a refused log-in look alike, so the sentence names both."""
        monkeypatch.setattr(brokers, "GIVEN_SECONDS", 0.5)
        nobody = f"{LOOPBACK}:{free_ports(1)[0]}"
        with (
            pytest.raises(BrokerError, match="cannot be reached or does not accept us"),
            running_broker(home, given=KafkaSettings(bootstrap_servers=nobody)),
        ):
            pass

    def test_a_foreign_folder_is_a_plain_error(self, start: Callable[..., object], tmp_path: Path) -> None:
        """SOJAE_HOME at somebody else's folder: one sentence, exit code 1, no stack trace, nothing written."""
        (tmp_path / "foreign").mkdir()
        (tmp_path / "foreign" / "thesis.docx").write_text("", encoding="utf-8")
        process = start(SOJAE_HOME=str(tmp_path / "foreign"))
        output, errors = process.communicate(timeout=60)
        assert (process.returncode, output) == (1, "")
        assert "thesis.docx" in errors
        assert "Traceback" not in errors
        assert len(list((tmp_path / "foreign").iterdir())) == 1


def test_a_dead_mock_answers_no_more(home: Home) -> None:
    """Nothing of it is left after the block."""
    with running_broker(home, mock=True) as endpoint:
        address = endpoint.bootstrap_servers
    client = AdminClient({"bootstrap.servers": address, "log_level": 0})
    with pytest.raises(KafkaException):
        client.list_topics(timeout=0.5)
