"""The forward graphs that forecast now: loaded from the shelf, tried out, swapped while batches run."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sojae.adapters.onnx import ForwardModel
from sojae.adapters.shelf import ModelShelf
from sojae.domain.errors import ModelError, StoreError, UserInputError
from sojae.domain.model import ModelInput, TargetModel

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TargetGraph:
    """One target's graph of one version, and what its columns are."""

    version: int
    graph: ForwardModel
    inputs: Sequence[ModelInput]
    target: TargetModel


class ShelfModels:
    """The newest sound graph of each target that a plant forecasts; a bad version is logged once and left out."""

    def __init__(self, shelf: ModelShelf, wanted: Collection[tuple[str, str]]) -> None:
        self._shelf = shelf
        self._wanted = sorted(set(wanted))
        self._graphs: Mapping[tuple[str, str], TargetGraph] = {}
        self._seen: dict[tuple[str, str], str] = {}

    def of(self, project: str, target: str) -> TargetGraph | None:
        """Return the graph that answers now, or None while there is none."""
        return self._graphs.get((project, target))

    def refresh(self) -> None:
        """Load what is newer on the shelf; raises StoreError when it cannot be read, and what answers now goes on."""
        for project, target in self._wanted:
            latest = self._shelf.latest(project)
            if latest is None or latest == self._seen.get((project, target)):
                continue
            try:
                self._graphs = {**self._graphs, (project, target): self._load(project, latest, target)}
            except (ModelError, UserInputError) as error:
                log.error("no forecasts by model %s/%s: %s", project, latest, error)
            else:
                log.info("model %s/%s forecasts %s from now on", project, latest, target)
            # Behind the loading: where the store could not be read, the version is tried again.
            self._seen[project, target] = latest

    def _load(self, project: str, version: str, name: str) -> TargetGraph:
        bundle = self._shelf.load(project, version)
        target = bundle.manifest.target(name)
        if target.file not in bundle.files:
            raise ModelError(
                en=f"the manifest lists no file {target.file}; train again",
                ko=f"매니페스트에 {target.file} 파일이 없습니다. 다시 학습하십시오",
            )
        inputs = bundle.manifest.inputs
        graph = ForwardModel(bundle.files[target.file], inputs=len(inputs), groups=len(bundle.manifest.groups))
        return TargetGraph(int(version), graph, inputs, target)

    async def watch(self, every_seconds: float) -> None:
        """Look at the shelf for ever; a shelf that cannot be read is logged, and looked at again."""
        while True:
            try:
                await asyncio.to_thread(self.refresh)
            except StoreError as error:
                log.warning("the model shelf cannot be read: %s", error)
            await asyncio.sleep(every_seconds)
