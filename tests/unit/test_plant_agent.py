"""The loop of the simulated plant: what goes to Kafka and when, what truth.jsonl says, where the next run goes on."""

import asyncio
import datetime as dt
import json
from collections import Counter
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from sojae.adapters.avro import FastavroDecoder
from sojae.adapters.telemetry_codec import TelemetryDecoder
from sojae.domain.errors import StateError
from sojae.home import Home
from sojae.ports import Message
from sojae_ingest.judgement import judge
from sojae_local.fresh import forget
from sojae_simulator.institutes import NOISE, NOISE_LIMIT, OFFSET, OFFSET_LIMIT
from sojae_simulator.metrics import SimulatorMetrics
from sojae_simulator.plant_agent import PlantAgent, PlantRun
from sojae_simulator.plant_build import plant_plan
from sojae_simulator.plant_clock import US, EventClock
from sojae_simulator.plant_state import load_state, state_file
from sojae_simulator.projects.ceramic_electrode_law import cell_property
from sojae_simulator.settings import PlantSimulatorSettings, SimulatorSettings
from sojae_simulator.truth import TruthFile
from tests.fakes import FakeClock, FakeProducer, FakeSeen
from tests.plants import EPOCH, NOW, book, built, endless

LIVE, HISTORY, EVENTS = "sojae.telemetry.sim-sinter", "sojae.history.sim-sinter", "sojae.events.sim-ceramic-a"
Line = dict[str, object]


class Plant:
    """A plant that has run in a home until it ended."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.producer = FakeProducer()
        self.lines: list[Line] = []

    async def run(self, run: PlantRun, *, stop_after: int | None = None) -> "Plant":
        with TruthFile(self.home / "truth.jsonl") as truth:
            agent = PlantAgent(
                self.producer,
                truth,
                SimulatorMetrics(CollectorRegistry()),
                FakeClock(NOW),
                state_file(self.home, "sim-sinter"),
            )
            if stop_after is not None:
                self.producer.after = lambda count: agent.stop() if count >= stop_after else None
            await agent.run(run)
        text = (self.home / "truth.jsonl").read_text(encoding="utf-8")
        self.lines = [json.loads(line) for line in text.splitlines()]
        return self

    def of(self, kind: str) -> list[Line]:
        return [line for line in self.lines if line["kind"] == kind]

    def telemetry(self, topic: str) -> list[Line]:
        """Return the messages of a topic, each with its place and key."""
        sent = {place: message for place, message in self.producer.sent.items() if place[0] == topic}
        decoded = TelemetryDecoder().decode([value for _, value in sent.values()])
        assert [found for found in decoded.issues if found] == []
        rows = decoded.rows.to_pylist()
        return [{**row, "place": place, "key": key} for row, (place, (key, _)) in zip(rows, sent.items(), strict=True)]

    def events(self) -> list[Line]:
        """Return the events in the order of sending: stage, header, values, and what ingest finds."""
        sent = [(p, *m) for p, m in self.producer.sent.items() if p[0] == EVENTS]
        messages = [(Message(*p, int(NOW.timestamp() * 1000), key.encode(), value), "id") for p, key, value in sent]
        decoded = FastavroDecoder(book).decode([m.value for m, _ in messages])
        by_place = {(j.message.partition, j.message.offset): j for j in judge(messages, decoded, FakeSeen())}
        judged = [by_place[m.partition, m.offset] for m, _ in messages]
        return [
            {"stage": j.decoded.template.key.stage, "issues": j.issues, **j.decoded.values, **j.header}
            for j in judged
            if j.decoded.template is not None
        ]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """The first run in a new home, until two batches have been tested."""
    home = tmp_path_factory.mktemp("home")
    return asyncio.run(Plant(home).run(built(home, batches=2)))


def test_telemetry_counts_from_zero_and_lies_years_back(plant: Plant) -> None:
    """Keyed by asset, units of the plant's file, no number left out."""
    rows = plant.telemetry(LIVE)
    for asset in ("kiln-1", "kiln-2"):
        numbers = {int(str(r["seq"])) for r in rows if r["asset"] == asset}
        assert numbers == set(range(len(numbers)))
    assert {(r["asset"] == r["key"], r["epoch"], r["historical"], r["dt"]) for r in rows} == {(True, EPOCH, False, 1e7)}
    series = rows[0]["series"]
    assert isinstance(series, list)
    assert [(s["channel"], s["unit"]) for s in series] == [
        ("temperature", "Cel"),
        ("humidity", "g/m3"),
        ("power", "kW"),
    ]
    begin = rows[0]["t0"]
    assert isinstance(begin, dt.datetime)
    assert NOW - begin == dt.timedelta(days=730)


