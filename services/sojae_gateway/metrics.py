"""What the gateway counts, in the words of the domain."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class GatewayMetrics:
    """Counters of one gateway process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._answers = Counter(
            "sojae_requests_answered", "Requests answered, by route and status.", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "sojae_answer_seconds", "Seconds from routing to the answer.", ["route"], buckets=SECONDS, registry=registry
        )
        self._predicted = Counter(
            "sojae_rows_predicted", "Recipes for which properties were predicted.", registry=registry
        )
        self._indexed = Counter("sojae_rows_indexed", "Rows taken into the local index.", registry=registry)
        self._rebuilt = Counter("sojae_indexes_rebuilt", "Times the index was built anew.", registry=registry)
        self._version = Gauge(
            "sojae_index_version", "Version of the table events that the index holds.", registry=registry
        )
        self._lag = Gauge("sojae_index_lag_versions", "Versions by which the index is behind.", registry=registry)
        self._failures = Counter(
            "sojae_gateway_tasks_failed", "Failures of a task that runs beside requests.", ["task"], registry=registry
        )
        self._swapped = Counter("sojae_models_swapped", "Models taken from the shelf.", registry=registry)
        self._plant_messages = Counter(
            "sojae_plant_messages_read", "Messages of plants' topics read, by kind.", ["kind"], registry=registry
        )
        self._streams = Gauge("sojae_streams_open", "Clients of the stream.", registry=registry)
        self._dropped = Counter(
            "sojae_streams_dropped", "Clients of the stream let go because they were too slow.", registry=registry
        )

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count one answer; `route` is the pattern of the path, never the path itself."""
        self._answers.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def predicted(self, rows: int) -> None:
        """Count recipes that were predicted."""
        self._predicted.inc(rows)

    def indexed(self, rows: int, version: int, lag: int, *, rebuilt: bool) -> None:
        """Count one step of the index."""
        self._indexed.inc(rows)
        self._version.set(version)
        self._lag.set(lag)
        if rebuilt:
            self._rebuilt.inc()

    def failed(self, task: str) -> None:
        """Count a failure of a task: `index`, `models` or `plants`."""
        self._failures.labels(task).inc()

    def swapped(self, models: int) -> None:
        """Count models that answer from now on."""
        self._swapped.inc(models)

    def plant_message(self, kind: str) -> None:
        """Count a message of a plant: `feature`, `forecast`, `alarm`, `score`, or `unread` where it said nothing new."""
        self._plant_messages.labels(kind).inc()

    def streams(self, clients: int) -> None:
        """Set how many clients the stream has."""
        self._streams.set(clients)

    def stream_dropped(self) -> None:
        """Count a client of the stream that was let go."""
        self._dropped.inc()
