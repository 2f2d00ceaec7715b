"""Derived tables that are damaged are set aside, so that their followers build them again from `events`."""

import logging
from collections.abc import Callable, Iterator

from sojae.adapters.damage import damage_of, set_aside
from sojae.adapters.template_files import TemplateBook
from sojae_ingest.ledger_table import ledger_uri
from sojae_ingest.materials_table import materials_uri

log = logging.getLogger(__name__)


class Mending:
    """Looks at the derived tables when there is reason to: at the start, and when a follower fails."""

    def __init__(self, store_uri: str, book: Callable[[], TemplateBook]) -> None:
        self._store_uri = store_uri
        self._book = book

    def mend(self) -> list[str]:
        """Set aside every derived table that is damaged, and return the followers that build them again.

        Raises StoreError when a folder cannot be moved. `events` is never touched: it is the truth.
        """
        found = []
        for follower, uri in self._derived():
            fault = damage_of(uri)
            if fault is not None:
                log.warning("%s is damaged (%s): moved to %s, and built again from events", uri, fault, set_aside(uri))
                found.append(follower)
        return found

    def _derived(self) -> Iterator[tuple[str, str]]:
        yield "outcomes", ledger_uri(self._store_uri)
        book = self._book()
        for key in {t.key.records for t in book}:
            yield "records", key.uri(self._store_uri)
        for project in book.projects():
            yield "records", materials_uri(self._store_uri, project)
