"""Windows and alarms as messages: equal input gives equal bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from sojae.adapters.avro import RecordCodec
from sojae.adapters.template_files import read_common
from sojae.domain.plant import Plant
from sojae.domain.text import Text
from sojae.topics import alarms_topic, features_topic
from sojae_monitor.emitted import AlarmChange, Window
from sojae_monitor.identifiers import named_id

VERSION = "1.0"
"""Version of the common schemas that are written; part of every id."""

FEATURE = RecordCodec(read_common("feature", VERSION))
ALARM = RecordCodec(read_common("alarm", VERSION))
FORECAST = RecordCodec(read_common("forecast", VERSION))

SENTENCES: Mapping[tuple[str, str], Text] = {
    ("high", "raised"): Text(
        ko="{asset}: {ko}이(가) 상한 {limit:g} {unit}을(를) 넘었습니다({value:.6g} {unit})",
        en="{asset}: {en} is above its limit of {limit:g} {unit} ({value:.6g} {unit})",
    ),
    ("low", "raised"): Text(
        ko="{asset}: {ko}이(가) 하한 {limit:g} {unit}보다 낮습니다({value:.6g} {unit})",
        en="{asset}: {en} is below its limit of {limit:g} {unit} ({value:.6g} {unit})",
    ),
    ("high", "cleared"): Text(
        ko="{asset}: {ko}이(가) {limit:g} {unit} 아래로 돌아왔습니다({value:.6g} {unit})",
        en="{asset}: {en} is back below {limit:g} {unit} ({value:.6g} {unit})",
    ),
    ("low", "cleared"): Text(
        ko="{asset}: {ko}이(가) {limit:g} {unit} 위로 돌아왔습니다({value:.6g} {unit})",
        en="{asset}: {en} is back above {limit:g} {unit} ({value:.6g} {unit})",
    ),
}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message as it goes to Kafka."""

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, bytes] = field(default_factory=dict)


def feature_message(plant: Plant, window: Window) -> Outgoing:
    """Return the message of a window; its id is of plant, asset, window end, pane and window length and version."""
    record = {
        "id": feature_id(plant, window),
        "plant": plant.plant,
        "asset": window.asset,
        "start": window.start_us,
        "end": window.end_us,
        "batch": window.batch,
        "channels": [msgspec.structs.asdict(channel) for channel in window.channels],
    }
    return Outgoing(features_topic(plant.plant), window.asset, FEATURE.encode(record))


def feature_id(plant: Plant, window: Window) -> str:
    """Return the id of a window's message."""
    pane = plant.windows.pane_seconds
    return named_id(plant.plant, window.asset, window.end_us, pane, pane * plant.windows.window_panes, VERSION)


def alarm_message(plant: Plant, alarm: AlarmChange) -> Outgoing:
    """Return the message of a raised or cleared alarm, with its sentence in both languages; both share one id."""
    label = plant.channels[alarm.channel].label
    name = label.text if label is not None else Text(ko=alarm.channel, en=alarm.channel)
    said = SENTENCES[alarm.rule, alarm.state]
    words = {
        "asset": alarm.asset,
        "ko": name.ko,
        "en": name.en,
        "limit": alarm.limit,
        "unit": alarm.unit,
        "value": alarm.value,
    }
    record = {
        "id": named_id(plant.plant, alarm.asset, alarm.channel, alarm.rule, alarm.began_us),
        "plant": plant.plant,
        "asset": alarm.asset,
        "channel": alarm.channel,
        "rule": alarm.rule,
        "state": alarm.state,
        "at": alarm.at_us,
        "began": alarm.began_us,
        "batch": alarm.batch,
        "value": alarm.value,
        "limit": alarm.limit,
        "unit": alarm.unit,
        "message_ko": said.ko.format(**words),
        "message_en": said.en.format(**words),
    }
    return Outgoing(alarms_topic(plant.plant), alarm.asset, ALARM.encode(record))
