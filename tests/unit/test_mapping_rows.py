"""Rows of a data file become events whose ids repeat."""

import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from sojae.adapters.avro import FastavroDecoder, FastavroEncoder
from sojae.adapters.spreadsheet import read_table
from sojae.adapters.template_files import load_templates
from sojae.domain.checks import check_values
from sojae.domain.errors import MappingError, SpreadsheetError
from sojae.domain.header import identifier_issues
from sojae.domain.issue import worst
from sojae.domain.mapping import read_mapping
from sojae.domain.mapping_findings import ImportEvent
from sojae.domain.mapping_identity import ImportRun, encoded_source
from sojae.domain.mapping_rows import RowsRead, read_rows
from sojae.domain.record import hash_id
from sojae.domain.table import WHOLE_ROW, Fault, Row, Table
from sojae.domain.text import Text

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
BOOK = load_templates()
MAPPING = """
project = "high_entropy_alloy"
source = "lab"
key = ["no", "T"]

[defaults]
institute = "kims"
origin = "experiment"

[records.raw]
key = ["lot"]
sample_id = "lot"
once = true

[[columns]]
name = "lot"
field = "raw.raw_lot"

[[columns]]
name = "lot"
field = "composition.lots.Ni"

[[columns]]
name = "purity"
field = "raw.purity"
unit = "wt%"

[[columns]]
name = "F"
field = "composition.composition"

[[columns]]
name = "T"
field = "property.test_temperature"
unit = "℃"

[[columns]]
name = "YS"
field = "property.yield_strength"
unit = "GPa"
"""
RUN = ImportRun("kims", "lab", 1_764_000_000_000)
LATER = replace(RUN, epoch=1_764_000_100_000)
ROWS = [
    {"no": "1", "lot": "Ni-7", "purity": "99.9", "F": "CoNi", "T": "25", "YS": "0.5"},
    {"no": "2", "lot": "Ni-7", "purity": "99.9", "F": "CoCrNi", "T": "25", "YS": "0.6"},
    {"no": "2", "lot": "Ni-7", "purity": "99.9", "F": "CoCrNi", "T": "25", "YS": "0.6"},
    {"no": "3", "F": "CoNi2"},
]


def read(rows: list[dict[str, str]], run: ImportRun = RUN, text: str = MAPPING) -> RowsRead:
    columns = tuple(dict.fromkeys(name for row in [*ROWS, *rows] for name in row))
    table = Table("lab.csv", columns, tuple(Row(i + 2, row) for i, row in enumerate(rows)))
    return read_rows(read_mapping(text, "lab.toml", BOOK), table, run)


def ids(events: list[ImportEvent], *names: str) -> list[tuple[object, ...]]:
    return [tuple(e.header[n] for n in names) for e in events]


def changed(row: int, **cells: str) -> list[dict[str, str]]:
    return [{**r, **cells} if i == row else r for i, r in enumerate(ROWS)]


def test_a_wide_row_is_a_record_of_each_stage_that_it_fills() -> None:
    """Four stages come from one row, and none for a stage that the row leaves empty."""
    stages = [(e.row, e.template.key.stage) for e in read(ROWS).events]
    assert stages == [
        (2, "raw"), (2, "composition"), (2, "property"),
        (3, "composition"), (3, "property"),
        (4, "composition"), (4, "property"),
        (5, "composition"),
    ]  # fmt: skip


def test_values_are_typed_converted_and_kept_as_typed() -> None:
    """The event holds the value in the field's unit, and beside it what was typed."""
    event = read(ROWS).events[2]
    assert event.values == {"test_temperature": 25.0, "yield_strength": 500.0}
    assert event.header["as_reported"] == {"yield_strength": "0.5 GPa"}


def test_ids_are_hashes_of_what_is_described_and_said() -> None:
    """record_id = hash(source, cells of the key, stage, occurrence); event_id = hash(record_id, content, epoch)."""
    header = read(ROWS).events[2].header
    assert header["record_id"] == hash_id("lab", ["1", "25"], "property", 0)
    assert header["event_id"] == hash_id(header["record_id"], header["content"], RUN.epoch)
    assert (header["producer"], header["epoch"], header["seq"]) == ("kims/import/lab", RUN.epoch, 2)


