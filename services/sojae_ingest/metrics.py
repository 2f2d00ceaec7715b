"""What ingest counts, in the words of the domain."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from sojae_ingest.flush import Flushed


class IngestMetrics:
    """Counters of one ingest process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._events = Counter("sojae_events_stored", "Messages stored, by status.", ["status"], registry=registry)
        self._version = Gauge(
            "sojae_events_version", "Version of the table events after the last flush.", registry=registry
        )
        self._seconds = Histogram("sojae_flush_seconds", "Seconds a flush took.", registry=registry)
        self._refused = Counter(
            "sojae_flushes_refused", "Flushes refused because another writer was first.", registry=registry
        )
        self._holes = Counter(
            "sojae_chains_dropped", "Fetch chains dropped because they began beyond the store.", registry=registry
        )
        self._unplaced = Counter(
            "sojae_messages_unplaced", "Messages dropped before their partition was placed.", registry=registry
        )
        self._outcomes = Counter("sojae_outcomes_sent", "Outcome messages sent.", registry=registry)
        self._untold = Counter(
            "sojae_outcomes_failed", "Outcomes that a topic did not take; they are in the store.", registry=registry
        )
        self._follower_failures = Counter(
            "sojae_follower_failures", "Steps of a follower that failed.", ["follower"], registry=registry
        )
        self._sequence_holes = Gauge(
            "sojae_sequence_holes",
            "Gaps in producers' sequence numbers that have stayed open for more than 60 s.",
            registry=registry,
        )
        self._followed = Counter("sojae_rows_followed", "Rows written to derived tables.", ["table"], registry=registry)

    def flushed(self, flushed: Flushed, seconds: float) -> None:
        """Count one flush."""
        for status, count in flushed.counts.items():
            self._events.labels(status).inc(count)
        self._version.set(flushed.version)
        self._seconds.observe(seconds)
        self._holes.inc(len(flushed.holes))

    def refused(self) -> None:
        """Count a flush that the store refused."""
        self._refused.inc()

    def unplaced(self, count: int) -> None:
        """Count messages that came before their partition was placed."""
        self._unplaced.inc(count)

    def outcomes(self, count: int) -> None:
        """Count outcome messages sent."""
        self._outcomes.inc(count)

    def followed(self, table: str, rows: int) -> None:
        """Count rows written to a derived table; `table` is records, ledger or materials."""
        self._followed.labels(table).inc(rows)

    def outcomes_failed(self, count: int) -> None:
        """Count outcomes of events that a topic did not take."""
        self._untold.inc(count)

    def follower_failed(self, name: str) -> None:
        """Count a failed step of a follower; `name` is outcomes, records or care."""
        self._follower_failures.labels(name).inc()

    def sequence_holes(self, count: int) -> None:
        """Say how many holes of producers' sequences stay open."""
        self._sequence_holes.set(count)


class TelemetryMetrics:
    """Counters of the telemetry that one ingest process takes in."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._messages = Counter(
            "sojae_telemetry_stored", "Telemetry messages stored, by status.", ["status"], registry=registry
        )
        self._seconds = Histogram(
            "sojae_telemetry_flush_seconds", "Seconds a flush of telemetry took.", registry=registry
        )
        self._refused = Counter(
            "sojae_telemetry_flushes_refused", "Telemetry flushes refused: another writer was first.", registry=registry
        )
        self._holes = Counter(
            "sojae_telemetry_chains_dropped",
            "Fetch chains of telemetry dropped because they began beyond the store.",
            registry=registry,
        )
        self._unplaced = Counter(
            "sojae_telemetry_unplaced",
            "Telemetry messages dropped before their partition was placed.",
            registry=registry,
        )
        self._failures = Counter(
            "sojae_telemetry_failures",
            "Times that taking telemetry in ended with an alarm, and began again.",
            registry=registry,
        )

    def flushed(self, flushed: Flushed, seconds: float) -> None:
        """Count one flush."""
        for status, count in flushed.counts.items():
            self._messages.labels(status).inc(count)
        self._seconds.observe(seconds)
        self._holes.inc(len(flushed.holes))

    def refused(self) -> None:
        """Count a flush that the store refused."""
        self._refused.inc()

    def unplaced(self, count: int) -> None:
        """Count messages that came before their partition was placed."""
        self._unplaced.inc(count)

    def failed(self) -> None:
        """Count an end with an alarm."""
        self._failures.inc()
