"""What the window engine takes of a telemetry log, and what it sets aside and counts."""

import io
import math
import struct
from collections.abc import Sequence

import fastavro
import pytest

from sojae.domain.framing import single_object_frame
from sojae.domain.plant import Channel
from sojae_monitor import asset_book, decode
from sojae_monitor.emitted import Emitted, Sample
from sojae_monitor.engine import Engine
from sojae_monitor.sequence import FRESH, REPEATED, ZOMBIE, Seen, SequenceGuard
from sojae_monitor.units import UnitLines
from tests.engine_logs import BEGIN_US, SCHEMA, SECOND_US, Log, framed, mark, plant, record, series

FAR_US = BEGIN_US + 60 * SECOND_US


def warm(values: Sequence[float] = (1450.0,) * 10, **given: object) -> dict:
    return series("temperature", list(values), **given)  # type: ignore[arg-type]  # unit and quality


def message(seq: int = 0, channels: list[dict] | None = None, **given: object) -> dict:
    """Return a message of a second."""
    whole = [warm()] if channels is None else channels
    return record(seq, BEGIN_US + seq * SECOND_US, whole, **given)


def heartbeat(seq: int = 1_000) -> dict:
    """Return a message without samples that closes what came before it."""
    return record(seq, FAR_US)


def told(*contents: dict | bytes | None) -> Emitted:
    """Return what these messages gave, closed by a heartbeat."""
    log = Log()
    for content in (*contents, heartbeat()):
        if isinstance(content, dict):
            log.add(content)
        else:
            log.add(None, raw=content)
    return Engine(plant(), "topic", 0).feed(log.samples)


def count(emitted: Emitted, channel: int = 0) -> int:
    """Return the good samples of a channel, each in the two windows that hold it."""
    return sum(window.channels[channel].count for window in emitted.windows) // 2


def test_both_framings_are_read() -> None:
    """A client of a registry and one without are followed alike."""
    emitted = told(framed(message(0), confluent=True), framed(message(1)))
    assert emitted.counts == {}
    assert count(emitted) == 20


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty_message"),
        (b"", "empty_message"),
        (b"plain text", "unframed"),
        (b"\x00" + struct.pack(">I", 7) + b"\x02a", "other_schema"),
        (b"\xc3\x01" + bytes(9), "other_schema"),
        (framed(message())[:-1], "undecodable"),
        (framed(message())[:40], "undecodable"),
        (framed(message()) + b"\x00", "undecodable"),
        (framed(message()) + b"\x00" * 9, "undecodable"),
        (b"\xc3\x01" + framed(message())[2:10] + b"\xff" * 12, "undecodable"),
        (b"x" * (decode.MAX_MESSAGE_BYTES + 1), "too_large"),
    ],
)
def test_bad_bytes_spoil_nobody(value: bytes | None, reason: str) -> None:
    """One message that cannot be read is counted, and those around it are taken."""
    emitted = told(message(0), value, message(1))
    assert emitted.counts == {reason: 1}
    assert count(emitted) == 20


def test_panic_of_the_decoder_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Rust decoder's panic passes `except Exception`; an interrupt must go on passing."""
    panic = type("PanicException", (BaseException,), {})
    read = decode.pyruhvro.deserialize_array

    def deserialize(bodies: list[bytes], schema: str) -> object:
        if any(b"poison" in body for body in bodies):
            raise panic
        if any(b"interrupt" in body for body in bodies):
            raise KeyboardInterrupt
        return read(bodies, schema)

    monkeypatch.setattr(decode.pyruhvro, "deserialize_array", deserialize)
    assert told(message(0), message(1, asset="poison")).counts == {"undecodable": 1}
    with pytest.raises(KeyboardInterrupt):
        told(message(1, asset="interrupt"))


