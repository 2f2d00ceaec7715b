"""A workbook, or a CSV file, that asks for what a template holds: labels, keys, units, choices and notes."""

import csv
import io
from collections.abc import Mapping, Sequence

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from sojae.adapters.workbook_validation import Lists, validate_column
from sojae.domain.template import STAGES, Kind, Template
from sojae.domain.text import Language, Text
from sojae.domain.workbook_layout import FIRST_ROW, INFO_SHEET, KEY_ROW, LABEL_ROW, UNIT_ROW, LayoutColumn, layout

TO_FILL_IN = Text(ko="채우십시오", en="fill in")
INFO: Mapping[str, Text] = {
    "institute": Text(ko="기관 id (a–z, 0–9, -)", en="your institute's id (a–z, 0–9, -)"),
    "source": Text(
        ko="자료 이름. 같은 이름으로 다시 가져오면 정정이 됩니다",
        en="name of these data; the same name again corrects them",
    ),
}
FORMATS: Mapping[Kind, str] = {"string": "@", "strings": "@", "date": "yyyy-mm-dd", "timestamp": "yyyy-mm-dd hh:mm"}
"""How Excel keeps what is typed in a column; as text, a lot `2026-04` or `0012` stays what it is."""


def workbook_bytes(templates: Sequence[Template], language: Language) -> bytes:
    """Return an empty workbook with one sheet for each template, a stage of one project each."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(
        stream, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        styles, lists = _styles(book), Lists()
        for template in sorted(templates, key=lambda t: STAGES.index(t.key.stage)):
            _stage_sheet(book.add_worksheet(template.key.stage), layout(template), styles, lists, language)
        info = book.add_worksheet(INFO_SHEET)
        _info_sheet(info, templates, styles, language)
        lists.write(info)
    return stream.getvalue()


def csv_text(template: Template, language: Language) -> str:
    """Return the same three rows above the data as text, with the mark by which Excel knows UTF-8."""
    columns = layout(template)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow([_label(c, language) for c in columns])
    writer.writerow([c.key for c in columns])
    writer.writerow([c.unit for c in columns])
    return "\ufeff" + stream.getvalue()


def _styles(book: Workbook) -> dict[str, Format]:
    edge = {"border": 1, "border_color": "#B0B7C3", "valign": "top"}
    return {
        "label": book.add_format({**edge, "bold": True, "text_wrap": True, "bg_color": "#E8EEF7"}),
        "required": book.add_format({**edge, "bold": True, "text_wrap": True, "bg_color": "#FCE4B8"}),
        "key": book.add_format({**edge, "font_color": "#5A6270", "font_name": "Consolas", "bg_color": "#F5F6F8"}),
        "unit": book.add_format({**edge, "italic": True, "bg_color": "#F5F6F8"}),
        **{f"cells of {kind}": book.add_format({"num_format": code}) for kind, code in FORMATS.items()},
    }


def _stage_sheet(
    sheet: Worksheet, columns: Sequence[LayoutColumn], styles: Mapping[str, Format], lists: Lists, language: Language
) -> None:
    sheet.freeze_panes(FIRST_ROW - 1, 1)
    sheet.set_row(LABEL_ROW - 1, 45)
    for place, column in enumerate(columns):
        style = styles["required" if column.required else "label"]
        sheet.write_string(LABEL_ROW - 1, place, _label(column, language), style)
        sheet.write_string(KEY_ROW - 1, place, column.key, styles["key"])
        sheet.write_string(UNIT_ROW - 1, place, column.unit, styles["unit"])
        width = min(28, max(12, len(column.key) + 2))
        sheet.set_column(place, place, width, styles.get(f"cells of {column.kind}"))
        if column.note[language]:
            sheet.write_comment(LABEL_ROW - 1, place, column.note[language], {"x_scale": 2.0, "y_scale": 1.5})
        validate_column(sheet, place, column, lists, language)


def _info_sheet(
    sheet: Worksheet, templates: Sequence[Template], styles: Mapping[str, Format], language: Language
) -> None:
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 2, 48)
    rows: list[tuple[str, str, str]] = [("project", templates[0].key.project, templates[0].label[language])]
    rows += [(key, "", f"{TO_FILL_IN[language]}: {text[language]}") for key, text in INFO.items()]
    rows.append(("language", language, ""))
    rows += [(f"template.{t.key.stage}", t.key.version, "") for t in templates]
    rows += [(f"sha256.{t.key.stage}", t.sha256, "") for t in templates]
    for number, (key, value, note) in enumerate(rows):
        sheet.write_string(number, 0, key, styles["key"])
        sheet.write_string(number, 1, value, styles["required"] if key in INFO else None)
        sheet.write_string(number, 2, note)


def _label(column: LayoutColumn, language: Language) -> str:
    return column.label[language] + (" *" if column.required else "")
