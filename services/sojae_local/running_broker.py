"""The broker of a home, in one order: the one given by setting, else a real Apache Kafka, else the mock."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from sojae.domain.errors import BrokerError
from sojae.domain.text import Text
from sojae.home import Home, LockName, ProcessInfo, RunInfo
from sojae.settings import KafkaSettings
from sojae_local.endpoint import Endpoint, answering_cluster, login_properties
from sojae_local.jars import KAFKA_VERSION, Progress, cache_folder, classpath
from sojae_local.java import ClassArchive, Java, find_java
from sojae_local.kafka_broker import KafkaBroker
from sojae_local.kafka_data import run_id_of
from sojae_local.mock_broker import MockBroker

Report = Callable[[Text], None]
"""Takes one sentence for the person who watches."""

GIVEN_SECONDS = 10.0


class Broker(Protocol):
    """A broker that this process holds."""

    @property
    def pid(self) -> int | None:
        """Return the id of the broker's own process, if it has one."""

    def start(self) -> Endpoint:
        """Return where the broker answers. Raises BrokerError or StateError."""

    def wait(self) -> None:
        """Return when it was asked to stop; raises BrokerError when it ended by itself."""

    def stop(self) -> None:
        """End it, cleanly if that can be had within 5 s."""


def given_endpoint(settings: KafkaSettings) -> Endpoint | None:
    """Return the endpoint of the broker that the settings name, once it has answered, or None when they name none.

    Raises BrokerError when it does not answer within 10 s.
    """
    address = settings.bootstrap_servers
    if not address:
        return None
    cluster_id = answering_cluster(address, timeout_seconds=GIVEN_SECONDS, login=login_properties(settings))
    return Endpoint(kind="given", bootstrap_servers=address, run_id=run_id_of(cluster_id))


def kafka_parts(progress: Progress | None = None, folder: Path | None = None) -> tuple[Java, list[Path]]:
    """Return the Java and the jars of the real broker, fetched if need be. Raises BrokerError when they are not to be had."""
    return find_java(), classpath(folder or cache_folder(), progress=progress)


def choose_broker(home: Home, report: Report, *, progress: Progress | None = None, mock: bool = False) -> Broker:
    """Return the real broker of `home`, not yet started; the mock, with a warning, if asked for or if it must be."""
    reason = Text(en="It was asked for.", ko="요청에 따른 것입니다.")
    if not mock:
        try:
            java, jars = kafka_parts(progress)
            return KafkaBroker(home, java, jars, ClassArchive(cache_folder(), java, jars))
        except BrokerError as exc:
            reason = exc.text
    report(mock_warning(reason))
    return MockBroker()


def mock_warning(reason: Text) -> Text:
    """Return the warning that nothing sent to a mock broker is kept, and the reason why there is one."""
    return Text(
        en=f"Warning: a mock broker takes the place of Kafka. {reason.en} Nothing that is sent to it outlives it.",
        ko=f"경고: Kafka 대신 모의 브로커를 씁니다. {reason.ko} 여기로 보낸 내용은 종료와 함께 모두 사라집니다.",
    )


@contextmanager
def held_broker(
    home: Home, report: Report, *, mock: bool = False, progress: Progress | None = None
) -> Iterator[tuple[Broker, Endpoint]]:
    """Start the broker of `home` for the time of the block, under the lock that keeps others from doing the same.

    Raises StateError when the home is unusable or has a broker, BrokerError when the broker does not come up.
    """
    with home.prepare().locked("broker"):
        broker = choose_broker(home, report, progress=progress, mock=mock)
        try:
            yield broker, broker.start()
        finally:
            broker.stop()


@contextmanager
def running_broker(
    home: Home, *, given: KafkaSettings | None = None, mock: bool = False, report: Report = lambda _: None
) -> Iterator[Endpoint]:
    """Return, for the time of the block, a broker that answers and that run.json of `home` names.

    `given` may name a broker to use instead of an own one. Call it in the main thread: elsewhere the Java process does
    not die with this one. Raises StateError or BrokerError.
    """
    endpoint = given_endpoint(given) if given else None
    if endpoint is not None:
        with home.prepare().locked("broker"), announced(home, endpoint, launcher="broker", processes={}):
            yield endpoint
        return
    with ExitStack() as stack:
        broker, endpoint = stack.enter_context(held_broker(home, report, mock=mock))
        stack.enter_context(announced(home, endpoint, launcher="broker", processes=kafka_processes(broker)))
        yield endpoint


def kafka_processes(broker: Broker) -> dict[str, ProcessInfo]:
    """Return the entry of run.json for the broker's own process, if it has one."""
    return {} if broker.pid is None else {"kafka": ProcessInfo(broker.pid)}


@contextmanager
def announced(
    home: Home, endpoint: Endpoint, *, launcher: LockName, processes: dict[str, ProcessInfo]
) -> Iterator[RunInfo]:
    """Write run.json for the time of the block, and remove it at its end."""
    run = RunInfo(
        launcher=launcher,
        run_id=endpoint.run_id,
        broker=endpoint.kind,
        bootstrap_servers=endpoint.bootstrap_servers,
        started_at=datetime.now(UTC),
        processes=processes,
    )
    home.write_run(run)
    try:
        yield run
    finally:
        home.clear_run()


def describe(endpoint: Endpoint) -> Text:
    """Return one sentence that says which broker answers where."""
    where = endpoint.bootstrap_servers
    return {
        "real": Text(en=f"Apache Kafka {KAFKA_VERSION} at {where}", ko=f"Apache Kafka {KAFKA_VERSION}: {where}"),
        "mock": Text(en=f"mock broker at {where}", ko=f"모의 브로커: {where}"),
        "given": Text(en=f"Kafka as given at {where}", ko=f"지정된 Kafka: {where}"),
    }[endpoint.kind]
