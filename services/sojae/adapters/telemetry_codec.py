"""Telemetry messages to Arrow, many in one call of pyruhvro, with fastavro as the reference where that stumbles."""

import io
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import fastavro
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyruhvro
from fastavro.schema import parse_schema

from sojae.adapters.avro import MAX_MESSAGE_BYTES
from sojae.adapters.template_files import rabin_fingerprint, read_common
from sojae.domain.framing import frame_or_issue
from sojae.domain.issue import Issue
from sojae.domain.telemetry_checks import check_samples
from sojae.domain.template import schema_id_of, schema_sha256

log = logging.getLogger(__name__)

VERSION = "1.0"
CHUNK = 2_048
"""Messages decoded in one call: one costs 50 µs whatever it holds, and more bring nothing."""

QUALITY = pa.list_(pa.struct([("start", pa.int32()), ("count", pa.int32()), ("code", pa.int32())]))
SERIES = pa.list_(
    pa.struct(
        [("channel", pa.string()), ("unit", pa.string()), ("values", pa.list_(pa.float64())), ("quality", QUALITY)]
    )
)
MARKS = pa.list_(pa.struct([("t", pa.int64()), ("kind", pa.string()), ("batch", pa.string())]))
TELEMETRY = pa.schema(
    [
        pa.field("asset", pa.string()),
        pa.field("epoch", pa.int64()),
        pa.field("seq", pa.int64()),
        pa.field("t0", pa.timestamp("us", tz="UTC")),
        pa.field("dt", pa.float64()),
        pa.field("times", pa.list_(pa.int64())),
        pa.field("series", SERIES),
        pa.field("marks", MARKS),
        pa.field("historical", pa.bool_()),
    ]
)
"""A telemetry message as a row: `dt` and `times` in microseconds, marks in Unix microseconds."""


@dataclass(frozen=True, slots=True)
class DecodedTelemetry:
    """Telemetry after decoding: `rows` (columns of `TELEMETRY`) of the messages that could be read.

    `places` has for each row the index of its message, rising; `issues` has the findings of every message, hard ones
    included: a row whose message has a hard finding holds what was sent, and must not be computed with.
    """

    rows: pa.RecordBatch
    places: npt.NDArray[np.int64]
    issues: list[list[Issue]]

    def sound(self) -> "DecodedTelemetry":
        """Return the same with those rows alone whose message has no hard finding."""
        keep = np.array([not any(i.severity == "hard" for i in self.issues[p]) for p in self.places], dtype=bool)
        if keep.all():
            return self
        return DecodedTelemetry(self.rows.filter(pa.array(keep)), self.places[keep], self.issues)


