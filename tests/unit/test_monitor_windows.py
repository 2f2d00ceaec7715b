"""Windows, batches and alarms of the window engine, on logs that a reader can follow."""

import math
import random

import numpy as np
import pytest

from sojae.domain.plant import Channel, Limit, Windows
from sojae_monitor.emitted import Emitted
from sojae_monitor.engine import Engine
from sojae_monitor.layout import layout_of
from sojae_monitor.panes import PaneRows
from sojae_monitor.segments import COUNT, DOSE, SUMS, TOTAL
from sojae_monitor.windows import WindowFolder
from tests.engine_logs import SECOND_US, Log, mark, plant, record, series

BEGIN_US = 1_790_000_001_000_000
"""The end of a window, and so the begin of another."""


class Kiln:
    """A log of one asset, a message each second."""

    def __init__(self) -> None:
        self.log, self.seconds = Log(), 0

    def say(self, value: float | None = 1450.0, *marks: tuple[float, str, str]) -> "Kiln":
        """Add a second of ten samples (none with None); marks are at seconds after the log's begin."""
        channels = [] if value is None else [series("temperature", [value] * 10)]
        told = [mark(BEGIN_US + round(at * SECOND_US), kind, batch) for at, kind, batch in marks]
        self.log.add(record(self.seconds, BEGIN_US + self.seconds * SECOND_US, channels, marks=told))
        self.seconds += 1
        return self

    def on(self, seconds: int, value: float | None = 1450.0) -> "Kiln":
        for _ in range(seconds):
            self.say(value)
        return self

    def told(self, **given: object) -> Emitted:
        return Engine(plant(**given), "topic", 0).feed(self.log.samples)  # type: ignore[arg-type]  # plant's arguments


