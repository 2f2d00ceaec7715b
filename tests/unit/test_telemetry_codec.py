"""Telemetry to Arrow: what was sent comes back, and what is wrong is named without harm to its neighbours."""

import io
import struct
from collections.abc import Sequence
from typing import Any

import fastavro
import pyarrow as pa
import pyruhvro
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sojae.adapters import telemetry_codec as module
from sojae.adapters.telemetry_codec import TELEMETRY, TelemetryDecoder
from sojae.adapters.template_files import read_common
from sojae.domain.framing import confluent_frame
from sojae.domain.issue import Issue
from sojae.domain.telemetry_checks import check_samples
from sojae.domain.template import schema_id_of
from tests.telemetry_messages import BEGIN_US, FINGERPRINT_BYTES, mark, record, series, telemetry

NAN, INFINITE = float("nan"), float("inf")
DECODER = TelemetryDecoder()


def rules(message: bytes | None) -> list[tuple[str, str | None, str]]:
    """Return the findings of a message that stands between two sound ones, which must come through."""
    decoded = DECODER.decode([telemetry(0), message, telemetry(2)])
    assert (decoded.issues[0], decoded.issues[2]) == ([], [])
    assert {0, 2} <= set(decoded.places.tolist())
    return [(i.rule, i.field, i.severity) for i in decoded.issues[1]]


def test_what_was_sent_comes_back() -> None:
    """All fields, NaN and quality runs, in both framings."""
    sent = record(7, series=[series((1.0, NAN, 3.0), quality=[(1, 1, 2)])], marks=[mark()], historical=True)
    framed = telemetry(7, series=sent["series"], marks=sent["marks"], historical=True)
    confluent = confluent_frame(schema_id_of(DECODER.schema_sha256), framed[FINGERPRINT_BYTES:])
    decoded = DECODER.decode([framed, confluent])
    assert decoded.rows.schema == TELEMETRY
    first, second = decoded.rows.to_pylist()
    assert int(first.pop("t0").timestamp()) * 1_000_000 == sent.pop("t0")
    assert repr(first) == repr(sent)
    assert (second["seq"], decoded.places.tolist(), decoded.issues) == (7, [0, 1], [[], []])


def test_no_message_is_no_row() -> None:
    """Columns are there all the same."""
    assert DECODER.decode([]).rows.schema == DECODER.decode([None, b"x"]).rows.schema == TELEMETRY


