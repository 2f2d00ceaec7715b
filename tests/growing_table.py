"""A Delta table that another process is writing at this moment, perhaps its first commit."""

from pathlib import Path

import polars as pl
from deltalake.exceptions import TableNotFoundError


def rows_so_far(table: Path) -> pl.DataFrame:
    """Return the rows of the table, without columns while it has no commit: its folder is there before its first one is."""
    try:
        return pl.read_delta(str(table))
    except (FileNotFoundError, TableNotFoundError):
        return pl.DataFrame()
