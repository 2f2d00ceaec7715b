"""The same tables through DuckDB: another reader, other code."""

import duckdb
import duckdb_extensions
import polars as pl


def connect() -> duckdb.DuckDBPyConnection:
    """Return a connection with the delta extension of the wheel loaded."""
    connection = duckdb.connect()
    duckdb_extensions.import_extension("delta", con=connection)
    connection.execute("LOAD delta")
    return connection


def counts_by_status(connection: duckdb.DuckDBPyConnection, events: str) -> dict[str, int]:
    """Return the rows of `events` by status."""
    rows = connection.execute(f"SELECT status, count(*) FROM delta_scan('{events}') GROUP BY status").fetchall()
    return dict(rows)


def numeric_sums(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, float]:
    """Return the sum over every numeric column of a table."""
    described = connection.execute(f"DESCRIBE SELECT * FROM delta_scan('{table}')").fetchall()
    names = [name for name, kind, *_ in described if kind in ("DOUBLE", "BIGINT", "INTEGER")]
    sums = ", ".join(f'sum("{name}")' for name in names)
    values = connection.execute(f"SELECT {sums} FROM delta_scan('{table}')").fetchone()
    return {n: float(v or 0) for n, v in zip(names, values or (), strict=True)}


def numeric_sums_of_frame(frame: pl.DataFrame) -> dict[str, float]:
    """Return the same of a frame that was read in the ordinary way."""
    numeric = [n for n, kind in frame.schema.items() if kind in (pl.Float64, pl.Int64, pl.Int32)]
    return {n: float(frame[n].sum() or 0) for n in numeric}
