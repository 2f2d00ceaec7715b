"""The plants that the gateway shows: what holds now, in bounded memory, to whom it belongs."""

import datetime as dt

import msgspec
import pytest

from sojae.domain.text import Text
from sojae.ports import Message, Partition, Placed
from sojae_gateway.access import LOCAL_OPERATOR, PUBLIC, Principal
from sojae_gateway.plant_board import MAX_FORECASTS, MAX_SCORED, MAX_WINDOWS, PlantBoard
from sojae_gateway.plant_messages import PlantMessages
from sojae_gateway.plants import Plants
from sojae_gateway.refusal import Refused
from sojae_gateway.stream_places import TopicKey
from tests.plant_lines import PLANT, alarm, feature, forecast, plant

DAY = dt.date(2026, 11, 2)
NOW = dt.datetime(2026, 11, 2, 12, 0, tzinfo=dt.UTC)
FEATURES, FORECASTS, ALARMS = (f"sojae.{kind}.{PLANT}" for kind in ("features", "forecasts", "alarms"))
messages = PlantMessages()


def board(*said: tuple[str, bytes], channels: int = 1) -> PlantBoard:
    made = PlantBoard(plant(channels=channels))
    for topic, value in said:
        made.take(messages.read(topic, value), NOW)
    return made


def test_the_latest_windows_are_kept() -> None:
    """At most 360 of an asset, and fewer where it has many channels; asked for, the newest come, oldest first."""
    whole = board(*((FEATURES, feature(n)) for n in range(MAX_WINDOWS + 5)))
    windows = whole.state(MAX_WINDOWS).assets[0].windows
    assert [len(windows), windows[0].id, windows[-1].id] == [MAX_WINDOWS, "kiln-1/5", "kiln-1/364"]
    assert [w.id for w in whole.state(2).assets[0].windows] == ["kiln-1/363", "kiln-1/364"]
    assert whole.state(0).assets[0].windows == []
    wide = board(*((FEATURES, feature(n)) for n in range(20)), channels=2_000)
    assert len(wide.state(MAX_WINDOWS).assets[0].windows) == 10


def test_the_batch_of_the_last_window_runs() -> None:
    """With its own forecasts only; once a window is without a batch none runs."""
    said = [
        (FORECASTS, forecast(1, batch="B0")),
        (FEATURES, feature(1)),
        (FORECASTS, forecast(1)),
        (FORECASTS, forecast(2)),
    ]
    running = board(*said).state(1).assets[0].running
    assert running is not None
    assert (running.batch, [f.id for f in running.forecasts]) == ("B1", ["B1/1", "B1/2"])
    assert board(*said, (FEATURES, feature(2, batch=None))).state(1).assets[0].running is None
    assert board(*said).state(1).assets[1].running is None


def test_what_is_said_again_counts_once() -> None:
    """A monitor that was killed repeats the last windows and forecasts, with their ids."""
    said = [(FEATURES, feature(1)), (FEATURES, feature(2)), (FORECASTS, forecast(1)), (FORECASTS, forecast(2))]
    state = board(*said, *said).state(9)
    assert [w.id for w in state.assets[0].windows] == ["kiln-1/1", "kiln-1/2"]
    assert state.assets[0].running is not None
    assert [f.id for f in state.assets[0].running.forecasts] == ["B1/1", "B1/2"]


def test_an_alarm_is_open_until_it_is_cleared() -> None:
    """Newest first; a clearing of which the raising was not read is nothing."""
    state = board(
        (ALARMS, alarm(1)), (ALARMS, alarm(2)), (ALARMS, alarm(1, "cleared")), (ALARMS, alarm(3, "cleared"))
    ).state(1)
    assert [a.id for a in state.open_alarms] == ["alarm-2"]


def test_the_last_scores_are_kept() -> None:
    """At most 100, newest first; forecasts are bounded too."""
    scores = [(FORECASTS, forecast(n, batch=f"B{n}", measured=1.0, inside=True)) for n in range(MAX_SCORED + 3)]
    assert [s.batch for s in board(*scores).state(1).scored][:2] == ["B102", "B101"]
    assert len(board(*scores).state(1).scored) == MAX_SCORED
    many = board((FEATURES, feature(1)), *((FORECASTS, forecast(n)) for n in range(MAX_FORECASTS + 9)))
    running = many.state(1).assets[0].running
    assert running is not None
    assert len(running.forecasts) == MAX_FORECASTS


