"""The tour in words: what became of events, what was planted among them, and a recipe, for people who do not program."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sojae.domain.card_lines import short_number
from sojae.domain.finding_words import shown_expected, shown_got
from sojae.domain.issue import RULES
from sojae.domain.template import STAGES, Field, Template
from sojae.domain.text import Language, Text
from sojae.domain.unit_display import shown_unit, with_unit
from sojae_local.truth_share import Share

JSON = dict[str, Any]
WIDTH = 110
LANGUAGES: tuple[Language, ...] = ("ko", "en")

STATUS = {
    "accepted": Text(ko="접수", en="accepted"),
    "duplicate": Text(ko="중복", en="duplicate"),
    "quarantined": Text(ko="격리", en="quarantined"),
}
PLANTED = Text(
    ko="모의 실험실이 일부러 낸 실수(무엇을 심었는지 적어 두므로, 검사가 찾아내는지 볼 수 있습니다):",
    en="mistakes that the simulated laboratories made on purpose, and wrote down, so that one can see whether the checks find them:",
)
KINDS = {
    "wrong_unit": Text(ko="단위를 잘못 쓴 값", en="values in a wrong unit"),
    "digit_slip": Text(ko="자릿수가 틀린 값", en="values with a slipped digit"),
    "missing_required": Text(ko="빠진 필수 값", en="missing required values"),
    "repeated_message": Text(ko="두 번 보낸 메시지", en="messages sent twice"),
    "late": Text(ko="늦게 온 이벤트", en="events that came more than a day late"),
    "child_before_parent": Text(ko="모시료보다 먼저 온 시료", en="samples told of before their parents"),
    "undecodable": Text(ko="깨진 메시지", en="broken messages"),
}
ALLOWED = frozenset({"child_before_parent"})
"""Planted to be accepted: it looks odd, and no rule may mind it."""


def by_status(rows: Mapping[str, int]) -> Text:
    """Return how many rows of each status there are: `1080 accepted, 23 duplicate, 25 quarantined`."""
    told = [(STATUS.get(status, Text(ko=status, en=status)), n) for status, n in sorted(rows.items())]
    return Text(ko=", ".join(f"{s.ko} {n}" for s, n in told), en=", ".join(f"{n} {s.en}" for s, n in told))


def quarantined(count: int, issue: JSON, said: Text) -> Text:
    """Return how often a rule quarantined a message, what the rule says, and one example where it is about a field."""
    line = Text(
        ko=f"  격리 {count} × {issue['rule']}: {said.ko}", en=f"  quarantined {count} × {issue['rule']}: {said.en}"
    )
    if not issue["field"]:
        return line
    got = shown_got(issue["got"])
    if issue["rule"] not in RULES:  # what a template's own rule expects is SQL
        return Text(ko=f"{line.ko} (예: {got.ko})", en=f"{line.en} (such as {got.en})")
    expected = shown_expected(issue["rule"], issue["expected"])
    return Text(
        ko=f"{line.ko} (예: {issue['field']}, {got.ko} 대신 {expected.ko})",
        en=f"{line.en} (such as {issue['field']}: got {got.en}, expected {expected.en})",
    )


def planted(kind: str, share: Share) -> Text:
    """Return how many mistakes of a kind were planted, and how many of those that stand out were found."""
    name = KINDS.get(kind, Text(ko=kind, en=kind))
    line = Text(ko=f"  {share.planted} × {name.ko}: ", en=f"  {share.planted} × {name.en}: ")
    return Text(ko=line.ko + _found(kind, share).ko, en=line.en + _found(kind, share).en)


def _found(kind: str, share: Share) -> Text:
    visible, hidden = share.visible, share.planted - share.visible
    if kind in ALLOWED:
        return Text(ko="허용되는 일이라 찾을 것이 없음", en="allowed, so there is nothing to find")
    if not visible:
        return Text(ko="모두 그럴듯한 값이라 눈에 띄지 않음", en="none stands out, all look like any other value")
    if share.seen == visible:
        found = Text(ko=f"{visible}개 모두 찾음", en=f"all {visible} found")
    else:
        found = Text(ko=f"{visible}개 가운데 {share.seen}개 찾음", en=f"{share.seen} of {visible} found")
    if not hidden:
        return found
    return Text(
        ko=f"눈에 띄는 {found.ko}, {hidden}개는 그럴듯한 값이라 눈에 띄지 않음",
        en=f"{found.en} of those that stand out, {hidden} look like any other value",
    )


def recipe(values: Mapping[str, object], templates: Sequence[Template]) -> Text:
    """Return a recipe on lines of their own: one stage after another, with the labels and units of the templates.

    What is empty or 0 is left out.
    """
    return Text(ko="\n".join(_lines(values, templates, "ko")), en="\n".join(_lines(values, templates, "en")))


def conditions(values: Mapping[str, object], templates: Sequence[Template]) -> Text:
    """Return what a property is measured under in one line, empty without any: `Test temperature = 25 °C`."""
    fields = {f.name: f for t in templates for f in t.fields if values.get(f.name) is not None}
    told = {lang: " · ".join(_told(values[name], field, lang) for name, field in fields.items()) for lang in LANGUAGES}
    return Text(ko=told["ko"], en=told["en"])


def _lines(values: Mapping[str, object], templates: Sequence[Template], language: Language) -> Iterator[str]:
    left = {name: value for name, value in values.items() if value not in (None, 0, 0.0)}
    for template in sorted(templates, key=lambda t: STAGES.index(t.key.stage)):
        fields = {f.name: f for f in template.fields if f.name in left}
        told = [_told(left.pop(name), field, language) for name, field in fields.items()]
        yield from _wrapped(template.label[language], told)
    yield from _wrapped("", [f"{name} = {_plain(value)}" for name, value in left.items()])


def _told(value: object, field: Field, language: Language) -> str:
    return f"{field.label[language]} = {with_unit(_plain(value), field.unit)}"


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{name}{short_number(amount)}" for name, amount in value.items() if amount)
    return short_number(value) if isinstance(value, float) else str(value)


def _wrapped(lead: str, told: Sequence[str]) -> list[str]:
    text = f"{lead}: {' · '.join(told)}" if lead else " · ".join(told)
    return textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="      ") if told else []


def with_shown_unit(value: float, unit: str | None) -> str:
    """Return a number with three digits and its unit as people write it."""
    return with_unit(short_number(value), unit)


def interval(low: float, high: float, unit: str | None) -> str:
    """Return a range with its unit: `0.235 – 0.308 W/cm²`."""
    return f"{short_number(low)} – {short_number(high)} {shown_unit(unit)}".rstrip()
