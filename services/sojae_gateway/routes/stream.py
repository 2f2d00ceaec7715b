"""What plants say, as it comes: server-sent events."""

from typing import Any, get_args

from litestar import Request, get
from litestar.params import FromQuery

from sojae_gateway.parts import today
from sojae_gateway.plant_messages import Kind
from sojae_gateway.refusal import refused_value
from sojae_gateway.routes.asking import TheParts, WhoAsks
from sojae_gateway.streams import EventStream

KINDS: frozenset[Kind] = frozenset(get_args(Kind))


@get("/v1/stream", tags=["plants"], sync_to_thread=False)
def stream(
    request: Request[Any, Any, Any],
    parts: TheParts,
    principal: WhoAsks,
    plant: FromQuery[str | None] = None,
    kind: FromQuery[list[str] | None] = None,
) -> EventStream:
    """Stream what plants say (server-sent events): all, or of one `plant` and some kinds; `Last-Event-ID` goes on behind an event."""
    wrong = [one for one in kind or () if one not in KINDS]
    if wrong:
        raise refused_value("kind", "kind", wrong[0], ", ".join(sorted(KINDS)))
    seen = {found.plant for found in parts.plants.seen_by(principal, today())}
    if plant is not None:
        seen = {parts.plants.one(plant, principal, today()).plant}
    kinds = KINDS if kind is None else KINDS & frozenset(kind)
    return parts.streams.open(frozenset(seen), kinds, request.headers.get("last-event-id"))


HANDLERS = [stream]
