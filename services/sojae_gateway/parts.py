"""What the routes need, opened once and closed in reverse."""

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from prometheus_client import CollectorRegistry

from sojae.adapters.avro import FastavroDecoder
from sojae.adapters.events_table import events_uri
from sojae.adapters.row_index import Followed, RowIndex
from sojae.adapters.row_reads import RowReader
from sojae.adapters.shelf import Bundle, ModelShelf, open_store
from sojae.adapters.template_files import TemplateBook
from sojae.domain.plant import Plant
from sojae_gateway.access import LOCAL_OPERATOR, PUBLIC, Principal
from sojae_gateway.measured import Measured
from sojae_gateway.metrics import GatewayMetrics
from sojae_gateway.models import ModelHolder, ProjectModels, load
from sojae_gateway.plants import Plants
from sojae_gateway.reads import Reads
from sojae_gateway.selftest import self_test
from sojae_gateway.settings import FollowingSettings, GatewaySettings
from sojae_gateway.streams import Streams

log = logging.getLogger(__name__)

INDEX_FILE = "gateway.sqlite"
STALE_SECONDS = 30.0
"""Without a step of the index for so long, the gateway is not ready: its answers would be old without saying so."""

Book = Callable[[], TemplateBook]


@dataclass(slots=True)
class Progress:
    """How far the index is: the last step, and when (monotonic seconds)."""

    followed: Followed = field(default_factory=lambda: Followed(None, None, None))
    at: float = 0.0

    @property
    def lag_versions(self) -> int:
        """Versions of `events` that the index has not included yet."""
        return (self.followed.head or 0) - (self.followed.version or 0)


@dataclass(slots=True)
class Parts:
    """The gateway's parts; `book` gives the templates of the moment, `principal` is who asks until there are API keys."""

    settings: GatewaySettings
    following: FollowingSettings
    book: Book
    index: RowIndex
    reader: RowReader
    decoder: FastavroDecoder
    shelf: ModelShelf
    metrics: GatewayMetrics
    plants: Plants
    streams: Streams
    principal: Principal
    models: ModelHolder = field(default_factory=ModelHolder)
    progress: Progress = field(default_factory=Progress)

    def follow_index(self) -> None:
        """Make one step of the index; raises StoreError or StateError."""
        followed = self.index.follow()
        self.progress.followed, self.progress.at = followed, time.monotonic()
        if followed.version is not None:
            self.metrics.indexed(followed.rows, followed.version, self.progress.lag_versions, rebuilt=followed.rebuilt)

    def follow_shelf(self) -> None:
        """Take newer models from the shelf, and newer measurements from the index; raises StoreError or StateError."""
        self.metrics.swapped(len(self.models.refresh(self.shelf, self._prepare)))
        for models in self.models.current.values():
            models.measured.catch_up()

    def ready(self) -> bool:
        """Return whether row reads answer, and are not old."""
        return self.progress.at > 0 and time.monotonic() - self.progress.at < STALE_SECONDS

    def reads(self, principal: Principal) -> Reads:
        """Return the row reads of a principal, today."""
        return Reads(self.reader, self.decoder, principal, today())

    def _prepare(self, bundle: Bundle) -> ProjectModels:
        models = load(bundle, self.book(), self._measured)
        models.measured.catch_up()
        return replace(models, row_seconds=self_test(models, today()))

    def _measured(self, project: str, fields: frozenset[str]) -> Measured:
        return Measured(project, fields, self.reader, self.decoder)


@dataclass(frozen=True, slots=True)
class Sources:
    """What the gateway reads: a store, through an index in a folder, templates, and the plants that there are."""

    store_uri: str
    index_folder: Path
    book: Book
    plants: Mapping[str, Plant] = field(default_factory=dict)


@contextmanager
def open_parts(
    settings: GatewaySettings, following: FollowingSettings, sources: Sources, registry: CollectorRegistry
) -> Iterator[Parts]:
    """Hold the parts over one store for the time of the block; raises StateError or StoreError when one cannot be opened."""
    path = sources.index_folder / INDEX_FILE
    metrics, plants = GatewayMetrics(registry), Plants(sources.plants)
    with closing(RowIndex(path, events_uri(sources.store_uri))) as index, closing(RowReader(path)) as reader:
        yield Parts(
            settings=settings,
            following=following,
            book=sources.book,
            index=index,
            reader=reader,
            decoder=FastavroDecoder(sources.book),
            shelf=ModelShelf(open_store(sources.store_uri)),
            metrics=metrics,
            plants=plants,
            streams=Streams(plants, metrics, settings.max_streams),
            principal=PUBLIC if settings.open else LOCAL_OPERATOR,
        )


def today() -> dt.date:
    """Return the day in UTC, on which embargoes depend."""
    return dt.datetime.now(dt.UTC).date()