def test_the_records_of_a_row_share_a_sample() -> None:
    """Without a mapped sample, a row's sample is `<source>:<key>:<occurrence>`; a lot has its own name."""
    samples = [e.header["sample_id"] for e in read(ROWS).events]
    assert samples == ["Ni-7", *["lab:1|25:0"] * 2, *["lab:2|25:0"] * 2, *["lab:2|25:1"] * 2, "lab:3|:0"]


def test_every_identity_may_be_sent() -> None:
    """The headers that an import makes are those that ingest accepts, and decode as they were encoded."""
    events = read(ROWS).events
    assert [i for e in events for i in identifier_issues(e.header)] == []
    encoder, decoder = FastavroEncoder(), FastavroDecoder(lambda: BOOK)
    decoded = decoder.decode([encoder.encode(e.template, e.header, e.values) for e in events])
    assert [i for d in decoded for i in d.issues] == []
    assert [d.header["record_id"] for d in decoded] == [e.header["record_id"] for e in events]


def test_the_same_file_later_says_the_same() -> None:
    """A second import has the same records and contents, and its own event ids."""
    first, second = read(ROWS).events, read(ROWS, LATER).events
    assert ids(first, "record_id", "content") == ids(second, "record_id", "content")
    assert set(ids(first, "event_id")).isdisjoint(ids(second, "event_id"))


def test_a_changed_cell_is_one_correction() -> None:
    """One changed cell changes one content and no record id; changed back, it is what it was."""
    before, after = read(ROWS).events, read(changed(1, YS="0.61"), LATER).events
    assert ids(before, "record_id") == ids(after, "record_id")
    differing = [
        i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a.header["content"] != b.header["content"]
    ]
    assert differing == [4]


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        ({"YS": "0.5000"}, MAPPING),
        ({"YS": "5e-1"}, MAPPING),
        ({"YS": "500"}, MAPPING.replace('"GPa"', '"MPa"')),
        ({"T": "25.0"}, MAPPING),
        ({"F": "Co2 Ni2"}, MAPPING),
        ({"F": "NiCo"}, MAPPING),
        ({"lot": " Ni-7 "}, MAPPING),
    ],
)
def test_the_same_value_written_in_another_way_is_no_correction(cells: dict[str, str], text: str) -> None:
    """Spelling, unit and order of elements do not enter a content or a key."""
    row = ROWS[0]
    before, after = read([row]).events, read([{**row, **cells}], LATER, text).events
    assert ids(before, "record_id", "content") == ids(after, "record_id", "content")


def test_an_exact_duplicate_row_stays_a_row() -> None:
    """Rows that are equal are told apart by their order."""
    events = read(ROWS).events
    assert len({e.header["record_id"] for e in events}) == len(events)


def test_rows_are_counted_and_equal_ones_are_named() -> None:
    """A row that was pasted twice is no secret; one that differs in a cell is no copy."""
    so_far = read([*ROWS, dict(reversed(ROWS[1].items())), {**ROWS[1], "note": "x"}])
    assert so_far.rows == 6
    assert [(e.row, e.first) for e in so_far.equal] == [(4, 3), (6, 3)]


def test_a_row_is_retracted_by_a_column() -> None:
    """A yes in a column for header.retracted is another statement of the same record; an empty cell changes nothing."""
    text = MAPPING + '\n[[columns]]\nname = "gone"\nfield = "header.retracted"\n'
    before, after = read(ROWS).events, read(changed(3, gone="yes"), LATER, text).events
    assert ids(before, "record_id") == ids(after, "record_id")
    assert [(e.row, e.header["retracted"]) for e in after] == [(e.row, e.row == 5) for e in before]
    same = [a.header["content"] == b.header["content"] for a, b in zip(before, after, strict=True)]
    assert same == [e.row != 5 for e in before]


