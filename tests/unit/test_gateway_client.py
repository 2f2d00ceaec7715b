"""The client: paths, pages and errors, without a network."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from sojae.client import Client, GatewayProblem
from sojae.domain.errors import ServiceError
from sojae.home import HOME_VARIABLE


def client(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    return Client("http://127.0.0.1:8600", transport=httpx.MockTransport(answer))


def test_pages_are_followed_to_the_end() -> None:
    """Rows of all pages come one after another, and the filters go with every page."""
    asked: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        last = "cursor" in request.url.params
        return httpx.Response(200, json={"rows": [{"n": len(asked)}], "next": None if last else "c1"})

    assert list(client(answer).records(project="p", stage=None)) == [{"n": 1}, {"n": 2}]
    assert asked == [{"project": "p"}, {"project": "p", "cursor": "c1"}]


def test_ids_with_slashes_are_quoted() -> None:
    """An id is one part of the path, whatever it holds."""
    paths: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(200, json={})

    with client(answer) as asking:
        asking.record("a/b c", institute="kims")
        asking.record("r", project="p", stage="raw")
        asking.event("kims", "/x//y")
    assert paths == [
        b"/v1/records/a%2Fb%20c?institute=kims",
        b"/v1/records/r?project=p&stage=raw",
        b"/v1/events/kims/%2Fx%2F%2Fy",
    ]


def test_a_question_is_sent_as_the_gateway_reads_it() -> None:
    """A bare number is a value without tolerance; what is not given is not sent."""
    bodies: list[object] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(200, json={})

    with client(answer) as asking:
        asking.predict("p", [{"cooling": "water"}])
        asking.design("p", {"a": 5, "b": {"value": 6, "tolerance": 1}}, top_k=2)
    assert bodies == [
        {"rows": [{"cooling": "water"}]},
        {"targets": {"a": {"value": 5}, "b": {"value": 6, "tolerance": 1}}, "top_k": 2},
    ]


def test_a_problem_is_an_error_with_both_languages() -> None:
    """Rule and status are there to decide on, the sentence to read."""
    problem = {"status": 503, "rule": "no_model_yet", "en": "no model yet", "ko": "아직 모델이 없습니다"}
    with pytest.raises(GatewayProblem) as caught:
        client(lambda _: httpx.Response(503, json=problem)).model("p")
    assert (caught.value.status, caught.value.rule) == (503, "no_model_yet")
    assert caught.value.message("ko") == "아직 모델이 없습니다"


def test_a_gateway_that_is_away_is_a_plain_error() -> None:
    """Neither refused connections nor other servers become a stack of the driver's errors."""

    def away(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(ServiceError, match="cannot be reached"):
        client(away).status()
    with pytest.raises(ServiceError, match="is it the gateway"):
        client(lambda _: httpx.Response(200, text="<html>")).status()


def test_without_a_running_gateway_the_command_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing runs, the error says how to start it."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    with pytest.raises(ServiceError, match="sojae up"):
        Client.connect()
