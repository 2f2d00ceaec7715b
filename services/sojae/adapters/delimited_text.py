"""Text files with a separator: their encoding, the separator, and their rows as cells."""

import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from sojae.adapters.data_file import MAX_CELL_CHARACTERS, refused, unpacked
from sojae.domain.text import Text

TEXT_FILES = (".csv", ".tsv", ".txt")
PACKED_FILES = tuple(f"{suffix}.gz" for suffix in TEXT_FILES)
SEPARATORS = ",;\t|"
SNIFFED_ROWS = 50


def is_text(path: Path) -> bool:
    """Return whether a file is called like a text, packed or not."""
    return path.name.lower().endswith((*TEXT_FILES, *PACKED_FILES))


def decoded(path: Path, data: bytes) -> tuple[str, Text | None]:
    """Return the text of a file, and a note where its encoding had to be guessed; raises SpreadsheetError.

    It is UTF-8 with or without a byte order mark, UTF-16 with one, else CP949; it may be packed by gzip.
    """
    if path.name.lower().endswith(PACKED_FILES):
        data = unpacked(path, data)
    if data.startswith(b"PK\x03\x04"):
        expected = Text(
            ko="텍스트. 엑셀 파일이라면 이름이 .xlsx로 끝나는 것", en="text; is it a workbook? name it .xlsx"
        )
        raise refused(path, Text(ko="압축 파일", en="a zip archive"), expected)
    encodings = ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp949")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        name = encoding.upper()
        return text, None if encoding == "utf-8-sig" else Text(
            ko=f"{path}: {name}(으)로 읽었습니다", en=f"{path}: read as {name}"
        )
    got = Text(ko="글자가 아닌 바이트", en="bytes that are no text")
    raise refused(path, got, Text(ko="UTF-8 또는 CP949 텍스트", en="UTF-8 or CP949"))


def separator_of(text: str, header_row: int) -> str:
    """Return the separator that gives the most columns, among those that give every sampled row as many."""
    best, most = ",", 1
    for separator in SEPARATORS:
        sampled = head_of(text, separator, header_row + SNIFFED_ROWS)
        lengths = {len(row) for row in sampled[max(0, header_row - 1) :] if any(cell.strip() for cell in row)}
        if len(lengths) == 1 and max(lengths) > most:
            best, most = separator, max(lengths)
    return best


def head_of(text: str, separator: str, count: int) -> list[list[str]]:
    """Return the first rows of a text as cells, none where the separator does not fit."""
    try:
        return list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=separator), count))
    except csv.Error:
        return []


def rows_of(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a text with their numbers, from 1; raises SpreadsheetError where quotation marks are not balanced."""
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    try:
        for number, row in enumerate(reader, start=1):
            yield number, row
    except csv.Error as error:
        got = Text(ko=f"{number + 1}행: {error}", en=f"row {number + 1}: {error}")
        raise refused(path, got, Text(ko="짝이 맞는 따옴표", en="balanced quotation marks")) from error
