"""The telemetry of the simulated kilns: what instruments show, marks, equal seeds, and faults at their stated rates."""

import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sojae.domain.plant import Plant
from sojae_simulator.plant_draws import NOISE_K, US, Batch, BatchDraws, read
from sojae_simulator.plant_faults import MONITOR, RATES, FaultyLine, PlantFaultKind, Sent
from sojae_simulator.plant_lab import PlantLaboratory
from sojae_simulator.plant_stream import Kiln, Reading
from tests.plants import NOW, built, plan

WALL_US = int(NOW.timestamp() * US)
SEED = 7


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def plant(home: Path) -> Plant:
    return plan(home).plant


@pytest.fixture
def kiln(home: Path) -> Kiln:
    return built(home).kilns["kiln-1"]


@pytest.fixture(scope="module")
def readings(home: Path) -> list[Reading]:
    """One kiln until its third batch has ended."""
    kiln = built(home).kilns["kiln-1"]
    found: list[Reading] = []
    while sum(r.ended is not None for r in found) < 3:
        found.append(kiln.next())
    return found


def test_messages_follow_one_another_without_a_gap(readings: list[Reading]) -> None:
    """All channels of the plant, six samples each."""
    assert {a.end_us - b.t0_us for a, b in itertools.pairwise(readings)} == {0}
    assert {(r.samples, tuple(r.channels)) for r in readings} == {(6, ("temperature", "humidity", "power"))}


def test_each_batch_is_marked_once_at_its_start_and_its_end(readings: list[Reading]) -> None:
    """In the message in which it happens; a kiln runs one batch at a time; names never come twice."""
    marks = [mark for r in readings for mark in r.marks]
    assert [kind for _, kind, _ in marks] == ["start", "end"] * 3
    assert [t for t, _, _ in marks] == sorted(t for t, _, _ in marks)
    assert len({batch for _, _, batch in marks}) == 3
    for reading in readings:
        assert all(reading.t0_us <= t < reading.end_us for t, _, _ in reading.marks)


def test_instruments_show_what_there_is_and_their_noise(readings: list[Reading]) -> None:
    """0.3 K about the temperature of the furnace; power never below none."""
    first = next(r.started for r in readings if r.started is not None)
    within = [r for r in readings if first.start_us <= r.t0_us and r.end_us <= first.end_us]
    seconds = np.concatenate([(r.t0_us + np.arange(6) * r.step_us - first.start_us) / US for r in within])
    shown = np.concatenate([r.channels["temperature"] for r in within])
    off = shown - first.firing.furnace(seconds)
    assert off.std() == pytest.approx(NOISE_K, rel=0.05)
    assert abs(off.mean()) < 0.03
    assert min(r.channels["power"].min() for r in readings) == 0.0
    assert all(np.isfinite(values).all() for r in readings for values in r.channels.values())


def test_the_kiln_cools_between_batches(readings: list[Reading]) -> None:
    """And the next batch starts from where it was."""
    temperatures = np.concatenate([r.channels["temperature"] for r in readings])
    assert np.abs(np.diff(temperatures)).max() < 12.0
    assert temperatures.min() < 60.0


def test_equal_seeds_give_equal_telemetry(home: Path) -> None:
    """Bit by bit; another seed, and another kiln, give another."""

    def drawn(seed: int, asset: str) -> list[tuple[int, bytes, int, str]]:
        run = built(home, seed=seed)
        sent = [s for _ in range(300) for s in run.lines[asset].put(run.kilns[asset].next(), WALL_US)]
        return [
            (s.reading.t0_us, b"".join(v.tobytes() for v in s.reading.channels.values()), s.seq, repr(s.fault))
            for s in sent
        ]

    assert drawn(1, "kiln-1") == drawn(1, "kiln-1")
    assert drawn(1, "kiln-1") != drawn(2, "kiln-1")
    assert drawn(1, "kiln-1") != drawn(1, "kiln-2")


