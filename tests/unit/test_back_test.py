"""A proposed version is asked of everything that is stored, before it is published."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sojae.adapters.avro import FastavroEncoder
from sojae.adapters.events_table import DeltaEventsTable
from sojae.adapters.stored_records import stored_records
from sojae.adapters.template_files import packaged_folder, read_template
from sojae.cli.template_group import template as command
from sojae.domain.back_test import EXAMPLES, BackTest, Example, StoredRecord
from sojae.domain.schema_reader import Bounds
from sojae.domain.template import parse_template
from sojae.ports import Position
from tests.builders import TOPIC_ID, events, field, framed, header, made_up, rule, template

CURRENT = made_up([field("hardness", unit="MPa", hard=Bounds(0.0, 1000.0)), field("load", unit="N")])
ALLOY = "high_entropy_alloy/property/1.0"


def record(number: int, hardness: float | None, institute: str = "kims", **values: Any) -> StoredRecord:
    return StoredRecord(institute, f"r{number}", "experiment", CURRENT, {"hardness": hardness, "load": None, **values})


def test_it_says_what_becomes_of_each_record_by_rule_and_institute() -> None:
    """Newly quarantined, newly accepted, flagged; and what the current version finds beside it."""
    proposed = made_up(
        [field("hardness", unit="MPa", hard=Bounds(0.0, 2000.0), warn=Bounds(10.0, 1500.0)), field("load", unit="N")],
        [rule("load IS NOT NULL OR hardness < 500", identity="load_given")],
    )
    test = BackTest(proposed, CURRENT)
    test.take([record(0, 100.0), record(1, 600.0), record(2, 1200.0, load=1.0), record(3, 1700.0, "pnu", load=1.0)])
    verdict = test.verdict
    assert (verdict.records, verdict.newly_quarantined, verdict.newly_accepted) == (4, 1, 2)
    found = {key: (c.quarantined, c.flagged, c.before) for key, c in verdict.rules.items()}
    assert found == {
        ("load_given", "kims"): (1, 0, 0),
        ("hard_range", "kims"): (0, 0, 1),
        ("hard_range", "pnu"): (0, 0, 1),
        ("warn_range", "pnu"): (0, 1, 0),
    }
    (example,) = verdict.rules["load_given", "kims"].examples
    assert (example.record_id, example.field) == ("r1", "load, hardness")


def test_a_rule_counts_a_record_once_and_says_what_is_new() -> None:
    """In however many fields it is found; graver, milder, gone and known findings are told apart."""
    narrow = Bounds(0.0, 100.0)
    current = made_up([field("a", hard=narrow), field("b", hard=narrow)], [rule("a < 50", severity="warn")])
    proposed = made_up([field("a", hard=narrow), field("b", warn=narrow)], [rule("a < 50", severity="hard")])
    test = BackTest(proposed, current)
    pairs = [(500.0, 500.0), (1.0, 500.0), (60.0, 1.0), (1.0, 1.0)]
    test.take(
        [StoredRecord("kims", f"r{n}", "experiment", current, {"a": a, "b": b}) for n, (a, b) in enumerate(pairs)]
    )
    found = test.verdict.rules["hard_range", "kims"]
    assert (found.quarantined, found.before, found.newly_quarantined, found.newly_passing) == (1, 2, 0, 1)
    found = test.verdict.rules["warn_range", "kims"]
    assert (found.flagged, found.before, found.newly_flagged) == (2, 0, 2)
    found = test.verdict.rules["a_rule", "kims"]
    assert (found.quarantined, found.flagged, found.before, found.newly_quarantined) == (2, 0, 2, 2)
    verdict = test.verdict
    told = (verdict.newly_quarantined, verdict.newly_accepted, verdict.newly_flagged, verdict.newly_clean)
    assert told == (1, 1, 0, 0)


def test_what_is_flagged_anew_and_no_longer_is_told() -> None:
    """Of records, beside those that are refused."""
    low, high = made_up([field("a", warn=Bounds(0.0, 10.0))]), made_up([field("a", warn=Bounds(5.0, 20.0))])
    test = BackTest(high, low)
    test.take([StoredRecord("kims", "r", "experiment", low, {"a": a}) for a in (1.0, 7.0, 15.0, 30.0)])
    assert (test.verdict.newly_flagged, test.verdict.newly_clean) == (1, 1)
    found = test.verdict.rules["warn_range", "kims"]
    assert (found.flagged, found.before, found.newly_flagged, found.newly_passing) == (2, 2, 1, 1)


def test_without_a_current_version_all_is_new() -> None:
    """Nothing was found before."""
    test = BackTest(CURRENT, None)
    test.take([record(0, -1.0)])
    assert (test.verdict.newly_quarantined, test.verdict.rules["hard_range", "kims"].newly_quarantined) == (1, 1)


def test_new_findings_are_shown_first() -> None:
    """They are what the proposal is about; known ones stay where there are no others."""
    proposed = made_up([field("hardness", unit="MPa", hard=Bounds(0.0, 500.0)), field("load", unit="N")])
    test = BackTest(proposed, CURRENT)
    test.take([record(n, value) for n, value in enumerate((1100.0, 1200.0, 1300.0, 600.0, 700.0))])
    shown = [example.record_id for example in test.verdict.rules["hard_range", "kims"].examples]
    assert shown == ["r3", "r4", "r0"]


def test_a_draft_that_was_changed_in_place_is_asked_of_what_still_means_the_same() -> None:
    """Numbers that were sent in MPa are none in GPa, when the version is the same."""
    changed = made_up([field("hardness", unit="GPa", hard=Bounds(0.0, 1.0)), field("load", unit="N")])
    test = BackTest(changed, CURRENT)
    test.take([record(0, 900.0)])
    assert test.verdict.rules == {}


def test_findings_over_several_records_are_counted_beside() -> None:
    """They only flag: new ones, known ones, and those that would be gone."""
    test = BackTest(CURRENT, CURRENT)
    one, two, three = (Example("kims", name, "a", "a = 1", "a < b") for name in ("r1", "r2", "r3"))
    test.take_joined([("chain", one), ("chain", two)], [("chain", two), ("chain", three)])
    found = test.verdict.rules["chain", "kims"]
    assert (found.flagged, found.before, found.newly_flagged, found.newly_passing) == (2, 2, 1, 1)
    assert [example.record_id for example in found.examples] == ["r3", "r2"]
    assert test.verdict.joined


def test_examples_are_few() -> None:
    """Three are enough to look a rule up; all are counted."""
    test = BackTest(CURRENT, None)
    test.take([record(n, -1.0) for n in range(20)])
    count = test.verdict.rules["hard_range", "kims"]
    assert (count.quarantined, len(count.examples)) == (20, EXAMPLES)


def test_a_new_major_is_asked_in_its_own_unit() -> None:
    """What was sent in MPa is judged in GPa, maps too; a field that is new is empty."""
    fields = [field("hardness", unit="GPa", hard=Bounds(0.0, 1.0)), field("extra", unit="N")]
    proposed = replace(made_up(fields), key=CURRENT.key._replace(version="2.0"))
    test = BackTest(proposed, CURRENT)
    test.take([record(0, 900.0), record(1, 1100.0)])
    assert test.verdict.rules["hard_range", "kims"].quarantined == 1


@pytest.fixture
def store(tmp_path: Path) -> str:
    """Three events of one stage, one in quarantine, one a duplicate, and one of another stage."""
    of, other = template(), template("ceramic_electrode", "process")
    rows = []
    for number, (status, strength) in enumerate([("accepted", 400.0), ("quarantined", 9e5), ("duplicate", 400.0)]):
        head = header(number)
        values = {"test_type": "tension", "test_temperature": 25.0, "yield_strength": strength}
        stage = {"project": of.key.project, "stage": of.key.stage, "schema_sha256": of.sha256}
        rows.append({**head, **stage, "status": status, "offset": number, "raw": framed(of, values, head)})
    head = header(3)
    stage = {"project": other.key.project, "stage": other.key.stage, "schema_sha256": other.sha256}
    rows.append({**head, **stage, "offset": 3, "raw": framed(other, None, head)})
    uri = str(tmp_path / "store")
    DeltaEventsTable(uri).append(events(rows), [Position(TOPIC_ID, 0, 3)])
    return uri


def test_the_command_reads_a_store(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accepted and quarantined events of that stage, once each, decoded with the schema that they were sent under."""
    monkeypatch.setenv("SOJAE_HOME", str(tmp_path / "home"))
    proposed = json.loads((packaged_folder() / f"{ALLOY}.avsc").read_text(encoding="utf-8"))
    proposed["version"] = "1.1"
    message = {"ko": "강도가 너무 낮습니다", "en": "too weak"}
    proposed["rules"].append({"id": "strong", "severity": "hard", "sql": "yield_strength > 500", "message": message})
    path = tmp_path / "new" / f"{ALLOY.replace('1.0', '1.1')}.avsc"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(proposed, ensure_ascii=False), encoding="utf-8")
    assert read_template(path, [path.parents[2], packaged_folder()]).key.version == "1.1"
    run = CliRunner().invoke(command, ["backtest", str(path), "--store", store, "--json"], catch_exceptions=False)
    told = json.loads(run.output)
    assert {k: told[k] for k in ("records", "undecodable", "newly_quarantined", "newly_accepted")} == {
        "records": 2, "undecodable": 0, "newly_quarantined": 1, "newly_accepted": 0,
    }  # fmt: skip
    (strong,) = [r for r in told["rules"] if r["rule"] == "strong"]
    assert (strong["institute"], strong["quarantined"], len(strong["examples"])) == ("kims", 1, 1)
    shown = CliRunner().invoke(command, ["backtest", str(path), "--store", store]).output
    assert "2 stored records · newly quarantined 1" in shown
    assert "event-0: yield_strength = 400 (yield_strength > 500)" in shown
    assert "compared with high_entropy_alloy/property/1.0" in shown