def test_windows_end_at_multiples_and_overlap() -> None:
    """A window of 6 s ends every 3 s, once the asset is a lateness further."""
    emitted = Kiln().on(20).told()
    ends = [(w.end_us - BEGIN_US) // SECOND_US for w in emitted.windows]
    assert ends == [3, 6, 9, 12, 15]
    assert [w.channels[0].count for w in emitted.windows] == [30, 60, 60, 60, 60]
    assert {w.end_us - w.start_us for w in emitted.windows} == {6 * SECOND_US}
    assert [w.offset for w in emitted.windows] == [5, 8, 11, 14, 17]


def test_channel_that_says_nothing_is_told_so() -> None:
    """A channel that vanishes has no number, not the last one."""
    window = Kiln().on(20).told().windows[-1]
    humidity = window.channels[1]
    assert (humidity.channel, humidity.count) == ("humidity", 0)
    assert math.isnan(humidity.mean)
    assert math.isnan(humidity.dwell_s)


def test_silent_asset_closes_nothing() -> None:
    """Time is the time of its samples: another asset, or a clock on the wall, does not move it."""
    kiln = Kiln().on(5)
    for n in range(50):
        kiln.log.add(record(n, BEGIN_US + n * SECOND_US, [series("power", [1.0])], asset="kiln-1"))
    assert {w.asset for w in kiln.told().windows if w.end_us > BEGIN_US + 3 * SECOND_US} == {"kiln-1"}


def test_message_without_samples_moves_time() -> None:
    """A sender with nothing to say lets its windows close by saying when it is."""
    kiln = Kiln().on(5)
    kiln.log.add(record(5, BEGIN_US + 60 * SECOND_US))
    assert sum(w.channels[0].count for w in kiln.told().windows) == 100


@pytest.mark.parametrize("channels", [1, 3])
def test_panes_are_folded_from_left_to_right(channels: int) -> None:
    """Each sum of a window is that of a plain loop over its blocks and their panes, to the last bit."""
    windows = Windows(pane_seconds=1.0, window_panes=100, emit_panes=10)
    layout = layout_of(plant(windows=windows, channels={f"c{n}": Channel(unit="1") for n in range(channels)}))
    draw = np.random.default_rng(1)
    sums = draw.normal(size=(250, SUMS, channels)) * 1e3
    sums[:, COUNT] = 7
    rows = PaneRows(sums, sums[:, TOTAL], sums[:, TOTAL])
    folded = list(WindowFolder(layout).fold(rows, 16))
    for number, window in enumerate(folded):
        assert window is not None
        for place, channel in enumerate(window):
            total = dose = 0.0
            for block in range(number * 10, number * 10 + 100, 10):
                block_total = block_dose = 0.0
                for pane in range(block, block + 10):
                    block_total += float(sums[pane, TOTAL, place])
                    block_dose += float(sums[pane, DOSE, place])
                total, dose = total + block_total, dose + block_dose
            assert channel.mean == total / 700
            assert channel.dose_s == dose


def test_slope_of_a_steady_rise() -> None:
    """A ramp of 0.2 K/s on 1 450 °C is found to nine digits."""
    log = Log()
    for n in range(30):
        values = [1450 + 0.02 * (10 * n + j) for j in range(10)]
        log.add(record(n, BEGIN_US + n * SECOND_US, [series("temperature", values)]))
    windows = Engine(plant(), "topic", 0).feed(log.samples).windows
    assert [w.channels[0].slope_per_s for w in windows] == pytest.approx([0.2] * len(windows), rel=1e-9)


def test_one_sample_has_no_slope() -> None:
    """A slope needs two times."""
    log = Log()
    log.add(record(0, BEGIN_US, [series("temperature", [1450.0])]))
    log.add(record(1, BEGIN_US + 60 * SECOND_US))
    (first, _) = Engine(plant(), "topic", 0).feed(log.samples).windows
    assert first.channels[0].mean == 1450.0
    assert math.isnan(first.channels[0].slope_per_s)


def test_dose_at_the_reference_is_the_time() -> None:
    """At the reference temperature, an hour counts as an hour; 25 K above it, for more."""
    at_reference = Kiln().on(20, 1475.0).told().windows[-1].channels[0]
    above = Kiln().on(20, 1500.0).told().windows[-1].channels[0]
    assert at_reference.dose_s == pytest.approx(6.0)
    rate = math.exp(150_000 / 8.31446261815324 * (1 / 1748.15 - 1 / 1773.15))
    assert above.dose_s == pytest.approx(6.0 * rate)


def test_colder_than_nothing_has_no_dose() -> None:
    """A broken thermocouple gives no infinity."""
    window = Kiln().on(20, -300.0).told().windows[-1]
    assert window.channels[0].dose_s == 0.0


def test_marks_make_a_batch() -> None:
    """A batch is what lies between its marks, and says which message closed it."""
    kiln = Kiln().on(5).say(1450.0, (5, "start", "B-1")).on(9, 1500.0).say(1300.0, (15, "end", "B-1")).on(10)
    (done,) = kiln.told().batches
    assert (done.batch, done.how, done.complete, done.index) == ("B-1", "marks", True, 0)
    assert (done.start_us, done.end_us) == (BEGIN_US + 5 * SECOND_US, BEGIN_US + 15 * SECOND_US)
    assert done.features["temperature"]["mean"] == pytest.approx((1450 + 9 * 1500) / 10)
    assert done.features["temperature"]["dwell_h"] == pytest.approx(10 / 3600)
    assert done.features["power"]["dwell_h"] != done.features["power"]["dwell_h"]
    assert done.offset == 18
    assert done.closed_ms == kiln.log.samples[18].timestamp_ms


def test_windows_say_what_the_batch_has_given_so_far() -> None:
    """While a batch runs, each window has its features up to the window's end."""
    kiln = Kiln().on(3).say(1450.0, (3, "start", "B-1")).on(20, 1500.0)
    windows = kiln.told().windows
    assert [w.batch for w in windows] == [None, *["B-1"] * (len(windows) - 1)]
    assert windows[0].so_far == {}
    so_far = [w.so_far["temperature"]["dwell_h"] * 3600 for w in windows[1:]]
    assert so_far == pytest.approx([3, 6, 9, 12, 15, 18])


def test_mark_waits_for_its_pane() -> None:
    """A mark that comes early, or after samples of its time, takes effect where it belongs."""
    early = Kiln().say(1450.0, (5, "start", "B-1"), (10, "end", "B-1")).on(20)
    late = Kiln().on(8).say(1450.0, (5.6, "start", "B-1")).on(2).say(1450.0, (10, "end", "B-1")).on(12)
    assert [b.features["temperature"]["dwell_h"] * 3600 for b in early.told().batches] == pytest.approx([5.0])
    assert [b.features["temperature"]["dwell_h"] * 3600 for b in late.told().batches] == pytest.approx([4.0])


def test_late_mark_is_counted() -> None:
    """What has closed is not opened again."""
    emitted = Kiln().on(12).say(1450.0, (2, "start", "B-1")).on(12).told()
    assert emitted.counts == {"late_mark": 1}
    assert {w.batch for w in emitted.windows} == {None}


def test_batch_under_way_when_data_begins_is_incomplete() -> None:
    """Its end alone is known: it begins with the data, and says so."""
    (done,) = Kiln().on(6).say(1450.0, (6, "end", "B-0")).on(12).told().batches
    assert (done.batch, done.complete, done.start_us) == ("B-0", False, BEGIN_US)
    assert done.features["temperature"]["dwell_h"] == pytest.approx(6 / 3600)


def test_start_ends_the_batch_that_runs() -> None:
    """A lost end mark ends a batch where the next begins."""
    kiln = Kiln().say(1450.0, (0, "start", "B-1")).on(5).say(1450.0, (6, "start", "B-2")).on(12)
    emitted = kiln.told()
    (done,) = emitted.batches
    assert (done.batch, done.how, done.end_us) == ("B-1", "mark_without_end", BEGIN_US + 6 * SECOND_US)
    assert emitted.counts == {"start_without_end": 1}
    assert emitted.windows[-1].batch == "B-2"


def test_marks_that_fit_no_batch_are_counted() -> None:
    """An end without a start, an end of another batch and a start told twice change nothing."""
    kiln = Kiln().say(1450.0, (0, "start", "B-1"), (0.1, "start", "B-1"), (1, "end", "B-7"))
    kiln.on(5).say(1450.0, (6, "end", "B-1"), (6.1, "end", "B-1")).on(12)
    emitted = kiln.told()
    assert [b.batch for b in emitted.batches] == ["B-1"]
    assert emitted.counts == {"repeated_start": 1, "end_of_another": 1, "end_without_start": 1}


def test_batches_of_one_message_are_numbered() -> None:
    """One message can close several batches; each has its own place."""
    marks = [(float(n), kind, f"B-{n // 2}") for n, kind in enumerate(("start", "end") * 3)]
    kiln = Kiln().say(1450.0, *marks)
    kiln.log.add(record(1, BEGIN_US + 60 * SECOND_US))
    assert [(b.batch, b.offset, b.index) for b in kiln.told().batches] == [("B-0", 1, 0), ("B-1", 1, 1), ("B-2", 1, 2)]


def test_limits_have_hysteresis() -> None:
    """Raised after two panes beyond the limit in a row, cleared at the clearing value, told once each."""
    levels = [1450, 1501, 1450, 1501, 1502, 1503, 1490, 1481, 1480, 1501]
    kiln = Kiln()
    for level in levels:
        kiln.say(float(level))
    raised, cleared = (a for a in kiln.on(10).told().alarms if a.rule == "high")
    assert (raised.state, raised.value, raised.limit) == ("raised", 1502.0, 1500.0)
    assert raised.at_us == raised.began_us == BEGIN_US + 5 * SECOND_US
    assert (cleared.state, cleared.value, cleared.limit) == ("cleared", 1480.0, 1480.0)
    assert cleared.began_us == raised.began_us
    assert cleared.at_us == BEGIN_US + 9 * SECOND_US


def test_pane_without_samples_is_no_news() -> None:
    """A channel sampled every other pane can raise an alarm that needs two panes in a row."""
    kiln = Kiln().say(1501.0).say(None).say(1501.0).on(10)
    assert [a.state for a in kiln.told().alarms] == ["raised", "cleared"]


def test_low_limit_mirrors_the_high_one() -> None:
    """Beneath it raises, back above the clearing value clears."""
    kiln = Kiln().say(1450.0).say(1299.0).say(1305.0).say(1310.0).on(10)
    assert [(a.rule, a.state, a.value) for a in kiln.told().alarms] == [
        ("low", "raised", 1299.0),
        ("low", "cleared", 1310.0),
    ]


def test_alarm_tells_the_batch_of_its_pane() -> None:
    """Panes before the start belong to no batch, even when the same message closes all."""
    kiln = Kiln().say(1290.0).say(1400.0).say(1290.0, (2, "start", "B-1")).on(3)
    kiln.log.add(record(99, BEGIN_US + 60 * SECOND_US))
    assert [a.batch for a in kiln.told().alarms if a.state == "raised"] == [None, "B-1"]


def test_many_marks_do_not_fill_memory() -> None:
    """Marks that wait are bounded."""
    marks = [(float(n % 30), "start", f"B-{n}") for n in range(1_200)]
    assert Kiln().say(1450.0, *marks).told().counts == {"too_many_marks": 200}


def test_panes_too_many_to_keep_are_refused() -> None:
    """A window of more panes than memory should hold names the setting to change."""
    with pytest.raises(ValueError, match="pane_seconds"):
        layout_of(plant(windows=Windows(window_panes=86_400, emit_panes=60, lateness_seconds=200_000.0)))
    with pytest.raises(ValueError, match="less than a microsecond"):
        layout_of(plant(windows=Windows(pane_seconds=1e-9)))


def test_labels_and_alarms_do_not_make_another_layout() -> None:
    """A running batch survives a new alarm limit, and not another unit."""
    draw = random.Random(1)
    limits = {"c": Channel(unit="Cel", high=Limit(at=draw.random() + 1, clear=1.0))}
    assert layout_of(plant(channels=limits)).digest == layout_of(plant(channels={"c": Channel(unit="Cel")})).digest
    assert layout_of(plant(channels=limits)).digest != layout_of(plant(channels={"c": Channel(unit="K")})).digest