FRAMED = telemetry(1)


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (None, "empty_message"),
        (b"", "empty_message"),
        (bytes(1_048_577), "too_large"),
        (b"\x05nonsense", "unframed"),
        (b"\x00\x00\x00\x00\x07" + FRAMED[FINGERPRINT_BYTES:], "unknown_schema"),
        (b"\xc3\x01" + bytes(8) + FRAMED[FINGERPRINT_BYTES:], "unknown_schema"),
        (FRAMED[:-3], "undecodable"),
        (FRAMED[:FINGERPRINT_BYTES], "undecodable"),
        (FRAMED.replace(b"kiln-1", b"kil\xff\xfe1"), "undecodable"),
        (FRAMED[:FINGERPRINT_BYTES] + b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f", "undecodable"),
        (FRAMED + b"\x00", "trailing_bytes"),
        (FRAMED + FRAMED, "trailing_bytes"),
    ],
)
def test_what_cannot_be_read_is_named_and_has_no_row(message: bytes | None, rule: str) -> None:
    """Bytes that are no text are no text, though the fast decoder takes them."""
    assert rules(message) == [(rule, None, "hard")]
    assert DECODER.decode([message]).rows.num_rows == 0


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"dt": 0.0}, ("time_grid", "dt")),
        ({"dt": -1.0}, ("time_grid", "dt")),
        ({"dt": NAN}, ("time_grid", "dt")),
        ({"dt": INFINITE}, ("time_grid", "dt")),
        ({"times": [0, 10, 10]}, ("time_grid", "times")),
        ({"times": [0, 2**63 - 1, -(2**63)]}, ("time_grid", "times")),  # a difference would overflow
        ({"times": [-1, 10, 20]}, ("time_grid", "times")),
        ({"times": [0, 10]}, ("series_lengths", "times")),
        ({"t0": 0}, ("time_range", "t0")),
        ({"t0": 2**62}, ("time_range", "t0")),
        ({"t0": -(2**63)}, ("time_range", "t0")),
        ({"dt": 1e300}, ("time_range", "t0")),
        ({"series": [series((1.0, 2.0)), series((1.0,), "power")]}, ("series_lengths", "series.values")),
        ({"series": [series(), series()]}, ("repeated_channel", "series.channel")),
        ({"series": [series(channel="")]}, ("identifier", "series.channel")),
        ({"series": [series(quality=[(2, 2, 1)])]}, ("quality_run", "series.quality")),
        ({"series": [series(quality=[(-1, 1, 1)])]}, ("quality_run", "series.quality")),
        ({"series": [series(quality=[(0, 0, 1)])]}, ("quality_run", "series.quality")),
        ({"series": [series(quality=[(0, 1, 3)])]}, ("quality_run", "series.quality")),
        ({"series": [series(quality=[(2, 2**31 - 1, 1)])]}, ("quality_run", "series.quality")),
        ({"asset": ""}, ("identifier", "asset")),
        ({"asset": "x" * 129}, ("identifier", "asset")),
        ({"epoch": -1}, ("identifier", "epoch")),
        ({"seq": -1}, ("identifier", "seq")),
    ],
)
def test_what_cannot_be_computed_with_is_hard(given: dict[str, object], found: tuple[str, str]) -> None:
    """The row is there, and is not sound."""
    message = telemetry(**{"seq": 1, **given})  # type: ignore[arg-type]  # some of it is no number
    assert rules(message) == [(*found, "hard")]
    decoded = DECODER.decode([telemetry(0), message])
    assert (decoded.rows.num_rows, decoded.sound().rows["seq"].to_pylist()) == (2, [0])
    assert decoded.sound().places.tolist() == [0]


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"series": [series((1.0, INFINITE, -INFINITE))]}, ("non_finite", "series.values")),
        ({"marks": [mark(kind="pause")]}, ("category", "marks.kind")),
        ({"marks": [mark(batch="")]}, ("identifier", "marks.batch")),
        ({"marks": [mark(t=5)]}, ("time_range", "marks.t")),
    ],
)
def test_what_harms_only_itself_is_flagged(given: dict[str, object], found: tuple[str, str]) -> None:
    """The other samples are of use."""
    assert rules(telemetry(1, **given)) == [(*found, "warn")]
    assert DECODER.decode([telemetry(1, **given)]).sound().rows.num_rows == 1


@pytest.mark.parametrize(
    "given",
    [
        {"times": [0, 9, 30], "dt": 0.0},
        {"series": [], "dt": 0.0},
        {"series": [], "marks": [mark(), mark(kind="end")]},
        {"series": [series((NAN, NAN, NAN))]},
        {"series": [series(quality=[(0, 3, 1)])]},
        {"series": [series(()), series((), "power")], "dt": 0.0},
        {"marks": [mark(batch="배치-1")]},
    ],
)
def test_what_is_lawful_has_no_finding(given: dict[str, object]) -> None:
    """Irregular times, marks alone, nothing but missing readings."""
    assert rules(telemetry(1, **given)) == []


def _in_blocks(values: Sequence[float], size: int) -> bytes:
    """Return an Avro array of doubles in blocks of a size, each with its length in bytes, as some writers do."""
    blocks = [values[at : at + size] for at in range(0, len(values), size)]
    return b"".join(_long(-len(b)) + _long(8 * len(b)) + struct.pack(f"<{len(b)}d", *b) for b in blocks) + b"\x00"


def _long(value: int) -> bytes:
    out, number = bytearray(), (value << 1) ^ (value >> 63)
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def test_arrays_in_several_blocks_are_read() -> None:
    """Their length is another, and lawful."""
    plain = struct.pack("<3d", 20.0, 21.0, 22.0)
    message = telemetry(1).replace(_long(3) + plain + b"\x00", _in_blocks((20.0, 21.0, 22.0), 2))
    assert message != telemetry(1)
    decoded = DECODER.decode([telemetry(0), message, telemetry(2)])
    assert decoded.issues == [[], [], []]
    assert decoded.rows["series"][1].as_py() == decoded.rows["series"][0].as_py()


