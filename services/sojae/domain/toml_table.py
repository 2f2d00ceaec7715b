"""One table of a TOML file, read entry by entry with errors that name file, table and line."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import cast

from sojae.domain.errors import MappingError
from sojae.domain.mapping_plan import refuse


class TomlTable:
    """A table and where it stands; every getter raises MappingError when the entry has another type."""

    def __init__(self, values: Mapping[str, object], where: str) -> None:
        self.values = values
        self.where = where

    def only(self, known: Sequence[str]) -> None:
        """Return when the table has no other entries than these."""
        for key in self.values:
            if key not in known:
                raise refuse(self.where, f"entry {key!r}", f"one of {', '.join(known)}", known, meant=key)

    def text(self, key: str, default: str | None = None) -> str:
        """Return an entry that is a text and not blank."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or not value.strip():
            raise refuse(self.where, f"{key} = {value!r}" if key in self.values else f"no {key}", f'{key} = "text"')
        return value.strip()

    def optional_text(self, key: str) -> str | None:
        """Return a text, or None where the entry is absent."""
        return self.text(key) if key in self.values else None

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, empty where the entry is absent; one text alone is a list of one."""
        value = self.values.get(key, [])
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(i, str) for i in items):
            raise refuse(self.where, f"{key} = {value!r}", f'{key} = ["text", …]')
        return tuple(i.strip() for i in items)

    def flag(self, key: str) -> bool:
        """Return true or false, false where the entry is absent."""
        value = self.values.get(key, False)
        if not isinstance(value, bool):
            raise refuse(self.where, f"{key} = {value!r}", f"{key} = true or false")
        return value

    def count(self, key: str, default: int, least: int = 1) -> int:
        """Return a whole number from `least`."""
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise refuse(self.where, f"{key} = {value!r}", f"{key} = {least} or more")
        return value

    def optional_table(self, key: str) -> Mapping[str, object] | None:
        """Return a table inside this one, or None where it is absent."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, Mapping):
            raise refuse(self.where, f"{key} = {value!r}", f"a table {key}")
        return cast("Mapping[str, object] | None", value)

    def table(self, key: str) -> "TomlTable":
        """Return a table inside this one, empty where it is absent."""
        return TomlTable(self.optional_table(key) or {}, f"{self.where}: [{key}]")


def parse_toml(text: str, where: str) -> TomlTable:
    """Return the whole file as one table; raises MappingError with the line when it is not TOML.

    Numbers are those of TOML 1.0: whole ones have at most 64 bits.
    """
    try:
        values = tomllib.loads(text)
        _check_integers(values)
    except (ValueError, OverflowError) as error:
        raise MappingError(
            en=f"{where}: not valid TOML: {error}", ko=f"{where}: 올바른 TOML이 아닙니다: {error}"
        ) from error
    except RecursionError as error:
        raise MappingError(
            en=f"{where}: brackets nested too deep; correct the mapping file",
            ko=f"{where}: 괄호가 너무 깊이 겹쳐 있습니다. 매핑 파일을 고치십시오",
        ) from error
    return TomlTable(values, where)


def _check_integers(value: object) -> None:
    """Return when every whole number inside has 64 bits; raises ValueError otherwise."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("a whole number of more than 64 bits")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_integers(inner)


def array_of_tables(table: TomlTable, key: str, text: str) -> list[TomlTable]:
    """Return the `[[key]]` tables of a file, each with its line."""
    value = table.values.get(key, [])
    if not isinstance(value, list) or not all(isinstance(v, Mapping) for v in value):
        raise refuse(table.where, f"{key} of another form", f"tables [[{key}]]")
    header = re.compile(rf"^\s*\[\[\s*{re.escape(key)}\s*\]\]")
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if header.match(line)]
    exact = len(lines) == len(value)
    return [
        TomlTable(v, f"{table.where}: [[{key}]] {i + 1}" + (f", line {lines[i]}" if exact else ""))
        for i, v in enumerate(value)
    ]
