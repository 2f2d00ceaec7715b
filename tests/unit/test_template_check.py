"""What a template must keep to before it is used."""

import dataclasses

import pytest

from sojae.domain.errors import TemplateError
from sojae.domain.schema_reader import Bounds
from sojae.domain.template import Field
from sojae.domain.template_check import SQL_KEYWORDS, check_template
from sojae.domain.template_rule import Rule
from tests.builders import field, made_up, rule, templates


def check(fields: list[Field], rules: list[Rule] | None = None) -> None:
    check_template(made_up(fields, rules or [], institute="kims"), where="here.avsc")


def refused(fields: list[Field], rules: list[Rule] | None = None) -> str:
    with pytest.raises(TemplateError) as error:
        check(fields, rules)
    assert error.value.text.en.startswith("here.avsc: got ")
    return error.value.text.en


def test_the_packaged_templates_pass() -> None:
    """Each of them, as loaded."""
    assert len(templates()) >= 8
    for one in templates():
        check_template(one, where=str(one.key))


@pytest.mark.parametrize("name", ["X", "1x", "a-b", "a b", "온도", "_x", "x" * 64, ""])
def test_field_names_are_plain(name: str) -> None:
    """They become columns, SQL names and environment of forms."""
    assert f"field {name!r}" in refused([field(name)])


@pytest.mark.parametrize(
    "name",
    ["select", "values", "offset", "event_id", "sample_id", "retracted", "grade", "topic_id", "issues", "status"],
)
def test_names_that_are_taken_are_refused(name: str) -> None:
    """By SQL, by the header or by the position that records carry."""
    assert f"field {name!r}" in refused([field(name)])


def test_every_keyword_of_the_rules_is_no_field_name() -> None:
    """A field of that name could not be reached, or would change what a rule means."""
    assert {"and", "or", "not", "null", "case", "between", "in", "like", "is"} <= SQL_KEYWORDS


def test_a_field_stands_once() -> None:
    """Twice would be one column."""
    assert "field 'x'" in refused([field("x"), field("x")])


@pytest.mark.parametrize("kind", ["double", "map_double"])
def test_a_number_has_a_unit(kind: str) -> None:
    """`1` is the unit of a plain number."""
    assert "without a unit" in refused([field("x", kind, unit=None)])
    check([field("x", kind, unit="1")])


@pytest.mark.parametrize("kind", ["long", "string", "boolean", "date", "timestamp", "strings", "map_string"])
def test_other_kinds_need_none(kind: str) -> None:
    """Counts, texts and times."""
    check([field("x", kind)])


@pytest.mark.parametrize("role", ["inputs", "", "Input", "output"])
def test_a_mistyped_role_is_refused(role: str) -> None:
    """It would silently never be a model input."""
    assert f"role {role!r} of x" in refused([field("x", role=role)])


@pytest.mark.parametrize(
    ("warn", "hard", "good"),
    [
        ((1, 2), (0, 3), True),
        ((0, 3), (0, 3), True),
        ((-1, 2), (0, 3), False),
        ((1, 4), (0, 3), False),
        ((1, None), (0, 3), True),
        ((None, 2), (0, 3), True),
        ((1, 4), (0, None), True),
        ((-1, 2), (None, 3), True),
    ],
)
def test_warn_lies_inside_hard(warn: tuple[float, float], hard: tuple[float, float], good: bool) -> None:
    """Otherwise a refused value would count as usual; an open end is inside."""
    one = field("x", warn=Bounds(*warn), hard=Bounds(*hard))
    if good:
        check([one])
    else:
        assert "outside hard" in refused([one])


def test_a_composition_is_a_map() -> None:
    """A sum needs components."""
    assert "composition 'x'" in refused([field("x", quantity="composition")])


def test_a_template_has_at_most_400_fields() -> None:
    """The limit itself passes."""
    check([field(f"x{i}") for i in range(400)])
    assert "401 fields" in refused([field(f"x{i}") for i in range(401)])


def test_the_record_name_says_project_and_stage() -> None:
    """Subjects of the registry are record names: two templates of one name would be one subject."""
    one = made_up([field("x")])
    with pytest.raises(TemplateError, match=r"record name sojae\.other\.Property"):
        check_template(dataclasses.replace(one, full_name="sojae.other.Property"), where="here.avsc")


