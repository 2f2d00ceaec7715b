"""A workbook of `sojae template workbook`, filled in by hand of the simulator."""

import datetime as dt
import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import openpyxl

from sojae.adapters.template_files import load_templates
from sojae.adapters.workbook_writer import workbook_bytes
from sojae.domain.template import STAGES
from sojae.domain.workbook_layout import FIRST_ROW, INFO_SHEET, KEY_ROW
from sojae_simulator.draws import Laboratory

MEASURED_AT = dt.datetime(2026, 11, 2, 9, 30)  # noqa: DTZ001 - a cell of Excel has no zone


def filled_workbook(path: Path, project: str, specimens: int, institute: str = "kims", source: str = "lab") -> int:
    """Write a workbook of so many simulated specimens, all four stages, without faults; return how many records it holds."""
    book = load_templates()
    path.write_bytes(workbook_bytes([book.get(project, stage) for stage in STAGES], "ko"))
    workbook = openpyxl.load_workbook(path)
    drawn = Laboratory(project, book, np.random.default_rng(7), "wb").specimens()
    records = 0
    places = {stage: _places(workbook[stage]) for stage in STAGES}
    rows = dict.fromkeys(STAGES, FIRST_ROW)
    for specimen in itertools.islice(drawn, specimens):
        for event in specimen.events:
            sheet, place = workbook[event.stage], places[event.stage]
            cells = {"sample_id": event.sample_id, "header.event_time": MEASURED_AT, "header.origin": "experiment"}
            for key, value in {**_flat(event.values), **cells}.items():
                if key not in place:
                    place[key] = sheet.max_column + 1
                    sheet.cell(KEY_ROW, place[key], key)
                sheet.cell(rows[event.stage], place[key], value)  # type: ignore[arg-type]  # what a draw holds
            rows[event.stage] += 1
            records += 1
    info = workbook[INFO_SHEET]
    for row in info.iter_rows(min_row=1, max_row=info.max_row):
        if row[0].value in ("institute", "source"):
            row[1].value = institute if row[0].value == "institute" else source
    workbook.save(path)
    return records


def _places(sheet: openpyxl.worksheet.worksheet.Worksheet) -> dict[str, int]:
    return {str(cell.value): n for n, cell in enumerate(sheet[KEY_ROW], start=1)}


def _flat(values: Mapping[str, object]) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{component}": amount for component, amount in value.items()}
        elif value is not None:
            flat[name] = value
    return flat