def test_places_are_those_of_the_messages_across_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is left out, and wherever a call ends."""
    monkeypatch.setattr(module, "CHUNK", 3)
    bad = {1: b"", 4: FRAMED[:-1], 5: FRAMED + b"x", 9: b"\x05"}
    decoded = DECODER.decode([bad.get(n, telemetry(n)) for n in range(11)])
    good = [n for n in range(11) if n not in bad]
    assert decoded.places.tolist() == decoded.rows["seq"].to_pylist() == good
    assert [n for n, found in enumerate(decoded.issues) if found] == list(bad)


class Panic(BaseException):
    """What pyruhvro raises is no Exception, and no name to import."""


Panic.__name__ = "PanicException"


def test_a_panic_of_the_fast_decoder_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference reads what it can."""

    def panics(*_: object) -> None:
        raise Panic

    monkeypatch.setattr(pyruhvro, "deserialize_array", panics)
    decoded = DECODER.decode([telemetry(0), FRAMED[:-1], telemetry(2, t0=2**62)])
    assert (decoded.places.tolist(), decoded.rows["seq"].to_pylist()) == ([0, 2], [0, 2])
    assert [[i.rule for i in found] for found in decoded.issues] == [[], ["undecodable"], ["time_range"]]


def test_a_check_that_stumbles_is_a_finding_of_that_message(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Its neighbours are judged as ever."""

    def stumbles(rows: pa.RecordBatch) -> list[list[Issue]]:
        if 3 in rows["seq"].to_pylist():
            raise ZeroDivisionError("nobody thought of this")
        return check_samples(rows)

    monkeypatch.setattr(module, "check_samples", stumbles)
    decoded = DECODER.decode([telemetry(n, dt=float(n != 1)) for n in range(6)])
    assert [[i.rule for i in found] for found in decoded.issues] == [[], ["time_grid"], [], ["check_failed"], [], []]
    assert "check failed" in caplog.text


def test_part_of_a_batch_is_checked_as_the_whole() -> None:
    """A slice keeps its buffers, and its offsets begin elsewhere."""
    given: list[dict[str, object]] = [
        {},
        {"series": [series(quality=[(2, 2, 1)])]},
        {"times": [0, 5, 4]},
        {"marks": [mark(kind="x")]},
        {},
    ]
    rows = DECODER.decode([telemetry(n, **more) for n, more in enumerate(given)]).rows
    assert check_samples(rows.slice(2, 2)) == check_samples(rows)[2:4]
    assert check_samples(rows.slice(1)) == check_samples(rows)[1:]


def test_being_told_to_stop_is_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no error of a message passes."""

    def stops(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pyruhvro, "deserialize_array", stops)
    with pytest.raises(KeyboardInterrupt):
        DECODER.decode([telemetry(0)])


@examples(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 200), st.integers(0, 30))
def test_whatever_comes_is_judged(junk: bytes, at: int, cut: int) -> None:
    """Bytes put into a message somewhere: a row or a finding, never an error; text stays text."""
    body = FRAMED[: FINGERPRINT_BYTES + at] + junk + FRAMED[FINGERPRINT_BYTES + at + cut :]
    decoded = DECODER.decode([telemetry(0), body])
    assert decoded.places[0] == 0
    assert len(decoded.places) == 2 or decoded.issues[1]
    decoded.rows.validate(full=True)


def test_the_schema_is_that_of_the_columns() -> None:
    """Names in one order, so that nobody reads one for another."""
    parsed = read_common("telemetry", "1.0")
    assert [f["name"] for f in parsed["fields"]] == TELEMETRY.names  # type: ignore[attr-defined]  # a JSON list
    stream = io.BytesIO(FRAMED[FINGERPRINT_BYTES:])
    read: Any = fastavro.schemaless_reader(stream, fastavro.parse_schema(parsed), None)
    assert pa.RecordBatch.from_pylist([read], schema=TELEMETRY).to_pylist() == DECODER.decode([FRAMED]).rows.to_pylist()
    assert int(read["t0"].timestamp() * 1_000_000) == BEGIN_US + 30_000_000
