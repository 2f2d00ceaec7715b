"""Which values of a whole column might break a check: one pass over the column, so that only these are looked at singly.

A suspect need not be guilty, but whoever is not a suspect is clean.
"""

import sys
from functools import reduce
from operator import or_

import polars as pl

from sojae.domain.composition_check import ELEMENTS, MAX_COMPONENTS
from sojae.domain.template import Field

FEW_CHOICES = 12
"""Up to so many choices a text is compared with each, which takes less time than looking it up."""

BLANKS = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
"""What counts as blank: the characters of the Unicode property White_Space."""

ODD_LOT = r"[^ -~\x{AC00}-\x{D7A3}]|^@|^$"
"""A lot in which there is something beside ASCII and Korean syllables, which are printable and NFC in any order."""
MAX_LOT_BYTES = 128

_FIRST_PRINTED, _BEYOND_ASCII, _LAST_BLANK = "!", "\x7f", "\u3001"
_LARGEST = sys.float_info.max


def suspects(field: Field, *, lots: str) -> pl.Expr | None:
    """Return what is true for the suspects among a field's values; None where nothing about the field is checked.

    Null is a suspect where the field is required, else the answer to null is null. `lots` names the field of raw lots.
    """
    column = pl.col(field.name)
    if field.kind == "double" or (field.kind == "long" and (field.hard or field.warn)):
        found = _numbers(field, column)
    elif field.kind == "string" and field.one_of is not None:
        found = _choices(column, field.one_of) | (_blank(column) if field.required else pl.lit(value=False))
    elif field.kind == "string" and field.quantity == "formula":
        found = pl.when(column.is_not_null()).then(statement=True)
    elif field.kind == "string" and field.required:
        found = _blank(column)
    elif field.kind == "map_double":
        found = _amounts(field, column)
    elif field.kind == "map_string" and field.name == lots:
        found = _lots(column)
    elif field.required:
        return column.is_null()
    else:
        return None
    return found.fill_null(value=True) if field.required else found


def _numbers(field: Field, column: pl.Expr) -> pl.Expr:
    """A number outside the inner range, or none: NaN is more than any number, and infinity more than the largest."""
    lows = [b.low for b in (field.warn, field.hard) if b is not None and b.low is not None]
    highs = [b.high for b in (field.warn, field.hard) if b is not None and b.high is not None]
    number = column.cast(pl.Float64)
    return (number < max([-_LARGEST, *lows])) | (number > min([_LARGEST, *highs]))


def _choices(column: pl.Expr, choices: tuple[str, ...]) -> pl.Expr:
    if not 0 < len(choices) <= FEW_CHOICES:
        return ~column.is_in(list(choices))
    return ~reduce(or_, (column == choice for choice in choices))


def _blank(column: pl.Expr) -> pl.Expr:
    """A text that begins with a blank, or beyond ASCII where blanks are, or is empty."""
    return (column < _FIRST_PRINTED) | ((column >= _BEYOND_ASCII) & (column < _LAST_BLANK))


def _amounts(field: Field, column: pl.Expr) -> pl.Expr:
    """A map of amounts: too long, one of them not finite or negative, a component that is none, a sum that is off."""
    amounts = column.map.values()
    total = amounts.list.sum()
    found = (column.map.len() > MAX_COMPONENTS) | (total > _LARGEST) | (total < -_LARGEST)
    found = found | (amounts.list.eval(pl.element().is_null()).list.any())
    if field.quantity != "composition":
        return found
    allowed = list(field.one_of) if field.one_of is not None else sorted(ELEMENTS)
    found = found | (amounts.list.min() < 0) | ~column.map.keys().list.eval(pl.element().is_in(allowed)).list.all()
    limits = [] if field.sum is None else [limit for limit in (field.sum.warn, field.sum.hard) if limit is not None]
    if field.sum is None or not limits:
        return found
    # The sum here is not exact, but it errs by far less than the tolerance that the exact one is given.
    return found | ((total - field.sum.of).abs() > min(limits))


def _lots(column: pl.Expr) -> pl.Expr:
    lot = pl.element()
    odd = lot.str.contains(ODD_LOT) | (lot.str.len_bytes() > MAX_LOT_BYTES) | lot.is_null()
    return column.map.values().list.eval(odd).list.any()
