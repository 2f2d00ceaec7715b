"""The training table: one row for each property record, joined with what its specimen is made of."""

import datetime as dt
import random
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from sojae.domain.materials import HEADER_COLUMNS, Records, materials_table
from sojae.domain.template import Field, Stage, Template, TemplateKey
from tests.builders import NOW, TOPIC_ID, complete, field, made_up, template

CELL = "ceramic_electrode"
ALLOY = "high_entropy_alloy"
STAGES: tuple[Stage, ...] = ("raw", "composition", "process", "property")
Row = dict[str, Any]


class Project:
    """The records of a project, given stage by stage."""

    def __init__(self, name: str) -> None:
        self.templates: dict[Stage, Template] = {s: template(name, s) for s in STAGES}
        self.versions: dict[Stage, list[Template]] = {s: [t] for s, t in self.templates.items()}
        self.rows: dict[Stage, list[Row]] = {s: [] for s in STAGES}
        self._place = 0

    def add(self, stage: Stage, sample: str, values: Row | None = None, **header: object) -> "Project":
        """Take in a record of a sample; maps are given as a reader of Arrow gives them."""
        self._place += 1
        record = header.pop("record_id", f"{stage}-{sample}")
        full = complete(self.templates[stage], values or {})
        self.rows[stage].append(
            {
                **{name: None for name, _ in HEADER_COLUMNS},
                "institute": "kims",
                "record_id": record,
                "event_id": f"e{self._place}",
                "sample_id": sample,
                "origin": "experiment",
                "template_version": "1.0",
                "retracted": False,
                "parents": None,
                "ingest_time": NOW,
                "topic_id": TOPIC_ID,
                "partition": 0,
                "offset": self._place,
                **{k: list(v.items()) if isinstance(v, dict) else v for k, v in full.items()},
                **header,
            }
        )
        return self

    def table(self, version: int = 7) -> pa.Table:
        return materials_table(Records(self.rows, self.templates, self.versions), version)

    def view(self) -> list[Row]:
        return list(self.table().to_pylist())


def cell() -> Project:
    """A cell with everything: composition, process, one lot."""
    return (
        Project(CELL)
        .add("raw", "lot-1", {"nio_particle_size": 5.8, "nio_grade": "type_f"})
        .add("composition", "c1", {"bczyyb": 36.4, "nio": 47.7, "starch": 15.9, "lots": {"nio": "lot-1"}})
        .add("process", "c1", {"co_sinter_temperature": 1475.0})
        .add("property", "c1", {"ocv": 1.05})
    )


def test_a_row_joins_the_four_stages() -> None:
    """Each field under its stage's name, in the template's unit."""
    (row,) = cell().view()
    assert (row["property__ocv"], row["composition__bczyyb"], row["process__co_sinter_temperature"]) == (
        1.05,
        36.4,
        1475.0,
    )
    assert (row["raw__nio_particle_size"], row["raw__nio_grade"]) == (5.8, "type_f")
    assert (row["findings"], row["steps"], row["events_version"]) == ([], 0, 7)
    assert (row["composition_event"], row["process_event"], row["raw_samples"]) == ("e2", "e3", ["@kims/lot-1"])


def test_a_row_says_whose_measurement_it_is() -> None:
    """Identity, origin and rights are the property record's."""
    project = Project(CELL).add(
        "property", "c1", origin="literature", disclosure="L3", licence="CC-BY-4.0", references=["10.1/x"]
    )
    (row,) = project.view()
    assert (row["record_id"], row["event_id"], row["sample_id"], row["institute"]) == (
        "property-c1",
        "e1",
        "c1",
        "kims",
    )
    assert (row["origin"], row["disclosure"], row["licence"], row["references"]) == (
        "literature",
        "L3",
        "CC-BY-4.0",
        ["10.1/x"],
    )
    assert row["ingest_time"] == NOW


