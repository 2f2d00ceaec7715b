"""The one function of access: the ladder of disclosure, the embargo, and whose data they are."""

import datetime as dt

import pytest

from sojae_gateway.access import LOCAL_OPERATOR, Principal, Sight, Subject, visible

TODAY = dt.date(2026, 11, 2)
STRANGER = Principal("stranger", institute="elsewhere")
FIRM = Principal("firm", institute="elsewhere", registered_firm=True)
PARTICIPANT = Principal("participant", institute="kist", participant=True)
PARTNER = Principal("partner", institute="kist", participant=True, consortia=frozenset({"high_entropy_alloy"}))
LADDER = [STRANGER, FIRM, PARTICIPANT, PARTNER]


def subject(disclosure: str | None, **given: object) -> Subject:
    return Subject(
        **{"owner": "kims", "status": "accepted", "project": "high_entropy_alloy", "disclosure": disclosure, **given}
    )  # type: ignore[arg-type]  # named by the caller


@pytest.mark.parametrize(
    ("disclosure", "sights"),
    [
        (None, ["nothing", "nothing", "nothing", "nothing"]),
        ("L0", ["nothing", "nothing", "nothing", "nothing"]),
        ("L1", ["nothing", "nothing", "nothing", "everything"]),
        ("L2", ["nothing", "nothing", "everything", "everything"]),
        ("L3", ["nothing", "everything", "everything", "everything"]),
        ("L4", ["metadata", "everything", "everything", "everything"]),
        ("L5", ["everything", "everything", "everything", "everything"]),
        ("L9", ["nothing", "nothing", "nothing", "nothing"]),
    ],
)
def test_others_see_from_their_rung_of_the_ladder(disclosure: str | None, sights: list[Sight]) -> None:
    """Stranger, registered firm, participating institute and consortium partner see what each level opens to them."""
    assert [visible(p, subject(disclosure), TODAY) for p in LADDER] == sights


@pytest.mark.parametrize("disclosure", [None, "L0", "L3", "L5"])
@pytest.mark.parametrize("status", ["accepted", "quarantined", "duplicate"])
def test_owner_and_operator_see_everything(disclosure: str | None, status: str) -> None:
    """Neither level, status nor embargo hides data from its owner and from the operator of the machine."""
    told = subject(disclosure, status=status, embargo_until=TODAY + dt.timedelta(days=99))
    assert visible(Principal("owner", institute="kims"), told, TODAY) == "everything"
    assert visible(LOCAL_OPERATOR, told, TODAY) == "everything"


@pytest.mark.parametrize("status", ["quarantined", "duplicate"])
def test_what_was_not_accepted_is_its_owners_only(status: str) -> None:
    """A refused message says nothing that its institute stands by, whatever level it claims."""
    assert [visible(p, subject("L5", status=status), TODAY) for p in LADDER] == ["nothing"] * 4


def test_an_embargo_leaves_metadata_until_its_day() -> None:
    """Before the day others see metadata, from the day on everything; it opens nothing that the level closes."""
    tomorrow = TODAY + dt.timedelta(days=1)
    assert visible(PARTNER, subject("L1", embargo_until=tomorrow), TODAY) == "metadata"
    assert visible(PARTNER, subject("L1", embargo_until=TODAY), TODAY) == "everything"
    assert visible(STRANGER, subject("L1", embargo_until=tomorrow), TODAY) == "nothing"


def test_a_consortium_opens_its_own_project_only() -> None:
    """A partner in one project stands on the next rung in others."""
    assert visible(PARTNER, subject("L1", project="ceramic_electrode"), TODAY) == "nothing"
    assert visible(PARTNER, subject("L2", project="ceramic_electrode"), TODAY) == "everything"
