"""From specimen to raw lot: whose composition and process a measurement belongs to."""

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sojae.domain.lineage import MAX_STEPS, Ancestry, Found, Sample, combine, current, lots_of, parents_of, stage_of
from tests.builders import NOW, TOPIC_ID

Row = dict[str, Any]


def row(record: str = "r", place: int = 0, **given: object) -> Row:
    """Return a record; `place` is its place in the one order."""
    return {
        "institute": "kims",
        "record_id": record,
        "sample_id": "s",
        "event_id": f"{record}-{place}",
        "retracted": False,
        "parents": None,
        "ingest_time": NOW,
        "topic_id": TOPIC_ID,
        "partition": 0,
        "offset": place,
        **given,
    }


def events(rows: Sequence[Mapping[str, object]]) -> list[str]:
    return sorted(str(r["event_id"]) for r in rows)


def kims(*names: str) -> list[Sample]:
    return [Sample("kims", n) for n in names]


def test_the_last_statement_of_a_record_is_current() -> None:
    """By the one order, not by the order of arrival here."""
    assert events(current([row("a", 3), row("a", 1), row("b", 2)])) == ["a-3", "b-2"]


@pytest.mark.parametrize(
    "later",
    [{"ingest_time": NOW + dt.timedelta(microseconds=1)}, {"topic_id": "z"}, {"partition": 1}, {"offset": 6}],
)
def test_the_order_is_ingest_time_topic_partition_offset(later: Row) -> None:
    """Each of the four decides when those before it are equal, over those behind it."""
    names = ["ingest_time", "topic_id", "partition", "offset"]
    behind = names[names.index(next(iter(later))) + 1 :]
    early = row("a", 5) | {n: {"topic_id": "zz", "partition": 9, "offset": 99}[n] for n in behind}
    assert events(current([early | {"event_id": "early"}, row("a", 5) | later | {"event_id": "late"}])) == ["late"]


def test_a_retracted_record_is_not_current() -> None:
    """Nor does the statement before the retraction come back."""
    assert current([row("a", 1), row("a", 2, retracted=True)]) == []


def test_a_statement_after_a_retraction_is_current() -> None:
    """A record may be taken up again."""
    assert events(current([row("a", 1), row("a", 2, retracted=True), row("a", 3)])) == ["a-3"]


def test_records_of_two_institutes_are_two() -> None:
    """The same record_id elsewhere is another record: corrections reach only one's own."""
    assert events(current([row("a", 1), row("a", 2, institute="pnu")])) == ["a-1", "a-2"]


def test_the_latest_record_of_a_sample_counts_and_several_are_noted() -> None:
    """A sample that was measured twice has two records, and one composition."""
    stage = stage_of([row("b", 2, sample_id="s"), row("a", 1, sample_id="s"), row("c", 3, sample_id="t")])
    assert stage.by_sample[Sample("kims", "s")]["record_id"] == "b"
    assert stage.several == {Sample("kims", "s")}


def test_parents_come_from_any_record_of_a_sample() -> None:
    """Each once, in order of first mention; `@` names another institute's."""
    rows = [
        row(parents=["p", "@pnu/q"]),
        row(parents=["q", "p"]),
        row(sample_id="t", institute="pnu", parents=["p"]),
        row(),
    ]
    assert parents_of(rows) == {
        Sample("kims", "s"): [Sample("kims", "p"), Sample("pnu", "q"), Sample("kims", "q")],
        Sample("pnu", "t"): [Sample("pnu", "p")],
    }


def find(start: str, tree: dict[str, list[str]], having: list[str]) -> tuple[str | None, int, str | None]:
    """Return which sample's record was found, how far, and the finding."""
    stage = stage_of([row(name, n, sample_id=name) for n, name in enumerate(having)])
    parents = {Sample("kims", s): kims(*ps) for s, ps in tree.items()}
    sample = Sample("kims", start)
    found = Ancestry([sample], lambda s: parents.get(s, [])).nearest(stage)[sample]
    return (found.row and found.row["sample_id"], found.steps, found.finding)  # type: ignore[return-value]  # texts by construction


