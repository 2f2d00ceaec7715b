"""Arrow and polars frames whose columns are a template's fields."""

from collections.abc import Mapping, Sequence
from typing import cast

import polars as pl
import pyarrow as pa
from polars.exceptions import PolarsError

from sojae.domain.template import Field, Kind, Template

ARROW: Mapping[Kind, pa.DataType] = {
    "double": pa.float64(),
    "long": pa.int64(),
    "string": pa.string(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "map_double": pa.map_(pa.string(), pa.float64()),
    "map_string": pa.map_(pa.string(), pa.string()),
    "strings": pa.list_(pa.string()),
}
"""How each kind of field is held in a column."""

POLARS: Mapping[Kind, pl.DataType] = {
    "double": pl.Float64(),
    "long": pl.Int64(),
    "string": pl.String(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us", "UTC"),
}
"""How polars holds the kinds that are one value each."""

ISSUE = pa.struct(
    [
        pa.field("rule", pa.string()),
        pa.field("field", pa.string()),
        pa.field("severity", pa.string()),
        pa.field("got", pa.string()),
        pa.field("expected", pa.string()),
    ]
)
ISSUES = pa.list_(ISSUE)


def arrow_fields(fields: Sequence[Field], *, prefix: str = "") -> list[pa.Field]:
    """Return one nullable Arrow field for each template field, with its unit as metadata."""
    return [pa.field(prefix + f.name, ARROW[f.kind], metadata={"unit": f.unit} if f.unit else None) for f in fields]


def arrow_table(fields: Sequence[Field], rows: Sequence[Mapping[str, object]]) -> pa.Table:
    """Return a table of the fields' values, one row for each mapping; absent values are null."""
    columns = [column(f.kind, [row.get(f.name) for row in rows]) for f in fields]
    return pa.Table.from_arrays(columns, schema=pa.schema(arrow_fields(fields)))


def column(kind: Kind, values: Sequence[object]) -> pa.Array:
    """Return an Arrow array of one kind; maps may be given as mappings."""
    if kind in ("map_double", "map_string"):
        values = [None if v is None else list(v.items()) for v in values]  # type: ignore[attr-defined]  # a map by kind
    return pa.array(values, type=ARROW[kind])


def decoded_frame(template: Template, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Return decoded rows as the same frame that `polars_frame` gives, in less than half the time.

    Values must be of the types of their fields, as a decoder gives them: others are not refused here.
    """
    plain = {f.name: POLARS[f.kind] for f in template.fields if f.kind in POLARS}
    try:
        frame = pl.from_dicts(cast("Sequence[dict[str, object]]", rows), schema=plain)
    except (PolarsError, ValueError, OverflowError):
        return polars_frame(template, rows)
    others = [f for f in template.fields if f.kind not in POLARS]
    if not others:
        return frame
    columns = {f.name: pl.Series(f.name, column(f.kind, [row.get(f.name) for row in rows])) for f in others}
    return frame.with_columns(columns.values()).select(f.name for f in template.fields)


def polars_frame(template: Template, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Return the template's values as a polars frame: one column a field, height = number of rows."""
    if not template.fields:
        return pl.DataFrame({"__rows": [0] * len(rows)}).drop("__rows")
    frame = pl.from_arrow(arrow_table(template.fields, rows))
    assert isinstance(frame, pl.DataFrame)
    return frame
