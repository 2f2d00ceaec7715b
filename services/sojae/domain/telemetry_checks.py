"""What is wrong with telemetry messages, whole batches at once: identity, time grid, lengths, quality runs, marks."""

import datetime as dt
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from sojae.domain.issue import Issue

Ints = npt.NDArray[np.int64]
Add = Callable[[int, Issue], None]

MAX_NAME = 128
"""Characters of an asset's, a channel's or a batch's name."""

MARK_KINDS = ("start", "end")


def _unix_us(year: int) -> int:
    return int(dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp()) * 1_000_000


EARLIEST_US, LATEST_US = _unix_us(1980), _unix_us(2200)
"""A clock that was never set says 1970."""


def offsets_of(lists: pa.ListArray) -> Ints:
    """Return where each list begins in `lists.flatten()`, and where the last ends: n + 1 indices from 0."""
    raw: Ints = np.asarray(lists.offsets, dtype=np.int64)
    begin: Ints = raw - raw[0]
    return begin


def check_samples(rows: pa.RecordBatch) -> list[list[Issue]]:
    """Return the findings of each decoded message, in order; `rows` as `sojae.adapters.telemetry_codec` gives them.

    Hard ones make a message unusable; an infinite value or a mark that nobody understands is only flagged.
    """
    found: list[list[Issue]] = [[] for _ in range(rows.num_rows)]

    def add(row: int, issue: Issue) -> None:
        found[row].append(issue)

    if rows.num_rows:
        _check_identity(rows, add)
        series = rows.column("series")
        starts = offsets_of(series)
        flat = series.flatten()
        owner = np.repeat(np.arange(rows.num_rows), np.diff(starts))
        lengths = np.diff(offsets_of(flat.field("values")))
        counts = np.zeros(rows.num_rows, np.int64)
        counts[owner[::-1]] = lengths[::-1]  # the first series of a message says how many samples it has
        for at in np.flatnonzero(lengths != counts[owner]):
            got = f"{flat.field('channel')[int(at)].as_py()[:MAX_NAME]}: {lengths[at]} values"
            add(int(owner[at]), Issue("series_lengths", "hard", "series.values", got, f"{counts[owner[at]]}"))
        _check_grid(rows, counts, add)
        _check_channels(flat, owner, add)
        _check_quality(flat, owner, lengths, add)
        _check_values(flat, owner, lengths, add)
        _check_marks(rows, add)
    return found


def _check_identity(rows: pa.RecordBatch, add: Add) -> None:
    asset = pc.utf8_length(rows.column("asset")).to_numpy(zero_copy_only=False)
    for row in np.flatnonzero((asset < 1) | (asset > MAX_NAME)):
        add(int(row), Issue("identifier", "hard", "asset", f"{asset[row]} characters", f"1 to {MAX_NAME}"))
    for name in ("epoch", "seq"):
        number = rows.column(name).to_numpy()
        for row in np.flatnonzero(number < 0):
            add(int(row), Issue("identifier", "hard", name, str(number[row]), "0 or more"))


def _check_grid(rows: pa.RecordBatch, counts: Ints, add: Add) -> None:
    """Check that samples follow one another in time, and when: by `dt`, or by `times` where there are any."""
    begin = rows.column("t0").cast(pa.int64()).to_numpy()
    step = rows.column("dt").to_numpy()
    listed = np.diff(offsets_of(rows.column("times")))
    with np.errstate(invalid="ignore", over="ignore"):
        end = begin + np.where(counts > 1, step * (counts - 1), 0.0)
        bad_step = (counts > 0) & (listed == 0) & ~(np.isfinite(step) & (step > 0))
    for row in np.flatnonzero(bad_step):
        add(int(row), Issue("time_grid", "hard", "dt", f"{step[row]:g}", "more than 0 microseconds, or times"))
    for row in np.flatnonzero(listed):
        times = rows.column("times")[int(row)].values.to_numpy()
        if len(times) != counts[row]:
            add(int(row), Issue("series_lengths", "hard", "times", f"{len(times)} times", f"{counts[row]}"))
        if times[0] < 0 or (times[1:] <= times[:-1]).any() or times[-1] > LATEST_US:
            add(int(row), Issue("time_grid", "hard", "times", "not rising from 0 on", "microseconds after t0, rising"))
        end[row] = begin[row] + float(times[-1])
    late = np.nan_to_num(end, nan=0.0, posinf=np.inf, neginf=-np.inf) > LATEST_US
    for row in np.flatnonzero((begin < EARLIEST_US) | (begin > LATEST_US) | (late & ~bad_step)):
        add(int(row), Issue("time_range", "hard", "t0", f"{begin[row]} us", "1980 to 2200, samples too"))


def _check_channels(flat: pa.StructArray, owner: Ints, add: Add) -> None:
    names = flat.field("channel")
    length = pc.utf8_length(names).to_numpy(zero_copy_only=False)
    for at in np.flatnonzero((length < 1) | (length > MAX_NAME)):
        add(int(owner[at]), Issue("identifier", "hard", "series.channel", f"{length[at]} characters", "1 to 128"))
    codes = names.dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    pairs = owner * (len(names) + 1) + codes
    _, first = np.unique(pairs, return_index=True)
    for at in np.setdiff1d(np.arange(len(pairs)), first):
        name = names[int(at)].as_py()[:MAX_NAME]
        add(int(owner[at]), Issue("repeated_channel", "hard", "series.channel", name, "each channel once"))


def _check_quality(flat: pa.StructArray, owner: Ints, lengths: Ints, add: Add) -> None:
    runs = flat.field("quality")
    per_series = np.diff(offsets_of(runs))
    run = runs.flatten()
    start, count, code = (run.field(n).to_numpy().astype(np.int64) for n in ("start", "count", "code"))
    within = np.repeat(lengths, per_series)
    of = np.repeat(owner, per_series)
    for at in np.flatnonzero((start < 0) | (count < 1) | (start + count > within) | (code < 1) | (code > 2)):
        got = f"start {start[at]}, count {count[at]}, code {code[at]}"
        expected = f"within {within[at]} samples, code 1 or 2"
        add(int(of[at]), Issue("quality_run", "hard", "series.quality", got, expected))


def _check_values(flat: pa.StructArray, owner: Ints, lengths: Ints, add: Add) -> None:
    infinite = np.isinf(flat.field("values").flatten().to_numpy())
    if infinite.any():
        for row, count in zip(*np.unique(np.repeat(owner, lengths)[infinite], return_counts=True), strict=True):
            add(int(row), Issue("non_finite", "warn", "series.values", f"{count} infinite", "NaN for no reading"))


def _check_marks(rows: pa.RecordBatch, add: Add) -> None:
    marks = rows.column("marks")
    of = np.repeat(np.arange(rows.num_rows), np.diff(offsets_of(marks)))
    for row, mark in zip(of, marks.flatten().to_pylist(), strict=True):
        if mark["kind"] not in MARK_KINDS:
            add(int(row), Issue("category", "warn", "marks.kind", mark["kind"][:MAX_NAME], " or ".join(MARK_KINDS)))
        if not 1 <= len(mark["batch"]) <= MAX_NAME:
            add(int(row), Issue("identifier", "warn", "marks.batch", f"{len(mark['batch'])} characters", "1 to 128"))
        if not EARLIEST_US <= mark["t"] <= LATEST_US:
            add(int(row), Issue("time_range", "warn", "marks.t", f"{mark['t']} us", "1980 to 2200"))
