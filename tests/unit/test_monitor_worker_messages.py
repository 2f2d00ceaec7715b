"""What the monitor writes: ids, windows, alarms and process events are a function of what they tell."""

import datetime as dt
import math

import pytest

from sojae.adapters.avro import FastavroDecoder
from sojae.domain.header import identifier_issues, identity_issues
from sojae.domain.record import canonical_json
from sojae.topics import institute_of
from sojae_monitor.emitted import BatchDone
from sojae_monitor.identifiers import named_id, producer_name, sequence_number
from sojae_monitor.messages import ALARM, FEATURE, Outgoing, alarm_message, feature_message
from sojae_monitor.process_event import ProcessEvents, process_values
from tests.builders import book, template
from tests.monitor_parts import PLANT, SECOND_US, START_US, alarm, batch_done, window

PROCESS = template("ceramic_electrode", "process")
TOPIC_ID = "aGVyZS1pcy1hLXRvcGljLQ"


def event(batch: BatchDone, topic_id: str = TOPIC_ID, partition: int = 2) -> Outgoing:
    return ProcessEvents(PLANT, topic_id, partition).message(batch, PROCESS)


def header_of(message: Outgoing) -> dict[str, object]:
    return dict(FastavroDecoder(book).decode([message.value])[0].header)


def test_ids_tell_parts_apart() -> None:
    """No two lists of parts read as one."""
    assert named_id("a", "bc") != named_id("ab", "c")
    assert named_id("a", 1) != named_id("a", "1")
    assert named_id("a", 1) == named_id("a", 1)


def test_a_window_gives_the_same_bytes_under_an_id_of_its_place() -> None:
    """The id is of plant, asset and end; values do not enter it."""
    first, again = (feature_message(PLANT, window("kiln-1", START_US, mean=m)) for m in (1.0, 1.0))
    assert first == again
    ids = {
        FEATURE.decode(feature_message(PLANT, w).value)["id"]
        for w in (
            window("kiln-1", START_US),
            window("kiln-1", START_US, mean=2.0),
            window("kiln-2", START_US),
            window("kiln-1", START_US + SECOND_US),
        )
    }
    assert len(ids) == 3


def test_a_window_goes_to_its_plant_s_topic_by_asset() -> None:
    """Key and topic; times are Unix microseconds."""
    message = feature_message(PLANT, window("kiln-3", START_US, batch="B-1"))
    record = FEATURE.decode(message.value)
    assert (message.topic, message.key) == ("sojae.features.test-line", "kiln-3")
    assert record["end"] == dt.datetime.fromtimestamp(START_US / SECOND_US, dt.UTC)
    assert (record["batch"], record["channels"][0]["unit"]) == ("B-1", "Cel")  # type: ignore[index]


def test_an_alarm_is_raised_and_cleared_under_one_id_with_a_sentence_in_both_languages() -> None:
    """The sentence names asset, value, limit and unit."""
    raised = ALARM.decode(alarm_message(PLANT, alarm()).value)
    cleared = ALARM.decode(alarm_message(PLANT, alarm("cleared", at_us=START_US + SECOND_US, limit=1480.0)).value)
    assert raised["id"] == cleared["id"]
    assert raised["message_en"] == "kiln-1: temperature is above its limit of 1490 Cel (1501.23 Cel)"
    assert "1490 Cel" in str(raised["message_ko"])
    assert "1480 Cel" in str(cleared["message_en"])


def test_another_alarm_has_another_id() -> None:
    """It began elsewhere, or is of another channel."""
    messages = [alarm(), alarm(began_us=START_US + SECOND_US), alarm(channel="humidity"), alarm(rule="low")]
    assert len({ALARM.decode(alarm_message(PLANT, one).value)["id"] for one in messages}) == 4


def test_an_event_is_one_that_ingest_takes() -> None:
    """Identities, topic, key and framing."""
    message = event(batch_done("kiln-1", "시료-12", offset=41, index=3))
    decoded = FastavroDecoder(book).decode([message.value])[0]
    header = dict(decoded.header)
    assert not decoded.issues
    assert not list(identifier_issues(header))
    assert not list(identity_issues(header, topic_institute=institute_of(message.topic), key=message.key.encode()))
    assert message.headers == {"sojae-template": b"ceramic_electrode/process/1.0"}
    assert (header["epoch"], header["seq"], header["origin"]) == (2, 41_003, "production")
    assert (header["sample_id"], header["instrument"]) == ("시료-12", "kiln-1")


def test_a_replayed_batch_is_the_same_event_and_another_topic_another_producer() -> None:
    """Equal bytes; a telemetry topic made anew must not meet the old one's sequence numbers."""
    batch = batch_done("kiln-1", "B-1", offset=7)
    assert event(batch) == event(batch)
    assert header_of(event(batch))["producer"] != header_of(event(batch, topic_id="another"))["producer"]
    assert producer_name("firm", "line", TOPIC_ID).startswith("firm/monitor/line/")


def test_event_ids_follow_asset_batch_and_how_it_was_found() -> None:
    """One record for each; where in the log it was closed does not enter."""
    records = [
        batch_done("kiln-1", "B-1"),
        batch_done("kiln-1", "B-1", offset=99),
        batch_done("kiln-2", "B-1"),
        batch_done("kiln-1", "B-2"),
        batch_done("kiln-1", "B-1", how="pattern"),
    ]
    headers = [header_of(event(one)) for one in records]
    assert len({h["record_id"] for h in headers}) == len({h["event_id"] for h in headers}) == 4


def test_values_are_the_plan_s_under_the_asset_s_under_the_measured_ones() -> None:
    """Six digits; what no channel measured is the plan's only where no channel feeds the field."""
    values = process_values(PLANT, "kiln-2", batch_done("kiln-2", "B-1").features, PROCESS)
    assert values["co_sinter_temperature"] == 1474.12
    assert values["absolute_humidity"] == 3.0
    assert values["co_sinter_furnace"] == "kiln-2"
    assert values["positrode_sinter_temperature"] == 900.0
    silent = process_values(PLANT, "kiln-2", {"temperature": {"mean_above": math.nan, "dwell_h": 1.0}}, PROCESS)
    assert "co_sinter_temperature" not in silent
    assert "absolute_humidity" not in silent


@pytest.mark.parametrize(("hours", "historical"), [(23.9, False), (24.1, True)])
def test_a_batch_that_ended_a_day_before_its_closing_message_is_history(hours: float, historical: bool) -> None:
    """By Kafka's time of the closing message, never by the clock."""
    batch = batch_done("kiln-1", "B-1", end_us=START_US, closed_ms=START_US // 1_000 + int(hours * 3_600_000))
    assert header_of(event(batch))["historical"] is historical


def test_sequence_numbers_grow_with_the_log() -> None:
    """A thousand batches of one message have room, and no more."""
    assert sequence_number(5, 999) < sequence_number(6, 0)
    with pytest.raises(ValueError, match="0 to 999"):
        sequence_number(5, 1_000)


def test_event_values_are_json_numbers() -> None:
    """Nothing in an event depends on a library's noise."""
    assert "NaN" not in canonical_json(process_values(PLANT, "kiln-1", {}, PROCESS))
