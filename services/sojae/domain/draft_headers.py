"""What the header of a column says: its words in English, and the unit that stands in it."""

import re
import unicodedata
from dataclasses import dataclass

from sojae.domain.draft_words import CHARGE, HUMIDITY, TEMPERATURE, in_english, says
from sojae.domain.errors import QuantityError
from sojae.domain.quantity import ucum_code
from sojae.domain.table_hygiene import UNIT_NUMBERS

NO_UNIT = frozenset("a.u. a.u au arb.u. ratio index count ea 개 회 층 매 cycles times".split())
"""What stands in brackets over numbers without a unit."""

SUFFIXES: dict[str, str] = {
    "nm": "nm", "um": "um", "mm": "mm", "cm": "cm", "kv": "kV", "mv": "mV", "v": "V", "ma": "mA", "mpa": "MPa", "gpa": "GPa", "kpa": "kPa",
    "pa": "Pa", "bar": "bar", "degc": "Cel", "celsius": "Cel", "kelvin": "K", "h": "h", "hr": "h", "hrs": "h", "hours": "h", "hour": "h",
    "min": "min", "mins": "min", "minutes": "min", "s": "s", "sec": "s", "seconds": "s", "days": "d", "kg": "kg", "g": "g", "mg": "mg",
    "pct": "%", "percent": "%", "ppm": "[ppm]", "rpm": "/min", "hz": "Hz", "khz": "kHz", "w": "W", "kw": "kW", "ml": "mL", "ev": "eV",
    "ohm": "Ohm", "wtpct": "%{mass}", "atpct": "%{at}", "kg_m3": "kg/m3", "kgm3": "kg/m3", "g_cm3": "g/cm3", "w_cm2": "W/cm2",
    "ma_cm2": "mA/cm2", "a_cm2": "A/cm2", "ml_min": "mL/min", "ml_h": "mL/h", "l_min": "L/min", "k_min": "K/min", "c_min": "K/min",
    "mol_l": "mol/L", "s_cm": "S/cm", "ohm_cm2": "Ohm.cm2", "ohm_cm": "Ohm.cm", "m2_g": "m2/g", "um_s": "um/s", "mg_cm2": "mg/cm2", "v_nm": "V/nm",
    "wt": "%{mass}", "at": "%{at}", "mj": "mJ", "kj": "kJ", "mm_s": "mm/s", "m_min": "m/min",
}  # fmt: skip
"""How a unit is written behind an underscore, in lower case; those of one letter that mean much else are left out."""

