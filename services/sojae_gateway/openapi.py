"""The OpenAPI document: what the framework knows, the raw routes, and the problem that every route may answer with."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response, Router
from litestar.exceptions import NotFoundException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from sojae_gateway.design_query import DesignRequest
from sojae_gateway.predict import PredictAnswer, PredictRequest
from sojae_gateway.problems import MEDIA_TYPE, STATUS, Problem

PREDICT = "/v1/projects/{project}/predict"
DESIGN = "/v1/projects/{project}/design"
REFERENCE = "#/components/schemas/{name}"
Document = dict[str, Any]
Answer = Response[Any]


def configuration(version: str) -> OpenAPIConfig:
    """Return what Litestar needs to serve the document at /schema/openapi.json."""
    return OpenAPIConfig(
        title="Sojae gateway",
        version=version,
        description="Predictions, designs, records, templates, models and the quarantine. Errors are RFC 9457 problems.",
        render_plugins=[CompletedJSON()],
        use_handler_docstrings=True,
        openapi_router=Router(
            "/schema",
            route_handlers=[],
            include_in_schema=False,
            dto=None,
            return_dto=None,
            after_request=_as_a_problem,
        ),
    )


def _as_a_problem(response: Answer) -> Answer:
    """Return the document's answer; for any other address beside it the framework would answer with a page of its own."""
    if response.status_code == STATUS["unknown_route"]:
        raise NotFoundException
    return response


class CompletedJSON(JsonRenderPlugin):
    """Serves the completed document as JSON."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: Document) -> bytes:
        """Return the document."""
        return msgspec.json.encode(complete(openapi_schema))


def complete(document: Mapping[str, Any]) -> Document:
    """Return the framework's document with the raw route, raw bodies and the problem answers; the given one stays as it is."""
    kinds = [PredictRequest, PredictAnswer, DesignRequest, Problem]
    _, components = msgspec.json.schema_components(kinds, ref_template=REFERENCE)
    known = document.get("components", {}).get("schemas", {})
    paths = {**document.get("paths", {}), PREDICT: {"post": _predict()}}
    paths[DESIGN] = {"post": {**paths[DESIGN]["post"], "requestBody": _body("DesignRequest")}}
    return {
        **document,
        "paths": {path: {method: _told(told) for method, told in item.items()} for path, item in sorted(paths.items())},
        "components": {**document.get("components", {}), "schemas": {**known, **components}},
    }


def _told(operation: object) -> object:
    """Return an operation that says that any other answer is a problem document."""
    if not isinstance(operation, Mapping) or "responses" not in operation:
        return operation
    problem = {
        "description": "A problem document (RFC 9457), in Korean and English.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(name="Problem")}}},
    }
    kept = {status: answer for status, answer in operation["responses"].items() if status != "400"}
    return {**operation, "responses": {**kept, "default": problem}}


def _content(name: str) -> Document:
    return {"application/json": {"schema": {"$ref": REFERENCE.format(name=name)}}}


def _body(name: str) -> Document:
    return {"required": True, "content": _content(name)}


def _predict() -> Document:
    return {
        "tags": ["answers"],
        "summary": "Predict",
        "operationId": "Predict",
        "description": "Predict properties of recipes, with interval, domain, contributions and supporting records.",
        "parameters": [{"name": "project", "in": "path", "required": True, "schema": {"type": "string"}}],
        "requestBody": _body("PredictRequest"),
        "responses": {
            "200": {"description": "The answers, in the order of the rows.", "content": _content("PredictAnswer")}
        },
    }