def test_the_content_knows_its_template() -> None:
    """Equal values under another major, or of another stage, are another statement."""
    mapping = read_mapping(MAPPING, "lab.toml", BOOK)
    record = mapping.records[2]
    other = replace(record, template=replace(record.template, key=record.template.key._replace(version="2.0")))
    table = Table("t", mapping.columns(), (Row(2, ROWS[0]),))
    first = read_rows(replace(mapping, records=(record,)), table, RUN).events[0]
    second = read_rows(replace(mapping, records=(other,)), table, RUN).events[0]
    assert first.header["record_id"] == second.header["record_id"]
    assert first.header["content"] != second.header["content"]


def test_what_the_mapping_says_of_every_row_is_content() -> None:
    """A corrected mapping corrects the records: a licence that was added, another origin."""
    before, after = read(ROWS).events, read(ROWS, LATER, MAPPING.replace("experiment", "literature")).events
    assert ids(before, "record_id") == ids(after, "record_id")
    assert set(ids(before, "content")).isdisjoint(ids(after, "content"))


def test_the_time_of_the_import_is_no_content_but_that_of_the_file_is() -> None:
    """event_time counts only where the file gives it; such an event is historical."""
    dated = MAPPING + '[[columns]]\nname = "day"\nfield = "header.event_time"\n'
    plain = read(ROWS[:1]).events[2].header
    one = read([{**ROWS[0], "day": "2021-03-01"}], text=dated).events[2].header
    other = read([{**ROWS[0], "day": "2021-03-02"}], text=dated).events[2].header
    assert (plain["historical"], plain["event_time"]) == (False, RUN.started_at)
    assert (one["historical"], one["event_time_precision"]) == (True, "day")
    assert one["content"] != other["content"]


def test_an_unreadable_cell_holds_back_its_record_alone() -> None:
    """The record with the cell is not sent and is named with row and column; the row's others are sent."""
    read_so_far = read(changed(0, YS="fast"))
    assert [(f.row, f.column, f.record, f.got) for f in read_so_far.findings] == [(2, "YS", "property", "fast")]
    assert [e.template.key.stage for e in read_so_far.events if e.row == 2] == ["raw", "composition"]
    assert [e.header["seq"] for e in read_so_far.events] == list(range(len(read_so_far.events)))


def test_a_held_back_row_does_not_move_the_ids_of_its_neighbours() -> None:
    """An equal row keeps its place though the row before it cannot be read."""
    before = {e.row: e.header["record_id"] for e in read(ROWS).events if e.template.key.stage == "property"}
    after = {
        e.row: e.header["record_id"] for e in read(changed(1, YS="?")).events if e.template.key.stage == "property"
    }
    assert after == {row: record for row, record in before.items() if row != 3}


def test_a_row_that_cannot_be_read_does_not_move_the_ids_of_its_neighbours() -> None:
    """Its key is what it would have been: an equal row behind it keeps its place."""
    long = Fault("row_length", "9", Text(ko="6칸", en="6 cells"))
    mapping = read_mapping(MAPPING, "lab.toml", BOOK)
    rows = [Row(2, ROWS[1]), Row(3, ROWS[2])]
    whole = read_rows(mapping, Table("lab.csv", mapping.columns(), tuple(rows)), RUN)
    rows[0] = Row(2, ROWS[1], {WHOLE_ROW: long})
    found = read_rows(mapping, Table("lab.csv", mapping.columns(), tuple(rows), sheet="S"), RUN)
    assert [(f.row, f.column, f.rule, f.got, f.sheet) for f in found.findings] == [(2, "", "row_length", "9", "S")]
    of_the_second = [e for e in whole.events if e.row == 3]
    assert ids([e for e in found.events if e.template.key.stage != "raw"], "record_id") == ids(
        of_the_second, "record_id"
    )