def test_arrays_in_several_blocks_are_read() -> None:
    """Avro lets a writer send an array in blocks, with their size in bytes or without."""
    body = framed(message(0, [series("temperature", [1450.0] * 3)]))[10:]
    values = struct.pack("<3d", *[1450.0] * 3)
    blocks = b"\x02" + values[:8] + b"\x03\x20" + values[8:]
    at = body.index(b"\x06" + values)
    emitted = told(single_object_frame(framed(message())[2:10], body[:at] + blocks + body[at + 1 + len(values) :]))
    assert emitted.counts == {}
    assert count(emitted) == 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (message(asset="stranger"), "unknown_asset"),
        (message(historical=True), "historical"),
        (message(epoch=-1), "identifier"),
        (message(-5), "identifier"),
        (message(0, [warm(), series("power", [1.0])]), "series_lengths"),
        (message(times=[0, 1]), "series_lengths"),
        (message(dt=0.0), "time_grid"),
        (message(dt=math.nan), "time_grid"),
        (message(dt=math.inf), "time_grid"),
        (message(times=[*range(9), 8]), "time_grid"),
        (message(times=[-1, *range(9)]), "time_grid"),
        (message(dt=1e300), "time_range"),
        (message(0) | {"t0": 0}, "time_range"),
        (message(0) | {"t0": (1 << 62) // 1000 * 1000}, "time_range"),
        (message(0, [warm(quality=((0, 11, 2),))]), "quality_run"),
        (message(0, [warm(quality=((0, 1, 3),))]), "quality_run"),
        (message(0, [warm(quality=((-1, 1, 1),))]), "quality_run"),
        (message(dt=400e6), "clock_ahead"),
    ],
)
def test_unsound_messages_are_set_aside(content: dict, reason: str) -> None:
    """A message that cannot be computed with is counted, and moves nothing."""
    emitted = told(message(0), content | ({"seq": 1} if content["seq"] >= 0 else {}), message(2))
    assert emitted.counts == {reason: 1}
    assert count(emitted) == 20


def test_clock_ahead_does_not_move_the_watermark() -> None:
    """One wrong clock makes nothing late that comes after it."""
    ahead = message(1) | {"t0": BEGIN_US + 7_200 * SECOND_US}
    log = Log()
    log.add(message(0))
    log.add(ahead, late_ms=-7_200_000)
    log.add(message(2))
    log.add(heartbeat())
    emitted = Engine(plant(), "topic", 0).feed(log.samples)
    assert emitted.counts == {"clock_ahead": 1}


def test_clock_that_steps_back_is_late() -> None:
    """Samples of panes that are closed are counted, one by one."""
    emitted = told(message(0), message(30), message(31) | {"t0": BEGIN_US})
    assert emitted.counts == {"late": 10}


def test_samples_of_no_use_are_left_out() -> None:
    """Bad quality, NaN and what is no number are left out; uncertain ones are kept."""
    values = [1450.0] * 6 + [math.nan, math.inf, 1e200, 1450.0]
    emitted = told(message(0, [warm(values, quality=((0, 2, 2), (1, 1, 2), (2, 2, 1)))]))
    assert emitted.counts == {"no_reading": 3, "bad_quality": 2, "uncertain": 2}
    assert count(emitted) == 5


def test_repeated_and_zombie_messages_are_set_aside() -> None:
    """A message that comes twice counts once, and a sender that was replaced counts no more."""
    emitted = told(
        message(0),
        message(0),
        message(2),
        message(1),
        message(2),
        message(3, epoch=2),
        message(4),
        heartbeat() | {"epoch": 2},
    )
    assert emitted.counts == {"repeated": 2, "zombie": 2}
    assert count(emitted) == 40


def test_sequence_remembers_in_constant_memory() -> None:
    """Far behind the last number all is repeated; a jump far ahead forgets what lies behind it."""
    guard = SequenceGuard(Seen(1, 5_000, 1))
    one = [(1, 4_500), (1, 4_500), (1, 10), (1, 1 << 62), (1, 4_501), (0, 1), (2, 0), (2, 0)]
    verdicts = [int(guard.admit(*(decode.np.array([n], dtype="int64") for n in pair))[0]) for pair in one]
    assert verdicts == [FRESH, REPEATED, REPEATED, FRESH, REPEATED, ZOMBIE, FRESH, REPEATED]


def test_sequence_at_once_is_sequence_one_by_one() -> None:
    """Rising numbers are judged in one step, with gaps or without, to the same memory."""
    numbers = decode.np.array([6, 7, 9, 1_040, 1_041, 3_000, 3_001], dtype="int64")
    for size in (3, 4, 5, 7):
        at_once, singly = SequenceGuard(Seen(1, 5, 0b1011)), SequenceGuard(Seen(1, 5, 0b1011))
        ones = decode.np.ones(size, dtype="int64")
        assert at_once.admit(ones, numbers[:size]).tolist() == [FRESH] * size
        for number in numbers[:size]:
            singly.admit(ones[:1], decode.np.array([number]))
        assert at_once.seen == singly.seen