def test_batches_are_drawn_around_the_plan(plant: Plant) -> None:
    """Mean and spread of the soak are the plan's; the longest draws are cut off."""
    draws = BatchDraws(plant, "kiln-1", np.random.default_rng(SEED))
    batches = [draws.next(n, n * 10**12) for n in range(1_500)]
    soaks, hours = np.array([b.soak_celsius for b in batches]), np.array([b.soak_hours for b in batches])
    assert soaks.mean() == pytest.approx(1475.0, abs=2.0)
    assert soaks.std() == pytest.approx(22.0, rel=0.07)
    assert (soaks.min(), soaks.max()) == (1431.0, 1519.0)
    assert hours.mean() == pytest.approx(5.0, abs=0.15)
    assert min(b.humidity for b in batches) >= 0.8
    assert all(20 * 60 <= b.start_us / US - n * 10**6 <= 60 * 60 for n, b in enumerate(batches))


def sent_by(line: FaultyLine, readings: list[Reading]) -> list[Sent]:
    return [s for r in readings for s in line.put(r, WALL_US)] + list(line.rest())


def plain(count: int, step: int = 60 * US) -> list[Reading]:
    """Return messages without marks, of a kiln that stands still."""
    batch = Batch("kiln-1", 0, 0, 1475.0, 5.0, 3.0, 20.0)
    channels = {name: np.full(6, value) for name, value in (("temperature", 900.0), ("humidity", 3.0), ("power", 4.0))}
    return [Reading("kiln-1", 1_700_000_000 * US + n * step, 10 * US, channels, batch) for n in range(count)]


def test_faults_come_at_their_stated_rates() -> None:
    """Within what chance allows, in 20,000 messages; of a stuck sensor its runs are counted."""
    sent = sent_by(FaultyLine(np.random.default_rng(SEED)), plain(20_000))
    found = Counter(s.fault.kind for s in sent if s.fault is not None)
    found["stuck"] //= 10
    for kind, rate in RATES.items():
        expected = rate * 20_000
        assert abs(found[kind] - expected) < 4.0 * expected**0.5 + 0.02 * expected, kind
    assert set(found) == set(RATES) == set(MONITOR)


def test_no_faults_where_none_are_wanted() -> None:
    """Every message once, in order."""
    sent = sent_by(FaultyLine(np.random.default_rng(SEED), scale=0.0), plain(500))
    assert [(s.seq, s.fault) for s in sent] == [(n, None) for n in range(500)]


def test_messages_that_mark_batches_have_no_fault() -> None:
    """A batch whose mark is lost would not be one."""
    marked = [replace(r, marks=((r.t0_us, "start", "b"),)) for r in plain(2_000)]
    assert [s.fault for s in sent_by(FaultyLine(np.random.default_rng(SEED), scale=5.0), marked)] == [None] * 2_000


def test_a_mark_ends_a_stuck_sensor() -> None:
    """Its message has no fault either."""
    line, readings = FaultyLine(np.random.default_rng(SEED), scale=0.0), plain(5)
    readings[2] = replace(readings[2], marks=((readings[2].t0_us, "end", "b"),))
    line._stuck = ("temperature", 555.5, 10)
    kinds = [None if s.fault is None else s.fault.kind for s in sent_by(line, readings)]
    assert kinds == ["stuck", "stuck", None, None, None]


@pytest.fixture(scope="module")
def planted() -> dict[PlantFaultKind, list[tuple[Sent, list[Sent]]]]:
    """Faults by kind, each with the messages that were sent before it."""
    sent = sent_by(FaultyLine(np.random.default_rng(SEED), scale=2.0), plain(8_000))
    found: dict[PlantFaultKind, list[tuple[Sent, list[Sent]]]] = {kind: [] for kind in RATES}
    for at, one in enumerate(sent):
        if one.fault is not None:
            found[one.fault.kind].append((one, sent[max(0, at - 40) : at]))
    return found


Found = dict[PlantFaultKind, list[tuple[Sent, list[Sent]]]]


def temperature(sent: Sent) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return sent.reading.channels["temperature"]


def test_a_spike_is_one_sample_far_off(planted: Found) -> None:
    """Flagged or not."""
    for kind, quality in (("spike", 0), ("spike_flagged", 1)):
        for sent, _ in planted[kind]:  # type: ignore[index]  # a kind
            off = np.abs(temperature(sent) - 900.0)
            assert ((off >= 150.0).sum(), (off == 0.0).sum()) == (1, 5)
            runs = sent.reading.quality.get("temperature", ())
            assert len(runs) == quality
            assert all(off[start] >= 150.0 and (count, code) == (1, 2) for start, count, code in runs)


