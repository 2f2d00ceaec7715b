"""The plant of the benchmark: 20 assets with 10 channels at 10 Hz, as a file, as telemetry, and as single samples."""

import io
import json
from collections.abc import Iterator

import fastavro
import numpy as np

from sojae.adapters.template_files import rabin_fingerprint, read_common
from sojae.domain.framing import single_object_frame

PLANT = "bench-line"
ASSETS, CHANNELS, HERTZ = 20, 10, 10
BEGIN_US = 1_750_000_000_000_000
SECOND_US = 1_000_000
BATCH_SECONDS = 600

PLANT_TOML = "\n".join(
    [
        f'plant = "{PLANT}"',
        'institute = "bench"',
        'project = "ceramic_electrode"',
        "[windows]",
        "pane_seconds = 1.0",
        "window_panes = 60",
        "emit_panes = 10",
        "lateness_seconds = 5.0",
        "[channels.channel-0]",
        'unit = "Cel"',
        "limit_above = 1400.0",
        "dose = { activation_energy_kj_mol = 150.0, reference_celsius = 1475.0 }",
        "high = { at = 1535.0, clear = 1525.0, panes = 30 }",
        'fields = { co_sinter_temperature = "mean_above", co_sinter_time = "dwell_h" }',
        *(f'[channels.channel-{n}]\nunit = "kW"' for n in range(1, CHANNELS)),
        *(f"[assets.asset-{n}]" for n in range(ASSETS)),
        "[plan]",
        '"process.positrode_sinter_temperature" = { value = 900.0 }',
    ]
)


def telemetry(messages: int, samples_each: int) -> Iterator[tuple[str, bytes]]:
    """Yield (asset, message), assets in turn, `samples_each` samples of each channel, a batch every ten minutes."""
    schema = read_common("telemetry", "1.0")
    parsed, fingerprint = fastavro.parse_schema(dict(schema)), rabin_fingerprint(schema)
    draw = np.random.default_rng(4)
    span_us = samples_each * SECOND_US // HERTZ
    for number in range(messages):
        seq, asset = divmod(number, ASSETS)
        t0 = BEGIN_US + seq * span_us
        values = np.round(1450 + 20 * draw.standard_normal((CHANNELS, samples_each)), 1).tolist()
        record = {
            "asset": f"asset-{asset}", "epoch": 1, "seq": seq, "t0": t0, "dt": SECOND_US / HERTZ, "times": [],
            "series": [
                {"channel": f"channel-{i}", "unit": "kW" if i else "Cel", "values": row, "quality": []}
                for i, row in enumerate(values)
            ],
            "marks": _marks(asset, t0, span_us),
            "historical": False,
        }  # fmt: skip
        body = io.BytesIO()
        fastavro.schemaless_writer(body, parsed, record)
        yield f"asset-{asset}", single_object_frame(fingerprint, body.getvalue())


def single_samples(messages: int) -> Iterator[tuple[str, bytes]]:
    """Yield (asset, JSON of one sample): what a plain agent gets; channels and assets in turn."""
    draw = np.random.default_rng(4)
    values = np.round(1450 + 20 * draw.standard_normal(messages), 1).tolist()
    for number, value in enumerate(values):
        tick, place = divmod(number, ASSETS * CHANNELS)
        asset, channel = divmod(place, CHANNELS)
        sample = {"asset": f"asset-{asset}", "channel": channel, "t": BEGIN_US + tick * SECOND_US // HERTZ, "v": value}
        yield f"asset-{asset}", json.dumps(sample).encode()


def _marks(asset: int, t0: int, span_us: int) -> list[dict[str, object]]:
    """Return the end of one batch and the start of the next, where a message holds the border."""
    number = (t0 - BEGIN_US + span_us) // (BATCH_SECONDS * SECOND_US)
    border = BEGIN_US + number * BATCH_SECONDS * SECOND_US
    if not number or not t0 <= border < t0 + span_us:
        return []
    end = {"t": border, "kind": "end", "batch": f"asset-{asset}-{number - 1}"}
    return [end, {"t": border, "kind": "start", "batch": f"asset-{asset}-{number}"}]
