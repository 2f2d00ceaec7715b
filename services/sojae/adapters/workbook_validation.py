"""What a workbook offers and warns of while it is filled in: lists of words, and ranges of numbers."""

from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from sojae.domain.checks import shown_bounds
from sojae.domain.text import Language, Text
from sojae.domain.workbook_layout import FIRST_ROW, INFO_SHEET, LayoutColumn

LAST_ROW = 100_000
"""Down to where choices and ranges are offered."""

MAX_LIST_CHARACTERS = 255
"""What Excel takes as a list inside a validation; a longer one stands on the sheet `sojae`, where validations point to it."""

FIRST_LIST_COLUMN = 5
"""Where long lists begin on that sheet, counted from 0: to the right of what it says."""

MAX_TITLE_CHARACTERS, MAX_MESSAGE_CHARACTERS = 32, 255
"""What Excel takes as title and text of a warning."""

OUT_OF_RANGE = Text(
    ko="가능한 값: {}. 그 밖의 수는 받지 않습니다. <5, 12.3 ± 0.4, 298 K처럼 적은 것은 그대로 두어도 됩니다.",
    en="Possible: {}. Other numbers are refused. What is written as <5, 12.3 ± 0.4 or 298 K may stay as it is.",
)
NOT_IN_LIST = Text(ko="목록에 있는 값만 받습니다.", en="Only what is in the list is taken.")


class Lists:
    """Choices of drop-downs; those that are too long for a validation are gathered for the sheet `sojae`."""

    def __init__(self) -> None:
        self._long: dict[tuple[str, ...], int] = {}

    def source(self, choices: tuple[str, ...]) -> list[str] | str:
        """Return what a validation takes: the choices, or where they will stand."""
        if len(",".join(choices)) <= MAX_LIST_CHARACTERS:
            return list(choices)
        column = self._long.setdefault(choices, FIRST_LIST_COLUMN + len(self._long))
        first, last = (xl_rowcol_to_cell(r, column, row_abs=True, col_abs=True) for r in (0, len(choices) - 1))
        return f"={INFO_SHEET}!{first}:{last}"

    def write(self, sheet: Worksheet) -> None:
        """Write the long lists, a column each."""
        for choices, column in self._long.items():
            sheet.write_column(0, column, choices)


def validate_column(sheet: Worksheet, place: int, column: LayoutColumn, lists: Lists, language: Language) -> None:
    """Offer the choices of a column, or warn of numbers that cannot be: what is typed all the same is judged at import."""
    rule: dict[str, object] = {}
    said = NOT_IN_LIST[language]
    if column.choices:
        rule = {"validate": "list", "source": lists.source(column.choices)}
    elif column.bounds is not None:
        low = -1e300 if column.bounds.low is None else column.bounds.low
        high = 1e300 if column.bounds.high is None else column.bounds.high
        rule = {"validate": "decimal", "criteria": "between", "minimum": low, "maximum": high}
        possible = f"{shown_bounds(column.bounds, None)} {column.unit}".strip()
        said = OUT_OF_RANGE[language].format(possible)
    if rule:
        told = {
            "error_type": "warning",
            "error_title": column.label[language][:MAX_TITLE_CHARACTERS],
            "error_message": said[:MAX_MESSAGE_CHARACTERS],
        }
        sheet.data_validation(FIRST_ROW - 1, place, LAST_ROW, place, {**rule, **told, "ignore_blank": True})
