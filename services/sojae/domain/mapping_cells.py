"""One cell of a data file → one typed value in the unit of its field."""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sojae.domain.doi import bare_doi
from sojae.domain.dopant_notation import parse_notation
from sojae.domain.errors import FormulaError, QuantityError
from sojae.domain.mapping_plan import ColumnPlan, Parse
from sojae.domain.measured import parse_measured
from sojae.domain.quantity import convert, delta, parse_number
from sojae.domain.table import OF_A_LIST
from sojae.domain.text import Text
from sojae.domain.unit_display import shown_unit

TRUE_WORDS = frozenset("true yes y 1 예 네 있음 o".split())
FALSE_WORDS = frozenset("false no n 0 아니오 없음 x".split())
_DATE_CELL = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")
"""What a date cell of a workbook is read as, whatever it looks like there."""

A_NUMBER = Text(ko="수", en="a number")
MAX_SEARCHED_CHARACTERS = 512
MAX_LONG = 2**63 - 1


@dataclass(frozen=True, slots=True)
class CellValue:
    """What a cell says: its value, and the text as typed where the value is not simply that text.

    `qualifier` is <, > or ≈, `uncertainty` the standard one in the field's unit, where the cell gives them. `ends` are those
    of an interval that has a field for each; there `value` is its middle.
    """

    value: object
    as_reported: str | None = None
    precision: str | None = None
    qualifier: str | None = None
    uncertainty: float | None = None
    ends: tuple[float, float] | None = None


class CellRefusedError(Exception):
    """A cell cannot be read as its column says: the rule of reading that it breaks, and what was expected."""

    def __init__(self, rule: str, expected: Text) -> None:
        super().__init__(expected.en)
        self.rule = rule
        self.expected = expected


def read_cell(plan: ColumnPlan, text: str | None, zone: ZoneInfo) -> CellValue | None:
    """Return what a cell says, None where it is empty or a word for nothing; raises CellRefusedError.

    `zone` is the time zone of dates that name none.
    """
    typed = "" if text is None else unicodedata.normalize("NFC", text).strip()
    if not typed or typed in plan.nulls:
        return None
    if plan.pattern is not None:
        typed = _matching(plan.pattern, typed)
    meant = typed if plan.values is None else plan.values.get(typed, typed)
    if not meant:
        return None
    if plan.parse == "date":
        return _date(plan, meant, zone)
    if plan.parse == "formula":
        return CellValue(_formula(plan, meant), as_reported=typed)
    if plan.parse == "number":
        return _number(plan, typed, meant)
    return CellValue(_READERS[plan.parse](plan, meant), as_reported=typed if meant != typed else None)


def _matching(pattern: str, typed: str) -> str:
    """Return the part of a cell that its column is about; a long cell is not searched, so that no pattern runs for hours."""
    found = re.search(pattern, typed) if len(typed) <= MAX_SEARCHED_CHARACTERS else None
    if found is None or not found.group(1):
        raise CellRefusedError("pattern", Text(ko=f"{pattern}에 맞는 글", en=f"a text that {pattern} matches"))
    return found.group(1)


def _number(plan: ColumnPlan, typed: str, meant: str) -> CellValue:
    unit, target = plan.unit or "1", plan.target_unit or "1"
    try:
        number = parse_number(meant)
    except QuantityError as error:
        if plan.in_header or _is_ambiguous(meant):
            raise _no_number(meant) from error
        return _measured(plan, typed, meant)
    changed = unit != target or meant != typed
    moved = _moved(plan, number, unit)
    return CellValue(moved, as_reported=f"{typed} {unit}" if changed else None)


def _measured(plan: ColumnPlan, typed: str, meant: str) -> CellValue:
    """Return what a cell says that holds more than a number: a sign, an uncertainty, an interval, a unit of its own."""
    if _DATE_CELL.fullmatch(meant):
        raise CellRefusedError("date_for_number", A_NUMBER)
    try:
        found = parse_measured(meant)
    except QuantityError as error:
        raise _no_number(meant) from error
    if found.is_interval and plan.interval is None and plan.ends is None:
        raise CellRefusedError("interval", Text(ko="수 하나", en="one number"))
    column = plan.unit or "1"
    # `45 %` in a column of wt% says nothing else than the column does.
    unit = column if found.unit is None or (found.unit == "%" and column.startswith("%")) else found.unit
    low, high = _moved(plan, found.low, unit), _moved(plan, found.high, unit)
    own = f" {column}" if found.unit is None else ""
    return CellValue(
        {"low": low, "middle": (low + high) / 2.0, "high": high}[plan.interval or "middle"],
        as_reported=f"{typed}{own}",
        qualifier=found.qualifier,
        uncertainty=None if found.uncertainty is None else _moved(plan, found.uncertainty, unit, spread=True),
        ends=(low, high) if found.is_interval and plan.interval is None else None,
    )


