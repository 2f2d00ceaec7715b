"""What the simulator counts, as Prometheus metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class SimulatorMetrics:
    """Messages acknowledged, faults planted, and whether the first burst is through; registered where it is told."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._messages = Counter(
            "sojae_messages_acknowledged_total",
            "Messages that the broker has acknowledged.",
            ["topic"],
            registry=registry,
        )
        self._faults = Counter(
            "sojae_faults_planted_total",
            "Planted faults that the broker has acknowledged.",
            ["kind"],
            registry=registry,
        )
        self._burst = Gauge("sojae_burst_done", "1 once the first burst is through, else 0.", registry=registry)

    def acknowledged(self, topic: str) -> None:
        """Count one acknowledged message of a topic."""
        self._messages.labels(topic).inc()

    def planted(self, kind: str) -> None:
        """Count one acknowledged fault."""
        self._faults.labels(kind).inc()

    def burst_done(self) -> None:
        """Say that the first burst is through."""
        self._burst.set(1)
