"""Marks as senders write them: read, and those that nobody can place counted."""

from collections import Counter
from collections.abc import Mapping

from sojae.domain.telemetry_checks import EARLIEST_US, LATEST_US, MARK_KINDS, MAX_NAME
from sojae_monitor.batches import Mark
from sojae_monitor.decode import Messages
from sojae_monitor.layout import Flags, Ints


def read_marks(
    messages: Messages, taken: Flags, offsets: Ints, latest_us: Ints, counts: Counter[str]
) -> Mapping[int, list[Mark]]:
    """Return the marks of the messages `taken`, by message; `latest_us` is the latest time that each may speak of."""
    found: dict[int, list[Mark]] = {}
    if not len(messages.marks):
        return found
    begins, ends = messages.marks_at[:-1], messages.marks_at[1:]
    times = messages.marks.field("t").to_pylist()
    kinds, batches = (_texts(messages.marks.field(name)) for name in ("kind", "batch"))
    for row in (taken & (ends > begins)).nonzero()[0].tolist():
        for place, at in enumerate(range(int(begins[row]), int(ends[row]))):
            reason = _reason(times[at], kinds[at], batches[at], int(latest_us[row]))
            if reason:
                counts[reason] += 1
            else:
                mark = Mark(times[at], int(offsets[row]), place, str(kinds[at]), str(batches[at]))
                found.setdefault(row, []).append(mark)
    return found


def _texts(column: object) -> list[str | None]:
    # As bytes first: the decoder takes strings that are no UTF-8.
    return [_text(raw) for raw in column.cast("binary").to_pylist()]  # type: ignore[attr-defined]  # pyarrow ships no types


def _text(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _reason(t: int, kind: str | None, batch: str | None, latest_us: int) -> str:
    if kind not in MARK_KINDS:
        return "unknown_mark"
    if batch is None or not 1 <= len(batch) <= MAX_NAME:
        return "mark_without_batch"
    if not EARLIEST_US <= t <= LATEST_US:
        return "time_range"
    return "mark_ahead" if t > latest_us else ""
