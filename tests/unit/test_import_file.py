"""The import command up to the broker, and what it says of the outcomes."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from sojae.adapters.template_files import load_templates
from sojae.cli import import_file as module
from sojae.cli.import_file import NOT_ALL, import_file, prepare
from sojae.cli.import_lines import LINES_SHOWN, lines
from sojae.cli.import_outcomes import Messages
from sojae.cli.import_parts import Named, mapped_part
from sojae.cli.import_report import FoundCell, ImportReport, Sent
from sojae.domain.errors import MappingError, SojaeError
from sojae.domain.issue import RULES
from sojae.domain.mapping import read_mapping
from sojae.domain.mapping_findings import EqualRows, Finding
from sojae.domain.mapping_plan import FileMapping
from sojae.domain.reading_rules import READING
from sojae.domain.text import Text

TOPIC = "sojae.events.kims"
MAPPING = """
project = "high_entropy_alloy"
key = ["no"]

[defaults]
institute = "kims"
origin = "experiment"

[[columns]]
name = "F"
field = "composition.composition"

[[columns]]
name = "강도"
field = "property.yield_strength"
unit = "MPa"
"""
ISSUE = {"severity": "hard", "message_ko": "확인", "message_en": "check it"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a mapping, a state folder of its own and no broker."""
    monkeypatch.setenv("SOJAE_HOME", str(tmp_path / "home"))
    (tmp_path / "lab.toml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "lab.csv").write_text("no,F,강도\n1,CoNi,520\n2,CoCrNi,fast\n3,Xx,610\n", encoding="utf-8")
    return tmp_path


def failure(folder: Path, *arguments: str) -> SojaeError:
    given = [str(folder / a) if a.startswith("lab") else a for a in arguments]
    error = CliRunner().invoke(import_file, given).exception
    assert isinstance(error, SojaeError)
    return error


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("lab.csv", "강도", "강 도", ["lab.csv", "lab.toml", "'강도'", "'강 도'"]),
        ("lab.csv", "no,F,강도", "no,F,F", ["lab.csv", "the column F twice"]),
        ("lab.toml", "high_entropy_alloy", "high_entropy", ["lab.toml", "project 'high_entropy'", "high_entropy_alloy"]),
        ("lab.toml", "yield_strength", "yield_strenth", ["lab.toml", "property.yield_strenth", "property.yield_strength"]),
        ("lab.toml", '"MPa"', '"Mpa"', ["lab.toml", "unit 'Mpa'", "MPa"]),
    ],
)  # fmt: skip
def test_what_the_user_gave_wrong_ends_with_2(folder: Path, name: str, old: str, new: str, said: list[str]) -> None:
    """A wrong column, project, field or unit is one message with exit code 2, and no broker is looked for."""
    path = folder / name
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    error = failure(folder, "lab.csv", "--mapping", "lab.toml")
    assert error.exit_code == 2
    assert [s for s in said if s not in error.message("en")] == []


def test_an_empty_file_ends_with_2(folder: Path) -> None:
    """A file without a byte is refused before anything is sent."""
    (folder / "lab.csv").write_bytes(b"")
    assert failure(folder, "lab.csv", "--mapping", "lab.toml").exit_code == 2


def test_a_mapping_that_is_not_there_ends_with_2(folder: Path) -> None:
    """A missing mapping file is named."""
    error = failure(folder, "lab.csv", "--mapping", "lab2.toml")
    assert (error.exit_code, "lab2.toml" in error.message("ko")) == (2, True)


def test_a_mapping_that_is_no_text_ends_with_2(folder: Path) -> None:
    """A mapping in another encoding is refused with the remedy."""
    (folder / "lab.toml").write_bytes(MAPPING.encode("cp949"))
    error = failure(folder, "lab.csv", "--mapping", "lab.toml")
    assert (error.exit_code, "UTF-8" in error.message("en")) == (2, True)


def test_a_good_file_without_a_broker_ends_with_1(folder: Path) -> None:
    """When the file is right and nothing runs, the message says what to start."""
    error = failure(folder, "lab.csv", "--mapping", "lab.toml")
    assert (error.exit_code, "sojae up" in error.message("en")) == (1, True)


def test_an_institute_is_needed(folder: Path) -> None:
    """Somebody speaks: the mapping or the caller names the institute."""
    text = MAPPING.replace('institute = "kims"', "")
    mapping = read_mapping(text, "lab.toml", load_templates())
    with pytest.raises(MappingError, match="--institute"):
        prepared(folder / "lab.csv", mapping)
    messages = prepared(folder / "lab.csv", mapping, institute="kitech")
    assert messages.run.producer == "kitech/import/lab"


