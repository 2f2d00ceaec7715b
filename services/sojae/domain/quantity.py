"""Numbers and units as people type them: read, checked and converted by pint through UCUM codes."""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

from sojae.domain.errors import QuantityError
from sojae.domain.unit_spellings import COMMON, PRODUCT, SPELLINGS, SYMBOLS

if TYPE_CHECKING:
    from pint import Quantity, UnitRegistry

BASES = frozenset({"mass", "at", "mol", "vol", "RH", "w/v", "phr"})
"""Annotations that tell fractions of mass, atoms, moles, volume, saturation and resin apart: they never convert."""

LACKING: Mapping[str, str] = {"[pH]": "dimensionless", "MPa.m0.5": "megapascal * meter ** 0.5"}
"""Codes that ucumvert does not know, and the unit of pint that carries them; each is a quantity of its own.

`[pH]` is UCUM's; a fracture toughness has no UCUM code, since exponents there are whole.
"""

_CODE_OF = {spelling: code for code, spellings in SPELLINGS.items() for spelling in spellings}
_KNOWN_CODES = frozenset({*SPELLINGS, *COMMON})
_ANNOTATION = re.compile(r"\{([^}]*)\}")
_PLAIN = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+\.[0-9]+|[+-]?[0-9]{1,3}(,[0-9]{3}){2,}")
MAX_UNIT_CHARACTERS = 64
_POWER_OF_TEN = re.compile(r"10\^?(?=[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]|(?<=\^)[-0-9])")
_HUGE_EXPONENT = re.compile(r"(?:10[*^]|[A-Za-z\]}])[+-]?[0-9]{3,}")


def convert(value: float, from_unit: str, to_unit: str) -> float:
    """Return a value in `to_unit`; both units may be UCUM codes or spellings that people type.

    Temperatures convert with their offset (25 °C is 298.15 K). Raises QuantityError when a unit is unknown, the two
    measure different things (wt%, at%, mol% and vol% do), or the result is no finite number.
    """
    source, target = ucum_code(from_unit), ucum_code(to_unit)
    return value if source == target else _finite(_moved, value, source, target)


def delta(value: float, from_unit: str, to_unit: str) -> float:
    """Return a difference in `to_unit`: 10 °C warmer is 10 K warmer, and 18 °F; raises QuantityError as convert does."""
    return _finite(_scaled, value, ucum_code(from_unit), ucum_code(to_unit))


def unit_of(code: str) -> "Quantity[float]":
    """Return one of a unit as a pint quantity; raises QuantityError when the code is unknown."""
    return _parsed(ucum_code(code))


@lru_cache(maxsize=4096)
def ucum_code(spelling: str) -> str:
    """Return the UCUM code of a unit as typed: `degC`, `℃`, `Ω·cm²`, `wt%`, `hrs`; a UCUM code is its own.

    Raises QuantityError that names what was got and what comes near.
    """
    text = unicodedata.normalize("NFC", spelling).strip()
    if text in _KNOWN_CODES:
        return text
    if text in _CODE_OF:
        return _CODE_OF[text]
    if len(text) > MAX_UNIT_CHARACTERS or _HUGE_EXPONENT.search(text):
        raise _unknown(text)
    # Compatibility signs are one character for a whole unit: ㎛, ㎥, ㎫.
    plain = unicodedata.normalize("NFKC", text)
    for candidate in dict.fromkeys((text, _with_ucum_signs(text), plain, _with_ucum_signs(plain))):
        if candidate in _CODE_OF:
            return _CODE_OF[candidate]
        if _is_ucum(candidate):
            return candidate
    raise _unknown(text)


def basis_of(code: str) -> str | None:
    """Return what a unit is said to be of, beside its dimension: mass, at, mol, vol, RH or w/v of a fraction, [pH]; else None."""
    if code in LACKING:
        return code
    found = [name for name in _ANNOTATION.findall(code) if name in BASES]
    return found[0] if found else None


def parse_number(text: str) -> float:
    """Return the number that a cell holds: blanks around it, a Unicode minus and full-width digits are taken.

    A comma is taken only where it can but separate thousands (`1,234.5`, `1,234,567`): `1,234` is 1234 to some and
    1.234 to others. Raises QuantityError for that and for anything else.
    """
    stripped = unicodedata.normalize("NFKC", text).strip().replace("−", "-")
    plain = stripped.replace(",", "") if _GROUPED.fullmatch(stripped) else stripped
    if _PLAIN.fullmatch(plain):
        number = float(plain)
        if math.isfinite(number):
            return number
    if "," in stripped and _PLAIN.fullmatch(stripped.replace(",", "")):
        raise QuantityError(
            en=f"{text!r}: the comma may mark thousands or decimals; write the number without a comma",
            ko=f"{text!r}: 쉼표가 천 단위인지 소수점인지 알 수 없습니다. 쉼표 없이 쓰십시오",
        )
    raise QuantityError(
        en=f"{text!r} is not a number; write one as 1450 or 1.45e3",
        ko=f"{text!r}은(는) 수가 아닙니다. 1450 또는 1.45e3처럼 쓰십시오",
    )


def is_number(text: str) -> bool:
    """Return whether `parse_number` takes a text."""
    try:
        parse_number(text)
    except QuantityError:
        return False
    return True


