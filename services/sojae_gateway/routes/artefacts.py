"""What is derived from templates: JSON Schema, entry form, store columns, and files to fill in."""

from typing import Any, cast, get_args

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath, FromQuery

from sojae.domain.store_columns import store_columns
from sojae.domain.template import Template
from sojae.domain.text import Language, Text
from sojae_gateway.artefacts import derived
from sojae_gateway.parts import Parts
from sojae_gateway.problems import language_of
from sojae_gateway.refusal import Refused, refused_value, shorten
from sojae_gateway.routes.asking import TheParts
from sojae_gateway.routes.models import known_project
from sojae_gateway.routes.templates import Label, known_template

VERSION = "/v1/templates/{project:str}/{stage:str}/{version:str}"
JSON = "application/json"
JSON_SCHEMA = "application/schema+json"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
AnyRequest = Request[Any, Any, Any]


class RecordColumn(msgspec.Struct, frozen=True, kw_only=True):
    """One column of the table in which records are stored: its Arrow type, and the unit (UCUM) of its numbers."""

    name: str
    type: str
    unit: str | None
    label: Label


class RecordColumns(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of the records table of a template's major version, and its place in the store."""

    table: str
    columns: list[RecordColumn]


@get(f"{VERSION}/json-schema", tags=["templates"], sync_to_thread=True, media_type=JSON_SCHEMA)
def template_json_schema(
    parts: TheParts, project: FromPath[str], stage: FromPath[str], version: FromPath[str]
) -> Response[bytes]:
    """Return the JSON Schema (draft 2020-12) of the values of a record."""
    found = known_template(parts, project, stage, version)
    return Response(derived("json-schema", (found,)), media_type=JSON_SCHEMA)


@get(f"{VERSION}/form", tags=["templates"], sync_to_thread=True, media_type=JSON)
def template_form(
    parts: TheParts, project: FromPath[str], stage: FromPath[str], version: FromPath[str]
) -> Response[bytes]:
    """Return the entry form: sections, questions in order, widgets, labels, units, ranges, choices, help, rules."""
    return Response(derived("form", (known_template(parts, project, stage, version),)), media_type=JSON)


@get(f"{VERSION}/columns", tags=["templates"], sync_to_thread=True)
def template_columns(
    parts: TheParts, project: FromPath[str], stage: FromPath[str], version: FromPath[str]
) -> RecordColumns:
    """Return the columns of the table in which records of this major version are stored."""
    table = known_template(parts, project, stage, version).key.records
    columns = [
        RecordColumn(name=c.name, type=str(c.type), unit=c.unit, label=Label(ko=c.label.ko, en=c.label.en))
        for c in store_columns(t for t in parts.book() if t.key.records == table)
    ]
    return RecordColumns(table=str(table), columns=columns)


@get(f"{VERSION}/csv", tags=["templates"], sync_to_thread=True, media_type=CSV)
def template_csv(
    request: AnyRequest,
    parts: TheParts,
    project: FromPath[str],
    stage: FromPath[str],
    version: FromPath[str],
    language: FromQuery[str | None] = None,
) -> Response[bytes]:
    """Return a CSV file to fill in, with labels in `language` (ko, en), for `sojae import --template`."""
    found = known_template(parts, project, stage, version)
    data = derived("csv", (found,), _language(request, language))
    return Response(data, media_type=CSV, headers=_attached(f"{project}.{stage}.csv"))


@get("/v1/projects/{project:str}/workbook", tags=["templates"], sync_to_thread=True, media_type=WORKBOOK)
def project_workbook(
    request: AnyRequest, parts: TheParts, project: FromPath[str], language: FromQuery[str | None] = None
) -> Response[bytes]:
    """Return a workbook (xlsx) of all stages to fill in, with labels in `language` (ko, en), for `sojae import`."""
    known_project(parts, project)
    data = derived("workbook", _stages(parts, project), _language(request, language))
    return Response(data, media_type=WORKBOOK, headers=_attached(f"{project}.xlsx"))


def _stages(parts: Parts, project: str) -> tuple[Template, ...]:
    """Return the newest template of each stage of a project; raises Refused when it has models only."""
    book = parts.book()
    if project not in book.projects():
        text = Text(ko=f"{project}: 템플릿이 없습니다", en=f"{project}: it has no template")
        raise Refused("unknown_template", text, got=shorten(project), expected=", ".join(book.projects()))
    return tuple(book.newest(project))


def _language(request: AnyRequest, said: str | None) -> Language:
    """Return the language of a file: the one that is said, else the one that the caller reads."""
    if said is None:
        return language_of(request)
    if said not in get_args(Language):
        raise refused_value("language", "language", said, " or ".join(get_args(Language)))
    return cast("Language", said)


def _attached(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"'}


HANDLERS = [template_json_schema, template_form, template_columns, template_csv, project_workbook]
