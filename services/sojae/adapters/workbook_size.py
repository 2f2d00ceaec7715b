"""How large a workbook becomes when it is opened, found out without opening it."""

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from typing import NamedTuple
from xml.parsers import expat

from sojae.adapters.data_file import MAX_CELLS
from sojae.domain.table import place_of
from sojae.domain.text import Text

CHUNK_BYTES = 1 << 16
MAX_UNPACKED_BYTES = 1 << 30
MAX_TOKEN_BYTES = 4 << 20
_REFERENCE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_WHOLE = re.compile(r"[0-9]{1,7}")


_BROKEN = (zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, OSError, ValueError, LookupError, RuntimeError)
"""What a broken archive or sheet raises; LookupError: an unknown encoding, RuntimeError: an encrypted part."""


class Refusal(NamedTuple):
    """Why a workbook cannot be opened: what was got and what was expected."""

    got: Text
    expected: Text


def refusal(data: bytes) -> Refusal | None:
    """Return why the bytes of a workbook must not be opened, None when they may; takes a few MiB whatever is inside.

    A reader allocates every cell between A1 and the last filled one, and unpacks every part whole.
    """
    unpacked = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for part in archive.infolist():
                sheet = _Sheet()
                with archive.open(part) as stream:
                    while chunk := stream.read(CHUNK_BYTES):
                        unpacked += len(chunk)
                        if unpacked > MAX_UNPACKED_BYTES:
                            return _too_many_bytes()
                        if part.filename.lower().endswith(".xml"):
                            sheet.look_at(chunk)
                        if sheet.rows * sheet.columns > MAX_CELLS:
                            return _too_many_cells(part.filename, sheet)
    except _BROKEN as error:
        got = Text(ko=f"열 수 없는 파일({error})", en=str(error))
        return Refusal(got, Text(ko="암호 없는 .xlsx 통합 문서", en="an .xlsx workbook without a password"))
    return None


class _Sheet:
    """The last filled row and column of one part of the archive; a part that is no sheet has none."""

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self._is_sheet: bool | None = None
        self._row = self._column = 0
        self._looked_at = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.StartDoctypeDeclHandler = _refuse_doctype

    def look_at(self, chunk: bytes) -> None:
        """Take the next bytes of the part; raises ValueError or ExpatError where a sheet is broken."""
        if self._is_sheet is False:
            return
        self._parser.Parse(chunk, False)
        self._looked_at += len(chunk)
        if self._looked_at - self._parser.CurrentByteIndex > MAX_TOKEN_BYTES:
            raise ValueError(f"an XML tag of more than {MAX_TOKEN_BYTES} bytes")

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        local = name.rpartition(":")[2]
        if self._is_sheet is None:
            self._is_sheet = local == "worksheet"
        elif local == "row":
            self._row, self._column = _whole(attributes.get("r", "")) or self._row + 1, 0
        elif local == "c":
            self._place(attributes.get("r", ""))
        elif local in ("v", "is"):
            # A cell that has a format and nothing in it costs a reader nothing.
            self.rows, self.columns = max(self.rows, self._row), max(self.columns, self._column)

    def _place(self, reference: str) -> None:
        """Move to the cell of a reference such as XFD12; a cell without one follows the one before."""
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            self._column += 1
            return
        self._column, self._row = place_of(match[1]), int(match[2])


def _whole(text: str) -> int:
    return int(text) if _WHOLE.fullmatch(text) else 0


def _refuse_doctype(*_: object) -> None:
    # No workbook has one; entities could grow without end.
    raise ValueError("a document type declaration")


def _too_many_bytes() -> Refusal:
    most = f"{MAX_UNPACKED_BYTES >> 20} MiB"
    return Refusal(
        Text(ko=f"풀면 {most} 넘음", en=f"more than {most} when unpacked"),
        Text(ko=f"풀어서 {most} 이하인 파일. 나누십시오", en=f"at most {most}; split it"),
    )


def _too_many_cells(part: str, sheet: _Sheet) -> Refusal:
    return Refusal(
        Text(
            ko=f"{part}의 {sheet.rows}행과 {sheet.columns}열에 채운 칸",
            en=f"a filled cell in row {sheet.rows} and one in column {sheet.columns} of {part}",
        ),
        Text(
            ko=f"마지막으로 채운 칸까지 {MAX_CELLS:,}칸 이하인 표(표에서 먼 칸을 지우거나 .csv로 저장)",
            en=f"at most {MAX_CELLS:,} cells up to the last filled one; clear stray cells far from the table, or save as .csv",
        ),
    )