def _moved(value: float, source: str, target: str) -> float:
    if not (_has_offset(source) or _has_offset(target)):
        return _scaled(value, source, target)
    _check_same_quantity(source, target)
    here, there = unit_of(source), unit_of(target)
    moved = _registry().Quantity(value * float(here.magnitude), here.units).to(there.units)
    return float(moved.magnitude) / float(there.magnitude)


def _scaled(value: float, source: str, target: str) -> float:
    _check_same_quantity(source, target)
    return value * _factor(source, target)


def _finite(compute: Callable[[float, str, str], float], value: float, source: str, target: str) -> float:
    """Return what a conversion gives; raises QuantityError where it has no finite answer."""
    try:
        result = compute(value, source, target)
    except _unit_errors() as error:
        # Logarithmic units such as B[SPL] are known, but no factor leads to others.
        raise QuantityError(
            en=f"{source!r} cannot become {target!r}: no factor leads from one to the other",
            ko=f"{source!r}을(를) {target!r}(으)로 바꿀 수 없습니다: 둘 사이의 비율이 없습니다",
        ) from error
    if not math.isfinite(result):
        raise QuantityError(
            en=f"{value!r} {source} in {target} is beyond any number; check unit and digits",
            ko=f"{value!r} {source}은(는) {target}(으)로 나타낼 수 없는 수입니다. 단위와 자릿수를 확인하십시오",
        )
    return result


def _with_ucum_signs(text: str) -> str:
    text = _POWER_OF_TEN.sub("10*", text)
    for sign, code in SYMBOLS.items():
        text = text.replace(sign, code)
    # A blank between two units is not taken for a product: `m s` could become milliseconds.
    return re.sub(rf"\s*(?:([./])|(?<!10)\{PRODUCT})\s*", lambda m: m.group(1) or ".", text)


@lru_cache(maxsize=1)
def _registry() -> "UnitRegistry[float]":
    # pint and the UCUM grammar take 0.8 s to import and build: only who converts pays for them.
    from ucumvert import PintUcumRegistry  # noqa: PLC0415

    return PintUcumRegistry()  # type: ignore[no-any-return]  # ucumvert ships no types


@lru_cache(maxsize=4096)
def _parsed(code: str) -> "Quantity[float]":
    if code in LACKING:
        return _registry().Quantity(1.0, LACKING[code])
    # An annotation alone is unity, which the parser returns as a bare token.
    return _registry().from_ucum("1" + code if code.startswith("{") else code)  # type: ignore[operator, no-any-return]  # a method of ucumvert's


def _is_ucum(code: str) -> bool:
    if not code:
        return False
    try:
        _parsed(code)
    except _unit_errors():
        return False
    return True


@lru_cache(maxsize=1)
def _unit_errors() -> tuple[type[Exception], ...]:
    # With the registry, for the same reason.
    from lark.exceptions import LarkError  # noqa: PLC0415
    from pint.errors import PintError  # noqa: PLC0415

    return LarkError, PintError, ValueError, ArithmeticError


def _check_same_quantity(source: str, target: str) -> None:
    """Return when both units measure the same thing; raises QuantityError otherwise."""
    if basis_of(source) == basis_of(target) and unit_of(source).check(unit_of(target).dimensionality):
        return
    hint_en, hint_ko = ("", "")
    if source == "C":
        hint_en, hint_ko = ("; C is the coulomb, write °C", ". C는 쿨롱입니다. °C로 쓰십시오")
    elif basis_of(source) != basis_of(target):
        hint_en, hint_ko = (
            "; say of what it is a fraction: wt%, at%, mol% or vol%",
            ". 무엇의 비율인지 wt%, at%, mol%, vol% 가운데서 쓰십시오",
        )
    raise QuantityError(
        en=f"{source!r} cannot become {target!r}: they measure different things{hint_en}",
        ko=f"{source!r}을(를) {target!r}(으)로 바꿀 수 없습니다: 서로 다른 양입니다{hint_ko}",
    )


def _has_offset(code: str) -> bool:
    return code in ("Cel", "[degF]", "[degRe]")


@lru_cache(maxsize=4096)
def _factor(source: str, target: str) -> float:
    """Return how many of `target` one of `source` is, as a difference where the unit has an offset."""
    here, there = _difference_unit(source), _difference_unit(target)
    return float(here.to(there.units).magnitude) / float(there.magnitude)


def _difference_unit(code: str) -> "Quantity[float]":
    one = unit_of(code)
    return _registry().Quantity(1.0, f"delta_{one.units}") if _has_offset(code) else 1.0 * one


def _unknown(text: str) -> QuantityError:
    by_lower_case = {code.lower(): code for code in (*SPELLINGS, *_CODE_OF, *COMMON)}
    near = [by_lower_case[n] for n in get_close_matches(text.lower(), by_lower_case, n=3, cutoff=0.5)]
    close_en = f"; near it: {', '.join(near)}" if near else ""
    close_ko = f". 비슷한 것: {', '.join(near)}" if near else ""
    return QuantityError(
        en=f"unknown unit {text!r}; write a UCUM code such as Cel, MPa, um, %{{mass}}, W/cm2{close_en}",
        ko=f"알 수 없는 단위 {text!r}. Cel, MPa, um, %{{mass}}, W/cm2 같은 UCUM 코드를 쓰십시오{close_ko}",
    )
