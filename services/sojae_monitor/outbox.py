"""What has been sent and is not yet acknowledged; a checkpoint waits for it."""

from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from typing import Protocol

from sojae.domain.errors import BrokerError
from sojae_monitor.messages import Outgoing

MAX_WAITING = 10_000
"""Messages on their way; beyond it, sending waits for acknowledgements."""

Acknowledgement = Awaitable[tuple[int, int]]


class Sender(Protocol):
    """An idempotent producer, acknowledged by all replicas."""

    async def enqueue(self, topic: str, key: str, value: bytes, headers: Mapping[str, bytes]) -> Acknowledgement:
        """Return, once the message is in the send buffer, what awaits its acknowledgement."""
        ...


class Outbox:
    """Sends messages in order, and hands out the acknowledgements that are still awaited."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._waiting: list[Acknowledgement] = []

    async def put(self, message: Outgoing) -> None:
        """Put a message in the send buffer; raises BrokerError."""
        self._waiting.append(await self._sender.enqueue(message.topic, message.key, message.value, message.headers))
        if len(self._waiting) > MAX_WAITING:
            await acknowledged(self.take())

    def take(self) -> Sequence[Acknowledgement]:
        """Return what is awaited now; the caller awaits it."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def abandon(self) -> None:
        """Wait no more for what is on its way: the process ends, and its replay will send it again."""
        for waiting in self.take():
            if isinstance(waiting, Coroutine):
                waiting.close()


async def acknowledged(waiting: Sequence[Acknowledgement]) -> None:
    """Return when all of it is acknowledged; raises the first BrokerError, having awaited all.

    One after the other: they are all on their way, and a task for each would cost more than the sending.
    """
    failure: BrokerError | None = None
    for one in waiting:
        try:
            await one
        except BrokerError as error:
            failure = failure or error
    if failure is not None:
        raise failure
