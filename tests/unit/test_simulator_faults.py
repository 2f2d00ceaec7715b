"""Planted faults: rates, places, and the second opinion on what each must get."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from sojae.adapters.avro import FastavroDecoder, FastavroEncoder
from sojae.adapters.template_files import TemplateBook, load_templates
from sojae.domain.checks import check_values
from sojae.domain.template import Template, TemplateKey
from sojae_simulator.draws import Laboratory
from sojae_simulator.expectations import CROSS_RULES, Finding, expected_findings, expected_status
from sojae_simulator.faults import RATES, Planned, plan
from sojae_simulator.garbling import GARBLINGS
from sojae_simulator.laws import LAWS
from sojae_simulator.slips import MISTAKEN_UNITS, digit_slips, gaps, wrong_units
from sojae_simulator.specimen import Specimen

DAY_SECONDS = 86_400.0


@pytest.fixture(scope="module")
def book() -> TemplateBook:
    return load_templates()


def draw(book: TemplateBook, count: int) -> list[Specimen]:
    drawn = [Laboratory(p, book, np.random.default_rng(7), "test").specimens() for p in LAWS]
    return [s for specimens in drawn for s in itertools.islice(specimens, count)]


@pytest.fixture(scope="module")
def specimens(book: TemplateBook) -> list[Specimen]:
    return draw(book, 300)


@pytest.fixture(scope="module")
def messages(book: TemplateBook, specimens: list[Specimen]) -> list[Planned]:
    return plan(specimens, book, np.random.default_rng(3))


def checked(template: Template, rows: Sequence[Mapping[str, object]]) -> list[set[Finding]]:
    findings = check_values(template, rows, ["experiment"] * len(rows))
    return [{Finding(i.rule, i.field, i.severity) for i in found} for found in findings]


def test_every_slip_gets_exactly_what_the_second_opinion_says(book: TemplateBook) -> None:
    """For every possible wrong unit, digit slip and gap of a few specimens, the checks find what is expected."""
    by_key: dict[TemplateKey, list[Mapping[str, object]]] = {}
    for event in (e for s in draw(book, 3) for e in s.events):
        template = book.get(event.project, event.stage)
        for slips in (wrong_units, digit_slips, gaps):
            slipped = [slip.applied(event.values) for slip in slips(template, event.values)]
            by_key.setdefault(template.key, []).extend(slipped)
    for key, rows in by_key.items():
        template = book.get(*key)
        assert len(rows) > 20
        expected = [set(expected_findings(template, row)) for row in rows]
        assert checked(template, rows) == expected


def test_the_second_opinion_agrees_on_disordered_values(book: TemplateBook) -> None:
    """With several values scaled or gone at once, checks and second opinion still find the same, and nearly every rule fires."""
    rng = np.random.default_rng(5)
    fired: set[tuple[str, str, str]] = set()
    for template in book:
        if template.key.project not in LAWS:
            continue
        disordered = [_disordered(template, rng) for _ in range(1_500)]
        expected = [set(expected_findings(template, row)) for row in disordered]
        assert checked(template, disordered) == expected
        fired |= {(template.key.project, template.key.stage, f.rule) for found in expected for f in found}
    rules = {(project, stage, rule) for (project, stage), own in CROSS_RULES.items() for rule in own}
    assert len(rules & fired) >= 0.9 * len(rules), "what fires seldom is tried by the cases of its rule"


def _disordered(template: Template, rng: np.random.Generator) -> dict[str, object]:
    row: dict[str, object] = {}
    gone = float(rng.choice([0.3, 0.8]))  # some rows are nearly empty: rules that ask for one of many fire there
    for field in template.fields:
        if rng.random() < gone:
            continue
        if field.kind == "double" and field.hard and field.hard.low is not None and field.hard.high is not None:
            inner = field.warn if field.warn and rng.random() < 0.8 else field.hard
            assert inner.low is not None
            assert inner.high is not None
            row[field.name] = inner.low if rng.random() < 0.1 else float(rng.uniform(inner.low, inner.high))
        elif field.kind == "boolean":
            row[field.name] = bool(rng.random() < 0.5)
        elif field.kind == "string":
            word = rng.choice(field.one_of) if field.one_of else "BaTiO3" if field.quantity == "formula" else "?"
            row[field.name] = str(word) if rng.random() < 0.9 else "?"
        elif field.quantity == "composition":
            row[field.name] = {e: float(rng.choice([10.0, 24.9, 25.0, 40.0])) for e in ("Ni", "Al", "C", "N")}
    return row


def test_every_rule_of_the_templates_has_a_second_opinion(book: TemplateBook) -> None:
    """No record rule is without a hand-written twin, and no twin without a rule."""
    for (project, stage), rules in CROSS_RULES.items():
        template = book.get(project, stage)
        assert {rule.id for rule in template.rules if rule.scope == "record"} == set(rules)


def test_plain_values_are_expected_to_be_clean(book: TemplateBook, messages: list[Planned]) -> None:
    """No event without a fault is expected to have a finding."""
    plain = [m for m in messages if m.fault is None]
    assert len(plain) > 1_000
    for message in plain:
        template = book.get(message.event.project, message.event.stage)
        assert expected_findings(template, message.event.values) == ()


def test_faults_come_at_the_stated_rates(specimens: list[Specimen], messages: list[Planned]) -> None:
    """The number of each kind is its rate times the number of events, but for rounding."""
    events = sum(len(s.events) for s in specimens)
    counts = Counter(m.fault.kind for m in messages if m.fault is not None)
    assert set(counts) == set(RATES)
    for kind, rate in RATES.items():
        assert abs(counts[kind] - rate * events) < 1.0


def test_no_faults_without_scale(book: TemplateBook, specimens: list[Specimen]) -> None:
    """A scale of 0 sends every event, plain."""
    messages = plan(specimens, book, np.random.default_rng(3), scale=0.0)
    assert [m.fault for m in messages if m.fault] == []
    assert len(messages) == sum(len(s.events) for s in specimens)


def test_every_event_is_sent_and_only_repetitions_are_more(specimens: list[Specimen], messages: list[Planned]) -> None:
    """Nothing is dropped: each event of each specimen has one message of its own."""
    sent = Counter((m.event.institute, m.event.sample_id, m.event.stage) for m in messages if m.repeats is None)
    assert sent == Counter((e.institute, e.sample_id, e.stage) for s in specimens for e in s.events)


def test_a_repetition_follows_its_plain_original(messages: list[Planned]) -> None:
    """The original carries no fault of its own and goes out earlier, from the same producer."""
    order = {m.number: place for place, m in enumerate(messages)}
    by_number = {m.number: m for m in messages}
    repetitions = [m for m in messages if m.repeats is not None]
    assert repetitions
    for repetition in repetitions:
        assert repetition.repeats is not None
        original = by_number[repetition.repeats]
        assert original.fault is None
        assert original.event == repetition.event
        assert order[original.number] < order[repetition.number]
        assert repetition.fault is not None
        assert repetition.fault.status == "duplicate"


def test_children_precede_their_parents_only_where_planted(specimens: list[Specimen], messages: list[Planned]) -> None:
    """A process is sent after its composition and a property after its process, unless it is planted otherwise."""
    place = {
        (m.event.institute, m.event.sample_id, m.event.stage): (i, m)
        for i, m in enumerate(messages)
        if m.repeats is None
    }
    reversed_pairs = 0
    for s in specimens:
        for parent, child in ((s.composition, s.process), (s.process, s.measurement)):
            first = place[parent.institute, parent.sample_id, parent.stage]
            second = place[child.institute, child.sample_id, child.stage]
            planted = second[1].fault is not None and second[1].fault.kind == "child_before_parent"
            both = first[1].fault is not None and first[1].fault.kind == "child_before_parent"
            if not both:
                assert (second[0] < first[0]) == planted
                reversed_pairs += planted
    assert reversed_pairs > 10


def test_only_planted_events_are_late(messages: list[Planned]) -> None:
    """Late means more than 24 h, by a wide margin; everything else is well under."""
    for m in messages:
        late = m.fault is not None and m.fault.kind == "late"
        assert (m.event.age_seconds > 1.2 * DAY_SECONDS) == late
        assert late or m.event.age_seconds < 0.9 * DAY_SECONDS


def test_status_and_visibility_follow_from_the_findings(messages: list[Planned]) -> None:
    """A hard finding quarantines; without any finding no rule can see the fault."""
    faults = [m.fault for m in messages if m.fault is not None]
    assert {f.visible for f in faults if f.kind == "digit_slip"} == {True, False}
    for fault in faults:
        assert fault.visible == bool(fault.findings)
        if fault.kind in ("wrong_unit", "digit_slip", "missing_required"):
            assert fault.status == expected_status(fault.findings)
        if fault.leaves_hard_range:
            assert fault.status == "quarantined"


def test_a_gap_is_always_seen(messages: list[Planned]) -> None:
    """A required value that an experiment leaves out quarantines the event."""
    gaps_planted = [m for m in messages if m.fault is not None and m.fault.kind == "missing_required"]
    assert gaps_planted
    for m in gaps_planted:
        assert m.fault is not None
        assert m.fault.slip is not None
        assert Finding("required", m.fault.slip.field, "hard") in m.fault.findings


@pytest.mark.parametrize("variant", list(GARBLINGS))
def test_a_garbled_message_is_refused_with_its_rule(
    book: TemplateBook, specimens: list[Specimen], variant: str
) -> None:
    """The real decoder refuses each kind of garbling of every template's events, and names the expected rule."""
    encoder, decoder = FastavroEncoder(), FastavroDecoder(lambda: book)
    header = {
        "event_id": "e", "record_id": "e", "template_version": "1.0", "institute": "sim-metal-a", "producer": "p",
        "epoch": 1, "seq": 0, "event_time": 0, "sample_id": "시료-1", "origin": "experiment",
        "retracted": False, "historical": False,
    }  # fmt: skip
    for event in (e for s in (specimens[0], specimens[-1]) for e in s.events):
        message = encoder.encode(book.get(event.project, event.stage), header, event.values)
        decoded = decoder.decode([GARBLINGS[variant].garble(message)])[0]
        assert [issue.rule for issue in decoded.issues if issue.severity == "hard"] == [GARBLINGS[variant].rule]


def test_mistaken_units_are_those_of_the_templates(book: TemplateBook) -> None:
    """Every unit in the table is one that a simulated template uses."""
    used = {f.unit for t in book if t.key.project in LAWS for f in t.fields}
    assert set(MISTAKEN_UNITS) <= used


def test_a_composition_in_mass_percent_is_invisible_and_as_fraction_is_not(
    book: TemplateBook, specimens: list[Specimen]
) -> None:
    """Mass percent also add up to 100; fractions do not."""
    template = book.get("high_entropy_alloy", "composition")
    slips = {s.variant: s for s in wrong_units(template, specimens[0].composition.values)}
    mass, fraction = (slips[f"%{{at}} sent as {unit}"] for unit in ("%{mass}", "1"))
    assert expected_findings(template, mass.applied(specimens[0].composition.values)) == ()
    assert [f.rule for f in expected_findings(template, fraction.applied(specimens[0].composition.values))] == [
        "composition_sum"
    ]
