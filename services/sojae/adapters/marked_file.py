"""The file of an import given back: the same file with a column, or a member, that says what is wrong in each row."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from sojae.adapters.delimited_text import is_text
from sojae.adapters.marked_records import marked_json, marked_parquet
from sojae.adapters.marked_text import marked_text
from sojae.adapters.marked_workbook import marked_workbook
from sojae.adapters.record_files import JSON_FILES, PARQUET_FILES
from sojae.domain.errors import SpreadsheetError
from sojae.domain.marks import Mark, MarkedTable
from sojae.domain.text import Text

SUFFIXES: Mapping[str, Sequence[str]] = {
    ".xlsx": (".xlsx",),
    ".xlsm": (".xlsm",),
    "json": JSON_FILES,
    "parquet": PARQUET_FILES,
}
NOTHING: Mapping[str, str] = {}


def check_target(source: Path, target: Path) -> None:
    """Return when the source's kind of file can be written to `target`; raises SpreadsheetError before anything is sent."""
    kind = _kind(source)
    if _kind(target) != kind:
        raise SpreadsheetError(
            en=f"{target}: another kind of file than {source.name}; give a name that ends in {source.suffix}",
            ko=f"{target}: {source.name}과(와) 다른 종류의 파일입니다. {source.suffix}로 끝나는 이름을 주십시오",
        )
    folder = target.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise SpreadsheetError(
            en=f"{target}: cannot be written: {folder} is no folder that may be written to; give another place",
            ko=f"{target}: 쓸 수 없습니다. {folder}은(는) 쓸 수 있는 폴더가 아닙니다. 다른 자리를 주십시오",
        )


def write_marked(
    source: Path, target: Path, tables: Sequence[MarkedTable], marks: Sequence[Mark], own: Mapping[str, str] = NOTHING
) -> tuple[list[Text], frozenset[str]]:
    """Write the source file to `target` with what is wrong in each row, whole or not at all.

    A workbook or a text gets a column `errors`, a record a member `errors`; one that is there is written anew. Formats,
    formulas and choices stay as they are. What a workbook made from templates says of itself is filled in from `own` where it is
    empty. Return what could not be kept, and which of `own` was filled in. Raises SpreadsheetError when the target cannot be
    written.
    """
    check_target(source, target)
    kind = _kind(source)
    said: list[Text] = []
    filled: frozenset[str] = frozenset()
    if kind in (".xlsx", ".xlsm"):
        data, said, filled = marked_workbook(source, tables, marks, own)
    elif kind == "json":
        data = marked_json(source, marks)
    elif kind == "parquet":
        data = marked_parquet(source, marks)
    else:
        data = marked_text(source, tables[0], marks)
    _replace(target, data)
    return said, filled


def _kind(path: Path) -> str:
    if is_text(path):
        return "packed" if path.name.lower().endswith(".gz") else "text"
    suffix = path.suffix.lower()
    return next((kind for kind, suffixes in SUFFIXES.items() if suffix in suffixes), suffix)


def _replace(target: Path, data: bytes) -> None:
    """Write a file beside its place, then into it: who opens it finds the old one or the new one."""
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise SpreadsheetError(
            en=f"{target}: cannot be written: {error.strerror}", ko=f"{target}: 쓸 수 없습니다: {error.strerror}"
        ) from error