def test_one_fault_of_several_cells_is_one_finding() -> None:
    """A merged area is named once for each record that has one of its cells, in the key too; the others are sent."""
    merged = Fault("merged", "E2:F2", Text(ko="값", en="a value"))
    mapping = read_mapping(MAPPING, "lab.toml", BOOK)
    row = Row(2, ROWS[0], {"T": merged, "YS": merged})
    found = read_rows(mapping, Table("lab.csv", mapping.columns(), (row,)), RUN)
    assert [(f.record, f.column, f.got) for f in found.findings] == [
        ("composition", "T", "E2:F2"), ("property", "T", "E2:F2"),
    ]  # fmt: skip
    assert [event.template.key.stage for event in found.events] == ["raw"]


def test_a_lot_is_told_once() -> None:
    """Rows that tell again of a lot add nothing, and are counted."""
    assert read(ROWS).told_again == 2


def test_a_lot_that_is_told_in_two_ways_is_a_finding() -> None:
    """A row that says something else of a lot is named with the row that it contradicts."""
    (finding,) = read(changed(2, purity="99.5")).findings
    assert (finding.row, finding.column, finding.record, finding.got) == (4, "purity", "raw", "99.5")
    assert finding.expected.en == "99.9, as row 2 says of the same lot"


def test_a_row_without_a_key_is_a_finding() -> None:
    """A row that nothing tells from others is not sent."""
    (finding,) = read([{"F": "CoNi"}]).findings
    assert (finding.row, finding.column, finding.record) == (2, "no, T", "composition")


@pytest.mark.parametrize("lot", ["@other", "x" * 129, "a\x07b"])
def test_a_sample_that_no_one_may_name_is_a_finding(lot: str) -> None:
    """A mapped sample_id keeps to the rules of sample ids."""
    findings = read([{**ROWS[0], "lot": lot}]).findings
    assert [(f.column, f.record) for f in findings] == [("lot", "raw")]


def test_a_long_key_still_names_a_sample() -> None:
    """A key that is too long for a sample_id is hashed, the same way each time."""
    row = {**ROWS[0], "no": "가" * 200}
    samples = {
        e.header["sample_id"]
        for run in (RUN, LATER)
        for e in read([row], run).events
        if "lot" not in e.columns.values()
    }
    assert len(samples) == 1


def test_keys_with_the_separator_are_kept_apart() -> None:
    """`a|b` and `c` are another key than `a` and `b|c`."""
    events = read([{"no": "a|b", "T": "", "F": "CoNi"}, {"no": "a", "T": "b|", "F": "CoNi"}]).events
    assert len({e.header["record_id"] for e in events}) == len(events) == 2


def test_two_records_of_one_stage_have_one_sample_and_two_ids() -> None:
    """A second test in the same row is another record of the same sample."""
    text = MAPPING.replace("[records.raw]", '[records.hot]\nstage = "property"\n\n[records.raw]')
    text += '[[columns]]\nname = "YS hot"\nfield = "hot.yield_strength"\nunit = "MPa"\n'
    events = [e for e in read([{**ROWS[0], "YS hot": "300"}], text=text).events if e.template.key.stage == "property"]
    assert len({e.header["record_id"] for e in events}) == 2
    assert len({e.header["sample_id"] for e in events}) == 1


def test_a_missing_column_names_file_column_and_what_comes_near() -> None:
    """A file without a column that the mapping names is refused before anything is read."""
    table = Table("lab.csv", ("no", "T", "lot", "purity", "F", "Y S"), (Row(2, {"no": "1"}),))
    with pytest.raises(SpreadsheetError) as caught:
        read_rows(read_mapping(MAPPING, "lab.toml", BOOK), table, RUN)
    for part in ("lab.csv", "lab.toml", "'YS'", "'Y S'"):
        assert part in caught.value.message("en")
        assert part in caught.value.message("ko")