def test_other_units_are_converted() -> None:
    """A furnace told in kelvins is the same furnace."""
    emitted = told(message(0, [warm([1723.15] * 10, unit="K")]), message(1, [warm([2642.0] * 10, unit="[degF]")]))
    assert emitted.counts == {}
    window = next(w for w in emitted.windows if w.channels[0].count == 20)
    assert window.channels[0].mean == pytest.approx(1450.0)
    assert window.channels[0].unit == "Cel"


def test_series_of_no_use_are_set_aside() -> None:
    """A unit that measures something else, an unknown channel and a channel told twice are counted by series."""
    channels = [warm(unit="Pa"), series("noise", [0.0] * 10), *[series("power", [1.0] * 10)] * 2]
    emitted = told(message(0, [*channels, series("humidity", [3.0] * 10)]))
    assert emitted.counts == {"unit": 1, "unknown_channel": 1, "repeated_channel": 2}
    assert count(emitted, 1) == 10


def test_bytes_that_are_no_text_raise_nothing() -> None:
    """Names on the wire may be any bytes."""
    names = (b"kiln-0", b"noise", b"batch", b"start")
    channels, marks = [warm(), series("noise", [0.0] * 10)], [mark(BEGIN_US, "start", "batch")]
    whole = [
        framed(message(n, channels, marks=marks)).replace(name, b"\xff" * len(name)) for n, name in enumerate(names)
    ]
    emitted = told(*whole)
    assert emitted.counts["unknown_asset"] == 1
    assert (emitted.counts["unknown_mark"], emitted.counts["mark_without_batch"]) == (1, 1)


def test_unit_lines_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that invents units fills no memory."""
    lines = UnitLines(("Cel",))
    monkeypatch.setattr("sojae_monitor.units.MAX_KNOWN", 3)
    assert [lines.line(0, f"x{n}".encode()) for n in range(9)] == [None] * 9
    assert lines.line(0, b"K") == pytest.approx((1.0, -273.15))
    assert lines.line(0, b"\xff") is None
    assert len(lines._known) <= 3


def test_assets_beyond_the_bound_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each asset takes memory: no more are followed than the bound says."""
    monkeypatch.setattr(asset_book, "MAX_ASSETS", 1)
    assert told(message(0), message(0, asset="kiln-1")).counts == {"too_many_assets": 1}


def test_irregular_times_hold_until_the_next() -> None:
    """With times of its own, a sample stands for the time until the next one; the last as long as the one before."""
    times = [0, 200_000, 700_000, 900_000]
    emitted = told(message(0, [warm([1450.0, 1300.0, 1450.0, 1450.0])], times=times, dt=math.nan))
    window = next(w for w in emitted.windows if w.channels[0].count == 4)
    assert window.channels[0].dwell_s == pytest.approx(0.2 + 0.2 + 0.2)


def test_one_message_may_span_more_than_the_ring() -> None:
    """A message of an hour is folded in parts, and nothing of it is late."""
    long = Channel(unit="kW")
    log = Log()
    log.add(message(0, [series("power", [float(n) for n in range(3_000)])], dt=1e6), late_ms=3_000_000)
    log.add(record(1, BEGIN_US + 4_000 * SECOND_US), late_ms=4_000)
    emitted = Engine(plant(channels={"power": long}), "topic", 0).feed(log.samples)
    assert emitted.counts == {}
    assert sum(w.channels[0].count for w in emitted.windows) == 6_000


def test_message_that_spans_days_is_set_aside() -> None:
    """So long a message is none of a live log, and would be closed pane by pane."""
    log = Log()
    log.add(message(0, [series("power", [1.0] * 100)], dt=3_600e6), late_ms=400_000_000)
    assert Engine(plant(), "topic", 0).feed(log.samples).counts == {"too_long": 1}


def test_marks_that_nobody_can_place_are_counted() -> None:
    """A mark needs a known kind, a batch and a time that can be."""
    marks = [
        mark(BEGIN_US, "pause", "B-1"),
        mark(BEGIN_US, "start", ""),
        mark(0, "start", "B-1"),
        mark(BEGIN_US + 10_000 * SECOND_US, "start", "B-1"),
    ]
    emitted = told(message(0, marks=marks))
    assert emitted.counts == {"unknown_mark": 1, "mark_without_batch": 1, "time_range": 1, "mark_ahead": 1}


def test_schema_is_the_one_on_the_wire() -> None:
    """What a stock Avro client writes is read."""
    body = io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(dict(SCHEMA)), message(0))
    sample = Sample(0, BEGIN_US // 1_000, single_object_frame(framed(message())[2:10], body.getvalue()))
    assert Engine(plant(), "topic", 0).feed([sample]).counts == {}
