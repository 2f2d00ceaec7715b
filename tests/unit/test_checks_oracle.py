"""Checks of whole batches find what the straightforward ones find: whatever the values, in the same words and order."""

import datetime as dt
import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sojae.domain.checks import check_frame, check_values
from sojae.domain.frames import decoded_frame, polars_frame
from sojae.domain.header import ORIGINS
from sojae.domain.schema_reader import Bounds
from sojae.domain.suspects import BLANKS, FEW_CHOICES, suspects
from sojae.domain.template import Field, SumRule, Template
from tests.builders import complete, field, made_up, rule, samples, templates
from tests.checks_oracle import plainly_checked

ODD_NUMBERS = [0.0, -0.0, math.nan, math.inf, -math.inf, 1.7976931348623157e308, -1.7976931348623157e308, 5e-324, -1.0]
ODD_TEXTS = [
    "", " ", "\t\n", "\u3000", "\u3001", "\x1c", "\x7f", "\x85", " a", "é", "한글", "NaN", "'", "x" * 200, "Fe2O3",
    "Fe*2", "Fe0", "Al0.3CoFe", "\u200b", "\ufeff", "\U0001f600", "!", "\x00",
]  # fmt: skip
ODD_LOTS = [
    "Fe-1",
    "시료-12",
    "@pnu/분말 3",
    "@",
    "@/x",
    "",
    "x" * 129,
    "x" * 128,
    "시" * 128,
    "a\x00",
    "é",
    "e\u0301",
    "\u200b",
]
COMPONENTS = ["Fe", "Ni", "Xx", "", "fe", "FeO", "a", "b", "한"]


def numbers(one: Field) -> list[float]:
    """Return odd numbers, and those on, beside and between the bounds of a field."""
    ends = [end for bounds in (one.warn, one.hard) if bounds is not None for end in bounds if end is not None]
    return [
        *ODD_NUMBERS,
        0.5,
        2.0,
        3.5,
        1e3,
        *ends,
        *(math.nextafter(e, to) for e in ends for to in (-math.inf, math.inf)),
    ]


def amounts(one: Field) -> list[dict[str, float]]:
    """Return maps of amounts: sums on and beside the limits, odd numbers, strange and too many components."""
    of = one.sum.of if one.sum is not None else 100.0
    limits = [limit for limit in ((one.sum.warn, one.sum.hard) if one.sum is not None else ()) if limit is not None]
    beside = [limit + delta for limit in limits for delta in (0.0, 1e-9 * of, 1.1e-9 * of, 2e-9, -1e-12, 1e-6)]
    known = list(one.one_of or ("Fe", "Ni", "Cr"))
    offs = [0.0, 1e-13, *beside, *(-off for off in beside)]
    sums = [{known[0]: (of + off) / 3, known[-1]: (of + off) * 2 / 3} for off in offs]
    odd = [{name: number, known[0]: of} for name in COMPONENTS for number in ODD_NUMBERS[:6]]
    return [{}, *sums, *odd, {f"c{k}": of / 200 for k in range(200)}, {f"c{k}": of / 201 for k in range(201)}]


def values(one: Field) -> list[Any]:
    """Return values of a field's type, hostile ones among them, and none at all."""
    kinds: dict[str, Callable[[], list[Any]]] = {
        "double": lambda: numbers(one),
        "long": lambda: [0, -1, 1, 4, 5, 2**62, -(2**63), 2**63 - 1],
        "string": lambda: [*ODD_TEXTS, *(one.one_of or ())],
        "boolean": lambda: [True, False],
        "date": lambda: [dt.date(1, 1, 1), dt.date(2026, 11, 2), dt.date(9999, 12, 31)],
        "timestamp": lambda: [dt.datetime(1, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 1, 1, 2, 3, 4, dt.UTC)],
        "map_double": lambda: amounts(one),
        "map_string": lambda: [{}, *({"Fe": "a", "Ni": lot} for lot in ODD_LOTS), {"": "@", "Fe": ""}],
        "strings": lambda: [[], [""], ["a", "한글"]],
    }
    return [None, *kinds[one.kind]()]


def agree(of: Template, batch: list[dict[str, Any]], origins: list[str]) -> None:
    """Assert that all three ways find the same."""
    plain = plainly_checked(of, batch, origins)
    assert check_values(of, batch, origins) == plain
    found = check_frame(of, polars_frame(of, batch), origins)
    assert found == {row: issues for row, issues in enumerate(plain) if issues}


@pytest.mark.parametrize("of", templates(), ids=lambda t: str(t.key))
def test_the_same_is_found_in_the_templates(of: Template) -> None:
    """Of every project and stage: clean samples, in which some values are hostile, and every hostile value once."""
    draw = random.Random(str(of.key))
    clean = decoded_frame(of, [complete(of, row) for row in samples(of)]).to_dicts()
    batch = [draw.choice(clean) | {one.name: value} for one in of.fields for value in values(one)]
    for row in batch:
        row |= {one.name: draw.choice(values(one)) for one in draw.sample(of.fields, draw.choice([0, 0, 1, 4]))}
    agree(of, batch, [draw.choice(ORIGINS) for _ in batch])