@pytest.mark.parametrize(
    ("source", "encoded"),
    [("pcc", "pcc"), ("PCC data.v2", "pcc:20data.v2"), ("시료", ":ec:8b:9c:eb:a3:8c"), ("a/b", "a:2fb")],
)
def test_a_source_is_written_in_the_letters_of_an_identifier(source: str, encoded: str) -> None:
    """A file may have any name; two names that differ by more than case stay apart."""
    assert encoded_source(source) == encoded


def test_a_source_that_is_too_long_asks_for_a_short_one() -> None:
    """A producer has 96 characters."""
    with pytest.raises(MappingError, match="--source"):
        read(ROWS, replace(RUN, source="가" * 30))


def real(name: str, file: str) -> tuple[RowsRead, dict[str, list[tuple[ImportEvent, str]]]]:
    path = DATA / name / file
    if not path.is_file():
        pytest.skip(f"needs ../shared/data/{name} beside the checkout")
    mapping_file = ROOT / "examples" / "mappings" / f"{name}.toml"
    mapping = read_mapping(mapping_file.read_text(encoding="utf-8"), str(mapping_file), BOOK)
    table = read_table(path, sheet=mapping.sheet, header_row=mapping.header_row)
    rows = read_rows(mapping, table, ImportRun(str(mapping.institute), str(mapping.source), RUN.epoch))
    by_stage: dict[str, list[tuple[ImportEvent, str]]] = {}
    for stage in ("raw", "composition", "process", "property"):
        events = [e for e in rows.events if e.template.key.stage == stage]
        if events:
            found = check_values(
                events[0].template, [e.values for e in events], [str(e.header["origin"]) for e in events]
            )
            by_stage[stage] = [(e, worst(f)) for e, f in zip(events, found, strict=True)]
    return rows, by_stage


def test_the_sheet_of_a_laboratory() -> None:
    """95 cells: all but one composition and one property record are accepted, ten lots, one contradiction."""
    rows, by_stage = real("pcc", "Performance_data_pub.xlsx")
    assert {s: (len(e), [x[0].row for x in e if x[1] != "accepted"]) for s, e in by_stage.items()} == {
        "raw": (10, []),
        "composition": (95, [2]),
        "process": (95, []),
        "property": (95, [6]),
    }
    assert [(f.row, f.column, f.got) for f in rows.findings] == [(32, "NiO particle size (μm)", "6.87")]
    assert rows.told_again == 84


def test_a_published_set_of_alloys() -> None:
    """1,545 rows: every record is accepted, 1,067 of them with a yield strength."""
    rows, by_stage = real("mpea", "MPEA_dataset.csv")
    assert {s: (len(e), sum(x[1] == "accepted" for x in e)) for s, e in by_stage.items()} == {
        "composition": (1545, 1545),
        "process": (1426, 1426),
        "property": (1545, 1545),
    }
    assert sum(e.values.get("yield_strength") is not None for e, _ in by_stage["property"]) == 1067
    assert rows.findings == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": "x\\", "b": "y|z"}, {"a": "x|y\\", "b": "z"}),
        ({"a": "x|y", "b": "z"}, {"a": "x", "b": "y|z"}),
        ({"a": "x\\|y", "b": ""}, {"a": "x\\", "b": "y"}),
    ],
)
def test_no_two_keys_are_one(one: dict[str, str], other: dict[str, str]) -> None:
    """Whatever signs stand in the cells of a key: neither the records nor the samples of two rows are one."""
    text = MAPPING.replace('key = ["no", "T"]', 'key = ["a", "b"]')
    events = read([{**ROWS[3], **one}, {**ROWS[3], **other}], text=text).events
    assert len(set(ids(events, "record_id"))) == len(set(ids(events, "sample_id"))) == len(events) == 2


def test_a_decomposed_source_is_the_same_source() -> None:
    """A file name from a Mac is spelled in other code points; its records are those of the other spelling."""
    composed, decomposed = (unicodedata.normalize(form, "시료") for form in ("NFC", "NFD"))
    here, there = (read(ROWS, replace(RUN, source=source)) for source in (composed, decomposed))
    assert there.findings == []
    assert ids(here.events, "record_id", "sample_id", "producer") == ids(
        there.events, "record_id", "sample_id", "producer"
    )


