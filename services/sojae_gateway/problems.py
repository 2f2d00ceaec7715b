"""Problem documents (RFC 9457) and HTTP status codes: the only place that knows either."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    SerializationException,
    ValidationException,
)

from sojae.domain.errors import ModelError, SojaeError, StateError, StoreError, TemplateError, UserInputError
from sojae.domain.text import Language, Text
from sojae_gateway.refusal import Refused, not_json

log = logging.getLogger(__name__)

OK = 200
NOT_READY = 503
MEDIA_TYPE = "application/problem+json"
REGISTRY_PATH = "/registry"
REGISTRY_MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
_INTERNAL = 500

STATUS: Mapping[str, int] = {
    "not_json": 400,
    "too_deep": 400,
    "request_shape": 400,
    "unknown_parameter": 400,
    "cursor": 400,
    "read_only": 403,
    "unknown_route": 404,
    "unknown_project": 404,
    "unknown_template": 404,
    "unknown_record": 404,
    "unknown_event": 404,
    "unknown_plant": 404,
    "unknown_subject": 404,
    "unknown_version": 404,
    "unregistered_schema": 404,
    "method_not_allowed": 405,
    "slow_request": 408,
    "ambiguous_record": 409,
    "ambiguous_event": 409,
    "body_too_large": 413,
    "foreign_host": 421,
    "refused_value": 422,
    "internal": _INTERNAL,
    "store_unavailable": 503,
    "model_unavailable": 503,
    "no_model_yet": 503,
    "too_many_streams": 503,
}
"""Status by rule; a rule that is not named here finds fault with a value, and is answered with 422."""

TITLES: Mapping[int, str] = {
    400: "The request cannot be read",
    403: "Not open to the network",
    404: "Not found",
    405: "Method not allowed",
    408: "The request took too long",
    409: "The request is ambiguous",
    413: "The request is too large",
    421: "Another host was meant",
    422: "A value is refused",
    500: "Internal error",
    503: "Not available yet",
}
RETRY_SECONDS = {"no_model_yet": 15, "store_unavailable": 2, "model_unavailable": 5, "too_many_streams": 10}


REGISTRY_CODES: Mapping[str, int] = {
    "unknown_subject": 40401,
    "unknown_version": 40402,
    "unregistered_schema": 40403,
    "invalid_schema": 42201,
    "invalid_version": 42202,
    "published_by_file": 42205,
}
"""What clients of a schema registry know a rule by, with the status in the first three digits; others by their status."""


class RegistryProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What clients of a schema registry are told when something goes wrong."""

    error_code: int
    message: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem document: what was wrong where, what was got, what is expected, in Korean and English."""

    type: str
    title: str
    status: int
    detail: str
    rule: str
    ko: str
    en: str
    field: str | None = None
    got: str | None = None
    expected: str | None = None


def problem_of(error: Exception, language: Language = "en") -> Problem:
    """Return the problem document of any error; what is not ours is told as an internal error without its text."""
    refused = _refused(error)
    status = STATUS.get(refused.rule, STATUS["refused_value"])
    return Problem(
        type=f"urn:sojae:problem:{refused.rule}",
        title=TITLES[status],
        status=status,
        detail=refused.text[language],
        rule=refused.rule,
        ko=refused.text.ko,
        en=refused.text.en,
        field=refused.field,
        got=refused.got,
        expected=refused.expected,
    )


def language_of(request: Request[Any, Any, Any]) -> Language:
    """Return the language that the caller reads: Korean where it comes first, else English."""
    return "ko" if request.headers.get("accept-language", "").lower().startswith("ko") else "en"


def respond(request: Request[Any, Any, Any], error: Exception) -> Response[Problem] | Response[RegistryProblem]:
    """Return the answer to a request that failed."""
    problem = problem_of(error, language_of(request))
    if problem.status == _INTERNAL:
        log.error("a request to %s failed", request.scope["path"], exc_info=error)
    headers = dict(cast("Mapping[str, str]", getattr(error, "headers", None) or {}))
    if problem.rule in RETRY_SECONDS:
        headers["Retry-After"] = str(RETRY_SECONDS[problem.rule])
    path = request.scope["path"]
    if path == REGISTRY_PATH or path.startswith(f"{REGISTRY_PATH}/"):
        return _registry_answer(problem, headers)
    return Response(problem, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def _registry_answer(problem: Problem, headers: Mapping[str, str]) -> Response[RegistryProblem]:
    """Return a problem in the form that clients of a schema registry read."""
    code = REGISTRY_CODES.get(problem.rule, problem.status)
    return Response(
        RegistryProblem(error_code=code, message=problem.detail),
        status_code=int(str(code)[:3]),
        media_type=REGISTRY_MEDIA_TYPE,
        headers=dict(headers),
    )


Handler = Callable[[Request[Any, Any, Any], Any], Response[Any]]
HANDLERS: dict[int | type[Exception], Handler] = {Exception: respond, HTTPException: respond}


def _refused(error: Exception) -> Refused:
    """Return an error as a refusal with a rule."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, SojaeError):
        return Refused(_rule(error), error.text)
    if isinstance(error, HTTPException):
        return _http(error)
    if isinstance(error, RecursionError):
        text = Text(ko="JSON이 너무 깊습니다. 층을 줄이십시오", en="the JSON is nested too deeply; flatten it")
        return Refused("too_deep", text)
    text = Text(
        ko="게이트웨이 안에서 오류가 났습니다. 로그를 보십시오", en="something failed inside the gateway; see its log"
    )
    return Refused("internal", text)


def _rule(error: SojaeError) -> str:
    if isinstance(error, ModelError):
        return "model_unavailable"
    if isinstance(error, StoreError | StateError):
        return "store_unavailable"
    if isinstance(error, TemplateError):
        return "unknown_template"
    return "refused_value" if isinstance(error, UserInputError) else "internal"


def _http(error: HTTPException) -> Refused:
    if isinstance(error, NotFoundException):
        text = Text(
            ko="없는 주소입니다. /schema/openapi.json에 모두 있습니다", en="no such route; see /schema/openapi.json"
        )
        return Refused("unknown_route", text)
    if isinstance(error, MethodNotAllowedException):
        text = Text(ko="이 주소에는 없는 메서드입니다", en="this route has no such method; see /schema/openapi.json")
        return Refused("method_not_allowed", text)
    if error.status_code == STATUS["body_too_large"]:
        text = Text(ko="본문이 너무 큽니다. 나누어 보내십시오", en="the body is too large; send it in parts")
        return Refused("body_too_large", text)
    if error.status_code >= _INTERNAL:
        return _refused(RuntimeError(error.detail))
    return not_json(error.detail) if isinstance(error.__cause__, SerializationException) else _shape(error)


def _shape(error: HTTPException) -> Refused:
    """Return what Litestar found wrong with parameters or body, with the place that it names."""
    extra = error.extra if isinstance(error, ValidationException) and isinstance(error.extra, list) else []
    first = cast("Mapping[str, str]", extra[0]) if extra and isinstance(extra[0], Mapping) else {}
    why, field = str(first.get("message", error.detail)), first.get("key")
    where = f"{field}: " if field else ""
    text = Text(ko=f"요청의 형식이 잘못되었습니다. {where}{why}", en=f"the request has the wrong form: {where}{why}")
    return Refused("request_shape", text, field=field)