def prepared(file: Path, mapping: FileMapping, institute: str | None = None) -> Messages:
    return prepare(file, mapped_part(file, mapping), Named(institute, None))


def report(folder: Path) -> ImportReport:
    """Three events acknowledged at 0:7, 0:8 and 0:9, and two cells that were not read."""
    messages = prepared(folder / "lab.csv", read_mapping(MAPPING, "t", load_templates()))
    found = ImportReport.of(messages.read)
    for offset, (event, _) in enumerate(messages.encoded, start=7):
        found.add(event, Sent(0, offset))
    return found


def outcome(offset: int, status: str, *issues: Mapping[str, object], topic: str = TOPIC) -> list[dict[str, object]]:
    return [{"topic": topic, "partition": 0, "offset": offset, "status": status, "issues": list(issues)}]


def test_outcomes_are_counted_once_and_by_position(folder: Path) -> None:
    """An outcome that comes twice, of another topic or of somebody else's event counts nothing."""
    found = report(folder)
    warned = {**ISSUE, "severity": "warn", "rule": "warn_range", "field": "yield_strength", "got": "1", "expected": "2"}
    heard = [
        found.hear(outcome(7, "accepted", warned), TOPIC),
        found.hear(outcome(7, "accepted"), TOPIC),
        found.hear(outcome(8, "accepted", topic="sojae.events.other"), TOPIC),
        found.hear(outcome(99, "accepted"), TOPIC),
        found.hear(outcome(8, "duplicate"), TOPIC),
    ]
    assert heard == [1, 0, 0, 0, 1]
    assert found.counts() == {
        "rows": 3, "sent": 4, "accepted": 1, "flagged": 1, "quarantined": 0, "duplicates": 1, "unread": 2, "unknown": 2,
    }  # fmt: skip


def test_what_is_accepted_is_counted_by_grade(folder: Path) -> None:
    """By stage, in the line before the counts; what is refused or repeated has no grade."""
    found = report(folder)
    assert not any(line.startswith("grades") for line in lines(found, "en"))
    found.hear(outcome(7, "accepted"), TOPIC)
    warned = {
        **ISSUE,
        "rule": "required",
        "severity": "warn",
        "field": "yield_strength",
        "got": None,
        "expected": "MPa",
    }
    found.hear(outcome(8, "accepted", warned), TOPIC)
    found.hear(outcome(9, "duplicate"), TOPIC)
    found.hear(outcome(10, "quarantined"), TOPIC)
    assert sum(sum(grades.values()) for grades in found.grades.values()) == 2
    assert list(lines(found, "en"))[-2].startswith("grades: ")
    assert list(lines(found, "ko"))[-2].startswith("등급: ")


def test_a_quarantined_record_is_named_by_row_and_column(folder: Path) -> None:
    """The report speaks of the file: row, column, what was got and expected, and the rule; counts come last."""
    found = report(folder)
    refused = {**ISSUE, "rule": "hard_range", "field": "yield_strength", "got": "520", "expected": "1 to 2 MPa"}
    found.hear(outcome(8, "quarantined", refused), TOPIC)
    shown = list(lines(found, "en"))
    assert "  lab.csv, row 2, 강도 [property, hard_range]: got 520, expected 1 to 2 MPa; check it" in shown
    assert shown[-1] == "rows 3 · sent 4 · accepted 0 (flagged 0) · quarantined 1 · duplicates 0 · unread 2 · unknown 3"
    assert "  lab.csv, 2행, 강도 [property, hard_range]: 520 대신 1~2 MPa. 확인" in list(lines(found, "ko"))


def test_a_flagged_record_is_named_like_a_quarantined_one(folder: Path) -> None:
    """What was accepted but is not usual is shown with its row, its value and what would be usual."""
    found = report(folder)
    flagged = {**ISSUE, "severity": "warn", "rule": "warn_range", "field": "yield_strength"}
    found.hear(outcome(8, "accepted", {**flagged, "got": "0.62", "expected": "24 to 3416 MPa"}), TOPIC)
    assert list(lines(found, "en"))[-4:-2] == [
        "Accepted, but have a look:",
        "  lab.csv, row 2, 강도 [property, warn_range]: got 0.62, usual 24 to 3416 MPa",
    ]
    assert "  lab.csv, 2행, 강도 [property, warn_range]: 0.62, 보통은 24~3416 MPa" in list(lines(found, "ko"))
    assert found.counts()["flagged"] == 1


