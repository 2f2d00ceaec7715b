"""Row reads: records, events, the quarantine, and how far the index is."""

from typing import Any, Protocol, TypeVar

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath, FromQuery

from sojae.adapters.row_reads import QuarantineFilter, RecordFilter
from sojae_gateway.reads import CountRow, EventFound, EventPage, Record
from sojae_gateway.routes.asking import VERSION_HEADER, ThePage, TheParts, TheReads, tail

Asked = Request[Any, Any, Any]


class Versioned(Protocol):
    """An answer that says which version of `events` it is of."""

    @property
    def store_version(self) -> int | None:
        """The version; None before the first."""
        ...


Answer = TypeVar("Answer", bound=Versioned)


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How far the gateway is: versions of `events`, rows by status, and the models that answer.

    `store_version` is what row reads answer at, `head_version` what the store had at the last look.
    """

    store_version: int | None
    head_version: int | None
    lag_versions: int
    rows: dict[str, int]
    by_institute: list[CountRow]
    models: dict[str, str]


@get("/v1/records", tags=["records"], sync_to_thread=True)
def records(
    reads: TheReads,
    page: ThePage,
    project: FromQuery[str | None] = None,
    stage: FromQuery[str | None] = None,
    institute: FromQuery[str | None] = None,
    sample_id: FromQuery[str | None] = None,
) -> Response[EventPage]:
    """Return a page of current records in the one order: ingest time, topic id, partition, offset."""
    wanted = RecordFilter(project=project, stage=stage, owner=institute, sample_id=sample_id)
    return versioned(reads.records(wanted, page.cursor, page.limit))


@get("/v1/records/{record_id:path}", tags=["records"], sync_to_thread=True)
def record(
    request: Asked,
    reads: TheReads,
    record_id: FromPath[str],
    institute: FromQuery[str | None] = None,
    project: FromQuery[str | None] = None,
    stage: FromQuery[str | None] = None,
) -> Response[Record]:
    """Return what is stated about a record: current, and the whole history. `institute`, `project`, `stage` tell namesakes apart."""
    within = RecordFilter(project=project, stage=stage, owner=institute)
    return versioned(reads.record(tail(request.scope, "/v1/records/", record_id), within))


@get("/v1/events/{institute:str}/{event_id:path}", tags=["records"], sync_to_thread=True)
def event(
    request: Asked,
    reads: TheReads,
    institute: FromPath[str],
    event_id: FromPath[str],
    project: FromQuery[str | None] = None,
    stage: FromQuery[str | None] = None,
) -> Response[EventFound]:
    """Return an event by its id, with every stored message that carries it. `project`, `stage` tell namesakes apart."""
    within = RecordFilter(project=project, stage=stage, owner=institute)
    return versioned(reads.event(tail(request.scope, f"/v1/events/{institute}/", event_id), institute, within))


@get("/v1/quarantine", tags=["quarantine"], sync_to_thread=True)
def quarantine(
    reads: TheReads,
    page: ThePage,
    institute: FromQuery[str | None] = None,
    project: FromQuery[str | None] = None,
    rule: FromQuery[str | None] = None,
) -> Response[EventPage]:
    """Return a page of quarantined events, newest first, with position, reason and raw bytes."""
    wanted = QuarantineFilter(owner=institute, project=project, rule=rule)
    return versioned(reads.quarantine(wanted, page.cursor, page.limit))


@get("/v1/status", tags=["records"], sync_to_thread=True)
def status(parts: TheParts, reads: TheReads) -> Response[Status]:
    """Return how far the gateway is, and how many rows have which status."""
    rows, table, version = reads.counts()
    return versioned(
        Status(
            store_version=version,
            head_version=parts.progress.followed.head,
            lag_versions=parts.progress.lag_versions,
            rows=rows,
            by_institute=table,
            models={name: found.version for name, found in sorted(parts.models.current.items())},
        )
    )


def versioned(answer: Answer) -> Response[Answer]:
    """Return an answer with the version of `events` that it is of, in the header too."""
    version = answer.store_version
    return Response(answer, headers={} if version is None else {VERSION_HEADER.decode(): str(version)})


HANDLERS = [records, record, event, quarantine, status]
