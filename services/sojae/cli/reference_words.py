"""Fields in words, as the reference pages show them: units, ranges, and what is written into a field."""

from collections.abc import Iterator, Mapping

from sojae.domain.checks import shown_bounds
from sojae.domain.schema_reader import Bounds
from sojae.domain.template import Field, Kind
from sojae.domain.unit_display import shown_unit
from sojae.domain.workbook_layout import takes_formula

WRITTEN: Mapping[Kind, str] = {
    "double": "수 number",
    "long": "정수 whole number",
    "string": "글 text",
    "boolean": "예·아니오 yes or no",
    "date": "날짜 date",
    "timestamp": "시각 time",
    "map_double": "성분마다 수 a number for each component",
    "map_string": "성분마다 이름 a name for each component",
    "strings": "글 여러 개 several texts",
}


def without_tags(text: str) -> str:
    """Return a text in which no `<` outside of code is taken for the begin of a tag."""
    parts = text.split("`")
    return "`".join(part if place % 2 else part.replace("<", "\\<") for place, part in enumerate(parts))


def unit_code(code: str | None) -> str:
    """Return a unit as its UCUM code, and as people write it where that differs; – for a number without a unit."""
    if code is None:
        return ""
    shown = shown_unit(code)
    return "–" if not shown else f"`{code}`" if shown == code else f"`{code}` ({shown})"


def shown_range(bounds: Bounds | None) -> str:
    """Return a range without its unit, empty where there is none."""
    return "" if bounds is None else shown_bounds(bounds, None)


def what_is_written(field: Field) -> str:
    """Return what goes into a field, as a reader of both languages takes it: a number, a word of a list, a formula."""
    return "; ".join(_written(field))


def _written(field: Field) -> Iterator[str]:
    if field.one_of is not None:
        yield quoted(field.one_of)
    if field.kind in ("map_double", "map_string"):
        yield from _by_component(field)
    elif field.quantity == "formula":
        yield "화학식 chemical formula" + (", one element may be `bal.`" if field.balance else "")
    elif field.one_of is None:
        yield WRITTEN[field.kind]
    if field.split_by is not None:
        yield f"learnt apart by `{field.split_by}`"


def _by_component(field: Field) -> Iterator[str]:
    yield WRITTEN[field.kind]
    if takes_formula(field):
        yield "화학식 or one formula" + (", one element may be `bal.`" if field.balance else "")
    if field.sum is not None:
        unit = shown_unit(field.unit)
        usual = "" if field.sum.warn is None else f", flagged beyond ± {field.sum.warn:g}"
        hard = "" if field.sum.hard is None else f", refused beyond ± {field.sum.hard:g}"
        whom = f" ({', '.join(field.sum.hard_for)})" if hard and field.sum.hard_for is not None else ""
        yield f"합계 sum {field.sum.of:g} {unit}".rstrip() + f"{usual}{hard}{whom}"


def quoted(words: tuple[str, ...]) -> str:
    """Return words as code, parted by commas."""
    return ", ".join(f"`{word}`" if word else "(nothing)" for word in words)
