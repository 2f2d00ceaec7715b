"""A small client of the gateway: predictions, designs, records, templates, models, the quarantine, plants."""

import json as jsons
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, Self
from urllib.parse import quote

import httpx

from sojae.domain.errors import ServiceError, SojaeError
from sojae.home import find_home

TIMEOUT_SECONDS = 30.0
JSON = dict[str, Any]
Rows = Sequence[Mapping[str, object]]


class GatewayProblem(SojaeError):  # noqa: N818 - it is named as what the gateway answers with (RFC 9457)
    """The gateway has refused a request; `problem` is its document: status, rule, field, got, expected, ko, en."""

    def __init__(self, problem: JSON) -> None:
        super().__init__(en=str(problem.get("en", problem)), ko=str(problem.get("ko", problem)))
        self.problem = problem

    @property
    def status(self) -> int:
        """The HTTP status; 503 with the rule `no_model_yet` means: try again later."""
        return int(self.problem.get("status", 0))

    @property
    def rule(self) -> str:
        """The rule that was broken, such as `unknown_field`."""
        return str(self.problem.get("rule", ""))


class Client:
    """Asks one gateway; answers are its JSON, as `docs/reference/http.md` and its OpenAPI document describe them.

    Every method raises GatewayProblem when the gateway refuses, ServiceError when it cannot be reached.
    """

    def __init__(
        self, url: str, *, timeout_seconds: float = TIMEOUT_SECONDS, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout_seconds, transport=transport)

    @classmethod
    def connect(cls, url: str | None = None) -> Self:
        """Return a client of the gateway at `url`, else of the one that runs in this home; raises ServiceError."""
        if url is not None:
            return cls(url)
        home = find_home()
        run = home.live_run()
        if run is None or run.gateway_url is None:
            raise ServiceError(
                en=f"no gateway runs in {home.path}: start everything with `sojae up`, or name the gateway's URL",
                ko=f"{home.path}에서 실행 중인 게이트웨이가 없습니다. `sojae up`으로 시작하거나 게이트웨이의 URL을 쓰십시오",
            )
        return cls(run.gateway_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where the gateway is asked."""
        return str(self._http.base_url).rstrip("/")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def predict(self, project: str, rows: Rows, targets: Sequence[str] | None = None) -> JSON:
        """Return predictions for recipes (each by field, in template units), of all targets or of those named."""
        body: JSON = {"rows": [dict(row) for row in rows]}
        if targets is not None:
            body["targets"] = list(targets)
        return self._ask("POST", f"/v1/projects/{_part(project)}/predict", json=body)

    def design(self, project: str, targets: Mapping[str, float | Mapping[str, float]], **obeying: object) -> JSON:
        """Return designs for wanted properties: `{"yield_strength.tension": 800}` or `{…: {"value": 800, "tolerance": 20}}`.

        `obeying` may hold fixed, lower, upper, conditions (each by field) and top_k. A design has its recipe in `inputs`
        and what it is meant for in `conditions`; those that are not given are held at common values, and
        `warnings` says so. `predict` takes both together: `{**design["inputs"], **design["conditions"]}`.
        """
        wanted = {name: {"value": w} if isinstance(w, int | float) else dict(w) for name, w in targets.items()}
        return self._ask("POST", f"/v1/projects/{_part(project)}/design", json={"targets": wanted, **obeying})

    def projects(self) -> list[JSON]:
        """Return the projects, with their template versions and the model version that answers."""
        return list(self._ask("GET", "/v1/projects")["projects"])

    def project(self, name: str) -> JSON:
        """Return a project, with counts of its current records by stage and quality grade in `grades`."""
        return self._ask("GET", f"/v1/projects/{_part(name)}")

    def templates(self) -> list[JSON]:
        """Return the template versions."""
        return list(self._ask("GET", "/v1/templates")["templates"])

    def template(self, project: str, stage: str, version: str) -> JSON:
        """Return one template version with its resolved schema."""
        return self._ask("GET", f"/v1/templates/{_part(project)}/{_part(stage)}/{_part(version)}")

    def models(self) -> list[JSON]:
        """Return the projects that have models, with the versions on the shelf."""
        return list(self._ask("GET", "/v1/models")["models"])

    def model(self, project: str) -> JSON:
        """Return the model version that answers, with its card and manifest."""
        return self._ask("GET", f"/v1/projects/{_part(project)}/models/latest")

    def records(self, **wanted: object) -> Iterator[JSON]:
        """Yield current records in the one order; filters are project, stage, institute, sample_id."""
        return self._pages("/v1/records", wanted)

    def record(
        self, record_id: str, institute: str | None = None, project: str | None = None, stage: str | None = None
    ) -> JSON:
        """Return a record with its history; an id is its institute's, inside one project and stage."""
        within = {"institute": institute, "project": project, "stage": stage}
        return self._ask("GET", f"/v1/records/{_part(record_id)}", params=_given(within))

    def event(self, institute: str, event_id: str) -> JSON:
        """Return an event, with every stored message that carries its id."""
        return self._ask("GET", f"/v1/events/{_part(institute)}/{_part(event_id)}")

    def quarantine(self, **wanted: object) -> Iterator[JSON]:
        """Yield quarantined events, newest first; filters are institute, project, rule."""
        return self._pages("/v1/quarantine", wanted)

    def status(self) -> JSON:
        """Return how far the gateway is, and how many rows have which status."""
        return self._ask("GET", "/v1/status")

    def plants(self) -> list[JSON]:
        """Return the plants, with their assets, and whether something came from them lately."""
        return list(self._ask("GET", "/v1/plants")["plants"])

    def plant(self, name: str, *, windows: int | None = None) -> JSON:
        """Return a plant as it is now: the latest `windows` of each asset, running batches, open alarms, scores."""
        return self._ask("GET", f"/v1/plants/{_part(name)}", params=_given({"windows": windows}))

    def stream(
        self, *, plant: str | None = None, kind: str | Sequence[str] = (), last_id: str | None = None
    ) -> Iterator[JSON]:
        """Yield what plants say as it comes, each as `id`, `event` and `data`, until the gateway ends.

        `kind` may be feature, forecast, score, alarm or several of them; with the `last_id` that one has got it goes on
        behind that event. An event `gap` tells of what is missing. Close the iterator to leave.
        """
        params = _given({"plant": plant, "kind": [kind] if isinstance(kind, str) else list(kind)})
        headers = {"accept": "text/event-stream"} | ({} if last_id is None else {"last-event-id": last_id})
        try:
            with self._http.stream("GET", "/v1/stream", params=params, headers=headers) as response:
                if response.is_error:
                    response.read()
                    self._raise_problem(response)
                yield from _events(response.iter_lines())
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _pages(self, path: str, wanted: Mapping[str, object]) -> Iterator[JSON]:
        cursor: str | None = None
        while True:
            page = self._ask("GET", path, params=_given({**wanted, "cursor": cursor}))
            yield from page["rows"]
            cursor = page["next"]
            if cursor is None:
                return

    def _ask(self, method: str, path: str, *, json: JSON | None = None, params: JSON | None = None) -> JSON:
        try:
            response = self._http.request(method, path, json=json, params=params)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        if response.is_error:
            self._raise_problem(response)
        return dict(self._json_of(response))

    def _raise_problem(self, response: httpx.Response) -> NoReturn:
        answer = self._json_of(response)
        raise GatewayProblem(answer if isinstance(answer, dict) else {"en": str(answer), "ko": str(answer)})

    def _json_of(self, response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError as error:
            raise ServiceError(
                en=f"{self.url} answered with something else than JSON; is it the gateway?",
                ko=f"{self.url}이(가) JSON이 아닌 것으로 답했습니다. 게이트웨이가 맞습니까?",
            ) from error

    def _unreachable(self, error: httpx.TransportError) -> ServiceError:
        return ServiceError(
            en=f"the gateway at {self.url} cannot be reached ({error}); is it running?",
            ko=f"{self.url} 게이트웨이에 연결할 수 없습니다({error}). 실행 중입니까?",
        )


def _events(lines: Iterable[str]) -> Iterator[JSON]:
    """Yield server-sent events; blocks that only tell a place or a comment are none."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        else:
            if "data" in fields:
                yield {"id": fields.get("id"), "event": fields.get("event"), "data": jsons.loads(fields["data"])}
            fields = {}


def _part(name: str) -> str:
    """Return one part of a path: ids hold slashes."""
    return quote(name, safe="")


def _given(values: Mapping[str, object]) -> JSON:
    return {name: value for name, value in values.items() if value is not None}
