"""Chemical formulas and compositions: formula → amounts, atomic percent, weight percent, one balance component."""

import math
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

import periodictable
from pyparsing import ParseException

from sojae.domain.composition_check import ELEMENTS
from sojae.domain.errors import FormulaError

MAX_FORMULA_CHARACTERS = 256
MAX_BRACKETS = 20
MAX_TOTAL = 1e300
"""What amounts may add up to; near the largest double a scaled amount would overflow."""
_OPENING = str.maketrans({"[": "(", "]": ")"})
_ALLOWED = re.compile(r"[A-Za-z0-9.()\[\] ]*")
_ISOTOPE = re.compile(r"\[\d+\]")
_PART = re.compile(r"([A-Z][a-z]?)([0-9]+(?:\.[0-9]*)?|\.[0-9]+)?")
_SYMBOL = re.compile(r"[A-Z][a-z]?|[a-z]")
_FLAT = re.compile(rf"(?:{_PART.pattern})+")
_COEFFICIENT = re.compile(r"(^|[ (])\d|(^|[ (])\.\d")


def parse_formula(text: str) -> dict[str, float]:
    """Return element → amount of a formula, in the order of the text: `Al0.25 Co1 Fe1 Ni1`, `(Ba0.5Sr0.5)CoO3`.

    Amounts are relative,
    as written; decimals and nested brackets, round or square, are read. Elements with the amount 0 are left out.
    Raises FormulaError for an empty formula, an unknown symbol, isotopes (D, T, [18]), ions, an asterisk, and
    whatever else is not symbols, brackets and amounts.
    """
    return dict(_parsed(unicodedata.normalize("NFKC", text).strip()))


def atomic_percent(amounts: Mapping[str, float]) -> dict[str, float]:
    """Return the amounts scaled to a sum of 100; raises FormulaError when they add up to nothing or one is negative."""
    total = _total(amounts)
    if not 0 < total <= MAX_TOTAL or any(a < 0 for a in amounts.values()):
        raise refused(str(dict(amounts)), "amounts ≥ 0 with a sum above 0", "0 이상이고 합이 0보다 큰 양")
    return {symbol: 100.0 * amount / total for symbol, amount in amounts.items()}


def weight_to_atomic_percent(weights: Mapping[str, float]) -> dict[str, float]:
    """Return at% of a composition in wt% (any sum), by the standard atomic masses."""
    return atomic_percent({symbol: weight / atomic_mass(symbol) for symbol, weight in weights.items()})


def atomic_to_weight_percent(atoms: Mapping[str, float]) -> dict[str, float]:
    """Return wt% of a composition in at% (any sum), by the standard atomic masses."""
    return atomic_percent({symbol: amount * atomic_mass(symbol) for symbol, amount in atoms.items()})


def with_balance(amounts: Mapping[str, float], component: str, total: float = 100.0) -> dict[str, float]:
    """Return the amounts with one component as what is missing to `total`.

    Raises FormulaError when that component is given already, or nothing is left for it.
    """
    if amounts.get(component):
        raise refused(
            f"{component} twice", f"{component} as the balance only", f"나머지 성분 {component}은(는) 한 번만"
        )
    rest = total - _total(amounts)
    if rest <= 0:
        raise refused(
            f"{total - rest:.12g} without {component}", f"less than {total:.12g}", f"{total:.12g}보다 작은 합"
        )
    return {**amounts, component: rest}


def atomic_mass(symbol: str) -> float:
    """Return the standard atomic mass in g/mol; raises FormulaError for an unknown symbol."""
    if symbol not in ELEMENTS:
        raise refused(symbol, "an element symbol", "원소 기호")
    return float(periodictable.elements.symbol(symbol).mass)


def hill_formula(amounts: Mapping[str, float]) -> str:
    """Return the formula in Hill order: carbon, hydrogen, then by symbol; without carbon all by symbol."""
    first = ("C", "H") if amounts.get("C") else ()
    order = [s for s in first if amounts.get(s)] + sorted(s for s, a in amounts.items() if a and s not in first)
    return "".join(s if amounts[s] == 1 else f"{s}{amounts[s]:.12g}" for s in order)


