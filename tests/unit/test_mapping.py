"""Mapping files: what they may say, and the one message for what they may not."""

import datetime as dt
import re
from pathlib import Path

import pytest

from sojae.adapters.template_files import load_templates
from sojae.domain.errors import MappingError
from sojae.domain.mapping import RECORD_SETTINGS, SETTINGS, read_mapping
from sojae.domain.mapping_columns import ENTRIES
from sojae.domain.mapping_plan import PARSES, FileMapping

BOOK = load_templates()
BASE = """
project = "high_entropy_alloy"
source = "lab"
key = ["no"]

[defaults]
institute = "kims"
origin = "experiment"
"""
YIELD = """
[[columns]]
name = "YS"
field = "property.yield_strength"
unit = "MPa"
"""


def mapping(text: str) -> FileMapping:
    return read_mapping(text, "lab.toml", BOOK)


def test_a_column_becomes_a_field_of_a_record() -> None:
    """A column, a unit and a key are all that a mapping needs."""
    plan = mapping(BASE + YIELD)
    (record,) = plan.records
    assert (record.name, record.template.key.version, record.key) == ("property", "1.0", ("no",))
    assert [(c.name, c.target, c.parse, c.unit) for c in record.columns] == [("YS", "yield_strength", "number", "MPa")]
    assert plan.columns() == ("no", "YS")


def test_a_header_column_belongs_to_every_record_or_to_those_named() -> None:
    """A header field fills all records of a row, unless the column names some."""
    text = BASE + YIELD
    text += '[[columns]]\nname = "F"\nfield = "composition.composition"\n'
    text += '[[columns]]\nname = "who"\nfield = "header.operator"\n'
    text += '[[columns]]\nname = "day"\nfield = "header.event_time"\nrecords = ["property"]\n'
    by_name = {r.name: [c.name for c in r.columns] for r in mapping(text).records}
    assert by_name == {"composition": ["F", "who"], "property": ["YS", "who", "day"]}


def test_two_records_of_one_stage() -> None:
    """A wide row with two tests is two records, told apart by their names."""
    text = (
        BASE
        + '[records.hot]\nstage = "property"\n'
        + YIELD
        + YIELD.replace("property.", "hot.").replace("YS", "YS 800")
    )
    assert [(r.name, r.slot) for r in mapping(text).records] == [("property", "property"), ("hot", "property/hot")]


def test_an_uncertainty_belongs_to_the_record_that_has_the_field() -> None:
    """The unit of an uncertainty is that of its field, and it is a difference."""
    text = BASE + YIELD + '[[columns]]\nname = "u"\nfield = "header.uncertainty.yield_strength"\nunit = "GPa"\n'
    column = mapping(text).records[0].columns[1]
    assert (column.target, column.unit, column.target_unit, column.is_difference) == (
        "uncertainty.yield_strength", "GPa", "MPa", True,
    )  # fmt: skip


