"""What every route asks first: who asks, of which host, with which parameters."""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromQuery
from litestar.types import Message, Scope

from sojae.domain.text import Text
from sojae_gateway.access import Principal
from sojae_gateway.parts import Parts
from sojae_gateway.reads import Reads
from sojae_gateway.refusal import Refused, refused_value, shorten

READS = frozenset({"GET", "HEAD"})
ANSWERS = "answers"
"""Marks, in a route's `opt`, a POST that only answers a question: it changes nothing, so it is open where reads are."""
TAKES_ANY = "takes_any"
"""Marks, in a route's `opt`, a call of somebody else's protocol: its clients send parameters that play no part here."""
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
VERSION_HEADER = b"sojae-store-version"
"""Says which version of `events` an answer is of."""
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)

DEFAULT_PAGE_ROWS = 100
RESERVED = frozenset({"scope", "receive", "send", "parts", "principal", "reads", "page", "request", "body"})
"""Names in the signatures of handlers that are no query parameters."""

Connection = ASGIConnection[Any, Any, Any, Any]


async def provide_parts(state: State) -> Parts:
    """Return the parts that the composition root has put into the application's state."""
    parts: Parts = state.parts
    return parts


TheParts = NamedDependency[Parts]
TheReads = NamedDependency[Reads]
WhoAsks = NamedDependency[Principal]


@dataclass(frozen=True, slots=True)
class Page:
    """Which page is asked for: behind which cursor, and of how many rows."""

    cursor: str | None
    limit: int


ThePage = NamedDependency[Page]


async def provide_page(
    parts: TheParts, cursor: FromQuery[str | None] = None, limit: FromQuery[int] = DEFAULT_PAGE_ROWS
) -> Page:
    """Return the page asked for; raises Refused when it is larger than pages may be."""
    most = parts.settings.max_page_rows
    if not 1 <= limit <= most:
        raise refused_value("limit", "limit", limit, f"1 to {most}")
    return Page(cursor, limit)


async def provide_reads(parts: TheParts, principal: WhoAsks) -> Reads:
    """Return the row reads of whoever asks."""
    return parts.reads(principal)


async def provide_principal(parts: TheParts) -> Principal:
    """Return who asks: until there are API keys, one principal for all."""
    return parts.principal


def reached_rightly(connection: Connection, handler: BaseRouteHandler) -> None:
    """Refuse what whoever reaches the gateway this way may not do.

    Open to the network, it reads and predicts, and does nothing else. Else a request for another host is refused: a web
    page that renames its own host to 127.0.0.1 must not read from here.
    """
    connection.scope["state"]["began"] = time.perf_counter()
    if connection.app.state.parts.settings.open:
        _only_answers(connection, handler)
    else:
        _local_host(connection)


def _only_answers(connection: Connection, handler: BaseRouteHandler) -> None:
    method = connection.scope.get("method", "")
    if method not in READS and not handler.opt.get(ANSWERS, False):
        text = Text(
            ko="이 게이트웨이는 읽기와 예측만 합니다(SOJAE_GATEWAY__OPEN)",
            en="this gateway reads and predicts, and does nothing else (SOJAE_GATEWAY__OPEN)",
        )
        raise Refused("read_only", text, got=shorten(str(method)), expected=", ".join(sorted(READS)))


def _local_host(connection: Connection) -> None:
    host = connection.headers.get("host", "")
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    if name.lower() not in LOCAL_HOSTS:
        text = Text(
            ko="이 게이트웨이는 이 컴퓨터에서만 씁니다. http://127.0.0.1 로 부르십시오",
            en="this gateway serves this machine only; call it as http://127.0.0.1",
        )
        raise Refused("foreign_host", text, field="Host", got=shorten(host), expected=", ".join(sorted(LOCAL_HOSTS)))


def known_parameters(connection: Connection, handler: BaseRouteHandler) -> None:
    """Refuse a query parameter that the route does not have: ignored, it would give the wrong rows without a word."""
    if handler.opt.get(TAKES_ANY, False):
        return
    known = set(handler.parsed_fn_signature.parameters)
    if "page" in known:
        known |= {"cursor", "limit"}
    known -= RESERVED
    for name in connection.query_params:
        if name not in known:
            expected = ", ".join(sorted(known - set(connection.path_params))) or "–"
            text = Text(
                ko=f"{shorten(name)}: 없는 매개변수입니다. 있는 것: {expected}",
                en=f"{shorten(name)}: no such query parameter; this route has {expected}",
            )
            raise Refused("unknown_parameter", text, field=shorten(name), expected=expected)


async def finish(message: Message, scope: Scope) -> None:
    """Add to every answer the security headers and, where it has none, the version of the index; and count it."""
    if message["type"] != "http.response.start":
        return
    parts: Parts = scope["litestar_app"].state.parts
    headers = list(message.get("headers", ()))
    version = parts.progress.followed.version
    if version is not None and all(name != VERSION_HEADER for name, _ in headers):
        headers.append((VERSION_HEADER, str(version).encode()))
    message["headers"] = [*headers, *SECURITY_HEADERS]
    began = scope["state"].get("began")
    seconds = 0.0 if began is None else time.perf_counter() - began
    parts.metrics.answered(scope.get("path_template") or "none", message["status"], seconds)


def tail(scope: Scope, prefix: str, parameter: str) -> str:
    """Return the rest of the path behind a prefix as the caller wrote it: ids may hold slashes, even doubled ones.

    `parameter` is what routing made of it, for callers whose path does not begin with the prefix.
    """
    raw = (scope.get("raw_path") or b"").partition(b"?")[0].decode("latin-1")
    return unquote(raw.removeprefix(prefix)) if raw.startswith(prefix) else parameter.removeprefix("/")
