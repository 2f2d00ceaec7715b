"""Telemetry messages of a plant, sound unless a test changes what it is about."""

from collections.abc import Mapping, Sequence
from functools import cache

from sojae.adapters.avro import RecordCodec
from sojae.adapters.template_files import read_common

BEGIN_US = 1_790_000_000_000_000
ASSET = "kiln-1"
FINGERPRINT_BYTES = 10


@cache
def codec() -> RecordCodec:
    return RecordCodec(read_common("telemetry", "1.0"))


def series(
    values: Sequence[float] = (20.0, 21.0, 22.0),
    channel: str = "temperature",
    quality: Sequence[tuple[int, int, int]] = (),
) -> dict[str, object]:
    """Return one channel; `quality` has (start, count, code)."""
    runs = [{"start": start, "count": count, "code": code} for start, count, code in quality]
    return {"channel": channel, "unit": "Cel", "values": list(values), "quality": runs}


def record(seq: int = 0, **given: object) -> dict[str, object]:
    """Return the record of a message of 30 s; its number says when it begins."""
    return {
        "asset": ASSET,
        "epoch": 1,
        "seq": seq,
        "t0": BEGIN_US + seq * 30_000_000,
        "dt": 10_000_000.0,
        "times": [],
        "series": [series(), series((1.0, 2.0, 3.0), "power")],
        "marks": [],
        "historical": False,
        **given,
    }


def telemetry(seq: int = 0, **given: object) -> bytes:
    """Return the framed bytes of a message."""
    return codec().encode(record(seq, **given))


def mark(t: int = BEGIN_US, kind: str = "start", batch: str = "B-1") -> Mapping[str, object]:
    return {"t": t, "kind": kind, "batch": batch}