def test_a_sample_s_own_record_comes_first() -> None:
    """Whatever its parents have."""
    assert find("s", {"s": ["p"]}, ["s", "p"]) == ("s", 0, None)


def test_the_nearest_ancestor_s_record_comes_next() -> None:
    """Fewest steps, not first mentioned."""
    tree = {"s": ["a", "b"], "a": ["far"], "b": []}
    assert find("s", tree, ["b", "far"]) == ("b", 1, None)
    assert find("s", tree, ["far"]) == ("far", 2, None)


def test_without_a_record_nothing_is_found() -> None:
    """And nothing is odd about that."""
    assert find("s", {"s": ["p"]}, []) == find("s", {}, ["p"]) == (None, 0, None)


def test_two_ancestors_at_one_distance_are_a_tie() -> None:
    """Neither is taken."""
    assert find("s", {"s": ["a", "b"]}, ["a", "b"]) == (None, 1, "tie")


def test_one_ancestor_by_two_ways_is_no_tie() -> None:
    """It is one sample."""
    assert find("s", {"s": ["a", "b"], "a": ["p"], "b": ["p"]}, ["p"]) == ("p", 2, None)
    assert find("s", {"s": ["p", "p"]}, ["p"]) == ("p", 1, None)


@pytest.mark.parametrize("tree", [{"s": ["s"]}, {"s": ["a"], "a": ["s"]}, {"s": ["a"], "a": ["b"], "b": ["a"]}])
def test_a_cycle_is_found_and_ends(tree: dict[str, list[str]]) -> None:
    """A sample that is its own ancestor, or whose ancestor is."""
    assert find("s", tree, ["elsewhere"]) == (None, 0, "cycle")


def test_a_sample_that_is_its_own_ancestor_gets_nothing() -> None:
    """Not even from an ancestor that stands beside it in the cycle: which made which is not known."""
    assert find("s", {"s": ["a"], "a": ["s", "b"]}, ["b"]) == (None, 0, "cycle")


def test_an_ancestor_by_a_short_and_a_long_way_is_no_cycle() -> None:
    """A parent may be a grandparent too."""
    assert find("s", {"s": ["a", "b"], "b": ["a"]}, ["elsewhere"]) == (None, 0, None)


@pytest.mark.parametrize(("steps", "expected"), [(16, ("p16", 16, None)), (17, (None, 0, "too_far"))])
def test_sixteen_steps_are_followed(steps: int, expected: tuple[str | None, int, str | None]) -> None:
    """More would not be one material any more."""
    assert MAX_STEPS == 16
    tree = {"s": ["p1"]} | {f"p{n}": [f"p{n + 1}"] for n in range(1, steps)}
    assert find("s", tree, [f"p{steps}"]) == expected


def test_a_sample_on_a_cycle_gets_nothing_from_a_nearer_ancestor() -> None:
    """However long the cycle: which of its samples made which is not known."""
    assert find("s", {"s": ["a", "b"], "b": ["c"], "c": ["s"]}, ["a"]) == (None, 0, "cycle")
    assert find("s", {"s": ["a", "b"], "b": ["c"], "c": ["b"]}, ["a"]) == ("a", 1, None)


def test_many_ancestors_by_many_ways_take_time_in_proportion() -> None:
    """1,200 samples, each a child of the 256 before it, with a record of none: every way is looked at once."""
    asked: list[Sample] = []
    names = kims(*(f"p{n:04d}" for n in range(1_200)))
    above = {name: names[max(0, n - 256) : n] for n, name in enumerate(names)}

    def parents(sample: Sample) -> list[Sample]:
        asked.append(sample)
        return above[sample]

    ancestry = Ancestry(names, parents)
    began = time.process_time()
    found = [ancestry.nearest(stage_of([row(sample_id=having)])) for having in ("elsewhere", "p0000", "p1199")]
    assert time.process_time() - began < 5.0
    assert len(asked) == len(names)
    assert set(map(str, (f.finding for f in found[0].values()))) == {"None"}
    assert [found[1][names[n]].steps for n in (0, 1, 256, 257, 1_199)] == [0, 1, 1, 2, 5]
    assert [s for s, f in found[2].items() if f.row] == [names[-1]]


