"""The reference pages of what a file may hold: the fields of every template, and how units may be written."""

from collections.abc import Iterator

from sojae.adapters.template_files import load_templates
from sojae.cli.markdown import page, table
from sojae.domain.checks import shown_bounds
from sojae.domain.lead_projects import LEAD_PROJECTS
from sojae.domain.schema_reader import Bounds
from sojae.domain.template import Field
from sojae.domain.unit_display import shown_unit
from sojae.domain.unit_spellings import COMMON, SPELLINGS, SYMBOLS

LEAD = (
    "What a mapping of [`sojae import`](../../how-to/import-a-spreadsheet.md) may name as `<stage>.<field>`, and what an event may "
    "hold. A value outside the usual range is accepted and flagged, one outside the possible range is quarantined; both are "
    "in the field's unit. Other units are converted: [units](../units.md). What else is checked is in [rules](../rules.md). In the "
    "column role, `input` and `condition` are what models predict from, `target` what they predict, `intermediate` and "
    "`note` are kept and not learnt from, `identifier` names a lot or a place."
)
HEADER_LEAD = (
    "Fields of every event, which a mapping names as `header.<field>` or gives in `[defaults]`. The import itself makes "
    "those of identity."
)
UNITS_LEAD = (
    "Every UCUM code is read as it is: a mapping may say `MPa`, `W/cm2` or `mg/cm2`. Beside them these spellings stand for a "
    "code as a whole; anything else is refused with what comes near, never guessed. A bare `C` is the coulomb."
)


def templates_page() -> str:
    """Return which projects there are, and the fields of every event's header."""
    book = load_templates()
    header = {field.name: field for template in book for field in template.header_fields}
    rows = [
        (f"`{f.name}`", f.label.ko, f.label.en, f.kind, shown_words(f), without_tags(f.doc or ""))
        for f in header.values()
    ]
    projects = [
        (f"[`{name}`]({name}.md)", lead.name.ko, lead.name.en, f"{lead.field.ko} · {lead.family.ko}")
        for name, lead in LEAD_PROJECTS.items()
    ]
    parts = [
        LEAD,
        table(("project", "이름", "name", "분야 · 소재"), projects),
        "## Header",
        HEADER_LEAD,
        table(("field", "이름", "name", "kind", "words", "meaning"), rows),
    ]
    return page("Templates", parts)


def units_page() -> str:
    """Return how units may be written: the spellings of each UCUM code, signs inside a unit, and codes used most."""
    spellings = [(f"`{code}`", shown_unit(code), _quoted(words)) for code, words in SPELLINGS.items()]
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
            _quoted(COMMON),
        ],
    )


def without_tags(text: str) -> str:
    """Return a text in which no `<` outside of code is taken for the begin of a tag."""
    parts = text.split("`")
    return "`".join(part if place % 2 else part.replace("<", "\\<") for place, part in enumerate(parts))


def unit_code(code: str | None) -> str:
    """Return a unit as its UCUM code, and as people write it where that differs."""
    if code is None:
        return ""
    shown = shown_unit(code)
    return f"`{code}`" if shown in ("", code) else f"`{code}` ({shown})"


def shown_range(bounds: Bounds | None) -> str:
    """Return a range without its unit, empty where there is none."""
    return "" if bounds is None else shown_bounds(bounds, None)


def shown_words(field: Field) -> str:
    """Return which words a field takes, and how its amounts are given."""
    return "; ".join(_said(field))


def _said(field: Field) -> Iterator[str]:
    if field.one_of is not None:
        yield _quoted(field.one_of)
    if field.quantity == "composition":
        yield f"amounts by element, or a formula, in {field.basis}%" if field.basis else "amounts by component"
    if field.sum is not None:
        hard = "" if field.sum.hard is None else f", refused beyond ± {field.sum.hard:g}"
        usual = "" if field.sum.warn is None else f", flagged beyond ± {field.sum.warn:g}"
        yield f"they add up to {field.sum.of:g}{usual}{hard}"


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" if word else "(nothing)" for word in words)
