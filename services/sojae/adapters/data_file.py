"""The bytes of a data file, no more than may be read, and how a file that cannot be read is refused."""

import zlib
from pathlib import Path

from sojae.domain.errors import SpreadsheetError
from sojae.domain.text import Text

MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_CELLS = 20_000_000
"""Rows × columns of what is read at once."""

MAX_CELL_CHARACTERS = 1_000_000


def checked_size(path: Path) -> int:
    """Return how many bytes a file has; raises SpreadsheetError for one that is not there, or has too many."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise unreadable(path, error) from error
    if size > MAX_FILE_BYTES:
        raise refused(path, Text(ko=f"{size} 바이트", en=f"{size} bytes"), _at_most())
    return size


def file_bytes(path: Path) -> bytes:
    """Return the bytes of a file; raises SpreadsheetError for one that cannot be read, is too large or is empty."""
    checked_size(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
    if not data.strip():
        got = Text(ko="빈 파일", en="an empty file")
        raise refused(path, got, Text(ko="머리글 행과 자료 행", en="a header row and rows of data"))
    return data


def unpacked(path: Path, data: bytes) -> bytes:
    """Return the bytes that gzip packed, at most as many as a file may have; raises SpreadsheetError."""
    packed = zlib.decompressobj(wbits=31)
    try:
        text = packed.decompress(data, MAX_FILE_BYTES)
    except zlib.error as error:
        got = Text(ko=f"gzip이 아닌 파일 ({error})", en=f"no gzip file ({error})")
        raise refused(path, got, Text(ko="gzip으로 압축한 파일", en="a file packed by gzip")) from error
    if packed.unconsumed_tail:
        megabytes = f"{MAX_FILE_BYTES // 2**20} MiB"
        raise refused(path, Text(ko=f"풀면 {megabytes} 넘음", en=f"more than {megabytes} unpacked"), _at_most())
    if not packed.eof:
        got = Text(ko="잘린 gzip 파일", en="a gzip file that is cut short")
        raise refused(path, got, Text(ko="온전한 파일", en="the whole file"))
    return text


def refused(where: Path | Text, got: Text, expected: Text) -> SpreadsheetError:
    """Return the error that names the file, or its sheet, what was got and what was expected."""
    place = where if isinstance(where, Text) else Text(ko=str(where), en=str(where))
    return SpreadsheetError(
        en=f"{place.en}: got {got.en}, expected {expected.en}",
        ko=f"{place.ko}: {got.ko} 대신 {expected.ko}이(가) 필요합니다",
    )


def unreadable(path: Path, error: OSError) -> SpreadsheetError:
    """Return the error for a file that the system does not give."""
    return SpreadsheetError(
        en=f"{path}: cannot be read: {error.strerror}", ko=f"{path}: 읽을 수 없습니다: {error.strerror}"
    )


def _at_most() -> Text:
    megabytes = f"{MAX_FILE_BYTES // 2**20} MiB"
    return Text(ko=f"{megabytes} 이하의 파일. 나누십시오", en=f"at most {megabytes}; split it")
