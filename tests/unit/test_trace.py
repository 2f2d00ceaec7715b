"""W3C trace context: one trace a run, a span a message."""

import pytest

from sojae.topics import HEADER_TEMPLATE, HEADER_TRACEPARENT
from sojae.trace import TRACEPARENT, Trace

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_messages_of_a_run_share_a_trace_and_no_span() -> None:
    """Two runs share nothing."""
    trace = Trace()
    first, second = (TRACEPARENT.fullmatch(trace.next()) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first[1] == second[1] == trace.id
    assert first[0] != second[0]
    assert Trace().id != trace.id


def test_a_trace_that_was_begun_is_gone_on_with() -> None:
    """Its span is the parent, never our own."""
    trace = Trace(GIVEN)
    assert trace.id == "0af7651916cd43dd8448eb211c80319c"
    assert trace.next() != GIVEN


@pytest.mark.parametrize(
    "given",
    [None, "", "nonsense", GIVEN.upper(), f"{GIVEN}-x", GIVEN.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32)],
)
def test_what_is_no_traceparent_begins_a_trace(given: str | None) -> None:
    """Nobody's run fails for it."""
    assert TRACEPARENT.fullmatch(Trace(given).next()) is not None
    assert Trace(given).id not in (given or "")


def test_a_message_bears_its_template_and_its_traceparent() -> None:
    """Both are kept with it in the store."""
    headers = Trace(GIVEN).headers("p/property/1.0")
    assert set(headers) == {HEADER_TEMPLATE, HEADER_TRACEPARENT}
    assert headers[HEADER_TEMPLATE] == b"p/property/1.0"
    assert TRACEPARENT.fullmatch(headers[HEADER_TRACEPARENT].decode()) is not None