NAMES = ["s", *"abcde"]


@examples(max_examples=80, deadline=None)
@given(
    st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=3)),
    st.sets(st.sampled_from(NAMES)),
)
def test_nearest_agrees_with_distances(tree: dict[str, list[str]], having: set[str]) -> None:
    """A record is found exactly when one sample alone is nearest, and no cycle was met before it."""
    distance, level, steps = {"s": 0}, ["s"], 0
    while level:
        steps += 1
        level = [p for s in level for p in tree.get(s, []) if p not in distance]
        distance |= dict.fromkeys(level, steps)
    reached = sorted(distance[n] for n in having if n in distance)
    name, found_steps, finding = find("s", tree, sorted(having))
    if name is not None:
        assert (name in having, distance[name], reached[0]) == (True, found_steps, found_steps)
        assert reached.count(found_steps) == 1
    elif finding == "tie":
        assert reached.count(reached[0]) > 1
    elif finding is None:
        assert reached == []
    else:
        assert finding == "cycle"
        assert _has_cycle(tree)


def _has_cycle(tree: dict[str, list[str]]) -> bool:
    reach = {n: set(tree.get(n, [])) for n in NAMES}
    for _ in NAMES:
        reach = {n: r.union(*(reach[m] for m in r)) for n, r in reach.items()}
    return any(n in r for n, r in reach.items())


def test_found_is_empty_by_default() -> None:
    """No row, no step, no finding."""
    assert Found() == Found(None, 0, None)


FIELDS = {"d50": True, "grade": False}


def test_lots_are_combined_by_amount() -> None:
    """Numbers as the weighted mean, texts from the largest lot."""
    lots = [({"d50": 1.0, "grade": "a"}, 25.0), ({"d50": 3.0, "grade": "b"}, 75.0)]
    assert combine(lots, FIELDS) == {"d50": 2.5, "grade": "b"}


def test_a_lot_without_a_value_does_not_count_for_it() -> None:
    """Its amount is not in the denominator either."""
    lots: list[tuple[Row, float]] = [
        ({"d50": None, "grade": None}, 90.0),
        ({"d50": 3.0, "grade": "b"}, 10.0),
        ({}, 50.0),
    ]
    assert combine(lots, FIELDS) == {"d50": 3.0, "grade": "b"}
    assert combine([({}, 1.0)], FIELDS) == {"d50": None, "grade": None}


def composition(lots: object, **amounts: float) -> Row:
    return {**row(lots=lots), **amounts}


def amount_of(of: Any, component: str) -> float | None:
    value = of.get(component)
    return value if isinstance(value, float) else None


def test_a_composition_names_its_lots() -> None:
    """With the amount of the component that each gave; one lot may give several."""
    one = composition([("nio", "lot-1"), ("bczyyb", "lot-2"), ("starch", "lot-1")], nio=50.0, bczyyb=30.0, starch=20.0)
    assert lots_of(one, amount_of) == [(Sample("kims", "lot-1"), 70.0), (Sample("kims", "lot-2"), 30.0)]


def test_a_lot_may_be_another_institute_s() -> None:
    """A supplier's, for instance."""
    assert lots_of(composition([("nio", "@pnu/lot-1")], nio=50.0), amount_of) == [(Sample("pnu", "lot-1"), 50.0)]


def test_an_unknown_amount_counts_as_nothing_beside_known_ones() -> None:
    """And as one where none is known, or all are zero."""
    lots = [("nio", "lot-1"), ("starch", "lot-2")]
    assert [a for _, a in lots_of(composition(lots, nio=50.0), amount_of)] == [50.0, 0.0]
    assert [a for _, a in lots_of(composition(lots), amount_of)] == [1.0, 1.0]
    assert [a for _, a in lots_of(composition(lots, nio=0.0), amount_of)] == [1.0, 1.0]


@pytest.mark.parametrize("lots", [None, []])
def test_a_composition_may_name_none(lots: object) -> None:
    """Then the raw material is found by the parents."""
    assert lots_of(composition(lots), amount_of) == []