def test_what_is_flagged_is_what_is_bad(planted: Found) -> None:
    """The run covers exactly the samples that are off."""
    for sent, _ in planted["bad_flagged"]:
        assert sent.fault is not None
        channel = str(sent.fault.channel)
        ((start, count, code),) = sent.reading.quality[channel]
        off = sent.reading.channels[channel] != plain(1)[0].channels[channel]
        assert (np.flatnonzero(off).tolist(), code) == (list(range(start, start + count)), 2)
        assert count == sent.fault.samples


def test_missing_readings_are_nan_and_a_missing_channel_is_missing(planted: Found) -> None:
    """So many as the fault says."""
    for sent, _ in planted["nan"]:
        assert sent.fault is not None
        values = sent.reading.channels[str(sent.fault.channel)]
        assert np.isnan(values).sum() == sent.fault.samples
    for sent, _ in planted["drop_out"]:
        assert sent.fault is not None
        assert (len(sent.reading.channels), sent.fault.channel in sent.reading.channels) == (2, False)


def test_a_drifted_sensor_is_off_by_its_bias(planted: Found) -> None:
    """Nobody says so."""
    assert all((temperature(s) == 915.0).all() and not s.reading.quality for s, _ in planted["bad_unflagged"])


def test_a_stuck_sensor_shows_one_value_for_ten_messages(kiln: Kiln) -> None:
    """While the kiln heats."""
    heating = [kiln.next() for _ in range(150)][60:]
    line = FaultyLine(np.random.default_rng(SEED))
    line._stuck = ("temperature", 555.5, 10)
    sent = sent_by(line, heating)
    assert [(temperature(s) == 555.5).all() for s in sent[:12]] == [True] * 10 + [False] * 2


def test_clocks_jump_beyond_the_present_and_far_back(planted: Found) -> None:
    """Ahead of the wall clock by more than a day; back by hours."""
    for sent, _ in planted["clock_ahead"]:
        assert sent.reading.t0_us > WALL_US + 86_400 * US
    for sent, before in planted["clock_behind"]:
        assert sent.reading.t0_us < before[-1].reading.t0_us - 3_600 * US


def test_messages_out_of_order_are_one_late_and_late_ones_many(planted: Found) -> None:
    """One is within what an asset is waited for, ten are not."""
    for sent, before in planted["out_of_order"]:
        assert max(b.seq for b in before) == sent.seq + 1
    for sent, before in planted["late"]:
        assert max(b.seq for b in before) >= sent.seq + 10


def test_a_repeated_message_is_the_same_again(planted: Found) -> None:
    """A few messages later."""
    for sent, before in planted["repeated"]:
        original = next(b for b in before if b.seq == sent.seq)
        assert original.reading is sent.reading
        assert original.fault is None


def test_the_truth_of_a_batch_is_that_of_its_ware(home: Path) -> None:
    """Its properties follow the law at the ware's temperature and time, with the plan's other values."""
    run = built(home)
    batch = run.kilns["kiln-1"].state.batch
    laboratory: PlantLaboratory = run.laboratory
    mean, hours = batch.firing.above(1400.0)
    design = laboratory.design(batch)
    assert (design["process__co_sinter_temperature"], design["process__co_sinter_time"]) == (mean, hours)
    assert design["process__absolute_humidity"] == pytest.approx(batch.humidity, abs=0.15)
    assert (design["raw__nio_particle_size"], design["property__test_temperature"]) == (3.0, 600.0)
    colder = replace_batch(batch, soak_celsius=1432.0)
    longer = replace_batch(batch, soak_hours=9.0)
    truth = laboratory.truth(batch)
    assert laboratory.truth(colder)["ohmic_resistance"] != truth["ohmic_resistance"]
    assert laboratory.truth(longer)["electrolyte_grain_size"] > truth["electrolyte_grain_size"]


def replace_batch(batch: Batch, **given: float) -> Batch:
    fields = {name: getattr(batch, name) for name in batch.__struct_fields__}
    return Batch(**{**fields, **given})


def test_what_is_read_has_the_digits_of_the_instrument() -> None:
    """0.1 K, 0.01 g/m³, 0.01 kW."""
    shown = read({n: np.full(50, 3.14159) for n in ("temperature", "humidity", "power")}, np.random.default_rng(1))
    for name, digits in (("temperature", 1), ("humidity", 2), ("power", 2)):
        assert (shown[name] == shown[name].round(digits)).all()
