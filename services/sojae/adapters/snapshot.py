"""All rows of one pinned version of a table in the one order, in batches of bounded size; and the sort itself."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs as pafs
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from sojae.domain.errors import StoreError
from sojae.domain.order import ORDER_COLUMNS
from sojae.ports import Bound

A_STEP = Bound(20_000, 64 * 1024 * 1024)
ONE_ARRAY_BYTES = 1 << 30
"""Above this much, binary columns are sorted with 64-bit offsets: 32-bit ones end at 2 GiB."""
SLICE_ROWS = 1_000
SCAN_ROWS = 4_000
TIME = ORDER_COLUMNS[0]


def in_order(table: pa.Table) -> pa.Table:
    """Return the rows in the one order, as far as the table has its columns; the schema stays, whatever the size."""
    order = [(name, "ascending") for name in ORDER_COLUMNS if name in table.column_names]
    if not order or table.num_rows == 0:
        return table
    places = pc.sort_indices(table.select([name for name, _ in order]), sort_keys=order)
    if table.nbytes < ONE_ARRAY_BYTES:
        return table.take(places)
    wide = pa.schema([f.with_type(pa.large_binary()) if pa.types.is_binary(f.type) else f for f in table.schema])
    long = table.cast(wide)
    slices = [long.take(places.slice(at, SLICE_ROWS)).cast(table.schema) for at in range(0, len(places), SLICE_ROWS)]
    return pa.concat_tables(slices)


def dataset_of(handle: DeltaTable) -> ds.Dataset:
    """Return the pinned version as a dataset; a table in a folder is read by Arrow itself.

    NOTE: the library's own file system calls back into Python from Arrow's threads: a process that ends while one of them
    is still letting go is aborted, with another exit code than its own.
    """
    place = urlsplit(handle.table_uri)
    folder = Path(unquote(place.path))
    if place.scheme not in ("", "file") or not folder.is_dir():
        return handle.to_pyarrow_dataset()
    return handle.to_pyarrow_dataset(filesystem=pafs.SubTreeFileSystem(str(folder), pafs.LocalFileSystem()))


def snapshot(
    handle: DeltaTable, columns: Sequence[str], where: Mapping[str, str], bound: Bound = A_STEP
) -> Iterator[pa.Table]:
    """Yield the rows of the pinned version that hold these values, in the one order, each batch within the bound.

    Rows of one ingest time, which one flush wrote, are read together. Raises StoreError.
    """
    try:
        dataset = dataset_of(handle)
        names = [name for name in dataset.schema.names if name in columns]
        wanted: Any = pc.scalar(True)
        for name, value in where.items():
            wanted = wanted & (ds.field(name) == value)
        for first, last in _windows(dataset, names, wanted, bound):
            part = wanted & (ds.field(TIME) >= first) & (ds.field(TIME) <= last)
            rows = in_order(pa.Table.from_batches(_scan(dataset, names, part), schema=_schema(dataset, names)))
            yield from (rows.slice(at, bound.rows) for at in range(0, rows.num_rows, bound.rows))
    except (DeltaError, OSError, pa.ArrowException) as error:
        raise StoreError(
            en=f"the store at {handle.table_uri} cannot be read: {error}",
            ko=f"저장소 {handle.table_uri}을(를) 읽을 수 없습니다: {error}",
        ) from error


def _schema(dataset: ds.Dataset, names: Sequence[str]) -> pa.Schema:
    return pa.schema([dataset.schema.field(name) for name in names])


def _scan(dataset: ds.Dataset, columns: Any, part: Any) -> Iterator[pa.RecordBatch]:
    batches: Iterator[pa.RecordBatch] = dataset.to_batches(
        columns=columns, filter=part, batch_size=SCAN_ROWS, batch_readahead=2, fragment_readahead=1
    )
    return batches


def _windows(
    dataset: ds.Dataset, names: Sequence[str], wanted: Any, bound: Bound
) -> Iterator[tuple[pa.Scalar, pa.Scalar]]:
    """Yield (first, last) ingest times that together hold all rows, each pair as many as the bound allows."""
    weights = [pc.binary_length(ds.field(n)) for n in names if pa.types.is_binary(dataset.schema.field(n).type)]
    columns = {TIME: ds.field(TIME)} | {f"bytes{n}": weight for n, weight in enumerate(weights)}
    held: dict[int, list[int]] = {}
    for batch in _scan(dataset, columns, wanted):
        sizes = [pc.fill_null(column, 0).to_pylist() for column in batch.columns[1:]]
        for time, *row_bytes in zip(batch.column(0).cast(pa.int64()).to_pylist(), *sizes, strict=True):
            of = held.setdefault(time, [0, 0])
            of[0] += 1
            of[1] += sum(row_bytes)
    kind = dataset.schema.field(TIME).type
    rows = size = 0
    window: list[int] = []
    for time in sorted(held):
        if window and (rows + held[time][0] > bound.rows or size + held[time][1] > bound.bytes):
            yield pa.scalar(window[0], kind), pa.scalar(window[-1], kind)
            window, rows, size = [], 0, 0
        window.append(time)
        rows, size = rows + held[time][0], size + held[time][1]
    if window:
        yield pa.scalar(window[0], kind), pa.scalar(window[-1], kind)
