"""Clients of the stream: how many there may be, what each is sent, and when one is let go."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from litestar.response.streaming import ASGIStreamingResponse
from litestar.types import Receive, Scope, Send

from sojae.domain.text import Text
from sojae_gateway.metrics import GatewayMetrics
from sojae_gateway.plant_messages import Kind
from sojae_gateway.plants import Plants
from sojae_gateway.refusal import Refused
from sojae_gateway.stream_listener import Listener, TooSlow

log = logging.getLogger(__name__)

QUIET_SECONDS = 15.0
"""After so long without an event a comment is sent, with the place for coming back."""
SEND_SECONDS = 10.0
"""A client that takes nothing for so long is let go."""
RETRY = b"retry: 2000\n\n"
"""Milliseconds after which a browser comes back."""
MEDIA_TYPE = "text/event-stream"


class Streams:
    """The clients of the moment; once closed, all streams end."""

    def __init__(self, plants: Plants, metrics: GatewayMetrics, most: int) -> None:
        self._plants = plants
        self._metrics = metrics
        self._most = most
        self._open = 0
        self._closed = False
        self.quiet_seconds = QUIET_SECONDS
        self.send_seconds = SEND_SECONDS

    def close(self) -> None:
        """End all streams: the process stops."""
        self._closed = True
        self._plants.wake()

    def open(self, plants: frozenset[str], kinds: frozenset[Kind], last_id: str | None) -> "EventStream":
        """Return the answer to one client; raises Refused when there are as many as may be."""
        if self._open >= self._most or self._closed:
            text = Text(
                ko=f"/v1/stream을 받는 쪽이 이미 {self._most}개입니다. 잠시 뒤에 다시 부르십시오",
                en=f"/v1/stream serves {self._most} clients already; come back in a while",
            )
            raise Refused("too_many_streams", text, expected=f"≤ {self._most} clients")
        return EventStream(self, self._told(Listener(self._plants.ring, plants, kinds), last_id))

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count one client for the time of the block."""
        self._open += 1
        self._metrics.streams(self._open)
        try:
            yield
        finally:
            self._open -= 1
            self._metrics.streams(self._open)

    def dropped(self, why: str) -> None:
        """Count a client that was let go, and say why."""
        self._metrics.stream_dropped()
        log.info("a client of the stream is let go: %s", why)

    async def _told(self, listener: Listener, last_id: str | None) -> AsyncIterator[bytes]:
        """Yield blocks for one client, from the moment on at which everything that lay in Kafka at the start is read."""
        loop = asyncio.get_running_loop()
        yield RETRY
        quiet = loop.time() + self.quiet_seconds
        began = False
        while not self._closed:
            block = b""
            if not began and self._plants.caught_up:
                block, began = listener.begin(last_id), True
            elif began:
                try:
                    block = listener.take()
                except TooSlow:
                    self.dropped("what comes next for it is no longer held")
                    return
            if not block and loop.time() >= quiet:
                block = f": nothing new\nid: {listener.place}\n\n".encode() if began else b": nothing yet\n\n"
            if block:
                yield block
                quiet = loop.time() + self.quiet_seconds
            else:
                await self._plants.arrived(quiet - loop.time())


class EventStream(ASGIStreamingResponse):
    """Sends blocks as they come; a client that does not take them is let go rather than waited for."""

    __slots__ = ("_streams",)

    def __init__(self, streams: Streams, blocks: AsyncIterator[bytes]) -> None:
        super().__init__(iterator=blocks, media_type=MEDIA_TYPE, headers={"x-accel-buffering": "no"})
        self._streams = streams

    async def send_body(self, send: Send, receive: Receive) -> None:
        """Send until the blocks end, the client leaves, or it takes nothing for 10 s."""

        async def in_time(message: object) -> None:
            async with asyncio.timeout(self._streams.send_seconds):
                await send(message)  # type: ignore[arg-type]  # handed through as it came

        try:
            await super().send_body(in_time, receive)
        except* TimeoutError:
            self._streams.dropped("it takes nothing")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one client, and count it meanwhile."""
        with self._streams.counted():
            await super().__call__(scope, receive, send)
