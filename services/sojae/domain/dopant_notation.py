"""Formulas as the field writes them: hyphen alloys, open oxygen, solid solutions, hydrates, a balance; each with its basis."""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sojae.domain.composition import (
    MAX_FORMULA_CHARACTERS,
    atomic_percent,
    atomic_to_weight_percent,
    parse_formula,
    refused,
    weight_to_atomic_percent,
    with_balance,
)
from sojae.domain.composition_check import ELEMENTS
from sojae.domain.errors import FormulaError

Basis = Literal["at", "mass"]

GRADES: Mapping[str, str] = {
    "Ti6Al4V": "Ti-6Al-4V", "Ti64": "Ti-6Al-4V", "AlSi10Mg": "Al-10Si-0.3Mg", "AlSi7Mg": "Al-7Si-0.3Mg", "AlSi12": "Al-12Si",
}  # fmt: skip
"""Names of grades that look like formulas of atoms, but whose numbers are weight percent; and how to write them."""

SHARES_OFF = 0.002
"""How far shares of a solid solution may be from 1, and percentages from 100, as a part of it: rounding, not a gap."""

_HYPHENS = str.maketrans(dict.fromkeys("−–—‐‑", "-"))
_DOTS = str.maketrans(dict.fromkeys("•∙⋅・", "·"))
_BASIS = re.compile(r"[\s,(\[]*(?P<of>wt|mass|at|mol)\.?\s*(?:%|percent)\s*[)\]]?\s*$", re.IGNORECASE)
_OPEN = re.compile(r"(?P<element>[A-Z][a-z]?)(?P<amount>[0-9.]*)\s*[-+±]\s*[0-9.]*(?:δ|delta|d)(?![A-Za-z])")
_REST = r"(?i:bal(?:ance)?)\.?(?![A-Za-z])"
_BALANCE = re.compile(
    rf"(?<![A-Za-z])(?:(?P<before>[A-Z][a-z]?)[\s:-]*\(?\s*{_REST}\s*\)?|{_REST}[\s:-]*(?P<after>[A-Z][a-z]?)(?![a-z]))"
)
_NUMBER = r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+"
_PART = re.compile(rf"(?P<first>{_NUMBER})?\s*%?\s*(?P<element>[A-Z][a-z]?)\s*(?P<last>{_NUMBER})?\s*%?")
_PAIRS = re.compile(rf"(?:[A-Z][a-z]?-(?:{_NUMBER})(?:-|$))+(?<!-)")
_TERM = re.compile(rf"(?P<share>{_NUMBER})\s*(?P<formula>.+)")
_SYMBOL = re.compile(r"[A-Z][a-z]?|[a-z]")
_SPECIAL = re.compile(r"[-+±·%,;δ]|bal|^[0-9.]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Notation:
    """What a formula says: element → relative amount, and whether amounts count atoms (`at`) or weight (`mass`).

    `open` is the element whose amount the text leaves open (`O3-δ`): it is given as written, without δ.
    """

    amounts: Mapping[str, float]
    basis: Basis = "at"
    open: str | None = None

    def percent(self, basis: Basis) -> dict[str, float]:
        """Return at% or wt%, adding up to 100; converted with the standard atomic masses where the basis is another."""
        if basis == self.basis:
            return atomic_percent(self.amounts)
        return weight_to_atomic_percent(self.amounts) if basis == "at" else atomic_to_weight_percent(self.amounts)


def parse_notation(text: str, *, balance: bool = False) -> Notation:
    """Return what a formula says, in the notations of the field beside plain formulas.

    `Ti-6Al-4V`, `Fe-18Cr-8Ni`: wt% with the first element as what is missing to 100; at% where the text ends in
    `(at%)`. `Ag-0.2-Au-0.8`: atoms, as instruments write them. `La2NiO4+d`, `CoO3-δ`: open oxygen.
    `0.94(Bi0.5Na0.5)TiO3-0.06BaTiO3`: mole shares of a solid solution, adding up to 1 or 100. `Ni(NO3)2·6H2O`. With
    `balance`, one element may be `bal.`: `Cr 20, Al 5, Ni bal.`.

    Raises FormulaError that says what was got and expected: an unresolved x, an unknown symbol, an asterisk, isotopes,
    ions, shares that do not add up, a grade's name (`Ti6Al4V`), and a balance where the template has none.
    """
    plain = unicodedata.normalize("NFKC", text).strip().translate(_HYPHENS).translate(_DOTS)
    return _parsed(plain, balance)


@lru_cache(maxsize=8192)
def _parsed(text: str, balance: bool) -> Notation:
    if text in GRADES:
        raise refused(f"{text}, a grade in wt%", GRADES[text], GRADES[text])
    if len(text) > MAX_FORMULA_CHARACTERS or not _SPECIAL.search(text):
        return Notation(_compound(text))
    told, basis = _with_basis(text)
    if told.endswith(("+", "-")):
        raise refused(text, "no ions", "이온이 아닌 화학식")
    found = _BALANCE.search(told)
    if found is not None and (found["before"] or found["after"]) in ELEMENTS:
        return _balanced(told, found, basis, balance)
    plain, open_element = _without_open(told)
    if _PAIRS.fullmatch(plain) and open_element is None:
        return _pairs(plain, basis or "at")
    terms = [term.strip() for term in _outside_brackets(plain, "-")]
    if len(terms) == 1:
        if basis == "mass":
            raise refused(text, "weight percent as Ti-6Al-4V", "Ti-6Al-4V처럼 쓴 무게 백분율")
        return Notation(_hydrate(plain), open=open_element)
    parts = [_PART.fullmatch(term) for term in terms]
    if all(parts) and open_element is None:
        return _alloy(text, [p for p in parts if p], basis or "mass")
    if basis == "mass":
        raise refused(text, "mole shares of compounds; weight shares are not read", "화합물은 몰 비율로")
    return Notation(_solid_solution(text, terms), open=open_element)


def _with_basis(text: str) -> tuple[str, Basis | None]:
    """Return a text without the `(at%)` at its end, and the basis that it says."""
    found = _BASIS.search(text)
    if found is None or not found.start():
        return text, None
    return text[: found.start()], "mass" if found["of"].lower() in ("wt", "mass") else "at"


def _without_open(text: str) -> tuple[str, str | None]:
    """Return a text without `+d`, `-δ`, and the element before it; raises FormulaError where several are open."""
    elements = {found["element"] for found in _OPEN.finditer(text)}
    if len(elements) > 1 or not elements <= ELEMENTS:
        raise refused(f"{text}, open in {', '.join(sorted(elements))}", "one open element", "한 원소만 열린 화학식")
    return _OPEN.sub(lambda m: m["element"] + m["amount"], text), next(iter(elements), None)


def _outside_brackets(text: str, sign: str) -> list[str]:
    """Return the parts of a text between signs that stand in no bracket."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == sign and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _hydrate(text: str) -> dict[str, float]:
    """Return the amounts of a compound and what is bound to it: `CuSO4·5H2O`."""
    amounts: dict[str, float] = {}
    for place, part in enumerate(_outside_brackets(text, "·")):
        found = _TERM.fullmatch(part.strip()) if place else None
        times, formula = (float(found["share"]), found["formula"]) if found else (1.0, part.strip())
        _add(amounts, _compound(formula), times)
    return amounts


def _pairs(text: str, basis: Basis) -> Notation:
    """Return the amounts of `Ag-0.2-Au-0.8`: each number belongs to the element before it."""
    words = text.split("-")
    amounts: dict[str, float] = {}
    for element, number in zip(words[::2], words[1::2], strict=True):
        _check_element(text, element)
        amounts[element] = amounts.get(element, 0.0) + float(number)
    return Notation(amounts, basis)


def _alloy(text: str, parts: list[re.Match[str]], basis: Basis) -> Notation:
    """Return percent of an alloy as `Ti-6Al-4V`; the first element without a number is what is missing to 100."""
    amounts: dict[str, float] = {}
    numbers = [part["first"] or part["last"] for part in parts]
    for part, number in zip(parts, numbers, strict=True):
        _check_element(text, part["element"])
        if (part["first"] and part["last"]) or part["element"] in amounts:
            raise refused(f"{text} ({part['element']} twice)", "one number an element", "원소마다 수 하나")
        if number is None and part is not parts[0]:
            raise refused(f"{text} ({part['element']} without amount)", "as Ti-6Al-4V", "Ti-6Al-4V처럼 양을")
        amounts[part["element"]] = float(number or 0)
    if numbers[0] is None:
        return Notation(with_balance(amounts, parts[0]["element"]), basis)
    _check_total(text, math.fsum(amounts.values()), (100.0,))
    return Notation(amounts, basis)


def _balanced(text: str, found: re.Match[str], basis: Basis | None, allowed: bool) -> Notation:
    """Return percent of a list as `Cr 20, Al 5, Ni bal.`, in wt% where the text does not say at%."""
    if not allowed:
        raise refused(f"{text} with a balance", "every amount as a number", "모든 양을 수로 쓴 조성")
    rest = f"{text[: found.start()]},{text[found.end() :]}"
    words = [word for word in re.split(r"[-,;]+", rest) if word.strip()]
    amounts: dict[str, float] = {}
    for word in words:
        part = _PART.fullmatch(word.strip())
        number = part and (part["first"] or part["last"])
        if part is None or number is None or part["element"] in amounts:
            raise refused(f"{text} ({word.strip()})", "as Cr 20, Al 5, Ni bal.", "Cr 20, Al 5, Ni bal.처럼")
        _check_element(text, part["element"])
        amounts[part["element"]] = float(number)
    return Notation(with_balance(amounts, found["before"] or found["after"]), basis or "mass")


def _solid_solution(text: str, terms: list[str]) -> dict[str, float]:
    """Return the amounts of compounds in mole shares: `0.94(Bi0.5Na0.5)TiO3-0.06BaTiO3`."""
    found = [_TERM.fullmatch(term) for term in terms]
    _check_variables(text)
    compounds = [_compound(f["formula"] if f else term) for f, term in zip(found, terms, strict=True)]
    shares = [float(f["share"]) for f in found if f]
    if len(shares) < len(terms):
        bare = next(term for f, term in zip(found, terms, strict=True) if f is None)
        raise refused(f"{text} ({bare} without share)", "a share before each, as 0.9A-0.1B", "0.9A-0.1B처럼 비율을")
    _check_total(text, math.fsum(shares), (1.0, 100.0))
    amounts: dict[str, float] = {}
    for share, compound in zip(shares, compounds, strict=True):
        _add(amounts, compound, share)
    return amounts


def _add(amounts: dict[str, float], others: Mapping[str, float], times: float) -> None:
    for element, amount in others.items():
        amounts[element] = amounts.get(element, 0.0) + times * amount


def _compound(text: str) -> dict[str, float]:
    """Return the amounts of a plain formula; raises FormulaError, which names an unresolved x."""
    try:
        return parse_formula(text)
    except FormulaError:
        _check_variables(text)
        raise


def _check_variables(text: str) -> None:
    """Return when no letter stands for an amount, as the x of `Ba1-xSrxTiO3`; raises FormulaError that names it."""
    for found in _SYMBOL.finditer(text):
        symbol = found[0]
        if symbol not in ELEMENTS and symbol[-1] in "xyz" and (len(symbol) == 1 or symbol[0] in ELEMENTS):
            got = f"{text}, where {symbol[-1]} has no value"
            raise refused(got, "numbers; δ may stay where oxygen is open", "수. 산소가 열린 곳에만 δ")


def _check_element(text: str, symbol: str) -> None:
    if symbol not in ELEMENTS:
        raise refused(f"{text} with {symbol}", f"element symbols; {symbol} is none", f"원소 기호. {symbol}은(는) 아님")


def _check_total(text: str, total: float, expected: tuple[float, ...]) -> None:
    if not any(abs(total - one) <= SHARES_OFF * one for one in expected):
        shown = " or ".join(f"{one:g}" for one in expected)
        raise refused(f"{text}, which adds up to {total:.6g}", f"a sum of {shown}", f"합이 {shown}")
