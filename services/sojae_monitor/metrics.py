"""What the monitor counts, in the words of the domain."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge


class MonitorMetrics:
    """Counters of one monitor process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._messages = Counter("sojae_telemetry_messages", "Telemetry messages followed.", registry=registry)
        self._replayed = Counter(
            "sojae_telemetry_messages_replayed", "Messages read again to rebuild open panes.", registry=registry
        )
        self._counts = Counter(
            "sojae_telemetry_set_aside",
            "Samples and messages of telemetry set aside, by reason.",
            ["reason"],
            registry=registry,
        )
        self._samples = Counter("sojae_telemetry_samples", "Good samples in the windows sent.", registry=registry)
        self._windows = Counter("sojae_windows_sent", "Windows sent.", registry=registry)
        self._alarms = Counter("sojae_alarms_sent", "Alarms raised or cleared.", ["state"], registry=registry)
        self._batches = Counter(
            "sojae_batches_ended",
            "Batches that ended: complete ones are told, incomplete ones are not.",
            ["complete"],
            registry=registry,
        )
        self._forecasts = Counter("sojae_forecasts_sent", "Forecasts sent.", registry=registry)
        self._without = Counter(
            "sojae_forecasts_left_out",
            "Windows of running batches without a forecast, by reason.",
            ["reason"],
            registry=registry,
        )
        self._scores = Counter("sojae_scores_sent", "Laboratory values compared with forecasts.", registry=registry)
        self._checkpoint_lag = Gauge(
            "sojae_monitor_checkpoint_lag",
            "Messages followed since the checkpoint that was kept last.",
            registry=registry,
        )
        self._partitions = Gauge("sojae_monitor_partitions", "Telemetry partitions followed.", registry=registry)

    def followed(self, messages: int, counts: Mapping[str, int], *, replaying: bool) -> None:
        """Count messages given to an engine, and what it set aside."""
        self._messages.inc(messages)
        if replaying:
            self._replayed.inc(messages)
        for reason, count in counts.items():
            self._counts.labels(reason).inc(count)

    def set_aside(self, messages: int, reason: str) -> None:
        """Count messages that no engine was given."""
        self._counts.labels(reason).inc(messages)

    def window(self, samples: int) -> None:
        """Count a window sent, and its good samples."""
        self._samples.inc(samples)
        self._windows.inc()

    def alarm(self, state: str) -> None:
        """Count an alarm raised or cleared."""
        self._alarms.labels(state).inc()

    def batch(self, *, complete: bool) -> None:
        """Count a batch that ended."""
        self._batches.labels("yes" if complete else "no").inc()

    def forecast(self) -> None:
        """Count a forecast sent."""
        self._forecasts.inc()

    def no_forecast(self, reason: str) -> None:
        """Count a window of a running batch that got no forecast."""
        self._without.labels(reason).inc()

    def score(self) -> None:
        """Count a score sent."""
        self._scores.inc()

    def kept(self, lag: int) -> None:
        """Note how many messages were followed since the last checkpoints."""
        self._checkpoint_lag.set(lag)

    def placed(self, partitions: int) -> None:
        """Note how many partitions are followed."""
        self._partitions.set(partitions)
