"""Readings of a plant as Kafka messages, and their faults as lines of truth.jsonl."""

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from sojae.adapters.avro import RecordCodec
from sojae.adapters.template_files import read_common
from sojae.domain.plant import Plant
from sojae.topics import history_topic, telemetry_topic
from sojae_simulator.plant_draws import US
from sojae_simulator.plant_faults import Sent


class TelemetryMessage(NamedTuple):
    """One message for Kafka, keyed by its asset."""

    topic: str
    key: str
    value: bytes


class TelemetryWriter:
    """Writes the telemetry of one run of a plant; units are those of the plant's file."""

    def __init__(self, plant: Plant, epoch: int) -> None:
        self._plant, self._epoch = plant, epoch
        self._codec = RecordCodec(read_common("telemetry", "1.0"))
        self.live, self.history = telemetry_topic(plant.plant), history_topic(plant.plant)

    def write(self, sent: Sent, *, historical: bool = False) -> TelemetryMessage:
        """Return the bytes of a message. History has an epoch of its own, so that live messages count from 0."""
        reading = sent.reading
        record = {
            "asset": reading.asset,
            "epoch": self._epoch - 1 if historical else self._epoch,
            "seq": sent.seq,
            "t0": reading.t0_us,
            "dt": float(reading.step_us),
            "times": [],
            "series": [
                {
                    "channel": name,
                    "unit": self._plant.channels[name].unit,
                    "values": values.tolist(),
                    "quality": [{"start": s, "count": n, "code": c} for s, n, c in reading.quality.get(name, ())],
                }
                for name, values in reading.channels.items()
            ],
            "marks": [{"t": t, "kind": kind, "batch": batch} for t, kind, batch in reading.marks],
            "historical": historical,
        }
        topic = self.history if historical else self.live
        return TelemetryMessage(topic, reading.asset, self._codec.encode(record))

    def fault_line(self, sent: Sent, partition: int, offset: int) -> Mapping[str, object]:
        """Return the line of a planted fault that was acknowledged at (partition, offset) of the live topic."""
        assert sent.fault is not None, "only faults have lines"
        return {
            "fault": sent.fault.kind,
            "plant": self._plant.plant,
            "topic": self.live,
            "partition": partition,
            "offset": offset,
            "asset": sent.reading.asset,
            "epoch": self._epoch,
            "seq": sent.seq,
            "batch": sent.reading.batch.name,
            "t0": iso(sent.reading.t0_us),
            "channel": sent.fault.channel,
            "samples": sent.fault.samples,
            "monitor": sent.fault.monitor,
            "status": sent.fault.status,
            "rule": sent.fault.rule,
        }


def iso(time_us: int) -> str:
    """Return a Unix time in microseconds as ISO 8601 in UTC."""
    return (dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=time_us)).isoformat(
        timespec="microseconds"
    )


def unix_us(time: dt.datetime) -> int:
    """Return a moment as Unix time in microseconds."""
    return int(time.timestamp() * US)
