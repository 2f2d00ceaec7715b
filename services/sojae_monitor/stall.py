"""Partitions that stand still although there is more to read: no library notices all of them."""

import asyncio
import time
from collections.abc import Callable, Mapping

from sojae.domain.errors import BrokerError
from sojae.ports import Partition
from sojae_monitor.placement import LogBounds, Placement

LOOK_SECONDS = 10.0


class StallWatch:
    """Notices partitions that do not move although there is more to read; raises BrokerError then."""

    def __init__(
        self,
        placement: Placement,
        bounds: LogBounds,
        patience_seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._placement = placement
        self._bounds = bounds
        self._patience_seconds = patience_seconds
        self._now = now
        self._seen: dict[Partition, tuple[int, float]] = {}

    async def run(self) -> None:
        """Look for ever; raises BrokerError."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            followed = list(self._placement.followed)
            if followed:
                bounds = await self._bounds(followed)
                self.look({partition: end for partition, (_, end) in bounds.items()})

    def look(self, ends: Mapping[Partition, int]) -> None:
        """Compare each partition with its log's end; raises BrokerError naming the first that stands still."""
        for partition, end in ends.items():
            followed = self._placement.followed.get(partition)
            if followed is None:
                continue
            at = followed.engine.next_offset
            before, since = self._seen.get(partition, (-1, 0.0))
            if at == end or at != before:
                self._seen[partition] = (at, self._now())
            elif self._now() - since > self._patience_seconds:
                raise _stands_still(partition, at, end)


def _stands_still(partition: Partition, at: int, end: int) -> BrokerError:
    where = f"{partition.topic}-{partition.number}"
    return BrokerError(
        en=f"{where}: message {at} does not come although the log ends at {end}; the monitor starts again from its "
        "checkpoint. If this repeats, the log has a hole: telemetry must not be sent in transactions nor compacted",
        ko=f"{where}: 로그의 끝은 {end}인데 {at}번 메시지가 오지 않습니다. 체크포인트에서 다시 시작합니다. 되풀이되면 로그에 "
        "빈 곳이 있는 것입니다. 계측은 트랜잭션으로 보내거나 압축하면 안 됩니다",
    )
