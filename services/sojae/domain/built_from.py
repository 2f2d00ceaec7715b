"""What a materials view was built from: the same of it gives the same bytes."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import pyarrow as pa

from sojae.domain.errors import StoreError

BUILT_FROM = b"built_from"
ON = "events_version"
"""The column of a view whose metadata holds it: it belongs to a version of the table, and costs nothing per row."""


@dataclass(frozen=True, slots=True)
class BuiltFrom:
    """The version of `events` that the records held, SHA-256 by `<stage>/<version>` of every template of the project, and
    the version by `<stage>/<major>` of every records table.
    """

    events: int
    templates: Mapping[str, str] = field(default_factory=dict)
    records: Mapping[str, int] = field(default_factory=dict)

    def stamped(self, view: pa.Table) -> pa.Table:
        """Return the view with this in its schema."""
        text = json.dumps(asdict(self), sort_keys=True)
        place = view.schema.get_field_index(ON)
        return view.cast(view.schema.set(place, view.schema.field(place).with_metadata({BUILT_FROM: text.encode()})))


def read_built_from(schema: pa.Schema) -> BuiltFrom | None:
    """Return what a view of this schema was built from, None when it does not say; raises StoreError when it is no JSON."""
    place = schema.get_field_index(ON)
    metadata = None if place < 0 else schema.field(place).metadata
    if not metadata or BUILT_FROM not in metadata:
        return None
    try:
        return BuiltFrom(**json.loads(metadata[BUILT_FROM]))
    except (ValueError, TypeError) as error:
        raise StoreError(
            en=f"a materials view does not say what it was built from: {error}; delete the table, it is built again",
            ko=f"재료 뷰가 무엇으로 만들어졌는지 읽을 수 없습니다: {error}. 테이블을 지우면 다시 만들어집니다",
        ) from error
