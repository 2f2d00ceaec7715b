"""What a finding says to people: what was got and what was expected, with units as they are written by hand."""

import re

from sojae.domain.text import Text
from sojae.domain.unit_display import shown_unit

NOTHING = Text(ko="빈칸", en="nothing")
A_VALUE = Text(ko="값", en="a value")
_BYTES = re.compile(r"[0-9a-f]{2}( [0-9a-f]{2}){2,}( …)?")
_NONE = re.compile(r"(?<= = )None(?=;|$)")
_BEHIND_A_NUMBER = re.compile(r"(?<=\d )\S+$")
_RANGE = re.compile(r"(\S*\d) to (\S*\d)")


def shown_got(got: str | None) -> Text:
    """Return what was got; the empty value as `nothing`, bytes in hex only as bytes that nobody can read."""
    if got in (None, "", "None"):
        return NOTHING
    assert got is not None
    if _BYTES.fullmatch(got):
        return Text(ko="읽을 수 없는 바이트", en="bytes that are no record")
    return Text(ko=_NONE.sub(NOTHING.ko, got), en=_NONE.sub(NOTHING.en, got))


def shown_expected(rule: str, expected: str | None) -> Text:
    """Return what a rule expected: `800 to 1700 Cel` as `800 to 1700 °C`, in Korean `800~1700 °C`; of `required` its unit."""
    if rule == "required":
        unit = shown_unit(expected)
        return Text(ko=f"값({unit})", en=f"a value in {unit}") if unit not in ("", "a value") else A_VALUE
    if expected is None:
        return A_VALUE
    if rule == "category":
        return Text(ko=f"{expected} 가운데 하나", en=f"one of {expected}")
    plain = _BEHIND_A_NUMBER.sub(_unit_shown, expected)
    return Text(ko=_RANGE.sub(r"\1~\2", plain), en=plain)


def _unit_shown(found: re.Match[str]) -> str:
    return shown_unit(found[0]) or found[0]