def test_old_telemetry_goes_to_its_own_topic_first(plant: Plant) -> None:
    """One finished batch, marked as history, under an epoch of its own."""
    rows = plant.telemetry(HISTORY)
    assert {(r["asset"], r["epoch"], r["historical"]) for r in rows} == {("kiln-1", EPOCH - 1, True)}
    marks = [m["kind"] for r in rows for m in r["marks"]]  # type: ignore[attr-defined]  # a list
    assert marks == ["start", "end"]
    (line,) = plant.of("plant_history_sent")
    assert line["messages"] == len(rows)
    first = next(r for r in plant.telemetry(LIVE) if r["seq"] == 0)
    assert max(str(r["t0"]) for r in rows) < str(first["t0"])


def test_each_batch_is_stated_before_it_and_tested_after_it(plant: Plant) -> None:
    """Lots, composition, start, end, property; the process event is nobody's but the monitor's."""
    done = [str(line["batch"]) for line in plant.of("plant_property_sent")]
    assert len(done) >= 2
    events = plant.events()
    assert {e["stage"] for e in events} == {"raw", "composition", "property"}
    for batch in done:
        (composition,) = [e for e in events if e["stage"] == "composition" and e["sample_id"] == batch]
        (tested,) = [e for e in events if e["stage"] == "property" and e["sample_id"] == batch]
        started = next(line for line in plant.of("plant_batch_started") if line["batch"] == batch)
        ended = next(line for line in plant.of("plant_batch_done") if line["batch"] == batch)
        assert str(composition["event_time"])[:19] < str(started["at"]).replace("T", " ")[:19]
        assert str(ended["end"]).replace("T", " ")[:19] < str(tested["event_time"])[:19]
        lots = composition["lots"]
        assert isinstance(lots, dict)
        assert set(lots.values()) <= {e["sample_id"] for e in events if e["stage"] == "raw"}


def test_events_of_the_line_have_no_finding(plant: Plant) -> None:
    """They are history, and say so; each producer counts its own."""
    events = plant.events()
    assert [e["issues"] for e in events if e["issues"]] == []
    assert {e["historical"] for e in events} == {True}
    for producer in ("sim-ceramic-a/line-weighing", "sim-ceramic-a/line-tester"):
        numbers = [e["seq"] for e in events if e["producer"] == producer]
        assert numbers == list(range(len(numbers)))


def test_what_is_measured_is_the_truth_with_noise(plant: Plant) -> None:
    """3 % and the institute's offset about the law at what the ware went through; ids are those of the event."""
    events = {e["sample_id"]: e for e in plant.events() if e["stage"] == "property"}
    truth = {line["batch"]: line for line in plant.of("plant_batch_done")}
    limit = (1 + OFFSET * OFFSET_LIMIT) * (1 + NOISE * NOISE_LIMIT) - 1
    for line in plant.of("plant_property_sent"):
        event, true, measured = events[line["batch"]], truth[line["batch"]]["true_property"], line["measured"]
        assert isinstance(true, dict)
        assert isinstance(measured, dict)
        assert (event["event_id"], event["record_id"]) == (line["event_id"], line["record_id"])
        assert {name: event[name] for name in measured} == measured
        assert event["test_temperature"] == 600.0
        assert measured["peak_power_density"] == pytest.approx(true["peak_power_density"], rel=limit)


def test_the_truth_is_the_law_s(plant: Plant) -> None:
    """Worked out again from the line alone."""
    for line in plant.of("plant_batch_done"):
        design = {
            "process__co_sinter_temperature": line["true_mean_above"],
            "process__co_sinter_time": line["true_dwell_h"],
            "process__absolute_humidity": line["true_humidity"],
        }
        assert line["true_property"] == pytest.approx(cell_property(design))
        assert 1410.0 < float(str(line["true_mean_above"])) < 1520.0


def test_faults_are_listed_where_they_lie(plant: Plant) -> None:
    """By the place of their message; totals at the end."""
    rows = {r["place"]: r for r in plant.telemetry(LIVE)}
    faults = plant.of("plant_fault")
    assert len(faults) > 10
    for line in faults:
        row = rows[line["topic"], line["partition"], line["offset"]]
        assert (row["asset"], row["seq"], row["epoch"]) == (line["asset"], line["seq"], line["epoch"])
    (end,) = plant.of("plant_done")
    assert end["faults"] == dict(Counter(str(line["fault"]) for line in faults))
    assert end["messages"] == dict(Counter(topic for topic, _, _ in plant.producer.sent))