def test_what_is_missing_is_a_finding() -> None:
    """Its columns are null."""
    (row,) = Project(CELL).add("property", "c1", {"ocv": 1.0}).view()
    assert row["findings"] == ["no_composition", "no_process", "no_raw"]
    assert (row["composition__bczyyb"], row["composition_event"], row["raw_samples"]) == (None, None, [])


def test_what_a_project_does_not_ask_for_is_not_missing() -> None:
    """A project without templates of raw material and composition has no findings for lack of them."""
    project = Project(CELL).add("property", "c1", {"ocv": 1.0})
    del project.templates["raw"], project.templates["composition"]
    (row,) = project.view()
    assert row["findings"] == ["no_process"]


def test_corrections_replace_and_retractions_remove() -> None:
    """In every stage."""
    project = cell().add("composition", "c1", {"bczyyb": 40.0}, record_id="composition-c1")
    project.add("process", "c1", retracted=True, record_id="process-c1")
    (row,) = project.view()
    assert (row["composition__bczyyb"], row["process__co_sinter_temperature"]) == (40.0, None)
    assert project.add("property", "c1", retracted=True, record_id="property-c1").view() == []


def test_a_cut_piece_takes_its_parent_s_recipe() -> None:
    """And says how many steps away it was found."""
    project = cell().add("property", "piece", parents=["c1"]).add("process", "piece", {"co_sinter_temperature": 1500.0})
    row = {r["sample_id"]: r for r in project.view()}["piece"]
    assert (row["composition__bczyyb"], row["process__co_sinter_temperature"], row["steps"]) == (36.4, 1500.0, 1)
    assert row["raw__nio_grade"] == "type_f"


def test_the_steps_are_those_of_the_farther_stage() -> None:
    """A row is as certain as its longest way."""
    project = (
        cell()
        .add("process", "mid", {"co_sinter_temperature": 1.0}, parents=["c1"])
        .add("property", "end", parents=["mid"])
    )
    assert {r["sample_id"]: r["steps"] for r in project.view()} == {"c1": 0, "end": 2}


@pytest.mark.parametrize(("parents", "finding"), [(["a", "b"], "tie"), (["loop"], "cycle")])
def test_an_uncertain_origin_is_a_finding(parents: list[str], finding: str) -> None:
    """Nothing is taken then."""
    project = Project(CELL).add("property", "s", parents=parents).add("property", "loop", parents=["s"])
    project.add("composition", "a", {"nio": 1.0}).add("composition", "b", {"nio": 2.0})
    row = {r["sample_id"]: r for r in project.view()}["s"]
    assert finding in row["findings"]
    assert row["composition__nio"] is None


def test_several_compositions_of_one_sample_are_noted() -> None:
    """The latest is taken."""
    project = cell().add("composition", "c1", {"nio": 50.0}, record_id="second")
    (row,) = project.view()
    assert (row["findings"], row["composition__nio"]) == (["no_raw", "several_composition"], 50.0)


def test_lots_are_weighted_by_what_the_composition_gives() -> None:
    """Numbers by amount, texts from the largest lot."""
    project = (
        Project(CELL)
        .add("raw", "lot-1", {"nio_particle_size": 1.0, "nio_grade": "type_f"})
        .add("raw", "lot-2", {"nio_particle_size": 5.0, "nio_grade": "type_s"})
        .add("composition", "c1", {"nio": 75.0, "bczyyb": 25.0, "lots": {"nio": "lot-1", "bczyyb": "lot-2"}})
        .add("property", "c1")
    )
    (row,) = project.view()
    assert (row["raw__nio_particle_size"], row["raw__nio_grade"]) == (2.0, "type_f")
    assert row["raw_samples"] == ["@kims/lot-1", "@kims/lot-2"]


def test_the_lots_of_an_alloy_are_weighted_by_its_elements() -> None:
    """Their amounts stand in the composition's map."""
    project = (
        Project(ALLOY)
        .add("raw", "Al-lot", {"purity": 99.0})
        .add("raw", "Ni-lot", {"purity": 95.0})
        .add("composition", "a1", {"composition": {"Al": 25.0, "Ni": 75.0}, "lots": {"Al": "Al-lot", "Ni": "Ni-lot"}})
        .add("property", "a1")
    )
    (row,) = project.view()
    assert row["raw__purity"] == 96.0


