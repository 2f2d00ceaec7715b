"""The broker of last resort: librdkafka's in-memory mock cluster, which lives and dies inside this process."""

import threading
import uuid

from confluent_kafka import KafkaException, Producer

from sojae.domain.errors import BrokerError
from sojae_local.endpoint import Endpoint


class MockBroker:
    """A mock cluster of one node; topics appear when they are first used, with 4 partitions, and nothing is kept."""

    def __init__(self) -> None:
        self._client: Producer | None = None

    def start(self) -> Endpoint:
        """Return where the mock answers, with a run id of its own. Raises BrokerError when it does not."""
        # The client is the cluster: it must be referenced as long as the broker is wanted.
        self._client = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 0})
        try:
            node = next(iter(self._client.list_topics(timeout=5).brokers.values()))
        except (KafkaException, StopIteration) as exc:
            raise BrokerError(
                en=f"The mock broker of confluent-kafka did not start ({exc}).",
                ko=f"confluent-kafka의 모의 브로커가 시작되지 않았습니다({exc}).",
            ) from exc
        return Endpoint(kind="mock", bootstrap_servers=f"{node.host}:{node.port}", run_id=str(uuid.uuid4()))

    @property
    def pid(self) -> int | None:
        """Return None: the mock has no process of its own."""
        return None

    def wait(self) -> None:
        """Block until a signal's handler raises; a mock never ends by itself."""
        threading.Event().wait()

    def stop(self) -> None:
        """End the mock and all that was written to it."""
        self._client = None
