"""The tables `telemetry/<plant>`: one row for every telemetry message, sound or not, positions in the same commit."""

from collections.abc import Mapping, Sequence

import obstore
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from obstore.exceptions import BaseError

from sojae.adapters.delta import PinnedTable
from sojae.adapters.events_schema import MESSAGE_FIELDS, POSITION_FIELDS
from sojae.adapters.events_table import CONFIGURATION, MAX_LOOKUP, PositionedTable
from sojae.adapters.shelf import open_store
from sojae.adapters.telemetry_codec import TELEMETRY
from sojae.domain.errors import StoreError
from sojae.domain.frames import ISSUES
from sojae.domain.order import ORDER_COLUMNS
from sojae.topics import IDENTITY

FOLDER = "telemetry"
SequenceKey = tuple[str, int, int]
"""Asset, epoch and seq: which message of its sender it is."""

_TEXT, _TIME = pa.string(), pa.timestamp("us", tz="UTC")

TELEMETRY_TABLE = pa.schema(
    [
        pa.field("ingest_date", _TEXT),
        *POSITION_FIELDS,
        pa.field("lane", _TEXT),
        pa.field("status", _TEXT),
        pa.field("issues", ISSUES),
        *TELEMETRY,
        pa.field("samples", pa.int64()),
        *MESSAGE_FIELDS,
    ]
)
"""`lane` is live or history; `samples` counts the samples of all series together."""

SAMPLES = ("dt", "times", "series", "marks", "samples")
"""Columns that are null where a message is in quarantine: nobody computes with them unawares; its raw bytes are whole."""

NEAR_UNIQUE = ("offset", "broker_time", "seq", "t0", "raw", "series.list.element.values.list.element")
"""Columns for which a dictionary costs more than it saves."""


class DeltaTelemetryTable(PositionedTable):
    """The telemetry of one plant in Delta Lake, through one pinned handle; made when it is not there."""

    def __init__(self, store_uri: str, plant: str) -> None:
        super().__init__(
            PinnedTable.create_or_open(
                telemetry_uri(store_uri, plant),
                TELEMETRY_TABLE,
                partition_by=["ingest_date"],
                configuration=CONFIGURATION,
                plain_columns=NEAR_UNIQUE,
            )
        )

    def accepted(self, keys: Sequence[SequenceKey]) -> Mapping[SequenceKey, bytes]:
        """Return the bytes of the first accepted message under each (asset, epoch, seq) that the pinned version holds."""
        found: dict[SequenceKey, bytes] = {}
        ordered = sorted(keys)
        for start in range(0, len(ordered), MAX_LOOKUP):
            part = ordered[start : start + MAX_LOOKUP]
            seqs = [seq for _, _, seq in part]
            rows = (
                pl.scan_delta(self._table.handle)
                .filter(
                    pl.col("status") == "accepted",
                    pl.col("seq").is_between(min(seqs), max(seqs)),
                    pl.col("epoch").is_in(sorted({epoch for _, epoch, _ in part})),
                    pl.col("asset").is_in(sorted({asset for asset, _, _ in part})),
                )
                .select("asset", "epoch", "seq", "raw", *ORDER_COLUMNS)
                .collect()
                .sort(ORDER_COLUMNS)
            )
            wanted = set(part)
            for asset, epoch, seq, raw in rows.select("asset", "epoch", "seq", "raw").iter_rows():
                if (asset, epoch, seq) in wanted:
                    found.setdefault((asset, epoch, seq), raw)
        return found


def telemetry_uri(store_uri: str, plant: str) -> str:
    """Return the URI of a plant's table in a store."""
    return f"{store_uri.rstrip('/')}/{FOLDER}/{plant}"


def plants_in(store_uri: str) -> list[str]:
    """Return the plants whose tables a store holds, sorted; raises StoreError."""
    try:
        listed = obstore.list_with_delimiter(open_store(store_uri), prefix=FOLDER)
    except FileNotFoundError:
        return []
    except (BaseError, OSError) as error:
        raise StoreError(
            en=f"the store at {store_uri} cannot be listed: {error}",
            ko=f"저장소 {store_uri}의 목록을 읽을 수 없습니다: {error}",
        ) from error
    names = (str(path).rstrip("/").rpartition("/")[2] for path in listed["common_prefixes"])
    return sorted(name for name in names if IDENTITY.fullmatch(name))


def date_of(time_us: int) -> str:
    """Return the ingest date, `2026-11-25`, of a Unix time in microseconds."""
    return str(pc.strftime(pa.scalar(time_us, _TIME), format="%Y-%m-%d").as_py())