def _moved(plan: ColumnPlan, number: float, unit: str, *, spread: bool = False) -> float:
    """Return a number in the unit of its field; a spread, and what is a difference by its column, without offset."""
    target = plan.target_unit or "1"
    try:
        return (delta if plan.is_difference or spread else convert)(number, unit, target)
    except QuantityError as error:
        why, shown = error.text, shown_unit(target) or "1"
        raise CellRefusedError(
            "unit", Text(ko=f"{shown}이(가) 되는 양 ({why.ko})", en=f"a quantity that becomes {shown} ({why.en})")
        ) from error


def _is_ambiguous(text: str) -> bool:
    """Return whether a text is a number but for its comma."""
    return "," in text and all(c.isdigit() or c in "+-.,eE" for c in text)


def _no_number(text: str) -> CellRefusedError:
    if _is_ambiguous(text):
        return CellRefusedError("comma", Text(ko="쉼표 없는 수", en="a number without a comma"))
    return CellRefusedError("number", A_NUMBER)


def _formula(plan: ColumnPlan, text: str) -> Mapping[str, float]:
    try:
        percent = parse_notation(text, balance=plan.field.balance).percent(
            "mass" if plan.field.basis == "mass" else "at"
        )
    except FormulaError as error:
        why = error.text
        raise CellRefusedError("formula", Text(ko=f"화학식 ({why.ko})", en=f"a formula ({why.en})")) from error
    total = plan.field.sum.of if plan.field.sum is not None else 100.0
    return {symbol: amount * total / 100.0 for symbol, amount in percent.items()}


def _integer(_: ColumnPlan, text: str) -> int:
    try:
        number = parse_number(text)
    except QuantityError as error:
        raise _no_number(text) from error
    if not number.is_integer() or abs(number) > MAX_LONG:
        raise CellRefusedError("whole_number", Text(ko="정수", en="a whole number"))
    return int(number)


def _text(_: ColumnPlan, text: str) -> str:
    return text


def _boolean(_: ColumnPlan, text: str) -> bool:
    if text.lower() in TRUE_WORDS:
        return True
    if text.lower() in FALSE_WORDS:
        return False
    raise CellRefusedError("yes_or_no", Text(ko="예 또는 아니오", en="yes or no"))


def _list(plan: ColumnPlan, text: str) -> list[str]:
    separator = OF_A_LIST if OF_A_LIST in text else plan.separator
    return [item.strip() for item in text.split(separator) if item.strip()]


def _doi(plan: ColumnPlan, text: str) -> object:
    found = []
    for item in _list(plan, text):
        doi = bare_doi(item)
        if doi is None and plan.parse == "doi":
            raise CellRefusedError("doi", Text(ko="10.1000/182 같은 DOI", en="a DOI as 10.1000/182"))
        found.append(doi or item)
    if plan.field.kind == "strings":
        return found
    if len(found) != 1:
        raise CellRefusedError("doi", Text(ko="DOI 하나", en="one DOI"))
    return found[0]


def _date(plan: ColumnPlan, text: str, zone: ZoneInfo) -> CellValue:
    moment, precision = _moment(plan.format, text)
    if plan.field.kind == "date":
        return CellValue(moment.date())
    try:
        return CellValue(in_utc(moment, zone), precision=precision)
    except OverflowError as error:
        raise CellRefusedError(
            "date", Text(ko="1년에서 9999년 사이의 날짜", en="a date in the years 1 to 9999")
        ) from error


def in_utc(moment: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """Return a time in UTC, taken in `zone` where it names none; raises OverflowError outside the years 1 to 9999."""
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    return aware.astimezone(dt.UTC)


def _moment(form: str | None, text: str) -> tuple[dt.datetime, str]:
    """Return the time that a text names, and its smallest known part; a cell that is a date needs no format."""
    try:
        if form is not None and (not _DATE_CELL.fullmatch(text) or _takes_date_cells(form)):
            return dt.datetime.strptime(text, form), _precision_of(form)  # noqa: DTZ007 - the zone is set by the caller
        moment = dt.datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        shown = form or "2026-03-31, 2026-03-31 14:05"
        raise CellRefusedError("date", Text(ko=f"{shown} 형식의 날짜", en=f"a date as {shown}")) from error
    # A spreadsheet writes a day as midnight.
    at_midnight = moment.time() == dt.time(0) and moment.tzinfo is None
    return moment, "day" if at_midnight else "microsecond" if moment.microsecond else "second"


def _takes_date_cells(form: str) -> bool:
    """Return whether a format is itself of the shape of a date cell, so that it says what such a text means."""
    try:
        dt.datetime.strptime("2001-02-03 04:05:06", form)  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False
    return True


def _precision_of(form: str) -> str:
    for codes, precision in (
        (("%f",), "microsecond"),
        (("%S", "%T", "%X", "%c", "%s"), "second"),
        (("%M", "%R"), "minute"),
        (("%H", "%I"), "hour"),
        (("%d", "%j", "%x", "%D", "%F", "%u", "%w", "%a", "%A"), "day"),
        (("%m", "%b", "%B"), "month"),
    ):
        if any(code in form for code in codes):
            return precision
    return "year"


_READERS: Mapping[Parse, Callable[[ColumnPlan, str], object]] = {
    "integer": _integer,
    "text": _text,
    "boolean": _boolean,
    "list": _list,
    "doi": _doi,
    "reference": _doi,
}
