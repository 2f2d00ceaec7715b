"""One training from the store to the shelf."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sojae.adapters.shelf import ModelShelf
from sojae.adapters.template_files import TemplateBook
from sojae.domain.errors import ModelError, UserInputError
from sojae.domain.model import Card, Manifest
from sojae.domain.template import STAGES, Stage, Template
from sojae_trainer.grouping import HoldoutRequest
from sojae_trainer.materials import MaterialsStore
from sojae_trainer.train import LEAST_ROWS, Order, train


@dataclass(frozen=True, slots=True)
class Published:
    """What stands on the shelf now."""

    manifest: Manifest
    card: Card


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything that a training needs around it."""

    materials: MaterialsStore
    shelf: ModelShelf
    book: Callable[[], TemplateBook]
    now: Callable[[], dt.datetime]
    designs: int
    seed: int

    def projects(self) -> list[str]:
        """Return the projects that could be trained: those with a property template, sorted."""
        return [p for p in self.book().projects() if "property" in _templates(self.book(), p)]

    def trainable(self) -> list[str]:
        """Return the projects with ≥ 40 property records, sorted; raises ModelError when there is none, StoreError."""
        found = [p for p in self.projects() if self.materials.records(p) >= LEAST_ROWS]
        if not found:
            raise ModelError(
                en=f"no project has {LEAST_ROWS} property records yet; send more, or wait until ingest has stored them",
                ko=f"물성 자료가 {LEAST_ROWS}개 이상인 프로젝트가 없습니다. 자료를 더 보내거나 저장될 때까지 기다리십시오",
            )
        return found

    def train(self, project: str, holdout: HoldoutRequest | None = None) -> Published:
        """Train a project from its materials view and put the version on the shelf.

        Raises UserInputError for an unknown project or hold-out, ModelError when there is nothing to train on or no
        graph passes the gate, StoreError when the store cannot be used.
        """
        book = self.book()
        templates = _templates(book, project)
        if "property" not in templates:
            known = ", ".join(self.projects())
            raise UserInputError(
                en=f"unknown project {project!r}; known are {known}",
                ko=f"프로젝트 {project!r}을(를) 찾을 수 없습니다. 있는 것: {known}",
            )
        view = self.materials.view(project)
        if view is None:
            raise ModelError(
                en=f"{project}: the store holds no property records yet; send some, or wait until ingest has stored them",
                ko=f"{project}: 저장소에 물성 자료가 아직 없습니다. 자료를 보내거나 저장될 때까지 기다리십시오",
            )
        order = Order(
            project=project,
            templates=templates,
            designs=self.designs,
            seed=self.seed,
            holdout=holdout,
            materials_version=view.version,
        )
        trained = train(view.frame, order, self.now())
        return Published(self.shelf.publish(trained.manifest, trained.files), trained.card)


def _templates(book: TemplateBook, project: str) -> dict[Stage, Template]:
    """Return the newest template of each stage that a project has."""
    stages = {t.key.stage for t in book if t.key.project == project}
    return {stage: book.get(project, stage) for stage in STAGES if stage in stages}