def test_a_lot_without_a_record_is_a_finding() -> None:
    """The others still count."""
    project = cell().add(
        "composition",
        "c1",
        {"nio": 50.0, "bczyyb": 50.0, "lots": {"nio": "lot-1", "bczyyb": "lost"}},
        record_id="composition-c1",
    )
    (row,) = project.view()
    assert (row["findings"], row["raw__nio_particle_size"], row["raw_samples"]) == (
        ["lot_missing"],
        5.8,
        ["@kims/lot-1"],
    )


def test_without_any_lot_on_record_raw_is_unknown() -> None:
    """It is not looked for among the parents: the composition has said otherwise."""
    project = (
        Project(CELL).add("composition", "c1", {"nio": 1.0, "lots": {"nio": "lost"}}).add("raw", "c1", {"purity": 9.0})
    )
    (row,) = project.add("property", "c1").view()
    assert (row["raw__purity"], row["raw_samples"]) == (None, [])
    assert "lot_missing" in row["findings"]


def test_lots_of_zero_amount_count_alike() -> None:
    """Rather than not at all."""
    project = (
        Project(CELL)
        .add("raw", "lot-1", {"nio_particle_size": 1.0})
        .add("raw", "lot-2", {"nio_particle_size": 3.0})
        .add("composition", "c1", {"starch": 10.0, "lots": {"x": "lot-1", "y": "lot-2", "starch": "lost"}})
        .add("property", "c1")
    )
    (row,) = project.view()
    assert row["raw__nio_particle_size"] == 2.0


def test_without_lots_raw_material_is_found_by_the_parents() -> None:
    """A specimen pressed from one powder."""
    project = Project(CELL).add("raw", "powder", {"purity": 99.9}).add("property", "c1", parents=["powder"])
    (row,) = project.view()
    assert (row["raw__purity"], row["raw_samples"]) == (99.9, ["@kims/powder"])


def alloys() -> Project:
    return (
        Project(ALLOY)
        .add("composition", "a1", {"composition": {"Fe": 60.0, "Ni": 40.0}})
        .add("composition", "a2", {"composition": {"Fe": 90.0, "Al": 10.0, "Xx": 1.0}})
        .add("property", "a1")
        .add("property", "a2")
        .add("property", "a3")
    )


def test_a_composition_becomes_a_column_for_each_element() -> None:
    """0 where an alloy lacks it, null where there is no composition; other symbols make no column."""
    table = alloys().table()
    elements = [n for n in table.column_names if n.startswith("composition__el__")]
    assert elements == ["composition__el__Al", "composition__el__Fe", "composition__el__Ni"]
    assert [table[n].to_pylist() for n in elements] == [[0.0, 10.0, None], [60.0, 90.0, None], [40.0, 0.0, None]]
    assert "composition__composition" not in table.column_names


def test_a_composition_of_listed_ingredients_becomes_a_column_for_each() -> None:
    """As elements do; what the template does not list makes no column."""
    project = Project(CELL)
    mix = field("composition", "map_double", quantity="composition", one_of=("cement", "물"))
    project.templates["composition"] = made_up([mix], stage="composition")
    project.add("composition", "c1", {"composition": {"cement": 300.0, "물": 150.0, "Fe": 1.0}})
    (row,) = project.add("property", "c1").view()
    amounts = {name: value for name, value in row.items() if name.startswith("composition__el__")}
    assert amounts == {"composition__el__cement": 300.0, "composition__el__물": 150.0}


def test_other_maps_stay_maps() -> None:
    """A map of lots is no composition."""
    assert pa.types.is_map(cell().table().schema.field("composition__lots").type)


