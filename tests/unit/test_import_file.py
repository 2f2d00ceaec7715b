"""The import command up to the broker, and what it says of the outcomes."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from sojae.adapters.template_files import load_templates
from sojae.cli.import_file import import_file, prepare
from sojae.cli.import_report import ImportReport, Sent, lines
from sojae.domain.errors import MappingError, SojaeError
from sojae.domain.mapping import read_mapping
from sojae.domain.mapping_rows import Finding
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
        prepare(folder / "lab.csv", mapping, source=None, institute=None)
    messages = prepare(folder / "lab.csv", mapping, source=None, institute="kitech")
    assert messages.run.producer == "kitech/import/lab"


def report(folder: Path) -> ImportReport:
    """Three events acknowledged at 0:7, 0:8 and 0:9, and two cells that were not read."""
    messages = prepare(folder / "lab.csv", read_mapping(MAPPING, "t", load_templates()), source=None, institute=None)
    found = ImportReport(findings=messages.read.findings)
    for offset, (event, _) in enumerate(messages.encoded, start=7):
        found.add(event, Sent(0, offset))
    return found


def outcome(offset: int, status: str, *issues: dict[str, object], topic: str = TOPIC) -> dict[str, object]:
    return {"outcomes": [{"topic": topic, "partition": 0, "offset": offset, "status": status, "issues": list(issues)}]}


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
        "sent": 4, "accepted": 1, "flagged": 1, "quarantined": 0, "duplicates": 1, "unread": 2, "unknown": 2,
    }  # fmt: skip


def test_a_quarantined_record_is_named_by_row_and_column(folder: Path) -> None:
    """The report speaks of the file: row, column, what was got and expected, and the rule; counts come last."""
    found = report(folder)
    refused = {**ISSUE, "rule": "hard_range", "field": "yield_strength", "got": "520", "expected": "1 to 2 MPa"}
    found.hear(outcome(8, "quarantined", refused), TOPIC)
    shown = list(lines(found, "en"))
    assert "  row 2, 강도 [property, hard_range]: got 520, expected 1 to 2 MPa; check it" in shown
    assert shown[-1].startswith("sent 4 · accepted 0 (flagged 0) · quarantined 1 · duplicates 0 · unread 2 · unknown 3")
    assert "  2행, 강도 [property, hard_range]: 520 대신 1 to 2 MPa. 확인" in list(lines(found, "ko"))


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
    assert "  row 2, 강도, test_type [property, test_type_given]: got a = 1: check it" in list(lines(found, "en"))


def test_unread_cells_are_listed(folder: Path) -> None:
    """Each cell that held a record back is a line of its own."""
    assert [(f.row, f.column) for f in report(folder).findings] == [(3, "강도"), (4, "F")]
    found = ImportReport(findings=[Finding(3, "강도", "property", "fast", Text(ko="수", en="a number"))])
    assert "  row 3, 강도 [property]: got fast, expected a number" in list(lines(found, "en"))
