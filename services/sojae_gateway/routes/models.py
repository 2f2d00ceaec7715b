"""Models on the shelf: versions, cards and manifests."""

import msgspec
from litestar import get
from litestar.params import FromPath
from msgspec.structs import replace

from sojae.domain.model import Card, Manifest
from sojae.domain.text import Text
from sojae_gateway.measured import Seen
from sojae_gateway.models import ProjectModels
from sojae_gateway.parts import Parts, today
from sojae_gateway.refusal import Refused, shorten
from sojae_gateway.routes.asking import TheParts, WhoAsks

TRAINER_WAITS_FOR = 40
"""Property records from which the trainer trains a project for the first time."""


class ModelLine(msgspec.Struct, frozen=True, kw_only=True):
    """The models of one project: the versions on the shelf, the one that answers, and what it answers."""

    project: str
    versions: list[str]
    serving: str | None
    targets: list[str]


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """Every project that has a model on the shelf."""

    models: list[ModelLine]


class ModelWhole(msgspec.Struct, frozen=True, kw_only=True):
    """The version that answers: its manifest (inputs, targets, files) and its card (how good it is)."""

    project: str
    version: str
    manifest: Manifest
    card: Card


@get("/v1/models", tags=["models"], sync_to_thread=True)
def models(parts: TheParts) -> ModelList:
    """List the projects that have models."""
    return ModelList(models=[line for name in parts.shelf.projects() if (line := _line(parts, name)).versions])


@get("/v1/projects/{project:str}/models", tags=["models"], sync_to_thread=True)
def project_models(parts: TheParts, project: FromPath[str]) -> ModelLine:
    """List the model versions of one project; there may be none yet."""
    known_project(parts, project)
    return _line(parts, project)


@get("/v1/projects/{project:str}/models/latest", tags=["models"], sync_to_thread=True)
def latest_model(parts: TheParts, principal: WhoAsks, project: FromPath[str]) -> ModelWhole:
    """Return the model version that answers, with its card and manifest."""
    found = serving(parts, project)
    if principal.operator:
        return ModelWhole(project=project, version=found.version, manifest=found.manifest, card=found.card)
    seen = Seen(found.measured, principal, today())
    return ModelWhole(
        project=project,
        version=found.version,
        manifest=_manifest_for(found.manifest, seen),
        card=replace(found.card, holdout=None),
    )


def serving(parts: Parts, project: str) -> ProjectModels:
    """Return the models that answer for a project; raises Refused that says when to expect one."""
    found = parts.models.current.get(project)
    if found is not None:
        return found
    known_project(parts, project)
    with parts.reader.snapshot() as rows:
        count = rows.count_current(project, "property", TRAINER_WAITS_FOR)
    if count < TRAINER_WAITS_FOR:
        text = Text(
            ko=f"{project}: 아직 모델이 없습니다. 물성 기록이 {TRAINER_WAITS_FOR}개가 되면 학습을 시작하는데 지금 {count}개입니다",
            en=f"{project}: no model yet: training begins at {TRAINER_WAITS_FOR} property records, and there are {count}",
        )
    else:
        text = Text(
            ko=f"{project}: 아직 모델이 없습니다. 물성 기록이 충분하므로 학습기가 실행 중이면 1분쯤 뒤에 준비됩니다",
            en=f"{project}: no model yet: there are enough records, so with the trainer running expect one in about a minute",
        )
    raise Refused(
        "no_model_yet", text, field="project", got=project, expected=f"≥ {TRAINER_WAITS_FOR} property records"
    )


def known_project(parts: Parts, project: str) -> None:
    """Return when a project has a template or a model; raises Refused that lists the known ones."""
    known = sorted({*parts.book().projects(), *parts.models.current})
    if project not in known:
        listed = ", ".join(known)
        text = Text(
            ko=f"{shorten(project)}: 없는 프로젝트입니다. 있는 것: {listed}",
            en=f"{shorten(project)}: no such project; there are {listed}",
        )
        raise Refused("unknown_project", text, field="project", got=shorten(project), expected=listed)


def _manifest_for(manifest: Manifest, seen: Seen) -> Manifest:
    """Return the manifest with the ids of records that may not be seen left empty: places keep their meaning."""

    def shown(records: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(seen.name(record) or "" for record in records)

    targets = tuple(
        replace(t, training_rows=shown(t.training_rows), baseline_record=shown((t.baseline_record,))[0])
        for t in manifest.targets
    )
    library = replace(manifest.library, measured=shown(manifest.library.measured), rights=())
    return replace(manifest, targets=targets, library=library, holdout=None)


def _line(parts: Parts, project: str) -> ModelLine:
    found = parts.models.current.get(project)
    return ModelLine(
        project=project,
        versions=parts.shelf.versions(project),
        serving=None if found is None else found.version,
        targets=[] if found is None else [t.name for t in found.manifest.targets],
    )


HANDLERS = [models, project_models, latest_model]