def test_rows_are_in_order_whatever_came_first() -> None:
    """By institute and record, so that the same records give the same bytes."""
    project = alloys().add("property", "a1", institute="abc", record_id="zzz")
    expected = project.table()
    assert [r["institute"] for r in expected.to_pylist()] == ["abc", "kims", "kims", "kims"]
    draw = random.Random(3)
    for rows in project.rows.values():
        draw.shuffle(rows)
    assert project.table().equals(expected)


def test_an_empty_project_has_a_table_without_rows() -> None:
    """With all its columns."""
    table = Project(CELL).table()
    assert table.num_rows == 0
    assert {"record_id", "findings", "events_version", "property__ocv", "process__spray_layers"} <= set(
        table.column_names
    )


def test_a_project_may_lack_a_stage() -> None:
    """Not every project has templates of all four."""
    project = cell()
    records = Records(
        {s: r for s, r in project.rows.items() if s != "raw"},
        {s: t for s, t in project.templates.items() if s != "raw"},
    )
    (row,) = materials_table(records, 1).to_pylist()
    assert row["composition__nio"] == 47.7
    assert not [n for n in row if n.startswith("raw__")]


def foreign(**header: object) -> Project:
    """A measurement of kims on a piece of pnu's, whose composition and process are as the header says."""
    return (
        Project(CELL)
        .add("composition", "recipe-7", {"nio": 47.0}, institute="pnu", **header)
        .add("process", "recipe-7", {"co_sinter_temperature": 1475.0}, institute="pnu", **header)
        .add("property", "piece", {"ocv": 1.0}, parents=["@pnu/recipe-7"], disclosure="L5", licence="CC0-1.0")
    )


@pytest.mark.parametrize("disclosure", [None, "L0", "L1", "nonsense"])
def test_what_another_institute_does_not_show_is_left_out(disclosure: str | None) -> None:
    """Naming a sample gives nobody its recipe; its owner's name does not stand on the row either."""
    (row,) = foreign(disclosure=disclosure).view()
    assert row["findings"] == ["foreign_parent", "no_composition", "no_process", "no_raw"]
    assert (row["composition__nio"], row["process__co_sinter_temperature"], row["composition_event"]) == (None,) * 3
    assert (row["institutes"], row["disclosure"], row["licence"]) == (["kims"], "L5", "CC0-1.0")


@pytest.mark.parametrize("disclosure", ["L2", "L3", "L4", "L5"])
def test_a_row_is_as_open_as_the_least_open_of_its_records(disclosure: str) -> None:
    """Disclosure is the lowest, licences hold together, and `institutes` says whose records went in."""
    (row,) = foreign(disclosure=disclosure, licence="CC-BY-4.0").view()
    assert (row["composition__nio"], row["process__co_sinter_temperature"]) == (47.0, 1475.0)
    assert (row["institutes"], row["disclosure"]) == (["kims", "pnu"], disclosure)
    assert (row["licence"], row["findings"]) == ("CC-BY-4.0 AND CC0-1.0", ["no_raw"])


def test_a_record_without_licence_or_level_makes_the_row_its_owners() -> None:
    """What says nothing is shown to nobody and never exported, whatever stands beside it."""
    (row,) = cell().add("property", "c1", disclosure="L5", licence="CC0-1.0", record_id="property-c1").view()
    assert (row["disclosure"], row["licence"], row["institutes"]) == (None, None, ["kims"])


def test_the_latest_embargo_holds() -> None:
    """Of all records that the row is made of."""
    early, late = NOW.date(), NOW.date() + dt.timedelta(days=9)
    project = Project(CELL).add("composition", "c1", embargo_until=late).add("property", "c1", embargo_until=early)
    assert project.view()[0]["embargo_until"] == late


@pytest.mark.parametrize(("days", "taken"), [(1, None), (0, 47.0)])
def test_another_institute_s_embargo_keeps_its_record_out(days: int, taken: float | None) -> None:
    """Until its day, counted by the newest record, so that the same records give the same rows."""
    (row,) = foreign(disclosure="L5", embargo_until=NOW.date() + dt.timedelta(days=days)).view()
    assert (row["composition__nio"], "foreign_parent" in row["findings"]) == (taken, taken is None)


