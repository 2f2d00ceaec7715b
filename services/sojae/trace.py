"""W3C trace context of messages: one trace a run, one span a message, so that its way can be followed in logs and store."""

import os
import re

from sojae.topics import HEADER_TEMPLATE, HEADER_TRACEPARENT

TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""Version 00 of https://www.w3.org/TR/trace-context/#traceparent-header."""
SAMPLED = "01"


class Trace:
    """The trace of one run: of its own, or the one of whoever started it."""

    def __init__(self, parent: str | None = None) -> None:
        """Go on with the trace of `parent`, a traceparent; without one, or with one that is none, begin a trace."""
        given = TRACEPARENT.fullmatch(parent or "")
        self.id = os.urandom(16).hex() if given is None else given[1]

    def next(self) -> str:
        """Return a traceparent with a span of its own."""
        return f"00-{self.id}-{os.urandom(8).hex()}-{SAMPLED}"

    def headers(self, template: object) -> dict[str, bytes]:
        """Return the Kafka headers of a message: its template, `<project>/<stage>/<version>`, and its traceparent."""
        return {HEADER_TEMPLATE: str(template).encode(), HEADER_TRACEPARENT: self.next().encode()}