COLUMN = '[[columns]]\nname = "X"\nfield = "{field}"\n'
REFUSED = [
    ("project", BASE.replace("high_entropy_alloy", "high_entropy_aloy") + YIELD, ["high_entropy_aloy", "high_entropy_alloy"]),
    ("field", BASE + YIELD.replace("yield_strength", "yield_strenght"), ["[[columns]] 1, line 10", "property.yield_strength"]),
    ("record", BASE + YIELD.replace("property.", "properties."), ["properties.yield_strength", "near it: property"]),
    ("unit", BASE + YIELD.replace("MPa", "MPA"), ["unit 'MPA'", "line 10", "MPa"]),
    ("dimension", BASE + YIELD.replace("MPa", "h"), ["unit 'h'", "MPa"]),
    ("no unit", BASE + YIELD.replace('unit = "MPa"\n', ""), ["no unit", 'unit = "MPa"']),
    ("bare percent", BASE + COLUMN.format(field="raw.purity") + 'unit = "%"\n', ["wt%"]),
    ("setting", BASE.replace("source", "sorce") + YIELD, ["entry 'sorce'", "near it: source"]),
    ("column setting", BASE + YIELD + 'units = "MPa"\n', ["entry 'units'", "near it: unit"]),
    ("stage", BASE + '[records.hot]\nstage = "propertie"\n' + YIELD, ["propertie", "property"]),
    ("version", BASE.replace("[defaults]", '[versions]\nproperty = "9.9"\n[defaults]') + YIELD, ["high_entropy_alloy/property", "9.9"]),
    ("toml", BASE + "[[columns]\n", ["not valid TOML", "line 9"]),
    ("origin", BASE.replace('origin = "experiment"', "") + YIELD, ["no origin"]),
    ("origin word", BASE.replace("experiment", "experimental") + YIELD, ["experimental", "near it: experiment"]),
    ("institute", BASE.replace("kims", "KIMS!") + YIELD, ["KIMS!"]),
    ("default", BASE + 'licnce = "x"\n' + YIELD, ["licnce", "licence"]),
    ("default type", BASE + "licence = 3\n" + YIELD, ["licence = 3"]),
    ("no key", BASE.replace('key = ["no"]', "") + YIELD, ["no key"]),
    ("no columns", BASE, ["no columns"]),
    ("own identity", BASE + YIELD + COLUMN.format(field="header.event_id"), ["header.event_id"]),
    ("sample", BASE + YIELD + COLUMN.format(field="header.sample_id"), ["sample_id"]),
    ("twice", BASE + YIELD + YIELD, ["[[columns]] 2", "a second column"]),
    ("category", BASE + COLUMN.format(field="property.test_type") + 'values = { T = "tensoin" }\n', ["tensoin", "tension"]),
    ("number word", BASE + YIELD + 'values = { many = "lots" }\n', ["'many' = 'lots'"]),
    ("parse", BASE + YIELD + 'parse = "numbr"\n', ["numbr", "near it: number"]),
    ("parse of another kind", BASE + YIELD + 'parse = "formula"\n', ["formula"]),
    ("component", BASE + COLUMN.format(field="composition.lots"), ["lots.<component>"]),
    ("component of a number", BASE + YIELD.replace("strength", "strength.Fe"), ["yield_strength"]),
    ("format", BASE + YIELD + 'format = "%Y"\n', ["dates only"]),
    ("bad format", BASE + YIELD + COLUMN.format(field="header.event_time") + 'format = "%"\n', ["format"]),
    ("unit of a text", BASE + COLUMN.format(field="property.phases") + 'unit = "MPa"\n', ["numbers only"]),
    ("constant field", BASE + YIELD + "[constants.property]\ntest_temperatur = 25.0\n", ["test_temperatur", "test_temperature"]),
    ("constant and column", BASE + YIELD + "[constants.property]\nyield_strength = 25.0\n", ["a column fills too"]),
    ("constant of nothing", BASE + YIELD + '[constants.raw]\nform = "rod"\n', ["[constants.raw]"]),
    ("record of nothing", BASE + '[records.raw]\nkey = ["lot"]\n' + YIELD, ["[records.raw]"]),
    ("timezone", BASE.replace("key", 'timezone = "Seoul"\nkey') + YIELD, ["timezone 'Seoul'"]),
    ("header row", BASE.replace("key", "header_row = -1\nkey") + YIELD, ["header_row = 0"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_a_mapping_that_names_what_is_not_there_is_refused(text: str, said: list[str]) -> None:
    """One message names the file, the place, what was got, what comes near and the remedy, in both languages."""
    with pytest.raises(MappingError) as caught:
        mapping(text)
    message = caught.value.message("en")
    assert message.startswith("lab.toml")
    assert [s for s in said if s not in message] == []
    assert "매핑 파일" in caught.value.message("ko") or "TOML" in caught.value.message("ko")
    assert caught.value.exit_code == 2


PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "import-a-spreadsheet.md").read_text(encoding="utf-8")


def test_the_examples_of_the_page_are_mappings() -> None:
    """What the page shows can be used as it stands, alone and together."""
    first, _, named = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert [r.name for r in mapping(first + named).records] == ["composition", "property", "hot"]


@pytest.mark.parametrize("name", [*SETTINGS, *RECORD_SETTINGS, *ENTRIES, *PARSES])
def test_the_page_names_every_setting(name: str) -> None:
    """Each setting of a mapping, of a record and of a column is on the page."""
    assert re.search(rf"[`\[]{name}[`\].]|\b{name} =", PAGE)


def test_a_default_time_is_taken_in_the_mapping_s_time_zone() -> None:
    """As the same text in a column is; a time that names its zone stays."""
    text = BASE.replace("key", 'timezone = "Asia/Seoul"\nkey')
    local = mapping(text + "event_time = 2024-03-01T09:00:00\n" + YIELD)
    named = mapping(text + "event_time = 2024-03-01T09:00:00Z\n" + YIELD)
    assert local.defaults["event_time"] == dt.datetime(2024, 3, 1, 0, 0, tzinfo=dt.UTC)
    assert named.defaults["event_time"] == dt.datetime(2024, 3, 1, 9, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "default",
    [
        "parents = [1, 2]", "parents = [[]]", 'uncertainty = {a = "b"}', "uncertainty = {a = nan}", "qualifiers = {a = 1}",
        "uncertainty = {a = true}", "event_time = 0001-01-01T00:00:00+09:00", "embargo_until = 2024-03-01T09:00:00",
    ],
)  # fmt: skip
def test_what_is_inside_a_default_is_checked(default: str) -> None:
    """An item of the wrong kind would be found by the encoder only, as a stack trace."""
    with pytest.raises(MappingError, match=re.escape("[defaults]")):
        mapping(BASE + default + "\n" + YIELD)


def test_amounts_of_a_default_may_be_whole() -> None:
    """`0` is a number too."""
    assert mapping(BASE + "uncertainty = {yield_strength = 5}\n" + YIELD).defaults["uncertainty"] == {
        "yield_strength": 5.0
    }


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 20_000 + "]" * 20_000,
        "a = " + "9" * 5_000,
        "a = 1" + "0" * 400,
        "a = 0x" + "f" * 10_000,
        "header_row = 99999999999999999999" + BASE + YIELD,
        BASE + "[constants.property]\ngrain_size = nan\n" + YIELD,
        BASE + YIELD + 'values = { "a" = [1] }\n',
        BASE + YIELD.replace("MPa", "B[SPL]"),
        BASE + YIELD.replace("MPa", "10*99999999.Pa"),
        BASE + YIELD + '[[columns]]\nname = "when"\nfield = "header.event_time"\nformat = "%d.%m.%d"\n',
    ],
    ids=range(10),
)
def test_an_odd_mapping_is_one_sentence(text: str) -> None:
    """Whatever a file holds, no other error than the one that names it comes out."""
    with pytest.raises(MappingError, match=r"^lab\.toml"):
        mapping(text)
