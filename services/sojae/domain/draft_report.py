"""What a draft says to the person who asked for it: each column's field, what is doubtful, what to do next."""

import unicodedata
from collections.abc import Iterator, Mapping

from sojae.domain.draft_fields import Doubt
from sojae.domain.draft_plan import Draft
from sojae.domain.draft_schemas import label_of
from sojae.domain.schema_reader import Bounds
from sojae.domain.text import Language, Text
from sojae.domain.unit_display import shown_unit

DOUBTS: Mapping[Doubt, Text] = {
    "target": Text(
        ko="목표로 추측한 열입니다. 다르면 --target으로 지정하십시오",
        en="taken for the target; if it is another, give --target",
    ),
    "unit": Text(
        ko="머리글에 단위가 없어 단위 없는 수로 두었습니다. 템플릿의 unit과 매핑의 unit을 함께 고치십시오",
        en="no unit in the header, so plain numbers; correct `unit` in the template and in the mapping, both",
    ),
    "basis": Text(
        ko="무엇의 비율인지(wt%, at%, mol%, vol%) 쓰여 있지 않습니다. unit과 basis를 고치십시오",
        en="it is not said of what it is a share (wt%, at%, mol%, vol%); correct `unit` and `basis`",
    ),
    "balance": Text(
        ko="원소의 합이 100이나 1이 아닙니다. 나머지 원소의 열이 빠졌는지 보십시오",
        en="elements add up neither to 100 nor to 1; is the column of the balance missing?",
    ),
    "stage": Text(
        ko="어느 단계인지 알 수 없어 공정의 입력으로 두었습니다. 원료나 조성이면 옮기십시오",
        en="no word tells of its stage, so an input of the process; move it if it is raw material or composition",
    ),
    "measured": Text(
        ko="측정한 물성으로 보여 입력으로 쓰지 않습니다. 예측하려면 --target에 더하십시오",
        en="looks like a measured property: kept, and no input of models; to predict it, add it to --target",
    ),
    "interval": Text(
        ko="15-25 같은 구간이 있어 가운데 값을 읽습니다. 매핑의 interval을 보십시오",
        en="has intervals such as 15-25, of which the middle is read; see `interval` in the mapping",
    ),
    "unread": Text(
        ko="숫자가 아닌 칸이 있습니다. 그 행의 기록은 보내지 않습니다. 파일을 고치십시오",
        en="has cells that are no numbers, whose records are not sent; correct the file",
    ),
    "celsius": Text(ko="(C)를 °C로 읽었습니다", en="(C) was read as °C"),
    "nulls": Text(
        ko="숫자가 아닌 몇 낱말을 빈칸으로 읽습니다. 매핑의 nulls를 보십시오",
        en="a few words among the numbers are read as empty; see `nulls` in the mapping",
    ),
}
"""What is doubtful about a field, and what to do."""

LABELS = Text(
    ko="머리글을 두 언어의 이름표로 그대로 썼습니다(draft에 label). 번역하십시오",
    en='headers stand as labels in both languages (`"draft": ["label", …]`); translate them',
)
KINDS: Mapping[str, Text] = {
    "double": Text(ko="수", en="number"),
    "long": Text(ko="정수", en="whole number"),
    "string": Text(ko="글", en="text"),
    "boolean": Text(ko="예/아니오", en="yes or no"),
    "date": Text(ko="날짜", en="date"),
    "map_double": Text(ko="조성", en="composition"),
}
COLUMN_WIDTH = 36
SHOWN = 6


def field_lines(draft: Draft, language: Language) -> Iterator[str]:
    """Yield one line for each field: column, stage and name, kind, unit, role, usual range."""
    for field in draft.fields:
        header = field.column.header.typed or field.column.name
        if field.components:
            header = ", ".join(field.components)
        where = f"{field.stage}.{field.name}"
        about = [KINDS[field.kind][language], shown_unit(field.unit), field.role, _range(field.warn)]
        if field.one_of:
            about.append(" | ".join(field.one_of))
        yield f"  {_padded(header)} → {_padded(where)} {', '.join(a for a in about if a)}"


def doubt_lines(draft: Draft, language: Language) -> Iterator[str]:
    """Yield one line for each kind of doubt, with the fields that it is about."""
    for doubt, text in DOUBTS.items():
        names = [f"{f.stage}.{f.name}" for f in draft.fields if doubt in f.doubts]
        if names:
            more = f" … ({len(names)})" if len(names) > SHOWN else ""
            yield f"  {', '.join(names[:SHOWN])}{more}: {text[language]}"
    if not all(is_translated for _, is_translated in map(label_of, draft.fields)):
        yield f"  {LABELS[language]}"


def _range(bounds: Bounds | None) -> str:
    if bounds is None:
        return ""
    ends = ["" if end is None else format(end, ".6g") for end in (bounds.low, bounds.high)]
    return " … ".join(ends)


def _padded(text: str) -> str:
    """Return a text as wide as a column: Korean letters are two places wide on a terminal."""
    plain, width = "", 0
    for character in " ".join(text.split()):
        width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if width >= COLUMN_WIDTH:
            return f"{plain}…"
        plain += character
    return plain + " " * (COLUMN_WIDTH - width)
