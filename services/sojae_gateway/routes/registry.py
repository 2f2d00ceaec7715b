"""The read and compatibility calls of the Confluent Schema Registry, so that stock serializers work with no other server."""

from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, QueryParameter, RawBody

from sojae.domain.text import Text
from sojae_gateway.bodies import decode_body
from sojae_gateway.parts import Parts
from sojae_gateway.problems import OK, REGISTRY_MEDIA_TYPE, REGISTRY_PATH
from sojae_gateway.refusal import Refused, shorten
from sojae_gateway.registry import AVRO, COMPATIBILITY, MODE, Registered, Registry
from sojae_gateway.routes.asking import ANSWERS, TAKES_ANY

T = TypeVar("T")


class SubjectVersion(msgspec.Struct, frozen=True):
    """A version of a subject."""

    subject: str
    version: int


class SubjectSchema(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a subject with its schema; `id` is that of the Confluent framing."""

    subject: str
    version: int
    id: int
    schema: str


class SchemaText(msgspec.Struct, frozen=True):
    """A schema, as JSON in a text."""

    schema: str


class SchemaId(msgspec.Struct, frozen=True):
    """The id of a schema that is registered."""

    id: int


class CompatibilityLevel(msgspec.Struct, frozen=True, rename="camel"):
    """What versions of a subject keep to."""

    compatibility_level: str


class Mode(msgspec.Struct, frozen=True):
    """Whether schemas can be registered over the network."""

    mode: str


class Compatibility(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether a schema could follow; with `verbose`, why not."""

    is_compatible: bool
    messages: list[str] | None = None


class SchemaRequest(msgspec.Struct, frozen=True, rename="camel"):
    """A schema that is asked about; whatever else clients send along plays no part."""

    schema: str
    schema_type: str | None = None
    references: list[Any] | None = None


_requests = msgspec.json.Decoder(SchemaRequest)


async def provide_registry(parts: NamedDependency[Parts]) -> Registry:
    """Return the registry of the templates that there are at this moment."""
    return Registry(parts.book())


TheRegistry = NamedDependency[Registry]
COMMON: dict[str, Any] = {
    "tags": ["registry"],
    "sync_to_thread": False,
    "media_type": REGISTRY_MEDIA_TYPE,
    "status_code": OK,
    "dependencies": {"registry": Provide(provide_registry)},
}
ASKED: dict[str, Any] = {**COMMON, "opt": {TAKES_ANY: True}}
ASKED_WITH_BODY: dict[str, Any] = {**COMMON, "opt": {TAKES_ANY: True, ANSWERS: True}, "sync_to_thread": True}


@get(REGISTRY_PATH, **ASKED)
def root() -> dict[str, str]:
    """Answer clients that look whether there is a registry."""
    return {}


@get(f"{REGISTRY_PATH}/subjects", **ASKED)
def subjects(
    registry: TheRegistry,
    prefix: Annotated[str, QueryParameter(name="subjectPrefix")] = "",
    offset: FromQuery[int] = 0,
    limit: FromQuery[int] = -1,
) -> list[str]:
    """List the subjects: the full record names of the templates."""
    return _page(registry.subjects(prefix), offset, limit)


@get(f"{REGISTRY_PATH}/subjects/{{subject:str}}/versions", **ASKED)
def versions(
    registry: TheRegistry, subject: FromPath[str], offset: FromQuery[int] = 0, limit: FromQuery[int] = -1
) -> list[int]:
    """List the versions of a subject: 1, 2, … in the order of the template's versions."""
    return _page([one.version for one in registry.versions(subject)], offset, limit)


@get(f"{REGISTRY_PATH}/subjects/{{subject:str}}/versions/{{version:str}}", **ASKED)
def version(registry: TheRegistry, subject: FromPath[str], version: FromPath[str]) -> SubjectSchema:
    """Return a version of a subject, a number or `latest`: its id and the schema that frames messages."""
    return _whole(registry.one(subject, version))


@get(f"{REGISTRY_PATH}/subjects/{{subject:str}}/versions/{{version:str}}/schema", **ASKED)
def version_schema(registry: TheRegistry, subject: FromPath[str], version: FromPath[str]) -> Response[bytes]:
    """Return the schema of a version alone."""
    return _bare(registry.one(subject, version))


@get(f"{REGISTRY_PATH}/subjects/{{subject:str}}/versions/{{version:str}}/referencedby", **ASKED)
def referenced_by(registry: TheRegistry, subject: FromPath[str], version: FromPath[str]) -> list[int]:
    """List the schemas that refer to a version: none, because templates are whole."""
    registry.one(subject, version)
    return []


@post(f"{REGISTRY_PATH}/subjects/{{subject:str}}", **ASKED_WITH_BODY)
def look_up(registry: TheRegistry, subject: FromPath[str], body: RawBody) -> SubjectSchema:
    """Return the version of a subject that has a schema: the same JSON, whatever its order and spelling."""
    return _whole(registry.find(subject, _schema(body)))


@post(f"{REGISTRY_PATH}/subjects/{{subject:str}}/versions", **ASKED_WITH_BODY)
def register(registry: TheRegistry, subject: FromPath[str], body: RawBody) -> SchemaId:
    """Return the id of a schema that is registered already; any other is refused, because templates are published by file."""
    return SchemaId(registry.register(subject, _schema(body)).template.schema_id)


@get(f"{REGISTRY_PATH}/schemas/types", **ASKED)
def types() -> list[str]:
    """List the kinds of schemas: Avro."""
    return [AVRO]


@get(f"{REGISTRY_PATH}/schemas/ids/{{schema_id:str}}", **ASKED)
def by_id(registry: TheRegistry, schema_id: FromPath[str]) -> SchemaText:
    """Return the schema of an id of the Confluent framing."""
    return SchemaText(registry.by_id(schema_id).text)


@get(f"{REGISTRY_PATH}/schemas/ids/{{schema_id:str}}/schema", **ASKED)
def schema_by_id(registry: TheRegistry, schema_id: FromPath[str]) -> Response[bytes]:
    """Return the schema of an id alone."""
    return _bare(registry.by_id(schema_id))


@get(f"{REGISTRY_PATH}/schemas/ids/{{schema_id:str}}/subjects", **ASKED)
def subjects_by_id(registry: TheRegistry, schema_id: FromPath[str]) -> list[str]:
    """List the subjects that have the schema of an id: exactly one."""
    return [registry.by_id(schema_id).subject]


@get(f"{REGISTRY_PATH}/schemas/ids/{{schema_id:str}}/versions", **ASKED)
def versions_by_id(registry: TheRegistry, schema_id: FromPath[str]) -> list[SubjectVersion]:
    """List the versions that have the schema of an id: exactly one."""
    found = registry.by_id(schema_id)
    return [SubjectVersion(found.subject, found.version)]


@get(f"{REGISTRY_PATH}/config", **ASKED)
def config() -> CompatibilityLevel:
    """Return what versions keep to: each reads what all others of its major wrote."""
    return CompatibilityLevel(COMPATIBILITY)


@get(f"{REGISTRY_PATH}/config/{{subject:str}}", **ASKED)
def subject_config(registry: TheRegistry, subject: FromPath[str]) -> CompatibilityLevel:
    """Return what the versions of a subject keep to: the same for all subjects."""
    registry.versions(subject)
    return CompatibilityLevel(COMPATIBILITY)


@get(f"{REGISTRY_PATH}/mode", **ASKED)
def mode() -> Mode:
    """Return that nothing can be registered over the network."""
    return Mode(MODE)


@get(f"{REGISTRY_PATH}/mode/{{subject:str}}", **ASKED)
def subject_mode(registry: TheRegistry, subject: FromPath[str]) -> Mode:
    """Return that nothing can be registered under a subject over the network."""
    registry.versions(subject)
    return Mode(MODE)


@post(f"{REGISTRY_PATH}/compatibility/subjects/{{subject:str}}/versions/{{version:str}}", **ASKED_WITH_BODY)
def compatible(
    registry: TheRegistry,
    subject: FromPath[str],
    version: FromPath[str],
    body: RawBody,
    verbose: FromQuery[bool] = False,
) -> Compatibility:
    """Say whether a schema and a version of a subject could read each other; with `verbose`, why not."""
    return _compatibility(registry.objections(subject, _schema(body), version), verbose=verbose)


@post(f"{REGISTRY_PATH}/compatibility/subjects/{{subject:str}}/versions", **ASKED_WITH_BODY)
def compatible_with_all(
    registry: TheRegistry, subject: FromPath[str], body: RawBody, verbose: FromQuery[bool] = False
) -> Compatibility:
    """Say whether a schema and all versions of its major could read each other; with `verbose`, why not."""
    return _compatibility(registry.objections(subject, _schema(body)), verbose=verbose)


def _page(rows: list[T], offset: int, limit: int) -> list[T]:
    """Return the rows from an offset on, all of them without a limit."""
    rest = rows[max(offset, 0) :]
    return rest if limit < 0 else rest[:limit]


def _whole(found: Registered) -> SubjectSchema:
    return SubjectSchema(subject=found.subject, version=found.version, id=found.template.schema_id, schema=found.text)


def _bare(found: Registered) -> Response[bytes]:
    return Response(found.text.encode(), media_type=REGISTRY_MEDIA_TYPE)


def _schema(body: bytes) -> str:
    """Return the schema of a request; raises Refused where it is of another kind, or leans on others."""
    request = decode_body(body, _requests)
    if request.schema_type not in (None, AVRO) or request.references:
        text = Text(
            ko="참조가 없는 AVRO 스키마만 있습니다", en="only AVRO schemas without references are registered here"
        )
        raise Refused("invalid_schema", text, field="schemaType", got=shorten(request.schema_type), expected=AVRO)
    return request.schema


def _compatibility(objections: list[str], *, verbose: bool) -> Compatibility:
    return Compatibility(not objections, objections if verbose else None)


HANDLERS = [
    root,
    subjects,
    versions,
    version,
    version_schema,
    referenced_by,
    look_up,
    register,
    types,
    by_id,
    schema_by_id,
    subjects_by_id,
    versions_by_id,
    config,
    subject_config,
    mode,
    subject_mode,
    compatible,
    compatible_with_all,
]
