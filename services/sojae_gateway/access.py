"""Who may see what: the one function through which every read path goes."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from sojae.domain.disclosure import ANYBODY, CONSORTIUM, FIRM, PARTICIPANT, level_of, shown_from
from sojae.domain.issue import Status

Sight = Literal["nothing", "metadata", "everything"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: an account bound to an institute, with what it has been admitted to."""

    name: str
    institute: str | None = None
    operator: bool = False
    consortia: frozenset[str] = frozenset()
    participant: bool = False
    registered_firm: bool = False


LOCAL_OPERATOR = Principal("local operator", operator=True)
"""Until there are API keys, whoever reaches 127.0.0.1 is the operator of this machine and sees all."""

PUBLIC = Principal("anybody")
"""Whoever reaches a gateway that is open to the network, from this machine too: the foot of the disclosure ladder."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked for: one stored event. Without a disclosure level it is its owner's only."""

    owner: str
    status: Status
    project: str | None = None
    disclosure: str | None = None
    embargo_until: dt.date | None = None


def visible(principal: Principal, subject: Subject, today: dt.date) -> Sight:
    """Return how much of a stored event a principal may see on a day (UTC).

    The owner and the operator see everything. Others see accepted events only, from the rung of the ladder on which they
    stand: L4 shows its metadata to anybody, and until the day of the embargo nobody else sees more than metadata.
    """
    if principal.operator or principal.institute == subject.owner:
        return "everything"
    rung = _rung(principal, subject.project)
    if subject.status != "accepted" or not shown_from(subject.disclosure, rung):
        return "nothing"
    embargoed = subject.embargo_until is not None and today < subject.embargo_until
    only_metadata_is_public = level_of(subject.disclosure) == ANYBODY and rung == ANYBODY
    return "metadata" if embargoed or only_metadata_is_public else "everything"


def _rung(principal: Principal, project: str | None) -> int:
    """Return the lowest disclosure level of others' events that a principal may see."""
    if project in principal.consortia:
        return CONSORTIUM
    if principal.participant:
        return PARTICIPANT
    return FIRM if principal.registered_firm else ANYBODY