class TelemetryDecoder:
    """Decodes both framings of `common/telemetry`; never raises for what a message holds."""

    def __init__(self, max_message_bytes: int = MAX_MESSAGE_BYTES) -> None:
        schema = read_common("telemetry", VERSION)
        self.schema_sha256 = schema_sha256(schema)
        self._id, self._fingerprint = schema_id_of(self.schema_sha256), rabin_fingerprint(schema)
        self._max_message_bytes = max_message_bytes
        self._text = json.dumps(schema)
        self._reference = parse_schema(_without_logical_types(json.loads(self._text)))

    def decode(self, messages: Sequence[bytes | None]) -> DecodedTelemetry:
        """Return the rows and findings of the messages."""
        issues: list[list[Issue]] = [[] for _ in messages]
        bodies, places = [], []
        for place, message in enumerate(messages):
            body = self._body(message)
            if isinstance(body, Issue):
                issues[place].append(body)
            else:
                bodies.append(body)
                places.append(place)
        parts: list[tuple[pa.RecordBatch, list[int]]] = []
        for at in range(0, len(bodies), CHUNK):
            parts += self._read(bodies[at : at + CHUNK], places[at : at + CHUNK], issues)
        rows = _joined([batch for batch, _ in parts])
        read = np.array([place for _, part in parts for place in part], dtype=np.int64)
        for place, found in zip(read, _checked(rows), strict=True):
            issues[place] += found
        return DecodedTelemetry(rows, read, issues)

    def _body(self, message: bytes | None) -> bytes | Issue:
        frame = frame_or_issue(message, self._max_message_bytes)
        if isinstance(frame, Issue):
            return frame
        assert message is not None, "it has a frame"
        if frame.schema_id != self._id and frame.fingerprint != self._fingerprint:
            return _hard("unknown_schema", str(frame), f"common/telemetry/{VERSION}")
        return message[frame.body_offset :]

    def _read(
        self, bodies: Sequence[bytes], places: Sequence[int], issues: list[list[Issue]]
    ) -> list[tuple[pa.RecordBatch, list[int]]]:
        """Return the rows of bodies with their places; what one call cannot read is halved down to single messages."""
        if not bodies:
            return []
        try:
            batch, lengths = self._read_at_once(bodies)
        except BaseException as error:
            # NOTE: pyruhvro's panic is no Exception; everything else that is none must pass.
            if not isinstance(error, ValueError | OverflowError) and type(error).__name__ != "PanicException":
                raise
            if len(bodies) == 1:
                return self._read_one(bodies[0], places[0], issues)
            half = len(bodies) // 2
            return self._read(bodies[:half], places[:half], issues) + self._read(bodies[half:], places[half:], issues)
        odd = [n for n, body in enumerate(bodies) if len(body) != lengths[n]]
        left_out = {n for n in odd if self._refused(bodies[n], places[n], issues)}
        kept = [n for n in range(len(bodies)) if n not in left_out]
        return [(batch.take(pa.array(kept, pa.int64())) if left_out else batch, [places[n] for n in kept])]

    def _read_at_once(self, bodies: Sequence[bytes]) -> tuple[pa.RecordBatch, list[int]]:
        """Return the rows, and how long each record is when it is written again: pyruhvro overlooks what follows one.

        Raises ValueError, or a panic that is no Exception, without saying which record it was. NOTE: it takes bytes
        that are no UTF-8 for text, so that is looked into here.
        """
        batch = pyruhvro.deserialize_array(list(bodies), self._text)
        batch.validate(full=True)
        (again,) = pyruhvro.serialize_record_batch(batch, self._text, 1)
        return batch.cast(TELEMETRY), pc.binary_length(again).to_pylist()

    def _read_one(self, body: bytes, place: int, issues: list[list[Issue]]) -> list[tuple[pa.RecordBatch, list[int]]]:
        record = self._record(body, place, issues)
        return [] if record is None else [(pa.RecordBatch.from_pylist([record], schema=TELEMETRY), [place])]

    def _refused(self, body: bytes, place: int, issues: list[list[Issue]]) -> bool:
        """Return whether a record of unusual length is none: arrays in several blocks are longer, and lawful."""
        return self._record(body, place, issues) is None

    def _record(self, body: bytes, place: int, issues: list[list[Issue]]) -> dict[str, object] | None:
        stream = io.BytesIO(body)
        try:
            record = cast("dict[str, object]", fastavro.schemaless_reader(stream, self._reference, None))
        except Exception as error:  # noqa: BLE001 - hostile bytes raise anything: EOFError, UnicodeDecodeError …
            got = f"{type(error).__name__}: {error}"[:256]
            issues[place].append(_hard("undecodable", got, f"common/telemetry/{VERSION}"))
            return None
        if stream.tell() != len(body):
            issues[place].append(_hard("trailing_bytes", f"{len(body) - stream.tell()} bytes", "none"))
            return None
        return record


def _checked(rows: pa.RecordBatch) -> list[list[Issue]]:
    """Return the findings of each row; what a check stumbles over is one too, so that no message can stop the others."""
    try:
        return check_samples(rows)
    except Exception as error:
        if rows.num_rows == 1:
            log.exception("a check failed on one telemetry message")
            got = f"{type(error).__name__}: {error}"[:256]
            return [[Issue("check_failed", "hard", None, got, "values that can be checked")]]
        half = rows.num_rows // 2
        return _checked(rows.slice(0, half)) + _checked(rows.slice(half))


def _joined(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    table = pa.Table.from_batches(batches, schema=TELEMETRY).combine_chunks()
    return pa.RecordBatch.from_arrays(
        [c.chunk(0) if c.num_chunks else pa.array([], c.type) for c in table.columns], schema=TELEMETRY
    )


def _without_logical_types(schema: dict[str, object]) -> dict[str, object]:
    """Return the schema with plain numbers for times: a time that no datetime can hold is to be judged, not stumbled over."""
    fields = cast("list[dict[str, object]]", schema["fields"])
    return {**schema, "fields": [{**f, "type": "long"} if f["name"] == "t0" else f for f in fields]}


def _hard(rule: str, got: str, expected: str) -> Issue:
    return Issue(rule, "hard", None, got, expected)
