"""The two questions: from a recipe to its properties, and from properties to a recipe."""

import asyncio
from collections import defaultdict

import msgspec
from litestar import Litestar, asgi, post
from litestar.exceptions import MethodNotAllowedException
from litestar.params import FromPath, RawBody
from litestar.types import Receive, Scope, Send

from sojae_gateway.bodies import decode_body, read_body
from sojae_gateway.design import DesignAnswer, design
from sojae_gateway.design_query import DesignRequest, read_query
from sojae_gateway.parts import Parts, today
from sojae_gateway.predict import PredictAnswer, PredictRequest, predict, read_rows
from sojae_gateway.problems import OK
from sojae_gateway.routes.asking import ANSWERS, TheParts, WhoAsks
from sojae_gateway.routes.models import serving

PREDICT_PATH = "/v1/projects/{project:str}/predict"
INLINE_SECONDS = 0.002
"""What is answered sooner is answered in the event loop; the rest goes to a thread, so that others need not wait."""

_predictions = msgspec.json.Decoder(PredictRequest)
_designs = msgspec.json.Decoder(DesignRequest)
_encoder = msgspec.json.Encoder()


@asgi(PREDICT_PATH, copy_scope=False, opt={ANSWERS: True})
async def predict_route(scope: Scope, receive: Receive, send: Send) -> None:
    """Predict properties of recipes: the hot path, without the framework's request and response."""
    if scope.get("method") != "POST":
        raise MethodNotAllowedException(headers={"Allow": "POST"})
    parts: Parts = scope["litestar_app"].state.parts
    project: str = scope["path_params"]["project"]
    models = parts.models.current.get(project)
    if models is None:
        models = await asyncio.to_thread(serving, parts, project)
    request = decode_body(await read_body(receive, parts.settings.max_body_bytes), _predictions)
    targets = models.chosen(request.targets)
    recipes = read_rows(models, request, parts.settings.max_rows)
    principal = parts.principal
    if len(recipes) * models.row_seconds < INLINE_SECONDS:
        rows = predict(models, recipes, targets, principal, today())
    else:
        rows = await asyncio.to_thread(predict, models, recipes, targets, principal, today())
    parts.metrics.predicted(len(rows))
    version = parts.progress.followed.version
    answer = PredictAnswer(project=models.project, model_version=models.version, rows=rows, store_version=version)
    await _send(send, _encoder.encode(answer))


@post("/v1/projects/{project:str}/design", tags=["answers"], status_code=OK, sync_to_thread=True, opt={ANSWERS: True})
def design_route(parts: TheParts, principal: WhoAsks, project: FromPath[str], body: RawBody) -> DesignAnswer:
    """Propose recipes for wanted properties, best first, with the nearest measured records beside them."""
    models = serving(parts, project)
    query = read_query(models, decode_body(body, _designs))
    answer = design(models, query, parts.settings.reachable_probability, principal, today())
    return msgspec.structs.replace(answer, store_version=parts.progress.followed.version)


def repair_raw_routes(app: Litestar) -> None:
    """Let raw routes have path parameters.

    NOTE: Litestar 2.25 looks them up under the HTTP method, where a raw route has none, and fails with a KeyError
    (`_asgi.routing_trie.traversal.parse_path_to_route`).
    """
    nodes = [app.asgi_router.root_route_map_node]
    while nodes:
        node = nodes.pop()
        nodes += node.children.values()
        if node.is_asgi:
            parameters = node.path_parameters["asgi"]
            node.path_parameters = defaultdict(lambda parameters=parameters: parameters)  # type: ignore[misc]  # bound early


async def _send(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": OK, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


HANDLERS = [predict_route, design_route]
