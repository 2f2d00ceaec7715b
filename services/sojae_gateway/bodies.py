"""Request bodies: read within limits, decoded into their types, and refused with the place of what is wrong."""

import asyncio
import re
from typing import Any, TypeVar, cast

import msgspec
from litestar.types import Receive

from sojae.domain.text import Text
from sojae_gateway.refusal import Refused, not_json, shorten

BODY_SECONDS = 10.0
NAMED_BYTES = 100_000
NAMED_KEYS = 50
"""Where the document and the map are no larger, the key of a map that is wrong is looked for."""
UNNAMED = "..."
"""How msgspec writes the key of a map in a path: it does not tell which."""

_SEGMENT = re.compile(r"\.([^.\[\]]+)|\[([^\]]+)\]")

T = TypeVar("T")


async def read_body(receive: Receive, max_bytes: int) -> bytes:
    """Return the whole body; raises Refused when it is too large or does not come within 10 s."""
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                chunk = cast("bytes", message.get("body", b""))
                size += len(chunk)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                chunks.append(chunk)
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError as error:
        text = Text(
            ko=f"본문이 {BODY_SECONDS:.0f}초 안에 오지 않았습니다",
            en=f"the body did not come within {BODY_SECONDS:.0f} s",
        )
        raise Refused("slow_request", text) from error


def decode_body(body: bytes, decoder: "msgspec.json.Decoder[T]") -> T:
    """Return what a body says; raises Refused where it is no JSON or has the wrong form, RecursionError where it is too deep."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        why, _, path = str(error).partition(" - at `$")
        path = path.rstrip("`")
        field = _place(msgspec.json.decode(body), decoder.type, path) if len(body) <= NAMED_BYTES else path[1:]
        shown = f"{field}: " if field else ""
        text = Text(
            ko=f"요청의 형식이 잘못되었습니다. {shown}{why}", en=f"the request has the wrong form: {shown}{why}"
        )
        raise Refused("request_shape", text, field=field or None) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_json(str(error)) from error


def _place(document: Any, kind: Any, path: str) -> str:
    """Return a path with the keys of maps in the place of `[...]`, as far as they are found."""
    place, here = "", document
    for name, key in _SEGMENT.findall(path):
        if key == UNNAMED:
            found = _culprit(document, kind, here, path)
            if found is None:
                break
            place, here = f"{place}.{shorten(found)}", here[found]
        else:
            place = f"{place}.{name}" if name else f"{place}[{key}]"
            here = here.get(name) if name else here[int(key)]
    return place.removeprefix(".")


def _culprit(document: Any, kind: Any, here: dict[str, Any], path: str) -> str | None:
    """Return the key of a map that makes the document wrong at this path; `here` is a map inside it, put back as it was."""
    whole = dict(here)
    for key, value in list(whole.items())[:NAMED_KEYS]:
        here.clear()
        here[key] = value
        try:
            msgspec.convert(document, kind)
        except msgspec.ValidationError as error:
            # Something else may be wrong too, in another place.
            if str(error).endswith(f" - at `${path}`"):
                here.clear()
                here.update(whole)
                return key
    here.update(whole)
    return None


def _too_large(max_bytes: int) -> Refused:
    text = Text(
        ko=f"본문이 {max_bytes} 바이트보다 큽니다. 나누어 보내십시오",
        en=f"the body is larger than {max_bytes} bytes; send it in parts",
    )
    return Refused("body_too_large", text, got=f"> {max_bytes}", expected=f"≤ {max_bytes} bytes")
