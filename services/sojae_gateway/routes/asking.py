"""What every route asks first: who asks, of which host, with which parameters."""

import time
from typing import Any

from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from sojae.domain.text import Text
from sojae_gateway.access import LOCAL_OPERATOR, Principal
from sojae_gateway.parts import Parts
from sojae_gateway.refusal import Refused, shorten

LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)

Connection = ASGIConnection[Any, Any, Any, Any]


async def provide_parts(state: State) -> Parts:
    """Return the parts that the composition root has put into the application's state."""
    parts: Parts = state.parts
    return parts


async def provide_principal() -> Principal:
    """Return who asks: until there are API keys, everybody who reaches 127.0.0.1 is the operator of this machine."""
    return LOCAL_OPERATOR


def local_host(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Refuse a request for another host: a web page that renames its own host to 127.0.0.1 must not read from here."""
    connection.scope["state"]["began"] = time.perf_counter()
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
    known = {name for name in handler.parsed_fn_signature.parameters if name not in RESERVED}
    for name in connection.query_params:
        if name not in known:
            expected = ", ".join(sorted(known - set(connection.path_params))) or "–"
            text = Text(
                ko=f"{shorten(name)}: 없는 매개변수입니다. 있는 것: {expected}",
                en=f"{shorten(name)}: no such query parameter; this route has {expected}",
            )
            raise Refused("unknown_parameter", text, field=shorten(name), expected=expected)


RESERVED = frozenset({"scope", "receive", "send", "parts", "principal", "request", "data", "state", "body"})


async def finish(message: Message, scope: Scope) -> None:
    """Add the security headers to every answer, and count it."""
    if message["type"] != "http.response.start" or scope["type"] != "http":
        return
    headers = list(message.get("headers", ()))
    present = {name for name, _ in headers}
    message["headers"] = [*headers, *(h for h in SECURITY_HEADERS if h[0] not in present)]
    parts: Parts = scope["litestar_app"].state.parts
    began = scope["state"].get("began")
    seconds = 0.0 if began is None else time.perf_counter() - began
    parts.metrics.answered(scope.get("path_template") or "none", message["status"], seconds)


def tail(scope: Scope, prefix: str) -> str:
    """Return the rest of the path after a prefix, as the caller wrote it: ids hold slashes, even doubled ones."""
    raise NotImplementedError