_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta", "κ": "kappa", "λ": "lambda",
    "μ": "mu", "ν": "nu", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Δ": "delta", "Ω": "ohm",
}  # fmt: skip
_SIGNS = {
    r"\circ": "°",
    r"\degree": "°",
    r"\mu": "µ",
    r"\Omega": "Ω",
    r"\%": "%",
    r"\cdot": "·",
    r"\times": "·",
    "^": "",
}
_LAYOUT = re.compile(r"\\(?:mathrm|mathbf|mathit|text|textrm|rm|bf|it|left|right|quad|,|;|!|\s)")
_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|\{([^{}]*)\}|<([^<>]*)>")
_IN_A = re.compile(r"(?P<of>\S+) in an? (?P<whole>\S+?)(?: mixture)?")
_POWERS = re.compile(r"\s\S*[a-zA-Z]\^?-\d")
_PERCENT = re.compile(r"(?P<basis>wt|mass|at|mol|vol|w/v|rh)?\.?[\s_]*%(?P<after>rh)?", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[A-Za-z0-9]+|[가-힣]+")


@dataclass(frozen=True, slots=True)
class Header:
    """A column's header as typed, what is left without its unit, its words, and the unit's UCUM code.

    `guessed`: the unit is not what stands there to the letter (`(C)` over temperatures). `translated`: every word of a
    Korean header was known.
    """

    typed: str
    bare: str
    words: tuple[str, ...]
    unit: str | None
    guessed: bool = False
    translated: bool = False


def read_header(typed: str) -> Header:
    """Return what a header says; LaTeX, full-width letters and line breaks are read as what they show."""
    plain = _without_latex(unicodedata.normalize("NFKC", typed))
    bare, unit, guessed = _with_unit(" ".join(plain.split()))
    words, translated = _words(bare)
    if unit == "C" and not says(words, CHARGE):
        unit, guessed = "Cel", True
    elif unit == "F" and says(words, TEMPERATURE):
        unit, guessed = "[degF]", True
    elif unit is None and words[-1:] in (["c"], ["k"]) and says(words[:-1], TEMPERATURE):
        unit, guessed = ("Cel" if words.pop() == "c" else "K"), True
        bare = bare[:-1].rstrip(" _")
    elif unit == "%" and says(words, HUMIDITY):
        unit, guessed = "%{RH}", True
    return Header(typed, bare, tuple(words), unit, guessed, translated)


def unit_of_text(text: str) -> str | None:
    """Return the UCUM code of a unit as it stands in a header or in a row of units, None where it is none."""
    text = text.strip()
    text = text[1:-1].strip() if text[:1] + text[-1:] in ("()", "[]") else text
    if not text or text.lower() in NO_UNIT:
        return "1" if text else None
    if text[0].isdigit() and not text.startswith(UNIT_NUMBERS):
        return None  # UCUM would take the interval 15-25 for a power of fifteen.
    found = _IN_A.fullmatch(text)
    spellings = [f"{found['of']}/{found['whole']}" if found else text]
    if len(text) > 2 and text.isalpha():
        spellings.append(text.lower())  # Days, Hours
    if _POWERS.search(text):
        spellings.append(".".join(text.split()))  # mA cm-2: the powers show that the blank is a product
    for spelling in spellings:
        try:
            return ucum_code(spelling)
        except QuantityError:
            continue
    return None


def _without_latex(text: str) -> str:
    text = _LAYOUT.sub(" ", text.replace("$", "")) if "$" in text or "\\" in text else text
    if "\\" in text:
        for sign, shown in _SIGNS.items():
            text = text.replace(sign, shown)
        text = re.sub(r"[{}]", "", text)
    return text.replace("\\", " ")


def _with_unit(text: str) -> tuple[str, str | None, bool]:
    """Return the text without its unit, the unit, and whether it is a guess: in brackets, behind a stroke, a comma or a `_`."""
    for found in reversed(list(_BRACKETS.finditer(text))):
        inside = next(group for group in found.groups() if group is not None)
        for part in (inside, *inside.split(",")):
            unit = unit_of_text(part)
            if unit is not None:
                return f"{text[: found.start()]} {text[found.end() :]}".strip(), unit, False
    percent = _PERCENT.search(text)
    if percent is not None:
        basis = (percent["basis"] or percent["after"] or "").lower()
        unit = unit_of_text(f"{basis}%") if basis != "rh" else "%{RH}"
        return f"{text[: percent.start()]} {text[percent.end() :]}".strip(), unit, False
    for sign in (" / ", ", "):
        before, _, after = text.rpartition(sign)
        unit = unit_of_text(after) if before else None
        if unit is not None:
            return before, unit, False
    return _with_suffix(text)


def _with_suffix(text: str) -> tuple[str, str | None, bool]:
    before, _, last = text.rpartition(" ")
    if before and not (last.isalpha() and last.islower()) and len(last) > 1 and "_" not in last:
        unit = unit_of_text(last)
        if unit is not None and unit != "1":
            return before, unit, False
    parts = re.split(r"[_\s/]+", text)
    for count in (2, 1):
        if len(parts) > count:
            tail = parts[-count:]
            unit = SUFFIXES.get("_".join(tail).lower())
            # Behind a blank a word such as `s` or `min` may be a word: there the unit is written as units are.
            apart = text.rstrip()[: -len(tail[0])].endswith(" ") if count == 1 else False
            if unit is not None and (not apart or unit_of_text(tail[0]) == unit):
                return " ".join(parts[:-count]), unit, tail != [unit]
    return text, None, False


def _words(bare: str) -> tuple[list[str], bool]:
    words: list[str] = []
    all_known, korean = True, False
    for letter, name in _GREEK.items():
        bare = bare.replace(letter, f" {name} ")
    plain = "".join(c for c in unicodedata.normalize("NFKD", bare) if not unicodedata.combining(c))
    for found in _WORD.finditer(_CAMEL.sub(" ", unicodedata.normalize("NFC", plain))):
        if found[0].isascii():
            words.append(found[0].lower())
            continue
        english, known = in_english(found[0])
        words += english
        all_known, korean = all_known and known, True
    return words, korean and all_known
