"""Records checked per CPU second with all rules of the widest template, and how long all templates take: `make bench-templates`.

What is measured is what the product runs. A decoded batch are columns: `check_frame`, which import, back-test and ingest
all end in, over 50,000 records (a flush of ingest), optional values left out, every hundredth record with a fault. Ingest
decodes with fastavro and so gets rows first: `validate_rows_per_s` is `check_values`, which makes the columns from rows and
checks them. The peers find the same in the same rows, one record after another in plain Python (that is asserted): one as it
is written from the template, and one `tuned` by hand, which only compares clean records.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable

import click
import polars as pl

from sojae.adapters.avro import FastavroDecoder, FastavroEncoder
from sojae.domain.checks import check_frame, check_values
from sojae.domain.frames import decoded_frame
from sojae.domain.schema_reader import Bounds
from sojae.domain.template import Template
from sojae_simulator.projects.registry import PROJECTS
from tests.bench.templates_python import PlainChecks, TunedChecks
from tests.bench.templates_rows import Row, clean_rows, dirty_rows
from tests.builders import book, field, header, made_up, rule, templates

GOALS = {"validate_per_s": 300_000, "validate_ratio_python": 10, "load_all_seconds": 2}
BATCH = 50_000
SMALL_BATCH = 100
PYTHON_RECORDS = 20_000
OTHERS = 10_000
DECODED = 2_000
TURNS = 7
WIDE_FIELDS = 200
ORIGIN = "experiment"

GATE = """
import time
from sojae.adapters.template_files import packaged_folder
from sojae.adapters.template_gate import gate_faults
began = time.process_time()
book, faults = gate_faults(packaged_folder())
print(len(book), len(faults), time.process_time() - began)
"""


def measured(share: float) -> dict[str, float]:
    """Return each measure; `share` of the records are checked."""
    widest = max(templates(), key=lambda t: len(t.fields))
    clean = clean_rows(widest, int(BATCH * share))
    dirty = dirty_rows(widest, clean)
    click.echo(f"widest template: {widest.key}, {len(widest.fields)} fields, {len(widest.rules)} rules; one thread")
    found = {"validate_per_s": _frames_rate(widest, dirty), "validate_clean_per_s": _frames_rate(widest, clean)}
    found["validate_rows_per_s"] = _rate(dirty, lambda rows: check_values(widest, rows, [ORIGIN] * len(rows)))
    found["validate_small_batches_per_s"] = _rate(dirty[:SMALL_BATCH], lambda rows: _checked(widest, rows), times=100)
    found |= _python_rates(widest, dirty[: int(PYTHON_RECORDS * share)])
    for peer in ("python", "tuned_python"):
        found[f"validate_ratio_{peer}"] = found["validate_per_s"] / found[f"{peer}_per_s"]
        found[f"rows_ratio_{peer}"] = found["validate_rows_per_s"] / found[f"{peer}_per_s"]
    found["decode_per_s"] = _decode_rate(widest, clean[:DECODED])
    found["wide_200_per_s"] = _wide_rate(int(BATCH * share))
    found["slowest_template_per_s"] = _slowest_rate(int(OTHERS * share))
    for name, rate in found.items():
        click.echo(f"{name}: {rate:,.1f}")
    found["load_all_seconds"] = _gate_seconds()
    return found


def _frames_rate(of: Template, rows: list[Row]) -> float:
    frame = decoded_frame(of, rows)
    return _rate(rows, lambda _: check_frame(of, frame, [ORIGIN] * frame.height))


def _checked(of: Template, rows: list[Row]) -> object:
    return check_values(of, rows, [ORIGIN] * len(rows))


def _rate(rows: list[Row], check: Callable[[list[Row]], object], times: int = 1) -> float:
    """Return records per CPU second, all threads counted: the middle of several turns."""
    spent = []
    for _ in range(TURNS):
        began = time.process_time()
        for _ in range(times):
            check(rows)
        spent.append(time.process_time() - began)
    return len(rows) * times / sorted(spent)[TURNS // 2]


def _python_rates(of: Template, rows: list[Row]) -> dict[str, float]:
    """Return the rates of the peers, after they have found what the product finds."""
    rules = PROJECTS[of.key.project].rules[of.key.stage]
    plain = PlainChecks(of, rules)
    tuned = TunedChecks(plain, of, rules)
    wanted, rates = check_values(of, rows, [ORIGIN] * len(rows)), {}
    assert any(wanted), "nothing is found"
    for name, check in (("python_per_s", plain.check), ("tuned_python_per_s", tuned.check)):
        assert [check(row, ORIGIN) for row in rows] == wanted, "the peer finds something else"
        rates[name] = _rate(rows, lambda batch, check=check: [check(row, ORIGIN) for row in batch])  # type: ignore[misc]  # bound at once
    return rates


def _decode_rate(of: Template, rows: list[Row]) -> float:
    """Return how many messages of the template are decoded in a second, before anything is checked."""
    encoder, decoder = FastavroEncoder(), FastavroDecoder(book)
    messages = [encoder.encode(of, header(n), row) for n, row in enumerate(rows)]
    return _rate(rows, lambda _: decoder.decode(messages))


def _wide_rate(count: int) -> float:
    """Return the rate of a made-up template of 200 numbers and 40 rules."""
    fields = [field(f"x{n}", hard=Bounds(0.0, 1.0), warn=Bounds(0.1, 0.9), required=n < 15) for n in range(WIDE_FIELDS)]
    of = made_up(fields, [rule(f"x{n} <= x{n + 1}", f"order_{n}", "warn") for n in range(0, 80, 2)])
    frame = pl.DataFrame({f"x{n}": pl.Series([0.5]).extend_constant(0.5, count - 1) for n in range(WIDE_FIELDS)})
    return _rate([{}] * count, lambda _: check_frame(of, frame, [ORIGIN] * count))


def _slowest_rate(count: int) -> float:
    """Return the rate of the template that takes longest, of all there are: compositions, whose maps cost most."""
    rates = {str(of.key): _frames_rate(of, clean_rows(of, count)) for of in templates()}
    slowest = min(rates, key=rates.__getitem__)
    click.echo(f"slowest template: {slowest}")
    return rates[slowest]


def _gate_seconds() -> float:
    """Return the CPU seconds in which a fresh process loads all templates and takes them through the gate."""
    done = subprocess.run([sys.executable, "-c", GATE], stdout=subprocess.PIPE, text=True, check=True)
    count, faults, seconds = done.stdout.split()
    click.echo(f"{count} templates through the gate, {faults} faults: {float(seconds):.2f} s")
    return float(seconds)


def _unit(name: str) -> str:
    return "s" if name.endswith("seconds") else "1" if "_ratio_" in name else "1/s"


def main() -> None:
    """Measure, and end with one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the records, for a quick look")
    share = parser.parse_args().share
    assert pl.thread_pool_size() == 1, "one core: POLARS_MAX_THREADS=1"
    measures = {
        name: {"value": round(value, 2), "unit": _unit(name), "goal": GOALS.get(name)}
        for name, value in measured(share).items()
    }
    click.echo(json.dumps({"bench": "templates", "measures": measures}))


if __name__ == "__main__":
    main()
