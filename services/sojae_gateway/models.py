"""The models that answer: loaded from the shelf, tried out, swapped while requests go on."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sojae.adapters.onnx import ForwardModel, InverseModel
from sojae.adapters.shelf import Bundle, ModelShelf
from sojae.adapters.template_files import TemplateBook
from sojae.domain.errors import ModelError
from sojae.domain.model import INVERSE_FILE, Card, Manifest, TargetModel
from sojae.domain.template import STAGES, Stage, Template
from sojae.domain.text import Text
from sojae_gateway.measured import Measured
from sojae_gateway.refusal import Refused
from sojae_gateway.vocabulary import Vocabulary

log = logging.getLogger(__name__)

FALLBACKS = 3
"""Versions tried, newest first, when the gateway has no model of a project yet."""


@dataclass(frozen=True, slots=True)
class ProjectModels:
    """All models of one version of one project; `row_seconds` is what one recipe takes for all targets."""

    manifest: Manifest
    card: Card
    forward: Mapping[str, ForwardModel]
    inverse: InverseModel
    vocabulary: Vocabulary
    measured: Measured
    row_seconds: float = 0.0

    @property
    def project(self) -> str:
        """The project's name."""
        return self.manifest.project

    @property
    def version(self) -> str:
        """The version on the shelf, six digits."""
        return self.manifest.version

    def chosen(self, names: list[str] | None) -> list[TargetModel]:
        """Return the targets that names mean, all without any; a field's name means each of its splits.

        Raises Refused that lists the known ones.
        """
        if names is None:
            return list(self.manifest.targets)
        chosen: dict[str, TargetModel] = {}
        for name in names:
            found = [t for t in self.manifest.targets if name in (t.name, t.field)]
            if not found:
                raise self.unknown_target(name)
            chosen |= {t.name: t for t in found}
        return list(chosen.values())

    def unknown_target(self, name: str) -> Refused:
        """Return the refusal of a target that has no model."""
        known = ", ".join(t.name for t in self.manifest.targets)
        text = Text(
            ko=f"{name[:128]}: 모델이 없는 물성입니다. 있는 것: {known}",
            en=f"{name[:128]}: no model answers this; there are {known}",
        )
        return Refused("unknown_target", text, field="targets", got=name[:128], expected=known)


def load(bundle: Bundle, book: TemplateBook, measured: Callable[[str, frozenset[str]], Measured]) -> ProjectModels:
    """Return the models of a version, each graph loaded and tried out; raises ModelError when one is broken."""
    manifest = bundle.manifest
    width, groups = len(manifest.inputs), len(manifest.groups)
    forward = {
        target.name: ForwardModel(_file(bundle, target.file), inputs=width, groups=groups)
        for target in manifest.targets
    }
    inverse = InverseModel(_file(bundle, INVERSE_FILE), inputs=width, targets=len(manifest.targets))
    fields = frozenset(t.field for t in manifest.targets) | {name for t in manifest.targets for name in t.split}
    return ProjectModels(
        manifest=manifest,
        card=bundle.card,
        forward=forward,
        inverse=inverse,
        vocabulary=Vocabulary(manifest, newest_templates(book, manifest.project)),
        measured=measured(manifest.project, fields),
    )


@dataclass(slots=True)
class ModelHolder:
    """The models that answer now, by project; replaced whole, so a request sees one version from begin to end."""

    current: dict[str, ProjectModels] = field(default_factory=dict)
    bad: set[tuple[str, str]] = field(default_factory=set)

    def refresh(self, shelf: ModelShelf, prepare: Callable[[Bundle], ProjectModels]) -> list[ProjectModels]:
        """Load what is newer on the shelf and return what was swapped in; a bad version is logged once and left out.

        `prepare` makes a version ready and tries it out; it raises ModelError. Raises StoreError when the shelf cannot be
        read; what answers now goes on.
        """
        swapped: list[ProjectModels] = []
        for project in shelf.projects():
            now = self.current.get(project)
            latest = shelf.latest(project)
            if latest is None or (now is not None and now.version == latest):
                continue
            candidates = [latest] if now is not None else shelf.versions(project)[: -FALLBACKS - 1 : -1]
            for version in candidates:
                models = self._load(shelf, (project, version), prepare)
                if models is not None:
                    self.current = {**self.current, project: models}
                    swapped.append(models)
                    break
        return swapped

    def _load(
        self, shelf: ModelShelf, which: tuple[str, str], prepare: Callable[[Bundle], ProjectModels]
    ) -> ProjectModels | None:
        if which in self.bad:
            return None
        try:
            models = prepare(shelf.load(*which))
        except ModelError as error:
            self.bad.add(which)
            log.error("model %s/%s is not served: %s", *which, error)
            return None
        log.info("model %s/%s answers from now on", *which)
        return models


def newest_templates(book: TemplateBook, project: str) -> dict[Stage, Template]:
    """Return the newest template of each stage that a project has."""
    found: dict[Stage, Template] = {}
    for stage in STAGES:
        if any(t.key.project == project and t.key.stage == stage for t in book):
            found[stage] = book.get(project, stage)
    return found


def _file(bundle: Bundle, name: str) -> bytes:
    if name not in bundle.files:
        where = f"{bundle.manifest.project}/{bundle.manifest.version}"
        raise ModelError(
            en=f"model {where}: the manifest lists no file {name}; train again",
            ko=f"모델 {where}: 매니페스트에 {name} 파일이 없습니다. 다시 학습하십시오",
        )
    return bundle.files[name]
