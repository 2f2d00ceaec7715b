"""Records of another major version of their template, as the newest one would say them."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import cast

from sojae.domain.errors import QuantityError
from sojae.domain.quantity import convert
from sojae.domain.template import Field, Template

Row = Mapping[str, object]
Change = Callable[[object], object]

OTHER_MAJOR = "other_major"


class Majors:
    """The versions of one stage's template, newest last: whose unit a record's values are in, and whose they shall be."""

    def __init__(self, templates: Sequence[Template], newest: Template) -> None:
        self._newest = newest
        self._fields: dict[int, dict[str, Field]] = {}
        for template in templates:
            self._fields.setdefault(template.key.major, {}).update({f.name: f for f in template.fields})
        self._changes = cache(self._changes_from)

    def conform(self, row: Row) -> tuple[Row, bool]:
        """Return a record in the newest template's units, and whether a value had to be left out for that."""
        major = int(str(row["template_version"]).split(".")[0]) if row.get("template_version") else None
        if major is None or major == self._newest.key.major:
            return row, False
        changed, left_out = dict(row), False
        for name, change in self._changes(major).items():
            if row.get(name) is not None:
                changed[name] = None if change is None else change(row[name])
                left_out |= change is None
        return changed, left_out

    def _changes_from(self, major: int) -> dict[str, Change | None]:
        """Return what to do with the fields of a major that cannot stay as they are; None where there is no way."""
        older = self._fields.get(major, {})
        pairs = [(older.get(field.name), field) for field in self._newest.fields]
        return {there.name: _change(here, there) for here, there in pairs if here is None or not _same(here, there)}


def _same(here: Field, there: Field) -> bool:
    return _meaning(here) == _meaning(there) and here.unit == there.unit


def _meaning(field: Field) -> tuple[object, ...]:
    return field.kind, field.quantity, field.basis


def _change(here: Field | None, there: Field) -> Change | None:
    """Return the conversion from one field to the other; None when they do not measure the same in the same way."""
    if here is None or _meaning(here) != _meaning(there) or here.unit is None or there.unit is None:
        return None
    source, target = here.unit, there.unit
    try:
        convert(1.0, source, target)
    except QuantityError:
        return None
    if here.kind == "double":
        return lambda value: convert(cast("float", value), source, target)
    if here.kind == "map_double":
        return lambda value: [(k, convert(v, source, target)) for k, v in cast("Sequence[tuple[str, float]]", value)]
    return None