def test_a_rule_stands_once() -> None:
    """Its id names the finding."""
    assert "rules a_rule twice" in refused([field("x")], [rule("x > 0"), rule("x < 9")])


@pytest.mark.parametrize(
    "sql",
    [
        "x > max(x)",
        "x > y",
        "cast(x as int) > 0",
        "x > 0 --",
        '"max"(x) > 0',
        "x + 1",
        "x > ",
        "length(x) > 0",
        "x like 'a'",
    ],
)
def test_a_rule_that_cannot_be_used_is_named(sql: str) -> None:
    """Outside the allow-list, of no boolean result for each row, or nothing that polars can evaluate."""
    assert "rule a_rule" in refused([field("x")], [rule(sql)])


@pytest.mark.parametrize("sql", ["x > 0", "x IS NULL", "m.Fe < 50", "s = 'a' OR x > 1e-3", "m IS NOT NULL"])
def test_a_rule_that_looks_at_one_row_passes(sql: str) -> None:
    """It answers on an empty and on a hostile frame."""
    check([field("x"), field("m", "map_double"), field("s", "string")], [rule(sql)])


def test_rules_of_other_scopes_are_not_evaluated_on_events() -> None:
    """They look at more than one row, and only flag."""
    check([field("x")], [rule("x > avg(x)", scope="collection")])


def test_the_hostile_frame_holds_every_kind() -> None:
    """A rule on any kind of field is tried on values that break careless ones."""
    kinds = ["double", "long", "string", "boolean", "date", "timestamp", "map_double", "map_string", "strings"]
    fields = [field(f"f_{kind}", kind) for kind in kinds]
    check(fields, [rule("f_long > 0 OR f_string = 'x' OR f_boolean OR f_date IS NULL OR f_strings IS NULL")])


@pytest.mark.parametrize("unit", ["bananas", "B[", "m2 s", "10*99999999.Pa"])
def test_an_unknown_unit_is_refused(unit: str) -> None:
    """With what a unit may be."""
    assert f"unit {unit!r} of x" in refused([field("x", unit=unit)])


def test_a_unit_is_written_as_ucum_does() -> None:
    """Spellings are for the files of people; the remedy is named."""
    assert "its UCUM code 'Cel'" in refused([field("x", unit="°C")])
    check([field("x", unit="mOhm.cm2/h")])


def test_values_are_split_by_a_text_field() -> None:
    """By one that is there."""
    assert "split_by 'nope' of x" in refused([dataclasses.replace(field("x", unit="1"), split_by="nope")])
    numbers = [field("y", unit="1"), dataclasses.replace(field("x", unit="1"), split_by="y")]
    assert "split_by 'y' of x" in refused(numbers)
    check([field("y", "string"), dataclasses.replace(field("x", unit="1"), split_by="y")])


def owned(project: str, institute: str | None) -> bool:
    """Return true when the check lets an institute have a project; it raises otherwise."""
    one = made_up([field("x", "string")], institute=institute)
    key = one.key._replace(project=project)
    check_template(dataclasses.replace(one, key=key, full_name=f"sojae.{project}.Property"), where="here.avsc")
    return True


@pytest.mark.parametrize(
    ("project", "institute"),
    [
        ("x_kims_alloy", None),
        ("x_kims_alloy", "pnu"),
        ("x_kims_alloy", "kim"),
        ("x_my_lab_alloy", "my_lab"),
        ("x_kims_alloy", "KIMS"),
        ("x_kims", "kims"),
        ("x_examples_alloy", "kims"),
    ],
)
def test_a_firm_s_project_says_whose_it_is(project: str, institute: str | None) -> None:
    """Without an institute anybody could write it; with another one its owner could not."""
    with pytest.raises(TemplateError, match="institute"):
        owned(project, institute)


@pytest.mark.parametrize(
    ("project", "institute"),
    [
        ("x_kims_alloy", "kims"),
        ("x_my_lab_alloy", "my-lab"),
        ("x_examples_alloy", None),
        ("ceramic", None),
        ("ceramic", "kims"),
    ],
)
def test_projects_and_institutes_that_agree(project: str, institute: str | None) -> None:
    """A hyphen is written as an underscore; published sets and lead projects need no institute; somebody else's name would not do."""
    assert owned(project, institute)
    if project.startswith("x_") and institute is not None:
        with pytest.raises(TemplateError, match=rf"project {project} of institute other"):
            owned(project, "other")
