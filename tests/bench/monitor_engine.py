"""CPU seconds of the window engine alone, decoding included: `python tests/bench/monitor_engine.py`."""

import argparse
import io
import math
import time
from collections.abc import Iterator

import click
import fastavro
import numpy as np

from sojae.adapters.template_files import rabin_fingerprint, read_common
from sojae.domain.framing import single_object_frame
from sojae.domain.plant import Asset, Channel, Dose, Limit, Plant, Windows
from sojae_monitor.emitted import Sample
from sojae_monitor.engine import Engine

BEGIN_US = 1_750_000_000_000_000
FEED = 500
"""Messages a call, as the worker takes them."""

REPEATS = 3
"""The best of so many runs counts: others share the machine."""


def plant(assets: int, channels: int, windows: Windows, *, limits: bool) -> Plant:
    """Return a plant whose first channel has a limit, a dose and an alarm."""
    furnace = Channel(
        unit="Cel", limit_above=1400.0, dose=Dose(150.0, 1475.0), high=Limit(1535.0, 1525.0, 30) if limits else None
    )
    others = {f"channel-{i}": Channel(unit="kW") for i in range(1, channels)}
    return Plant(
        plant="bench",
        institute="bench",
        project="bench",
        channels={"channel-0": furnace, **others},
        assets={f"asset-{i}": Asset() for i in range(assets)},
        windows=windows,
    )


def log(assets: int, channels: int, samples: int, dt_us: float, messages: int) -> Iterator[Sample]:
    """Yield a log of messages, each asset in turn."""
    schema = read_common("telemetry", "1.0")
    parsed, fingerprint = fastavro.parse_schema(dict(schema)), rabin_fingerprint(schema)
    draw = np.random.default_rng(4)
    for offset in range(messages):
        seq, number = divmod(offset, assets)
        t0 = BEGIN_US + int(seq * samples * dt_us)
        values = np.round(1450 + 20 * draw.standard_normal((channels, samples)), 1).tolist()
        record = {
            "asset": f"asset-{number}", "epoch": 1, "seq": seq, "t0": t0, "dt": dt_us, "times": [], "marks": [],
            "series": [
                {"channel": f"channel-{i}", "unit": "Cel" if i == 0 else "kW", "values": row, "quality": []}
                for i, row in enumerate(values)
            ],
            "historical": False,
        }  # fmt: skip
        body = io.BytesIO()
        fastavro.schemaless_writer(body, parsed, record)
        yield Sample(offset, (t0 + int(samples * dt_us)) // 1000, single_object_frame(fingerprint, body.getvalue()))


CASES = (
    ("10 x 10, 10 Hz, 1-s panes, every 10 of 60", 5, 10, 10, 1e5, 20_000, Windows(1.0, 60, 10, 5.0)),
    ("10 x 10, 10 Hz, 10-s panes, every 1 of 6", 5, 10, 10, 1e5, 20_000, Windows(10.0, 6, 1, 5.0)),
    ("10 x 100, 10 Hz, 1-s panes, every 10 of 60", 5, 10, 100, 1e5, 4_000, Windows(1.0, 60, 10, 5.0)),
    ("10 x 100, 10 Hz, 10-s panes, every 1 of 6", 5, 10, 100, 1e5, 4_000, Windows(10.0, 6, 1, 5.0)),
    ("10 x 100, 100 Hz, 1-s panes, every 10 of 60", 5, 10, 100, 1e4, 4_000, Windows(1.0, 60, 10, 5.0)),
    ("1 x 1000, 1 kHz, 1-s panes, every 10 of 60", 5, 1, 1000, 1e3, 4_000, Windows(1.0, 60, 10, 5.0)),
    ("100 x 10, 1 Hz, 60-s panes, every 1 of 10", 5, 100, 10, 1e6, 4_000, Windows(60.0, 10, 1, 60.0)),
    ("3 x 10, 1 Hz, 1-s panes, every 600 of 600", 2, 3, 10, 1e6, 20_000, Windows(1.0, 600, 600, 60.0)),
)  # fmt: skip


def main() -> None:
    """Run every case, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--feed", type=int, default=FEED)
    chosen = parser.parse_args()
    for name, assets, channels, samples, dt_us, messages, windows in CASES:
        if chosen.only not in name:
            continue
        whole = list(log(assets, channels, samples, dt_us, messages))
        spent = math.inf
        for _ in range(REPEATS):
            engine = Engine(plant(assets, channels, windows, limits=True), "topic", 0)
            found, begin = 0, time.process_time()
            for at in range(0, messages, chosen.feed):
                found += len(engine.feed(whole[at : at + chosen.feed]).windows)
            spent = min(spent, time.process_time() - begin)
        rate = messages * channels * samples / spent / 1e6
        click.echo(f"{name}: {spent / messages * 1e6:.1f} us a message, {rate:.1f} M samples/s, {found} windows")


if __name__ == "__main__":
    main()
