"""What the trainer counts, in the words of the domain."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class TrainerMetrics:
    """Counters of one trainer process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._published = Counter("sojae_models_published", "Versions put on the model shelf.", registry=registry)
        self._failed = Counter("sojae_trainings_failed", "Trainings that published nothing.", registry=registry)
        self._seconds = Histogram(
            "sojae_training_seconds", "Seconds a training took.", buckets=(1, 2, 5, 10, 20, 40, 80), registry=registry
        )
        self._version = Gauge("sojae_trainer_events_version", "Version of `events` last seen.", registry=registry)

    def published(self, seconds: float) -> None:
        """Count a version on the shelf."""
        self._published.inc()
        self._seconds.observe(seconds)

    def failed(self) -> None:
        """Count a training that published nothing."""
        self._failed.inc()

    def seen(self, events_version: int) -> None:
        """Note the version of `events`."""
        self._version.set(events_version)
