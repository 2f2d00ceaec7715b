"""Ids of the stream: what is written is read, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojae_gateway.stream_places import Places, PlacesText, TopicKey, TopicPlace, read_places, tag_of

offsets = st.dictionaries(st.integers(0, 63), st.integers(1, 10**15), max_size=4)
topics = st.dictionaries(
    st.builds(TopicKey, st.sampled_from(["line-1", "k2"]), st.sampled_from(["f", "o", "a"])),
    st.builds(TopicPlace, st.sampled_from(["0a1b2c", "ffffff"]), offsets),
)


@given(topics)
def test_an_id_says_where_one_is(places: dict[TopicKey, TopicPlace]) -> None:
    """Plants, topics and offsets come back as they were."""
    written = Places(frozenset({"line-1", "k2", "empty"}), places)
    assert read_places(str(PlacesText(written))) == written


def test_an_id_is_short_and_plain() -> None:
    """A partition of which nothing has come is left out: it begins at 0."""
    key = TopicKey("line-1", "f")
    text = PlacesText(Places(frozenset({"line-1", "b"}), {key: TopicPlace("3fa21c", {2: 99, 0: 123, 1: 0})}))
    assert str(text) == "b:;line-1:f3fa21c.0-123.2-99"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "line-1",
        "line-1:x000000.0-1",
        "line-1:f00.0-1",
        "line-1:f000000.0",
        "line-1:f000000.0--1",
        "a:" * 40_000,
    ],
)
def test_what_is_no_id_is_not_guessed(text: str) -> None:
    """Neither a number of another server nor a damaged id is taken for a place."""
    assert read_places(text) is None


def test_a_topic_is_told_from_an_earlier_one() -> None:
    """By six digits of its id."""
    assert tag_of("a") != tag_of("b")
    assert len(tag_of("a")) == 6
