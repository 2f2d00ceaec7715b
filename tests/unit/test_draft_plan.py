"""Columns become fields of stages with roles and names; what tells rows apart and what is predicted is chosen."""

from collections.abc import Sequence

import pytest

from sojae.domain.draft_columns import Column, read_cells
from sojae.domain.draft_headers import read_header
from sojae.domain.draft_plan import Draft, plan
from sojae.domain.draft_report import DOUBTS, doubt_lines, field_lines
from sojae.domain.errors import CommandError

Cells = Sequence[object]
NUMBERS = (1.5, 2.5, 3.5, 4.5)


def columns(**cells: Cells) -> list[Column]:
    return [column(header, values) for header, values in cells.items()]


def column(header: str, cells: Cells) -> Column:
    return read_cells(header, read_header(header), [str(cell) for cell in cells])


def drafted(*headers: str, targets: Sequence[str] = (), **cells: Cells) -> Draft:
    """Return the draft of columns of numbers with these headers, and of others with their cells."""
    found = [column(header, cells.get(header, [n + k for n in NUMBERS])) for k, header in enumerate(headers)]
    return plan(found, targets, ("operator", "comment", "standard"))


def places(draft: Draft) -> dict[str, tuple[str, str]]:
    return {f.column.header.typed: (f.stage, f.role) for f in draft.fields}


def test_words_tell_stage_and_role() -> None:
    """In Korean as in English."""
    found = places(
        drafted(
            "NiO particle size (um)", "순도(%)", "starch content", "MgO (mol%)", "소결온도", "sintering time", "age",
            "시험 온도", "경도", "strength",
        )
    )  # fmt: skip
    assert found == {
        "NiO particle size (um)": ("raw", "input"),
        "순도(%)": ("raw", "input"),
        "starch content": ("composition", "input"),
        "MgO (mol%)": ("composition", "input"),
        "소결온도": ("process", "input"),
        "sintering time": ("process", "input"),
        "age": ("process", "condition"),
        "시험 온도": ("property", "condition"),
        "경도": ("property", "intermediate"),
        "strength": ("property", "target"),
    }


def test_the_last_property_is_the_guessed_target() -> None:
    """Else the last column of numbers; what else looks measured is no input, or the models would only seem good."""
    draft = drafted("strength", "temperature", "x1")
    assert places(draft) == {
        "strength": ("property", "target"),
        "temperature": ("process", "input"),
        "x1": ("property", "intermediate"),
    }
    assert places(drafted("x1", "x2"))["x2"] == ("property", "target")


def test_targets_are_those_that_are_named() -> None:
    """By their header, in any case; several are possible."""
    draft = drafted("strength", "Hardness", "x1", targets=["HARDNESS", "x1"])
    assert [f.column.name for f in draft.fields if f.role == "target"] == ["Hardness", "x1"]
    assert not draft.guessed_target


@pytest.mark.parametrize(("target", "said"), [("strenght", "'strength'|strength"), ("route", "category")])
def test_a_target_that_cannot_be_is_refused(target: str, said: str) -> None:
    """With what comes near, or what it is."""
    with pytest.raises(CommandError, match=said):
        drafted("strength", "route", targets=[target], route=["a", "a", "b", "b"])


def test_without_numbers_there_is_no_target() -> None:
    """Which is said in both languages."""
    with pytest.raises(CommandError) as caught:
        drafted("route", route=["a", "a", "b", "b"])
    assert "--target" in caught.value.message("ko")


def test_names_are_ascii_and_differ() -> None:
    """Keywords, header fields, figures in front, names twice, and headers of which nothing can be written."""
    names = [
        f.name
        for f in drafted(
            "select", "2nd step", "Flow", "flow", "동시소결", "温度", "Standard", "composition", "strength"
        ).fields
    ]
    assert names == [
        "select_value", "value_2nd_step", "flow", "flow_2", "dongsi_sintering", "process_field_06", "standard_value",
        "composition_value", "strength",
    ]  # fmt: skip


def test_a_unique_name_is_the_sample_s() -> None:
    """It is the key then; otherwise all that was not measured is."""
    named = drafted("Sample ID", "temperature", "strength", **{"Sample ID": ["a", "b", "c", "d"]})
    assert (named.sample, named.key) == ("Sample ID", ("Sample ID",))
    unnamed = drafted("temperature", "hardness", "strength")
    assert (unnamed.sample, unnamed.key) == (None, ("temperature",))


def test_a_date_is_when_it_happened_and_a_paper_a_reference() -> None:
    """They are of the header, not of a stage."""
    dates, papers = ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"], ["10.1000/1"] * 4
    draft = drafted("test date", "doi", "strength", **{"test date": dates, "doi": papers})
    assert draft.event_time is not None
    assert [c.name for c in draft.references] == ["doi"]
    assert [f.name for f in draft.fields] == ["strength"]


def test_a_formula_is_the_composition() -> None:
    """A second one stays a text that is checked as a formula."""
    formulas = ["Al2O3", "MgO", "SiO2", "TiO2"]
    draft = drafted("alloy", "substrate", "strength", alloy=formulas, substrate=formulas)
    assert [(f.name, f.kind, f.quantity) for f in draft.fields][:2] == [
        ("composition", "map_double", "composition"),
        ("substrate", "string", "formula"),
    ]


def test_at_most_fifteen_fields_of_a_stage_are_required() -> None:
    """Who fills in a form must not despair."""
    draft = drafted(*(f"temperature {k}" for k in range(20)), "strength")
    assert sum(f.required for f in draft.of("process")) == 15


def test_more_columns_than_a_template_holds_are_refused() -> None:
    """With the number, before anything is written."""
    with pytest.raises(CommandError, match="401 columns"):
        drafted(*(f"temperature {k}" for k in range(401)), "strength")


def test_what_is_doubtful_is_said_in_both_languages() -> None:
    """Each doubt with its fields, each field with its column."""
    draft = drafted("x1", "starch (%)", "strength")
    english = "\n".join(doubt_lines(draft, "en"))
    assert "process.x1: no word tells of its stage" in english
    assert "composition.starch: it is not said of what it is a share" in english
    assert "property.strength: taken for the target" in english
    assert "process.x1: 어느 단계인지" in "\n".join(doubt_lines(draft, "ko"))
    assert len(list(field_lines(draft, "ko"))) == 3
    assert all(text.ko and text.en for text in DOUBTS.values())
