"""Framed telemetry to columns: one call of the Arrow decoder for many messages, and no bad message spoils another."""

import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast

import fastavro
import numpy as np
import pyarrow as pa
import pyruhvro

from sojae.adapters.avro import MAX_MESSAGE_BYTES
from sojae.adapters.template_files import rabin_fingerprint, read_common
from sojae.domain.framing import confluent_frame, read_frame, single_object_frame
from sojae.domain.template import schema_id_of, schema_sha256
from sojae_monitor.emitted import Sample
from sojae_monitor.layout import Flags, Floats, Ints

END_FIELD: Final = "end_of_message"
END: Final = 0x2F6A_51C3_9B07_4D1E
"""Appended to each body as one more field: it is read back only when the record ended where the body did."""


@dataclass(frozen=True, slots=True)
class Words:
    """A column of strings, each distinct one once: `codes` point into `words`, which are the bytes on the wire."""

    codes: Ints
    words: list[bytes]

    def among(self, known: dict[bytes, int]) -> Ints:
        """Return the number of each string in `known`, −1 where it is not there."""
        numbers = np.array([known.get(word, -1) for word in self.words], dtype=np.int64)
        return numbers[self.codes] if self.words else np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Messages:
    """Decoded messages as columns. `rows` says which sample each is; what is nested is flat, with offsets into it."""

    rows: Ints
    asset: Words
    epoch: Ints
    seq: Ints
    t0: Ints
    dt: Floats
    historical: Flags
    times_at: Ints
    times: Ints
    series_at: Ints
    channel: Words
    unit: Words
    values_at: Ints
    values: Floats
    quality_at: Ints
    quality: tuple[Ints, Ints, Ints]
    """Start, count and code of each run."""
    marks_at: Ints
    marks: Any
    """An Arrow array of structs: t, kind, batch."""

    def __len__(self) -> int:
        return len(self.rows)


class Decoder:
    """Decodes `common/telemetry/1.0` in both framings."""

    def __init__(self) -> None:
        schema = read_common("telemetry", "1.0")
        self._prefixes = (
            confluent_frame(schema_id_of(schema_sha256(schema)), b""),
            single_object_frame(rabin_fingerprint(schema), b""),
        )
        fields = cast("list[object]", schema["fields"])
        self._schema = json.dumps({**schema, "fields": [*fields, {"name": END_FIELD, "type": "long"}]})
        end = io.BytesIO()
        fastavro.schemaless_writer(end, {"type": "long"}, END)
        self._end = end.getvalue()

    def decode(self, samples: Sequence[Sample], counts: Counter[str]) -> list[Messages]:
        """Return the messages, in order, in as few batches as bad ones allow; what cannot be read is counted."""
        confluent, single = self._prefixes
        rows, bodies = [], []
        for row, (_, _, value) in enumerate(samples):
            if value is None or len(value) > MAX_MESSAGE_BYTES:
                counts["empty_message" if value is None else "too_large"] += 1
            elif value[: len(confluent)] == confluent:
                rows.append(row)
                bodies.append(value[len(confluent) :] + self._end)
            elif value[: len(single)] == single:
                rows.append(row)
                bodies.append(value[len(single) :] + self._end)
            else:
                counts[_frame_reason(value)] += 1
        return self._batches(np.array(rows, dtype=np.int64), bodies, counts) if bodies else []

    def _batches(self, rows: Ints, bodies: list[bytes], counts: Counter[str]) -> list[Messages]:
        batch = _read(bodies, self._schema)
        if batch is None:
            if len(bodies) == 1:
                counts["undecodable"] += 1
                return []
            # A call fails for all when one is bad: halves find it in few calls.
            half = len(bodies) // 2
            first = self._batches(rows[:half], bodies[:half], counts)
            return first + self._batches(rows[half:], bodies[half:], counts)
        whole = _numbers(batch.column(END_FIELD)) == END
        if not whole.all():
            counts["undecodable"] += int((~whole).sum())
            batch, rows = batch.filter(pa.array(whole)), rows[whole]
        return [_columns(batch, rows)] if len(rows) else []


@cache
def decoder() -> Decoder:
    """Return the decoder, which remembers nothing: the schema is read once a process."""
    return Decoder()


def _read(bodies: list[bytes], schema: str) -> Any:
    """Return the record batch, None when one of the bodies is no such record."""
    try:
        return pyruhvro.deserialize_array(bodies, schema)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - hostile bytes raise what they like
        return None
    except BaseException as panic:
        # A panic of the Rust decoder is no Exception; an interrupt is none either, and must pass.
        if type(panic).__name__ != "PanicException":
            raise
        return None


def _columns(batch: Any, rows: Ints) -> Messages:
    series, times, marks = batch.column("series"), batch.column("times"), batch.column("marks")
    records = series.values
    values, quality = records.field("values"), records.field("quality")
    runs = quality.values
    return Messages(
        rows=rows,
        asset=_words(batch.column("asset")),
        epoch=_numbers(batch.column("epoch")),
        seq=_numbers(batch.column("seq")),
        t0=_numbers(batch.column("t0").view(pa.int64())),
        dt=batch.column("dt").to_numpy(),
        historical=batch.column("historical").to_numpy(zero_copy_only=False),
        times_at=_numbers(times.offsets),
        times=_numbers(times.values),
        series_at=_numbers(series.offsets),
        channel=_words(records.field("channel")),
        unit=_words(records.field("unit")),
        values_at=_numbers(values.offsets),
        values=values.values.to_numpy(),
        quality_at=_numbers(quality.offsets),
        quality=(_numbers(runs.field("start")), _numbers(runs.field("count")), _numbers(runs.field("code"))),
        marks_at=_numbers(marks.offsets),
        marks=marks.values,
    )


def _words(column: Any) -> Words:
    # As bytes: the decoder takes strings that are no UTF-8, and they must not raise later.
    coded = column.view(pa.binary()).dictionary_encode()
    return Words(_numbers(coded.indices), coded.dictionary.to_pylist())


def _numbers(column: Any) -> Ints:
    return cast("Ints", column.to_numpy().astype(np.int64, copy=False))


def _frame_reason(value: bytes) -> str:
    if not value:
        return "empty_message"
    return "unframed" if read_frame(value) is None else "other_schema"