def test_what_a_hidden_record_says_of_parents_is_not_followed() -> None:
    """It would tell of another's lineage; one's own hidden records do lead on."""
    project = Project(CELL).add("composition", "far", {"nio": 9.0}, institute="pnu", disclosure="L5")
    project.add("process", "mid", {"co_sinter_temperature": 1.0}, institute="pnu", parents=["far"])
    project.add("property", "theirs", institute="pnu", parents=["mid"]).add("property", "ours", parents=["@pnu/mid"])
    rows = {r["sample_id"]: r for r in project.view()}
    assert (rows["theirs"]["composition__nio"], rows["ours"]["composition__nio"]) == (9.0, None)


def test_a_lot_that_another_institute_does_not_show_is_left_out() -> None:
    """The other lots count."""
    project = cell().add("raw", "secret", {"nio_particle_size": 99.0}, institute="pnu")
    lots = {"nio": "lot-1", "bczyyb": "@pnu/secret"}
    project.add("composition", "c1", {"nio": 50.0, "bczyyb": 50.0, "lots": lots}, record_id="composition-c1")
    (row,) = project.view()
    assert (row["findings"], row["raw__nio_particle_size"], row["raw_samples"]) == (
        ["foreign_parent"],
        5.8,
        ["@kims/lot-1"],
    )


def two_majors(older: Field, newer: Field, value: object) -> Row:
    """Return the row of a property record of major 1 where the newest template is of major 2."""
    project = Project(CELL)
    first, second = (
        replace(made_up([f]), key=TemplateKey(CELL, "property", v)) for f, v in ((older, "1.3"), (newer, "2.0"))
    )
    project.templates["property"], project.versions["property"] = second, [first, second]
    project.rows["property"] = [
        {**Project(CELL).add("property", "s", {}, template_version="1.0").rows["property"][0], "x": value}
    ]
    return project.view()[0]


def strength(unit: str | None, kind: str = "double", **given: object) -> Field:
    return field("x", kind, **{"unit": unit, "role": "target", **given})


def test_an_older_major_is_converted_to_the_newest_unit() -> None:
    """520 MPa and 0.52 GPa are one number in one column."""
    row = two_majors(strength("MPa"), strength("GPa"), 520.0)
    assert row["property__x"] == pytest.approx(0.52)
    assert "other_major" not in row["findings"]
    assert two_majors(strength("Cel"), strength("K"), 25.0)["property__x"] == pytest.approx(298.15)


def test_a_map_of_an_older_major_is_converted_value_by_value() -> None:
    """The names stay."""
    older, newer = strength("MPa", "map_double"), strength("kPa", "map_double")
    assert two_majors(older, newer, [("a", 1.5)])["property__x"] == [("a", 1500.0)]


@pytest.mark.parametrize(
    ("older", "newer", "value"),
    [
        (strength("MPa"), strength("Cel"), 1.0),
        (strength("%{mass}"), strength("%{mol}"), 1.0),
        (strength("%", basis="mass"), strength("%", basis="mol"), 1.0),
        (strength("MPa"), strength(None), 1.0),
        (strength("MPa"), strength(None, "string"), 1.0),
        (strength("s", "long"), strength("min", "long"), 60),
    ],
)
def test_what_cannot_be_converted_is_left_out(older: Field, newer: Field, value: object) -> None:
    """Another quantity, basis or kind is another column's number: null and a finding."""
    row = two_majors(older, newer, value)
    assert row["property__x"] is None
    assert "other_major" in row["findings"]


def test_a_field_of_the_same_meaning_stays_as_it_is() -> None:
    """Most of a new major is what the old one was; a value that was never given is no finding."""
    row = two_majors(strength(None, "string"), strength(None, "string"), "a")
    assert (row["property__x"], row["findings"]) == ("a", ["no_composition", "no_process", "no_raw"])
    assert "other_major" not in two_majors(strength("MPa"), strength("Cel"), None)["findings"]