def test_a_value_in_another_unit_is_shown_as_typed(folder: Path) -> None:
    """Who looks for 620 MPa finds the cell by its 0.62 GPa."""
    text = MAPPING.replace('"MPa"', '"GPa"')
    messages = prepared(folder / "lab.csv", read_mapping(text, "t", load_templates()))
    found = ImportReport.of(messages.read)
    found.add(messages.encoded[1][0], Sent(0, 8))
    refused = {**ISSUE, "rule": "hard_range", "field": "yield_strength", "got": "520000", "expected": "0 to 9000 MPa"}
    found.hear(outcome(8, "quarantined", refused), TOPIC)
    assert found.refused[0].why.en == "got 520000 (typed 520 GPa), expected 0 to 9000 MPa; check it"


def test_a_word_that_is_not_allowed_points_to_the_value_map(folder: Path) -> None:
    """The file may keep its words: the mapping says what they mean."""
    found = report(folder)
    refused = {**ISSUE, "rule": "category", "field": "yield_strength", "got": "인장", "expected": "tension"}
    found.hear(outcome(8, "quarantined", refused), TOPIC)
    assert found.refused[0].why.en.endswith("check it; or add it to values of this column in the mapping")
    assert "values" in found.refused[0].why.ko


def test_a_row_of_the_store_speaks_in_the_words_of_the_rules(folder: Path) -> None:
    """There the findings have no sentence of their own."""
    found = report(folder)
    stored = {"severity": "hard", "rule": "required", "field": "yield_strength", "got": None, "expected": "MPa"}
    found.hear(outcome(8, "quarantined", stored), TOPIC)
    assert found.refused[0].why.en == "got nothing, expected a value in MPa; a required value is missing; fill it in"


def cells(count: int, why: str = "got {row}") -> list[FoundCell]:
    return [FoundCell(row, "강도", "property", "r", Text(ko="", en=why.format(row=row))) for row in range(2, count + 2)]


def test_one_cause_is_one_line() -> None:
    """Thirteen rows with one missing entry of a value map are one line with the rows and their number."""
    found = ImportReport(
        refused=[*cells(12, "got 인장"), FoundCell(20, "강도", "property", "r", Text(ko="", en="got 인장"))]
    )
    assert list(lines(found, "en"))[1:-1] == ["  rows 2–13, 20 (13 rows), 강도 [property, r]: got 인장"]
    assert list(lines(found, "ko"))[1].startswith("  2–13, 20행(모두 13행), 강도")


def test_a_long_list_is_cut_and_says_so() -> None:
    """Twenty lines of each list are shown, and how much is left; all of them when asked for."""
    found = ImportReport(warned=cells(LINES_SHOWN + 5))
    shown = list(lines(found, "en"))
    assert len(shown) == LINES_SHOWN + 3
    assert shown[-2] == "  … and 5 more lines about 5 findings (--all shows them)"
    assert len(list(lines(found, "en", everything=True))) == LINES_SHOWN + 7


def test_many_scattered_rows_are_cut() -> None:
    """Eight ranges are enough to find them; the number is of all."""
    found = ImportReport(refused=[c for c in cells(40, "got x") if c.row % 2])
    assert list(lines(found, "en"))[1] == "  rows 3, 5, 7, 9, 11, 13, 15, 17, … (20 rows), 강도 [property, r]: got x"


def test_equal_rows_are_named() -> None:
    """Who pasted a row twice is told which."""
    assert "  row 14: equal to row 13" in list(lines(ImportReport(equal=[EqualRows(14, 13)]), "en"))


def test_only_what_is_stored_is_the_whole(folder: Path) -> None:
    """A record that was quarantined, unread or is unknown is missing; a flagged one or a duplicate is not."""
    assert not report(folder).is_whole
    assert not ImportReport(quarantined=1).is_whole
    assert ImportReport(accepted=2, flagged=1, duplicates=1).is_whole


def test_a_rule_of_the_template_speaks_in_its_own_words(folder: Path) -> None:
    """What a template's rule expects is SQL; the report says its sentence instead."""
    found = report(folder)
    refused = {
        **ISSUE,
        "rule": "test_type_given",
        "field": "yield_strength, test_type",
        "got": "a = 1",
        "expected": "SQL",
    }
    found.hear(outcome(8, "quarantined", refused), TOPIC)
    assert "  lab.csv, row 2, 강도, test_type [property, test_type_given]: got a = 1: check it" in list(
        lines(found, "en")
    )


