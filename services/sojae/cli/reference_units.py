"""The reference page of how units may be written."""

from sojae.cli.markdown import page, table
from sojae.cli.reference_words import quoted
from sojae.domain.unit_display import shown_unit
from sojae.domain.unit_spellings import COMMON, SPELLINGS, SYMBOLS

UNITS_LEAD = (
    "Every UCUM code is read as it is: a mapping may say `MPa`, `W/cm2` or `mg/cm2`. Beside them these spellings stand for a "
    "code as a whole; anything else is refused with what comes near, never guessed. A bare `C` is the coulomb."
)


def units_page() -> str:
    """Return how units may be written: the spellings of each UCUM code, signs inside a unit, and codes used most."""
    spellings = [(f"`{code}`", shown_unit(code), quoted(words)) for code, words in SPELLINGS.items()]
    return page(
        "Units",
        [
            UNITS_LEAD,
            "wt%, at%, mol% and vol% are different quantities: a bare `%` is none of them, and none becomes another.",
            table(("UCUM code", "shown as", "may be written"), spellings),
            "## Signs inside a unit",
            "So that `Ω·cm²` and `W/cm^2` are read: each sign, and what UCUM writes for it.",
            table(
                ("sign", "UCUM"), [(f"`{sign}`", f"`{code}`" if code else "nothing") for sign, code in SYMBOLS.items()]
            ),
            "## Codes used most",
            quoted(COMMON),
        ],
    )
