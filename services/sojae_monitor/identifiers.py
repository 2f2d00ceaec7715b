"""Ids that are a function of what they name: the same after every replay."""

import uuid

import msgspec

NAMESPACE = uuid.UUID("5a1c8f52-6f0e-5b7f-9d0b-9f1f0c1a6e11")
"""Drawn once; ids of this service are version 5 in it."""


def named_id(*parts: str | float | None) -> str:
    """Return the UUIDv5 of the parts in order; two different lists of parts never read as one."""
    return str(uuid.uuid5(NAMESPACE, msgspec.json.encode(parts).decode()))


def producer_name(institute: str, plant: str, topic_id: str) -> str:
    """Return `<institute>/monitor/<plant>/<8 hex of the telemetry topic id>`: a topic made anew is another producer."""
    return f"{institute}/monitor/{plant}/{uuid.uuid5(NAMESPACE, topic_id).hex[:8]}"


def sequence_number(offset: int, index: int) -> int:
    """Return the sequence number of the batch that message `offset` closed as its `index`-th; raises ValueError.

    Numbers grow with the log; holes are normal. More than 1,000 batches cannot be closed by one message.
    """
    if not 0 <= index < BATCHES_PER_MESSAGE:
        raise ValueError(f"batch {index} of message {offset}: expected 0 to {BATCHES_PER_MESSAGE - 1}")
    return offset * BATCHES_PER_MESSAGE + index


BATCHES_PER_MESSAGE = 1_000