def test_a_source_may_begin_with_an_at_sign() -> None:
    """Its samples do not: that would name another institute's."""
    found = read(ROWS[3:], replace(RUN, source="@x"))
    assert [e.header["sample_id"] for e in found.events] == [":40x:3|:0"]


@pytest.mark.parametrize("source", ["", "  ", "a\nb", "\udcff"])
def test_a_source_without_a_name_is_refused(source: str) -> None:
    """Once, not for every row."""
    with pytest.raises(MappingError, match="--source"):
        read(ROWS, replace(RUN, source=source))


@pytest.mark.parametrize("cell", ["1e308", "1" + ",000" * 120 + ".5", "9" * 400])
def test_a_number_that_becomes_infinite_is_an_unread_cell(cell: str) -> None:
    """In the field's unit it would be no number; what was typed is told, and nothing of it is sent."""
    found = read([{**ROWS[0], "YS": cell}])
    assert [(f.row, f.column, f.got) for f in found.findings] == [(2, "YS", cell[:128])]
    assert "property" not in [e.template.key.stage for e in found.events]


def test_rows_that_are_no_records_are_left_out() -> None:
    """By a column and its words: means and deviations of a table are no measurements."""
    text = MAPPING.replace("project =", 'skip = { no = ["avg", "std"] }\nproject =', 1)
    found = read([*ROWS, {"no": "avg", "F": "Co", "YS": "0.5"}, {"no": "std", "F": "Co"}], text=text)
    assert (found.skipped, found.rows, len(found.events)) == (2, len(ROWS), len(read(ROWS).events))


def test_a_column_means_what_another_column_says() -> None:
    """One column of strengths in two units, told apart by a word beside it; a row of neither word fills none."""
    entry = '[[columns]]\nname = "YS"\nfield = "property.yield_strength"\nunit = "GPa"\n'
    assert entry in MAPPING
    tensile = entry.replace("yield_strength", "ultimate_tensile_strength").replace('"GPa"', '"MPa"')
    text = MAPPING.replace(entry, entry + 'where = { kind = "YS" }\n\n' + tensile + 'where = { kind = "UTS" }\n')
    rows = [
        {"no": str(n), "F": "Co", "T": "25", "YS": v, "kind": k}
        for n, (v, k) in enumerate([("0.5", "YS"), ("600", "UTS"), ("7", "")])
    ]
    found = [e.values for e in read(rows, text=text).events if e.template.key.stage == "property"]
    assert found == [
        {"test_temperature": 25.0, "yield_strength": 500.0},
        {"test_temperature": 25.0, "ultimate_tensile_strength": 600.0},
        {"test_temperature": 25.0},
    ]


def test_a_pattern_takes_the_part_of_a_cell_that_is_meant() -> None:
    """A name that holds a formula; a cell in which it does not is a finding, and a cell of thousands of letters is not searched."""
    entry = '[[columns]]\nname = "F"\n'
    text = MAPPING.replace(entry, entry + "pattern = '^lab_([^_]+)_'\n")
    found = read(
        [{"no": "1", "F": "lab_CoNi_7"}, {"no": "2", "F": "CoNi"}, {"no": "3", "F": "lab_" + "x" * 600 + "_"}],
        text=text,
    )
    assert [e.values["composition"] for e in found.events if e.template.key.stage == "composition"] == [
        {"Co": 50.0, "Ni": 50.0}
    ]
    assert [f.row for f in found.findings] == [3, 4]


@pytest.mark.parametrize("pattern", ["CoNi", "(Co)(Ni)", "(Co", "(" + "a" * 300 + ")"])
def test_a_pattern_has_one_group(pattern: str) -> None:
    """What it does not say is asked for."""
    entry = '[[columns]]\nname = "F"\n'
    with pytest.raises(MappingError, match="pattern"):
        read(ROWS, text=MAPPING.replace(entry, entry + f"pattern = '{pattern}'\n"))
