"""A text with separators given back with a column that says what is wrong in each row."""

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path

from sojae.adapters.data_file import file_bytes
from sojae.adapters.delimited_text import PACKED_FILES, decoded, rows_of, separator_of
from sojae.domain.marks import Mark, MarkedTable, by_row
from sojae.domain.workbook_layout import ERRORS


def marked_text(source: Path, table: MarkedTable, marks: Sequence[Mark]) -> bytes:
    """Return a text in UTF-8 with the mark by which Excel knows it, packed where the source is; raises SpreadsheetError."""
    text, _ = decoded(source, file_bytes(source))
    separator = separator_of(text, table.header_row)
    rows = [row for _, row in rows_of(source, text, separator)]
    place = table.columns.index(ERRORS) if ERRORS in table.columns else max(len(row) for row in rows)
    said = by_row(marks, table.columns)
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=separator, lineterminator="\r\n")
    for number, row in enumerate(rows, start=1):
        full = [*row, *[""] * (place + 1 - len(row))]
        full[place] = ERRORS if number == table.header_row else "\n".join(said.get(number, ()))
        writer.writerow(full)
    data = ("\ufeff" + stream.getvalue()).encode()
    return gzip.compress(data, mtime=0) if source.name.lower().endswith(PACKED_FILES) else data