async def test_the_next_run_goes_on_where_this_one_ended(tmp_path: Path) -> None:
    """In the middle of a batch: its end comes, its number and its lots are not stated again, no sample twice."""
    first = await Plant(tmp_path).run(endless(built(tmp_path, faults=0.0)), stop_after=500)
    second = await Plant(tmp_path).run(built(tmp_path, epoch=EPOCH + 1, faults=0.0, batches=2))
    assert [line["kind"] for line in second.lines].count("plant_history_sent") == 1
    started = [line["batch"] for line in second.of("plant_batch_started")]
    assert len(started) == len(set(started))
    assert {line["batch"] for line in second.of("plant_batch_done")} <= set(started)
    rows = [*first.telemetry(LIVE), *second.telemetry(LIVE)]
    assert len({(r["asset"], r["t0"]) for r in rows}) == len(rows)
    raw = [e["sample_id"] for plant in (first, second) for e in plant.events() if e["stage"] == "raw"]
    assert len(raw) == len(set(raw)) == 6


async def test_told_to_stop_it_ends_with_its_totals(tmp_path: Path) -> None:
    """What was held back is sent, and the state kept."""
    plant = await Plant(tmp_path).run(endless(built(tmp_path)), stop_after=300)
    assert plant.lines[-1]["kind"] == "plant_done"
    state = load_state(state_file(tmp_path, "sim-sinter"))
    assert state is not None
    assert set(state.kilns) == {"kiln-1", "kiln-2"}


async def test_equal_seeds_give_equal_messages(tmp_path: Path) -> None:
    """Telemetry to the byte; events but for their drawn ids."""

    async def sent(folder: str) -> list[bytes]:
        (tmp_path / folder).mkdir()
        plant = await Plant(tmp_path / folder).run(endless(built(tmp_path / folder)), stop_after=400)
        return [value for place, (_, value) in plant.producer.sent.items() if place[0] != EVENTS]

    assert await sent("a") == await sent("b")


def test_a_damaged_state_is_one_sentence(tmp_path: Path) -> None:
    """With what to do."""
    state_file(tmp_path, "sim-sinter").write_text('{"plant": "sim', encoding="utf-8")
    with pytest.raises(StateError, match="remove it, and the plant begins anew"):
        built(tmp_path)


def test_a_home_that_was_forgotten_begins_anew(tmp_path: Path) -> None:
    """`sojae fresh` takes the plant's state with it."""
    home = Home(tmp_path / "home").prepare()
    path = state_file(home.path, "sim-sinter")
    path.write_text("{}", encoding="utf-8")
    forget(home)
    assert load_state(path) is None


@pytest.mark.parametrize(("enabled", "projects"), [(False, "ceramic_electrode"), (True, "high_entropy_alloy")])
def test_a_plant_may_be_left_out(tmp_path: Path, enabled: bool, projects: str) -> None:
    """By its switch, or with its project."""
    chosen = SimulatorSettings.model_validate({"projects": projects})
    line = PlantSimulatorSettings.model_validate({"enabled": enabled})
    assert plant_plan(line, chosen, book(), tmp_path) is None


def test_the_plant_s_time_runs_fast_and_never_beyond_the_wall_s() -> None:
    """Until it has caught up; then as fast as the wall clock."""
    wall, elapsed = FakeClock(NOW), [0.0]
    now_us = int(NOW.timestamp() * US)
    clock = EventClock(now_us - 3_600 * US, 900.0, wall, lambda: elapsed[0])
    elapsed[0] = 2.0
    assert clock.now_us() == now_us - 1_800 * US
    assert clock.seconds_until(now_us - 900 * US) == pytest.approx(1.0)
    elapsed[0] = 5.0
    assert clock.now_us() == now_us
    assert clock.seconds_until(now_us + 60 * US) == pytest.approx(60.0)
    assert clock.seconds_until(now_us - 60 * US) == 0.0


def test_without_a_speed_the_plant_s_time_is_the_present() -> None:
    """As fast as can be, and no faster than the wall clock."""
    clock = EventClock(0, 0.0, FakeClock(NOW), lambda: 0.0)
    assert clock.now_us() == int(NOW.timestamp() * US)
    assert clock.seconds_until(clock.now_us() - 1) == 0.0
