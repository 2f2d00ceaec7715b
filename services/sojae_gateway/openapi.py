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
from sojae_gateway.problems import MEDIA_TYPE, REGISTRY_MEDIA_TYPE, REGISTRY_PATH, STATUS, Problem, RegistryProblem
from sojae_gateway.routes.registry import SchemaRequest

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
    kinds = [PredictRequest, PredictAnswer, DesignRequest, Problem, SchemaRequest, RegistryProblem]
    _, components = msgspec.json.schema_components(kinds, ref_template=REFERENCE)
    known = document.get("components", {}).get("schemas", {})
    paths = {**document.get("paths", {}), PREDICT: {"post": _predict()}}
    paths[DESIGN] = {"post": {**paths[DESIGN]["post"], "requestBody": _body("DesignRequest")}}
    return {
        **document,
        "paths": {path: _item(path, item) for path, item in sorted(paths.items())},
        "components": {**document.get("components", {}), "schemas": {**known, **components}},
    }


def _item(path: str, item: Mapping[str, object]) -> Document:
    """Return the operations of a path; those of the registry speak its own media type, and take a schema."""
    if not path.startswith(REGISTRY_PATH):
        told = "A problem document (RFC 9457), in Korean and English."
        return {method: _told(operation, told, MEDIA_TYPE, "Problem") for method, operation in item.items()}
    told = "What went wrong, as clients of a schema registry read it."
    operations = {m: _told(o, told, REGISTRY_MEDIA_TYPE, "RegistryProblem") for m, o in item.items()}
    if "post" in operations:
        operations["post"]["requestBody"] = _body("SchemaRequest", REGISTRY_MEDIA_TYPE)
    return operations


def _told(operation: object, told: str, media_type: str, name: str) -> Any:
    """Return an operation that says that any other answer is a problem."""
    if not isinstance(operation, Mapping) or "responses" not in operation:
        return operation
    problem = {
        "description": told,
        "content": {media_type: {"schema": {"$ref": REFERENCE.format(name=name)}}},
    }
    kept = {status: answer for status, answer in operation["responses"].items() if status != "400"}
    return {**operation, "responses": {**kept, "default": problem}}


def _content(name: str, media_type: str = "application/json") -> Document:
    return {media_type: {"schema": {"$ref": REFERENCE.format(name=name)}}}


def _body(name: str, media_type: str = "application/json") -> Document:
    return {"required": True, "content": _content(name, media_type)}


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
