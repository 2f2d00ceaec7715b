"""The process-stage event of a batch that has ended, as its institute sends it through Kafka."""

import datetime as dt
import math
from collections.abc import Mapping

from sojae.adapters.avro import FastavroEncoder
from sojae.domain.plant import BatchFeature, Plant
from sojae.domain.template import Template
from sojae.topics import HEADER_TEMPLATE, events_topic
from sojae_monitor.emitted import MICROSECONDS, BatchDone
from sojae_monitor.identifiers import named_id, producer_name, sequence_number
from sojae_monitor.messages import Outgoing

SIGNIFICANT_DIGITS = 6
"""A channel's features are given to these digits: more than any sensor has, and the same on every machine."""

HISTORICAL_MS = 24 * 3_600 * 1_000
"""A batch whose end is older than this when its closing message reaches Kafka is history."""


class ProcessEvents:
    """Makes the events of one telemetry partition's batches."""

    def __init__(self, plant: Plant, topic_id: str, partition: int) -> None:
        self._plant = plant
        self._producer = producer_name(plant.institute, plant.plant, topic_id)
        self._partition = partition
        self._encoder = FastavroEncoder()

    def message(self, batch: BatchDone, template: Template) -> Outgoing:
        """Return the framed event; the same batch gives the same bytes. Raises TemplateError when values do not fit."""
        values = process_values(self._plant, batch.asset, batch.features, template)
        return Outgoing(
            topic=events_topic(self._plant.institute),
            key=self._producer,
            value=self._encoder.encode(template, self._header(batch, template), values),
            headers={HEADER_TEMPLATE: str(template.key).encode()},
        )

    def _header(self, batch: BatchDone, template: Template) -> dict[str, object]:
        record_id = named_id(self._plant.plant, batch.asset, batch.how, batch.batch)
        ended_ms = batch.end_us // (MICROSECONDS // 1_000)
        return {
            "event_id": named_id(record_id, template.key.version),
            "record_id": record_id,
            "template_version": template.key.version,
            "institute": self._plant.institute,
            "producer": self._producer,
            "epoch": self._partition,
            "seq": sequence_number(batch.offset, batch.index),
            "event_time": dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=batch.end_us),
            "event_time_precision": "second",
            "sample_id": batch.batch,
            "origin": "production",
            "generated_by": [self._plant.institute],
            "instrument": batch.asset,
            "retracted": False,
            "historical": batch.closed_ms - ended_ms > HISTORICAL_MS,
            "comment": f"plant {self._plant.plant}, batch found by {batch.how}",
        }


def process_values(
    plant: Plant, asset: str, features: Mapping[str, Mapping[BatchFeature, float]], template: Template
) -> dict[str, object]:
    """Return the process fields of a batch: the plan's, over them the asset's, over them what channels measured.

    A field that a channel feeds is left out when the channel gave no number: the plan does not stand in for it.
    """
    values: dict[str, object] = {**plant.planned("process"), **plant.assets[asset].values}
    for name, channel in plant.channels.items():
        for field, feature in channel.fields.items():
            measured = features.get(name, {}).get(feature, math.nan)
            values[field] = rounded(measured) if math.isfinite(measured) else None
    kinds = {field.name: field.kind for field in template.fields}
    return {f: _of_kind(v, kinds.get(f)) for f, v in values.items() if v is not None}


def rounded(value: float) -> float:
    """Return a number to six significant digits."""
    return float(format(value, f".{SIGNIFICANT_DIGITS}g"))


def _of_kind(value: object, kind: str | None) -> object:
    return round(value) if kind == "long" and isinstance(value, int | float) else value