BOUNDS = [None, Bounds(0.0, 4.0), Bounds(1.0, None), Bounds(None, 3.0), Bounds(-math.inf, math.inf)]
SUMS = [
    None,
    SumRule(100.0, 0.5, 5.0, None),
    SumRule(1.0, None, 0.001, ("experiment",)),
    SumRule(100.0, 0.5, None, None),
]
MANY_CHOICES = tuple(f"choice {n}" for n in range(FEW_CHOICES + 1))
FIELDS = [
    *(field(kind=kind, warn=warn, hard=hard) for kind in ("double", "long") for warn in BOUNDS for hard in BOUNDS),
    *(field(kind="string", one_of=choices) for choices in (None, (), ("a", ""), ("한글", " a"), MANY_CHOICES)),
    field(kind="string", quantity="formula"),
    *(field(kind="map_double", quantity=q, sum=s) for q in (None, "composition") for s in SUMS),
    field(kind="map_double", quantity="composition", one_of=("a", "b"), sum=SUMS[1]),
    *(field(name, "map_string") for name in ("lots", "words")),
    *(field(kind=kind) for kind in ("boolean", "date", "timestamp", "strings")),
]  # fmt: skip


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("origin", ["experiment", "bank"])
def test_the_same_is_found_in_any_field(required: bool, origin: str) -> None:
    """Of every kind, with every combination of bounds, choices and sums."""
    for one in FIELDS:
        batch = [{one.name: value} for value in values(one)]
        agree(made_up([replace(one, required=required)]), batch, [origin] * len(batch))


RULES = [
    "x < y",
    "x < y and lower(s) <> 'fe2o3'",
    "m.Fe + m.Ni <= 100",
    "m is not null",
    "d > d2",
    "b or x > 1",
    "abs(x) >= 0",
    "null",
    "1 < 2",
    "2 < 1",
    "x / y > 1",
    "lots.Fe is null",
    "n + 1 > 0",
]


@examples(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_same_rules_are_broken(data: st.DataObject) -> None:
    """Alone and together, with values that no rule can be asked of."""
    fields = [
        field("x"), field("y"), field("s", "string"), field("m", "map_double"), field("d", "date"), field("d2", "date"),
        field("b", "boolean"), field("n", "long"), field("lots", "map_string"),
    ]  # fmt: skip
    severities: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
        [{"severity": "hard"}, {"severity": "warn"}, {"hard_for": ("experiment",)}]
    )
    chosen = data.draw(st.lists(st.sampled_from(RULES), min_size=1, max_size=4, unique=True))
    of = made_up(fields, [rule(sql, f"rule_{n}", **data.draw(severities)) for n, sql in enumerate(chosen)])
    row = st.fixed_dictionaries({one.name: st.sampled_from(values(one)) for one in fields})
    batch = data.draw(st.lists(row, min_size=1, max_size=5))
    agree(of, batch, [data.draw(st.sampled_from(ORIGINS)) for _ in batch])


def test_a_rule_that_fails_on_one_row_is_asked_of_the_others() -> None:
    """By both, though all rules are asked at once."""
    of = made_up([field("d", "date")], [rule("d + interval '1 day' > d", "late"), rule("d is not null", "given")])
    agree(of, [{"d": dt.date(9999, 12, 31)}, {"d": None}, {"d": dt.date(2026, 1, 1)}], ["experiment"] * 3)


def test_a_wide_template_is_checked() -> None:
    """Of 200 fields and 20 rules, in batches in which every row has its own fault."""
    fields = [field(f"x{n}", hard=Bounds(0.0, 1.0), warn=Bounds(0.1, 0.9), required=n % 20 == 0) for n in range(200)]
    of = made_up(fields, [rule(f"x{n} <= x{n + 1}", f"order_{n}", "warn") for n in range(0, 40, 2)])
    batch: list[dict[str, Any]] = [
        {one.name: 0.5 for one in fields} | {f"x{n}": [2.0, 0.95, math.nan, None][n % 4]} for n in range(200)
    ]
    assert sum(len(found) for found in check_values(of, batch, ["experiment"] * 200)) > 150
    agree(of, batch, ["experiment"] * 200)


def test_whoever_is_no_suspect_is_clean() -> None:
    """Over the suspects alone: a value that is not one of them has no finding."""
    for one in FIELDS:
        asked = suspects(one, lots="lots")
        if one.kind not in ("double", "long") or asked is None:
            continue
        batch = [{"x": value} for value in values(one)]
        found = plainly_checked(made_up([one]), batch, ["experiment"] * len(batch))
        suspected = polars_frame(made_up([one]), batch).select(asked).to_series()
        assert all(s or not f for s, f in zip(suspected, found, strict=True))


def test_blanks_are_what_polars_takes_for_blank() -> None:
    """Every character of Unicode but the surrogates, which no text of Avro can hold."""
    every = pl.Series([chr(n) for n in range(0x110000) if not 0xD800 <= n < 0xE000])
    assert "".join(every.filter(every.str.strip_chars() == "")) == BLANKS


@pytest.mark.parametrize("of", templates(), ids=lambda t: str(t.key))
def test_the_quick_frame_is_the_frame(of: Template) -> None:
    """Columns, types and values."""
    batch = [complete(of, row) for row in samples(of)] + [complete(of, {})]
    assert decoded_frame(of, batch).equals(polars_frame(of, batch))
    assert decoded_frame(of, batch).schema == polars_frame(of, batch).schema
