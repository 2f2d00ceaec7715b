"""Projects and their templates: the contract that events are checked against."""

from typing import Any

import msgspec
from litestar import Response, get
from litestar.params import FromPath

from sojae.domain.template import Template
from sojae.domain.text import Text
from sojae_gateway.parts import Parts
from sojae_gateway.refusal import Refused, shorten
from sojae_gateway.routes.asking import TheParts, TheReads
from sojae_gateway.routes.models import known_project
from sojae_gateway.routes.rows import versioned


class Label(msgspec.Struct, frozen=True):
    """A name in both languages."""

    ko: str
    en: str


class TemplateLine(msgspec.Struct, frozen=True, kw_only=True):
    """One template version; `id` is that of the Confluent framing, `sha256` of the resolved schema's RFC 8785 JSON."""

    project: str
    stage: str
    version: str
    id: int
    sha256: str
    name: str
    label: Label


class TemplateWhole(TemplateLine, frozen=True, kw_only=True):
    """One template version with its resolved schema: Avro with every attribute, includes expanded."""

    resolved_schema: dict[str, Any]


class TemplateList(msgspec.Struct, frozen=True, kw_only=True):
    """Every template version that this gateway knows."""

    templates: list[TemplateLine]


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """One project: its template versions by stage, and the model version that answers, if any."""

    project: str
    stages: dict[str, list[str]]
    model_version: str | None


class ProjectWhole(Project, frozen=True, kw_only=True):
    """One project with counts of its current records by stage and quality grade; `none` are stored without a grade."""

    grades: dict[str, dict[str, int]]
    store_version: int | None


class ProjectList(msgspec.Struct, frozen=True, kw_only=True):
    """Every project that has a template or a model."""

    projects: list[Project]


@get("/v1/projects", tags=["templates"], sync_to_thread=False)
def projects(parts: TheParts) -> ProjectList:
    """List the projects."""
    return ProjectList(projects=_projects(parts))


def _projects(parts: Parts) -> list[Project]:
    models = parts.models.current
    stages: dict[str, dict[str, list[str]]] = {name: {} for name in models}
    for template in _sorted(parts):
        stages.setdefault(template.key.project, {}).setdefault(template.key.stage, []).append(template.key.version)
    return [
        Project(project=name, stages=found, model_version=models[name].version if name in models else None)
        for name, found in sorted(stages.items())
    ]


@get("/v1/projects/{project:str}", tags=["templates"], sync_to_thread=True)
def project(parts: TheParts, reads: TheReads, project: FromPath[str]) -> Response[ProjectWhole]:
    """Return a project: template versions, the model that answers, and how many current records have which quality grade."""
    known_project(parts, project)
    found = next(one for one in _projects(parts) if one.project == project)
    grades, version = reads.grades(project)
    return versioned(ProjectWhole(**msgspec.structs.asdict(found), grades=grades, store_version=version))


@get("/v1/templates", tags=["templates"], sync_to_thread=False)
def templates(parts: TheParts) -> TemplateList:
    """List the template versions."""
    return TemplateList(templates=[TemplateLine(**_line(t)) for t in _sorted(parts)])


@get("/v1/templates/{project:str}/{stage:str}/{version:str}", tags=["templates"], sync_to_thread=False)
def template(parts: TheParts, project: FromPath[str], stage: FromPath[str], version: FromPath[str]) -> TemplateWhole:
    """Return one template version: what is hashed, served and framed."""
    found = known_template(parts, project, stage, version)
    return TemplateWhole(**_line(found), resolved_schema=dict(found.schema))


def known_template(parts: Parts, project: str, stage: str, version: str) -> Template:
    """Return a template version; raises Refused when there is none."""
    for found in parts.book():
        if found.key == (project, stage, version):
            return found
    known = ", ".join(str(t.key) for t in _sorted(parts))
    wanted = shorten(f"{project}/{stage}/{version}")
    text = Text(
        ko=f"{wanted}: 없는 템플릿입니다. 있는 것: {known}", en=f"{wanted}: no such template; there are {known}"
    )
    raise Refused("unknown_template", text, got=wanted, expected=known)


def _sorted(parts: Parts) -> list[Template]:
    return sorted(parts.book(), key=lambda t: (t.key.project, t.key.stage, t.key.number))


def _line(template: Template) -> dict[str, Any]:
    return {
        "project": template.key.project,
        "stage": template.key.stage,
        "version": template.key.version,
        "id": template.schema_id,
        "sha256": template.sha256,
        "name": template.full_name,
        "label": Label(ko=template.label.ko, en=template.label.en),
    }


HANDLERS = [projects, project, templates, template]
