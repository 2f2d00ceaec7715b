"""A proposed version is asked of a real store, rules over several records too, from among the templates that are known."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sojae.adapters.avro import FastavroDecoder
from sojae.adapters.events_table import DeltaEventsTable
from sojae.adapters.stored_schemas import StoredSchemas
from sojae.adapters.template_files import packaged_folder
from sojae.cli.template_group import template as command
from sojae.ports import Position
from sojae_ingest.records import RecordsFollower
from tests.builders import TOPIC_ID, book, events, framed, header, template

PROJECT = "high_entropy_alloy"
LABEL = {"ko": "규칙", "en": "a rule"}
CHAIN = {
    "id": "not_that_hot", "severity": "warn", "scope": "lineage", "message": LABEL,
    "sql": "property__test_temperature <= process__homogenisation_temperature",
}  # fmt: skip
SERIES = {
    "id": "softer_when_hot", "severity": "warn", "scope": "collection", "message": LABEL,
    "monotone": {"of": "property__yield_strength", "along": "property__test_temperature",
                 "within": ["sample_id"], "direction": "falling"},
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """One specimen of kims: its process, and its strength at four temperatures."""
    monkeypatch.setenv("SOJAE_HOME", str(tmp_path / "home"))
    uri = str(tmp_path / "store")
    table = DeltaEventsTable(uri)
    made, tested = template(PROJECT, "process"), template(PROJECT, "property")
    rows = [_row(made, 0, {"homogenisation_temperature": 800.0})]
    for number, (temperature, strength) in enumerate([(25.0, 500.0), (600.0, 550.0), (900.0, 300.0)], start=1):
        values = {"test_temperature": temperature, "yield_strength": strength, "test_type": "tension"}
        rows.append(_row(tested, number, values))
    table.append(events(rows), [Position(TOPIC_ID, 0, 3)])
    for one in (made, tested):
        StoredSchemas(uri).keep(one)
    RecordsFollower(DeltaEventsTable(uri), uri, book, FastavroDecoder(book)).step(lambda _: None)
    return uri


def _row(of: Any, number: int, values: dict[str, object]) -> dict[str, object]:
    head = header(number)
    place = {"project": of.key.project, "stage": of.key.stage, "schema_sha256": of.sha256, "offset": number}
    return {**head, **place, "raw": framed(of, values, head)}


def proposal(folder: Path, version: str, *rules: dict[str, Any]) -> Path:
    """Write a version of the properties with more rules, beside the other templates of its project, and return the file."""
    of = json.loads((packaged_folder() / PROJECT / "property" / "1.0.avsc").read_text(encoding="utf-8"))
    path = folder / PROJECT / "property" / f"{version}.avsc"
    path.parent.mkdir(parents=True)
    text = json.dumps({**of, "version": version, "rules": [*of["rules"], *rules]}, ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    return path


def told(store: str, path: Path) -> dict[str, Any]:
    run = CliRunner().invoke(command, ["backtest", str(path), "--store", store, "--json"], catch_exceptions=False)
    found: dict[str, Any] = json.loads(run.output)
    return found


def test_rules_over_several_records_are_asked_of_the_view(store: str, tmp_path: Path) -> None:
    """A chain of stages and a series, with the record, the values and what was expected."""
    found = told(store, proposal(tmp_path / "new", "1.1", CHAIN, SERIES))
    assert found["joined_rules_asked"]
    counts = {r["rule"]: (r["flagged"], r["before"], r["newly_flagged"]) for r in found["rules"]}
    assert counts == {"not_that_hot": (1, 0, 1), "softer_when_hot": (1, 0, 1)}
    (chain,) = [r for r in found["rules"] if r["rule"] == "not_that_hot"]
    assert chain["examples"] == [
        {
            "institute": "kims",
            "record_id": "event-3",
            "field": "property__test_temperature, process__homogenisation_temperature",
            "got": "property__test_temperature = 900; process__homogenisation_temperature = 800",
            "expected": CHAIN["sql"],
        }
    ]


def test_a_proposal_among_the_known_templates_is_not_compared_with_itself(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it lies is where it will be published; what holds now is the version before it."""
    strong = {"id": "strong", "severity": "hard", "sql": "yield_strength > 400", "message": LABEL}
    path = proposal(tmp_path / "templates", "1.1", strong)
    monkeypatch.setenv("SOJAE_TEMPLATES__PATH", str(tmp_path / "templates"))
    found = told(store, path)
    assert (found["current"]["template"], found["newly_quarantined"]) == (f"{PROJECT}/property/1.0", 1)


def test_a_draft_edited_in_place_is_compared_with_what_was_kept_of_it(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its events were judged by what it was then."""
    strong = {"id": "strong", "severity": "hard", "sql": "yield_strength > 400", "message": LABEL}
    path = proposal(tmp_path / "templates", "1.0", strong)
    monkeypatch.setenv("SOJAE_TEMPLATES__PATH", str(tmp_path / "templates"))
    found = told(store, path)
    assert found["current"] == {
        "template": f"{PROJECT}/property/1.0",
        "sha256": template(PROJECT, "property").sha256,
    }
    assert (found["records"], found["newly_quarantined"]) == (3, 1)


def test_a_rule_of_a_column_that_is_not_there_is_refused(store: str, tmp_path: Path) -> None:
    """Before anything is read, by rule and column."""
    path = proposal(tmp_path / "new", "1.1", {**CHAIN, "sql": "property__test_temperature <= process__heat"})
    run = CliRunner().invoke(command, ["backtest", str(path), "--store", store])
    assert "rule not_that_hot: unknown field process__heat" in str(run.exception)


def test_people_read_it_in_their_language(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the numbers that matter, and examples beneath each rule."""
    monkeypatch.setenv("SOJAE_LANGUAGE", "ko")
    path = proposal(tmp_path / "new", "1.1", CHAIN)
    run = CliRunner().invoke(command, ["backtest", str(path), "--store", store], catch_exceptions=False)
    assert "새로 표시" in run.output
    assert "event-3: property__test_temperature" in run.output
    assert run.output.splitlines()[-1].startswith(f"{PROJECT}/property/1.1: 저장된 기록 3건 · 새로 격리 0")