def _total(amounts: Mapping[str, float]) -> float:
    """Return the sum, infinity where it is beyond the largest double."""
    try:
        return math.fsum(amounts.values())
    except OverflowError:
        return math.inf


@lru_cache(maxsize=8192)
def _parsed(text: str) -> tuple[tuple[str, float], ...]:
    flat = _flat(text)
    if flat:
        return flat
    _check_characters(text)
    plain = text.translate(_OPENING)
    if _COEFFICIENT.search(plain):
        # `Fe 2O3` would be read as Fe and two O3, `2Fe` as a mixture.
        raise refused(text, "each amount right behind its symbol or bracket", "양은 기호나 괄호 바로 뒤에")
    unknown = [symbol for symbol in _SYMBOL.findall(plain) if symbol not in ELEMENTS]
    if unknown:
        raise refused(
            f"{text} with {unknown[0]}",
            f"element symbols, no isotopes; {unknown[0]} is none",
            f"동위원소가 아닌 원소 기호. {unknown[0]}은(는) 아님",
        )
    try:
        atoms = periodictable.formula(plain).atoms
    except (ValueError, ParseException, TypeError, KeyError, ArithmeticError) as error:
        raise refused(
            text, "element symbols with amounts, as Al0.3 Co1 Fe1", "Al0.3 Co1 Fe1처럼 원소 기호와 양"
        ) from error
    amounts = {str(atom): float(amount) for atom, amount in atoms.items() if amount}
    if not amounts or not all(math.isfinite(a) for a in amounts.values()):
        raise refused(text, "at least one element with an amount", "양이 있는 원소 하나 이상")
    return tuple(amounts.items())


def _flat(text: str) -> tuple[tuple[str, float], ...] | None:
    """Return what a formula of symbols and amounts alone holds, without the grammar, which takes 50 times as long.

    None where it is anything else: what the grammar refuses, it refuses with its own words.
    """
    if len(text) > MAX_FORMULA_CHARACTERS or not _FLAT.fullmatch(text):
        return None
    amounts: dict[str, float] = {}
    for symbol, amount in _PART.findall(text):
        amounts[symbol] = amounts.get(symbol, 0.0) + (float(amount) if amount else 1.0)
    if not amounts.keys() <= ELEMENTS or not all(math.isfinite(a) for a in amounts.values()):
        return None
    return tuple((symbol, amount) for symbol, amount in amounts.items() if amount)


def _check_characters(text: str) -> None:
    if not text:
        raise refused("an empty formula", "element symbols with amounts", "원소 기호와 양")
    if len(text) > MAX_FORMULA_CHARACTERS:
        raise refused(
            f"{len(text)} characters", f"at most {MAX_FORMULA_CHARACTERS}", f"{MAX_FORMULA_CHARACTERS}자 이하"
        )
    if text.count("(") + text.count("[") > MAX_BRACKETS:
        raise refused(text, f"at most {MAX_BRACKETS} brackets", f"괄호 {MAX_BRACKETS}개 이하")
    if "{" in text or text.endswith(("+", "-")):
        raise refused(text, "no ions", "이온이 아닌 화학식")
    if _ISOTOPE.search(text):
        raise refused(text, "no isotopes", "동위원소가 아닌 원소")
    if not _ALLOWED.fullmatch(text):
        odd = next(c for c in text if not _ALLOWED.fullmatch(c))
        raise refused(f"{text} with {odd!r}", "symbols, amounts and brackets only", "기호, 양, 괄호만")


def refused(got: str, expected_en: str, expected_ko: str) -> FormulaError:
    """Return the error for a formula: what was got, and what was expected."""
    return FormulaError(
        en=f"formula: got {got}, expected {expected_en}",
        ko=f"화학식: {got}은(는) 읽을 수 없습니다. 필요한 것: {expected_ko}",
    )
