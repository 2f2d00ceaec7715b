"""What must hold in one composition: symbols, signs and the sum."""

import math
from collections.abc import Iterator, Mapping

from sojae.domain.issue import Issue
from sojae.domain.template import Field
from sojae.domain.template_rule import Severity

ELEMENTS = frozenset(
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo "
    "Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl "
    "Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og".split()
)
"""The symbols of the 118 elements (IUPAC)."""

MAX_COMPONENTS = 200


def composition_issues(field: Field, amounts: Mapping[str, object], origin: str) -> Iterator[Issue]:
    """Yield the findings of one map of amounts, in the field's unit; a map that is no composition has finite values."""
    if len(amounts) > MAX_COMPONENTS:
        yield Issue("composition_sum", "hard", field.name, f"{len(amounts)} components", f"at most {MAX_COMPONENTS}")
        return
    bad = {k: v for k, v in amounts.items() if not isinstance(v, float) or not math.isfinite(v)}
    for component, amount in bad.items():
        yield Issue("non_finite", "hard", f"{field.name}.{component[:32]}", repr(amount), "a finite number")
    if field.quantity != "composition" or bad:
        return
    allowed = frozenset(field.one_of) if field.one_of is not None else ELEMENTS
    for component, amount in amounts.items():
        if component not in allowed:
            expected = ", ".join(field.one_of) if field.one_of else "an element symbol"
            yield Issue("composition_symbol", "hard", field.name, component[:32], expected)
        if isinstance(amount, float) and amount < 0:
            yield Issue("composition_negative", "hard", f"{field.name}.{component[:32]}", format(amount, ".12g"), "≥ 0")
    yield from _sum_issues(field, [v for v in amounts.values() if isinstance(v, float)], origin)


def _sum_issues(field: Field, amounts: list[float], origin: str) -> Iterator[Issue]:
    if field.sum is None:
        return
    try:
        total = math.fsum(amounts)
    except OverflowError:  # finite numbers whose sum is not
        total = math.inf
    off = abs(total - field.sum.of)
    unit = f" {field.unit}" if field.unit and field.unit != "1" else ""
    tolerance = 1e-9 * max(1.0, abs(field.sum.of))
    severity: Severity
    if field.sum.hard is not None and off > field.sum.hard + tolerance:
        lenient = field.sum.hard_for is not None and origin not in field.sum.hard_for
        severity, limit = ("warn" if lenient else "hard"), field.sum.hard
    elif field.sum.warn is not None and off > field.sum.warn + tolerance:
        severity, limit = "warn", field.sum.warn
    else:
        return
    yield Issue(
        "composition_sum", severity, field.name, format(total, ".12g"), f"{field.sum.of:.12g} ± {limit:.12g}{unit}"
    )