def test_a_plant_is_live_while_something_comes() -> None:
    """For two minutes, or for two of its own windows where these are longer."""
    heard = board((FEATURES, feature(1)))
    assert heard.live(NOW + dt.timedelta(seconds=119))
    assert not heard.live(NOW + dt.timedelta(seconds=130))
    assert not board().live(NOW)
    slow = msgspec.structs.replace(
        plant(), windows=msgspec.structs.replace(plant().windows, window_panes=600, emit_panes=600)
    )
    patient = PlantBoard(slow)
    patient.take(messages.read(FEATURES, feature(1)), NOW)
    assert patient.live(NOW + dt.timedelta(seconds=1_200))


@pytest.mark.parametrize("value", [None, b"", b"\xc3\x01nonsense", alarm(1), feature(1)[:-9], feature(1, name="other")])
def test_what_is_not_of_the_topic_is_refused(value: bytes | None) -> None:
    """Other schemas, cut messages, another plant's words."""
    with pytest.raises(ValueError, match=r"not a message|of plant"):
        messages.read(FEATURES, value)


def test_a_missing_value_is_null() -> None:
    """NaN is no JSON."""
    read = messages.read(FEATURES, feature(1, mean=float("nan")))
    assert msgspec.json.decode(msgspec.json.encode(read))["channels"][0]["mean"] is None


def known() -> Plants:
    """Return two plants of which one is read."""
    plants = Plants({PLANT: plant(), "line-2": plant("line-2", institute="kist")})
    plants.begin([Placed(Partition(FEATURES, 0), "id-1", 0, 2)])
    return plants


def message(offset: int, value: bytes | None) -> Message:
    return Message(FEATURES, 0, offset, int(NOW.timestamp() * 1000), b"kiln-1", value)


def test_it_has_caught_up_once_what_lay_there_is_read() -> None:
    """Read, or found to be unreadable."""
    plants = known()
    assert not plants.caught_up
    assert plants.take(message(0, feature(0))) == "feature"
    assert not plants.caught_up
    assert plants.take(message(1, b"nonsense")) is None
    assert plants.caught_up
    assert plants.ring.logs[TopicKey(PLANT, "f")].next == {0: 2}


def test_with_no_topic_yet_there_is_nothing_to_catch_up_with() -> None:
    """A broker that has been asked is enough."""
    plants = Plants({PLANT: plant()})
    assert not plants.caught_up
    plants.begin([])
    assert plants.caught_up


def test_a_message_that_was_read_before_is_not_taken_again() -> None:
    """Neither by the board nor by the stream."""
    plants = known()
    plants.take(message(0, feature(0)))
    assert plants.take(message(0, feature(7))) is None
    assert [w.id for w in plants.boards[PLANT].state(9).assets[0].windows] == ["kiln-1/0"]


def test_a_plant_belongs_to_its_institute() -> None:
    """The operator sees all, an institute its own, anybody none; what may not be seen is not there."""
    plants = known()
    assert [p.plant for p in plants.seen_by(LOCAL_OPERATOR, DAY)] == [PLANT, "line-2"]
    assert [p.plant for p in plants.seen_by(Principal("k", institute="kist"), DAY)] == ["line-2"]
    assert plants.seen_by(PUBLIC, DAY) == []
    assert plants.one(PLANT, LOCAL_OPERATOR, DAY).plant == PLANT
    with pytest.raises(Refused) as caught:
        plants.one(PLANT, Principal("k", institute="kist"), DAY)
    assert caught.value.rule == "unknown_plant"


def test_only_who_sees_a_plant_hears_of_the_broker() -> None:
    """Its address is inside the trouble, and anybody may ask a gateway that is open to the network."""
    plants = Plants({PLANT: plant()})
    plants.trouble = Text(ko="10.0.0.5:9092에 연결할 수 없습니다", en="cannot reach 10.0.0.5:9092")
    assert plants.note(LOCAL_OPERATOR, DAY) == plants.trouble
    assert plants.note(PUBLIC, DAY) is None