def test_unread_cells_are_listed(folder: Path) -> None:
    """Each cell that held a record back is a line of its own."""
    assert [(f.row, f.column) for f in report(folder).findings] == [(3, "강도"), (4, "F")]
    shown = list(lines(report(folder), "en"))
    assert (
        "  lab.csv, row 3, 강도 [property, number]: got fast, expected a number; write one as 1450, 1.45e3, 12.3 ± 0.4, <5 or 25 °C"
        in shown
    )
    assert (
        "  lab.csv, 3행, 강도 [property, number]: fast 대신 수. 1450, 1.45e3, 12.3 ± 0.4, <5, 25 °C처럼 쓰십시오"
        in list(lines(report(folder), "ko"))
    )


def test_a_finding_of_a_workbook_names_its_sheet() -> None:
    """Sheet by sheet, as they stand in the file; a row that cannot be read at all has no column."""
    number, row = Text(ko="수", en="a number"), Text(ko="2칸", en="2 cells")
    found = ImportReport(
        file="lab.xlsx",
        findings=[
            Finding(4, "yield_strength", "property", "number", "fast", number, "property"),
            Finding(5, "melting", "process", "number", "hot", number, "process"),
            Finding(9, "", "", "row_length", "3", row, "raw"),
        ],
    )
    shown = [line.partition(";")[0] for line in lines(found, "en")][1:-1]
    assert shown == [
        "  lab.xlsx, sheet raw, row 9 [row_length]: got 3, expected 2 cells",
        "  lab.xlsx, sheet process, row 5, melting [process, number]: got hot, expected a number",
        "  lab.xlsx, sheet property, row 4, yield_strength [property, number]: got fast, expected a number",
    ]


def test_every_rule_of_reading_says_what_to_do() -> None:
    """In both languages, under a name of its own."""
    assert all(text.ko and text.en for text in READING.values())
    assert READING.keys() & RULES.keys() == {"formula"}


@pytest.fixture
def judging(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Return a function that imports a sound file whose three events get these outcomes: exit code and output."""
    monkeypatch.setenv("SOJAE_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1")
    (folder / "lab.csv").write_text("no,F,강도\n1,CoNi,520\n2,CoCrNi,\n", encoding="utf-8")

    def run(*outcomes: str, options: tuple[str, ...] = ()) -> tuple[int, str]:
        async def judge(_connection: object, _store: str, messages: Messages, _advance: object) -> ImportReport:
            found = ImportReport.of(messages.read)
            for offset, (event, _) in enumerate(messages.encoded):
                found.add(event, Sent(0, offset))
            for offset, status in enumerate(outcomes):
                found.hear(outcome(offset, status), TOPIC)
            return found

        monkeypatch.setattr(module, "send_and_wait", judge)
        done = CliRunner().invoke(
            import_file, [str(folder / "lab.csv"), "--mapping", str(folder / "lab.toml"), *options]
        )
        return done.exit_code, done.stdout

    return run


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        (("accepted", "accepted", "duplicate"), 0),
        (("accepted", "quarantined", "accepted"), NOT_ALL),
        (("accepted", "accepted"), 1),
    ],
)
def test_a_script_notices_what_is_not_stored(
    judging: Callable[..., tuple[int, str]], outcomes: tuple[str, ...], code: int
) -> None:
    """All stored: 0. Something quarantined: 3. Nobody knows of one: 1."""
    assert judging(*outcomes)[0] == code


def test_a_script_notices_what_was_not_read(judging: Callable[..., tuple[int, str]], folder: Path) -> None:
    """A record that was held back is missing in the store."""
    text = "no,F,강도\n1,CoNi,520\n2,,fast\n"
    (folder / "lab.csv").write_text(text, encoding="utf-8")
    assert judging("accepted", "accepted")[0] == NOT_ALL


def test_an_import_ends_with_how_models_learn_it_and_the_counts(judging: Callable[..., tuple[int, str]]) -> None:
    """When nothing new was accepted there is nothing to learn; JSON stays JSON."""
    *_, learning, counts = judging("accepted", "accepted", "accepted")[1].splitlines()
    assert "sojae train --once --project high_entropy_alloy" in learning
    assert counts.startswith("rows 2 · sent 3 · accepted 3 ")
    assert "train" not in judging("duplicate", "duplicate", "duplicate")[1]
    assert judging("accepted", "accepted", "accepted", options=("--json",))[1].startswith('{"rows": 2, "sent": 3,')
