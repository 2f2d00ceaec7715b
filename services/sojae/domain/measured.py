"""A measurement as people type it: a number with a sign such as <, an uncertainty, an interval, a unit of its own."""

import re
import unicodedata
from dataclasses import dataclass

from sojae.domain.errors import QuantityError
from sojae.domain.quantity import parse_number

QUALIFIERS = {
    "<": "<",
    "<=": "<",
    "≤": "<",
    ">": ">",
    ">=": ">",
    "≥": ">",
    "~": "≈",
    "≈": "≈",
    "약": "≈",
    "ca.": "≈",
    "ca": "≈",
}
"""What may stand before a number, and what header.qualifiers then holds."""

MAX_CHARACTERS = 128
_NUMBER = r"[+-]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_FORM = re.compile(
    rf"(?P<sign><=|>=|[<>≤≥~≈약]|ca\.?)?\s*(?P<low>{_NUMBER})"
    rf"(?:\((?P<digits>\d{{1,6}})\)|\s*(?:±|\+/-|\+-)\s*(?P<spread>{_NUMBER})|\s*(?:[-–—~]|to|부터)\s*(?P<high>{_NUMBER}))?"
    r"\s*(?P<unit>[^\d\s].*)?"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A number, or an interval from `low` to `high`; `uncertainty` is the standard one, `unit` as it was typed."""

    low: float
    high: float
    qualifier: str | None = None
    uncertainty: float | None = None
    unit: str | None = None

    @property
    def is_interval(self) -> bool:
        """Whether two numbers were given."""
        return self.low != self.high


def parse_measured(text: str) -> Measured:
    """Return what a text measures: `12.3 ± 0.4 MPa`, `12.3(4)`, `<1E-10`, `약 3`, `15-25`, `25 °C`.

    In `12.3(4)` the digit in brackets counts in the last place that is written (GUM, JCGM 100:2008, 7.2.2). Raises
    QuantityError that names what was got and what would be read.
    """
    plain = unicodedata.normalize("NFKC", text).strip().replace("−", "-")
    form = _FORM.fullmatch(plain) if len(plain) <= MAX_CHARACTERS else None
    if form is None:
        raise QuantityError(
            en=f"{text[:64]!r} is not a number; write one as 1450, 1.45e3, 12.3 ± 0.4, <5 or 25 °C",
            ko=f"{text[:64]!r}은(는) 수가 아닙니다. 1450, 1.45e3, 12.3 ± 0.4, <5, 25 °C처럼 쓰십시오",
        )
    low = parse_number(form["low"])
    high = low if form["high"] is None else parse_number(form["high"])
    if high < low:
        raise QuantityError(
            en=f"{text!r}: an interval that ends below where it begins; write the smaller number first",
            ko=f"{text!r}: 끝이 처음보다 작은 구간입니다. 작은 수를 먼저 쓰십시오",
        )
    spread = form["spread"]
    return Measured(
        low=low,
        high=high,
        qualifier=QUALIFIERS[form["sign"]] if form["sign"] else None,
        uncertainty=_in_last_place(form["low"], form["digits"]) if spread is None else abs(parse_number(spread)),
        unit=form["unit"],
    )


def _in_last_place(number: str, digits: str | None) -> float | None:
    """Return an uncertainty that is written in units of a number's last digit."""
    if digits is None:
        return None
    mantissa, _, exponent = number.lower().partition("e")
    places = len(mantissa.partition(".")[2])
    return float(f"{digits}e{int(exponent or 0) - places}")
