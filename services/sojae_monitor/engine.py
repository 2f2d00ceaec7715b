"""The window engine: all state of one telemetry partition, a function of its log and of nothing else."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Self

import msgspec
import numpy as np

from sojae.domain.plant import Plant
from sojae_monitor.admission import admit
from sojae_monitor.asset_book import AssetBook, Placed, Progress
from sojae_monitor.assets import NEVER
from sojae_monitor.batches import Mark
from sojae_monitor.checkpoint_state import EngineRecord, read_record
from sojae_monitor.closing import Closer
from sojae_monitor.decode import Messages, decoder
from sojae_monitor.emitted import Checkpoint, Emitted, Sample
from sojae_monitor.layout import Ints, layout_of
from sojae_monitor.marks import read_marks
from sojae_monitor.panes import PaneRing
from sojae_monitor.segments import COUNT, Segments, cut
from sojae_monitor.series import SeriesReader

PORTION_BYTES: Final = 8 << 20
"""Messages that are worked on at once: their columns take about ten times as much."""


class Engine:
    """Follows one telemetry partition: gives windows, batches and alarms for the log's messages, taken in order.

    Time is the time of the samples: an asset that falls silent closes nothing. Nothing depends on how the log is
    divided among calls of `feed`, nor on a restart between them.
    """

    def __init__(self, plant: Plant, topic_id: str, partition: int) -> None:
        self._topic_id, self._partition = topic_id, partition
        self._layout = layout_of(plant)
        self._numbers = {name.encode(): number for number, name in enumerate(self._layout.assets)}
        self._decoder = decoder()
        self._series = SeriesReader(self._layout)
        self._ring = PaneRing(self._layout.ring_panes, len(self._layout.channels))
        self._book = AssetBook(self._layout, self._ring)
        self._closer = Closer(self._layout, self._ring)
        self._next = 0
        self._position = 0

    @classmethod
    def restore(cls, plant: Plant, checkpoint: Checkpoint) -> Self:
        """Return the engine of a checkpoint; it must be fed from `next_offset` on, which is the checkpoint's `resume`.

        Raises ValueError when the state is damaged, or of another layout of the plant or another version.
        """
        engine = cls(plant, checkpoint.topic_id, checkpoint.partition)
        for record in read_record(checkpoint.state, engine._layout.digest).assets:
            engine._book.restore(record)
        engine._next, engine._position = checkpoint.resume, checkpoint.position
        return engine

    @property
    def next_offset(self) -> int:
        """The offset that `feed` expects next."""
        return self._next

    @next_offset.setter
    def next_offset(self, offset: int) -> None:
        """Begin at this offset, because the log holds none before; raises ValueError once something was fed or restored."""
        if self._next or any(True for _ in self._book):
            raise ValueError(f"the engine is at offset {self._next} and cannot be moved to {offset}")
        self._next = self._position = offset

    @property
    def replaying(self) -> bool:
        """Whether the replay has not yet passed the restored position."""
        return self._next < self._position

    def feed(self, samples: Sequence[Sample]) -> Emitted:
        """Return what the messages gave, in the order of the log.

        A message that is not the one expected next is skipped, one that cannot be used set aside, and both are counted:
        no content of a message raises. What a replay repeats is neither emitted nor counted again.
        """
        emitted, counts = Emitted(), Counter[str]()
        expected = self._expected(samples, counts)
        known = max(0, min(len(expected), self._position - self._next))
        self._feed(expected[:known], emitted, Counter(), replay=True)
        self._feed(expected[known:], emitted, counts, replay=False)
        for found in (emitted.windows, emitted.batches, emitted.alarms):
            # Assets take turns in a batch; messages do in the log.
            found.sort(key=lambda one: one.offset)
        emitted.counts = dict(counts)
        return emitted

    def checkpoint(self) -> Checkpoint | None:
        """Return the state after what was fed; None while replaying, when panes are not whole."""
        if self.replaying:
            return None
        assets = self._book.records(self._next)
        return Checkpoint(
            topic_id=self._topic_id,
            partition=self._partition,
            position=self._next,
            resume=min((record.restart.offset for record in assets), default=self._next),
            state=msgspec.Raw(msgspec.json.encode(EngineRecord(self._layout.digest, assets))),
        )

    def _expected(self, samples: Sequence[Sample], counts: Counter[str]) -> list[Sample]:
        expected, offset = [], self._next
        for sample in samples:
            if sample.offset == offset:
                expected.append(sample)
                offset += 1
        if len(expected) < len(samples):
            counts["unexpected_offset"] += len(samples) - len(expected)
        return expected

    def _feed(self, samples: Sequence[Sample], emitted: Emitted, counts: Counter[str], *, replay: bool) -> None:
        for portion in _portions(samples):
            timestamps = np.array([sample.timestamp_ms for sample in portion], dtype=np.int64)
            for messages in self._decoder.decode(portion, counts):
                placed = Placed(self._next + messages.rows, timestamps[messages.rows])
                self._take(messages, placed, emitted, counts, replay=replay)
            self._next += len(portion)

    def _take(
        self, messages: Messages, placed: Placed, emitted: Emitted, counts: Counter[str], *, replay: bool
    ) -> None:
        admitted = admit(messages, placed.timestamps_ms, self._layout, self._numbers)
        admitted.count(counts)
        progress = self._book.move(messages, admitted, placed, counts)
        if not progress.steps:
            return
        series = self._series.read(messages, progress.taken, counts)
        segments = self._in_time(cut(messages, admitted, series, self._layout), progress, counts)
        last_pane = np.full(len(messages), NEVER)
        np.maximum.at(last_pane, segments.message, segments.pane)
        self._note_restarts(last_pane, progress)
        if not replay:
            # Marks of a replay wait in the checkpoint, or have taken effect.
            latest_us = placed.timestamps_ms * 1_000 + self._layout.horizon_us
            self._wait(read_marks(messages, progress.taken, placed.offsets, latest_us, counts), progress, counts)
        self._fold(segments, last_pane, progress, emitted, counts)
        for asset, _, advance, *_ in progress.steps:
            self._closer.close(asset, int(advance.late_after[-1]), advance, emitted, counts)
            asset.forget_restarts()

    def _in_time(self, segments: Segments, progress: Progress, counts: Counter[str]) -> Segments:
        """Return the segments without those whose pane had closed before their message, which are counted in samples."""
        late = segments.pane < progress.late_before[segments.message]
        if late.any():
            counts["late"] += int(segments.sums[COUNT, late].sum())
        # In a replay no window will hold what lies before the base, though its message may not be late.
        base = self._bases()[progress.slot[segments.message]]
        keep = ~late & (segments.pane >= base)
        return segments if keep.all() else segments.where(keep)

    def _bases(self) -> Ints:
        """Return the first pane in the ring of each slot."""
        return np.array([asset.base for asset in self._book], dtype=np.int64)

    def _note_restarts(self, last_pane: Ints, progress: Progress) -> None:
        for asset, rows, advance, watermark, seen in progress.steps:
            asset.note_restart(int(advance.offsets[0]), watermark, seen, int(last_pane[rows].max()), self._layout)

    @staticmethod
    def _wait(marks: Mapping[int, list[Mark]], progress: Progress, counts: Counter[str]) -> None:
        """Let marks wait for their panes; a late one is counted."""
        if not marks:
            return
        for step in progress.steps:
            for row in step.rows.tolist():
                for mark in marks.get(row, ()):
                    if step.asset.batches.border(mark.t) < progress.late_before[row]:
                        counts["late_mark"] += 1
                    else:
                        step.asset.batches.wait(mark, counts)

    def _fold(
        self, segments: Segments, last_pane: Ints, progress: Progress, emitted: Emitted, counts: Counter[str]
    ) -> None:
        """Add the segments to their panes; where the ring has no room, the panes that the log closes by then go first."""
        slot = progress.slot[segments.message]
        begins = np.searchsorted(segments.message, np.arange(len(last_pane) + 1))
        row, number = 0, len(last_pane)
        while row < number:
            beyond = last_pane[row:] >= self._bases()[progress.slot[row:]] + self._ring.panes
            stop = row + int(np.argmax(beyond)) if beyond.any() else number
            self._ring.add(slot, segments, slice(begins[row], begins[stop]))
            if stop < number:
                self._fold_long(
                    stop, np.arange(begins[stop], begins[stop + 1]), (slot, segments), progress, (emitted, counts)
                )
            row = stop + 1

    def _fold_long(
        self,
        row: int,
        chosen: Ints,
        among: tuple[Ints, Segments],
        progress: Progress,
        given: tuple[Emitted, Counter[str]],
    ) -> None:
        """Add the segments of a message for which the ring has no room, in parts that follow one another in time."""
        slot, segments = among
        step = next(s for s in progress.steps if s.asset.slot == progress.slot[row])
        while len(chosen):
            pane = segments.pane[chosen]
            fits = pane < step.asset.base + self._ring.panes
            self._ring.add(slot, segments, chosen[fits])
            chosen = chosen[~fits]
            if len(chosen):
                # When its samples reach this pane, the message will have closed what lies further back than lateness.
                first = int(segments.pane[chosen].min()) * self._layout.pane_us
                reached = (first - self._layout.lateness_us) // self._layout.pane_us
                self._closer.close(step.asset, max(reached, int(progress.late_before[row])), step.advance, *given)


def _portions(samples: Sequence[Sample]) -> Iterator[Sequence[Sample]]:
    """Yield the samples in parts of bounded memory: how they are divided changes nothing."""
    begin, size = 0, 0
    for place, sample in enumerate(samples):
        size += len(sample.value or b"")
        if size >= PORTION_BYTES:
            yield samples[begin : place + 1]
            begin, size = place + 1, 0
    if begin < len(samples):
        yield samples[begin:]