def test_an_event_is_read_as_the_draft_that_it_was_sent_under(tmp_path: Path) -> None:
    """Drafts of one version that differ in a unit share a fingerprint; the events table says which it was."""
    of = template()
    fields = [{**f, "unit": "GPa"} if f["name"] == "yield_strength" else f for f in of.schema["fields"]]  # type: ignore[attr-defined]  # JSON
    draft = parse_template({**of.schema, "fields": fields}, "draft")
    head = header(0)
    raw = FastavroEncoder(single_object=True).encode(draft, head, {"yield_strength": 0.4})
    place = {"project": of.key.project, "stage": of.key.stage, "schema_sha256": draft.sha256, "offset": 0}
    DeltaEventsTable(str(tmp_path)).append(events([{**head, **place, "raw": raw}]), [Position(TOPIC_ID, 0, 0)])
    ((records, undecodable),) = stored_records(str(tmp_path), of.key.project, of.key.stage, [of, draft])
    assert (undecodable, records[0].template.sha256) == (0, draft.sha256)


def test_without_a_store_it_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to name one."""
    monkeypatch.setenv("SOJAE_HOME", str(tmp_path / "home"))
    path = packaged_folder() / f"{ALLOY}.avsc"
    run = CliRunner().invoke(command, ["backtest", str(path), "--store", str(tmp_path / "nowhere")])
    assert "no store at" in str(run.exception)
