"""Faults planted among events at stated rates, each with what it must get; an event has at most one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sojae.adapters.template_files import TemplateBook
from sojae.domain.template import Template
from sojae_simulator.expectations import Finding, Status, expected_findings, expected_status
from sojae_simulator.garbling import GARBLINGS
from sojae_simulator.slips import Slip, digit_slips, gaps, wrong_units
from sojae_simulator.specimen import Event, Specimen

FaultKind = Literal[
    "wrong_unit", "digit_slip", "missing_required", "repeated_message", "late", "child_before_parent", "undecodable"
]
RATES: Mapping[FaultKind, float] = {
    "wrong_unit": 0.01,
    "digit_slip": 0.01,
    "missing_required": 0.01,
    "repeated_message": 0.02,
    "late": 0.02,
    "child_before_parent": 0.02,
    "undecodable": 0.005,
}
"""Planted faults of each kind per event sent."""

LATE_HOURS = (30.0, 240.0)
"""By how much a late event is late; the rule looks from 24 h on."""
REPEAT_SLOTS = (1.0, 10.0)
"""How many specimens later the same bytes come again."""
BEFORE_PARENT_SLOTS = 0.8
"""How many specimens before its parent a child is sent."""

SLIPS: Mapping[FaultKind, Callable[[Template, Mapping[str, object]], list[Slip]]] = {
    "wrong_unit": wrong_units,
    "digit_slip": digit_slips,
    "missing_required": gaps,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted fault: what was done, and the status and the findings that the message must get."""

    kind: FaultKind
    variant: str
    status: Status
    findings: tuple[Finding, ...] = ()
    slip: Slip | None = None

    @property
    def visible(self) -> bool:
        """Whether some rule can see it."""
        return bool(self.findings)

    @property
    def leaves_hard_range(self) -> bool:
        """Whether it takes a number out of what is possible: such a fault must always be seen."""
        return any(finding.rule == "hard_range" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Planned:
    """One message to send: an event, and the fault in it, if any; messages go out by slot.

    `number` names it within its plan. `repeats` is the number of the message whose bytes are sent again.
    """

    number: int
    event: Event
    slot: float
    fault: Fault | None = None
    repeats: int | None = None


def plan(
    specimens: Sequence[Specimen], book: TemplateBook, rng: np.random.Generator, *, scale: float = 1.0
) -> list[Planned]:
    """Return the messages of the specimens in the order of sending, with faults at `RATES` times `scale`.

    Counts are the rates times the number of events, rounded up or down at random. Repeated messages are additional.
    """
    events = [event for specimen in specimens for event in specimen.events]
    parents = {id(s.process): s.composition for s in specimens} | {id(s.measurement): s.process for s in specimens}
    messages = [Planned(number, event, event.slot) for number, event in enumerate(events)]
    untouched = [int(i) for i in rng.permutation(len(events))]
    for kind, rate in RATES.items():
        wanted = int(rate * scale * len(events) + rng.random())
        for _ in range(wanted):
            # From the end, where taking one out of a long list costs nothing.
            place = next(
                (i for i in reversed(range(len(untouched))) if _can(kind, events[untouched[i]], parents, book)), None
            )
            if place is None:
                break
            messages += _plant(kind, messages, untouched.pop(place), book, rng, parents)
    return sorted(messages, key=lambda message: (message.slot, message.number))


def _can(kind: FaultKind, event: Event, parents: Mapping[int, Event], book: TemplateBook) -> bool:
    if kind == "child_before_parent":
        return id(event) in parents
    return kind not in SLIPS or bool(SLIPS[kind](book.get(event.project, event.stage), event.values))


def _plant(
    kind: FaultKind,
    messages: list[Planned],
    number: int,
    book: TemplateBook,
    rng: np.random.Generator,
    parents: Mapping[int, Event],
) -> list[Planned]:
    """Put a fault into message `number`, in place, and return the additional messages that it takes."""
    message = messages[number]
    event = message.event
    if kind in SLIPS:
        messages[number] = _slipped(kind, message, book, rng)
    elif kind == "late":
        hours = float(rng.uniform(*LATE_HOURS))
        fault = Fault(kind, f"{hours:.0f} h", "accepted", (Finding("event_time_late", "header.event_time", "warn"),))
        messages[number] = replace(message, event=replace(event, age_seconds=3600.0 * hours), fault=fault)
    elif kind == "child_before_parent":
        fault = Fault(kind, f"{event.stage} first", "accepted")
        messages[number] = replace(message, slot=parents[id(event)].slot - BEFORE_PARENT_SLOTS, fault=fault)
    elif kind == "undecodable":
        variant = str(rng.choice(list(GARBLINGS)))
        finding = Finding(GARBLINGS[variant].rule, None, "hard")
        messages[number] = replace(message, fault=Fault(kind, variant, "quarantined", (finding,)))
    else:
        again = Fault(kind, "same bytes", "duplicate", (Finding("repeated_message", "header.seq", "info"),))
        slot = message.slot + float(rng.uniform(*REPEAT_SLOTS))
        return [Planned(len(messages), event, slot, again, repeats=number)]
    return []


def _slipped(kind: FaultKind, message: Planned, book: TemplateBook, rng: np.random.Generator) -> Planned:
    template = book.get(message.event.project, message.event.stage)
    slips = SLIPS[kind](template, message.event.values)
    fields = sorted({slip.field for slip in slips})
    field = fields[int(rng.integers(len(fields)))]
    of_field = [slip for slip in slips if slip.field == field]
    slip = of_field[int(rng.integers(len(of_field)))]
    values = slip.applied(message.event.values)
    findings = expected_findings(template, values)
    fault = Fault(kind, slip.variant, expected_status(findings), findings, slip)
    return replace(message, event=replace(message.event, values=values), fault=fault)
