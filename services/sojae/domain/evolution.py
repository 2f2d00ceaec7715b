"""What may change from one version of a template to the next, and what every template must say in both languages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, cast

from sojae.domain.schema_reader import Bounds
from sojae.domain.template import Field, RecordsKey, SumRule, Template, TemplateKey
from sojae.domain.text import Text

FIXED = ("kind", "unit", "quantity", "basis", "role")
"""What a field keeps within a major: who trained on it, or compares with it, relies on all of these."""


class Fault(NamedTuple):
    """One reason why a template may not be published: the file, and a sentence with got, expected and remedy."""

    where: str
    text: Text


def fault(where: str, got: Text, expected: Text, remedy: Text) -> Fault:
    """Return a fault in both languages."""
    return Fault(
        where,
        Text(
            ko=f"{where}: {got.ko}입니다. {expected.ko}이어야 합니다. {remedy.ko}",
            en=f"{where}: got {got.en}, expected {expected.en}; {remedy.en}",
        ),
    )


NEW_MAJOR = Text(ko="되돌리거나 주 버전을 올리십시오", en="take it back, or begin a new major version")
SAY_IT = Text(ko="템플릿 파일에 쓰십시오", en="write it into the template file")
RENAME = Text(ko="필드 이름을 하나 바꾸십시오", en="change the name of a field in one of them")
RELABEL = Text(ko="한쪽의 이름표를 바꾸십시오", en="change a label in one of them")


def label_faults(template: Template, where: str) -> Iterator[Fault]:
    """Yield a fault for the template, each field and each rule that says nothing in Korean or in English."""
    schema = template.schema
    yield from _unlabelled(schema, "label", Text(ko="템플릿", en="the template"), where)
    for field in cast("Sequence[Mapping[str, object]]", schema["fields"]):
        yield from _unlabelled(field, "label", Text(ko=f"필드 {field['name']}", en=f"field {field['name']}"), where)
    for rule in cast("Sequence[Mapping[str, object]]", schema.get("rules", ())):
        yield from _unlabelled(rule, "message", Text(ko=f"규칙 {rule['id']}", en=f"rule {rule['id']}"), where)


def _unlabelled(source: Mapping[str, object], key: str, what: Text, where: str) -> Iterator[Fault]:
    said = source.get(key)
    missing = [lang for lang in ("ko", "en") if not isinstance(said, Mapping) or not str(said.get(lang, "")).strip()]
    if missing:
        got = Text(
            ko=f"{what.ko}의 {key}에 {', '.join(missing)} 없음", en=f"no {key} of {what.en} in {' and '.join(missing)}"
        )
        form = f'{key} {{"ko": …, "en": …}}'
        yield fault(where, got, Text(ko=form, en=form), SAY_IT)


def change_faults(older: Template, newer: Template, where: str) -> Iterator[Fault]:
    """Yield what a later minor of the same major may not do: what an earlier one took, it takes, and means the same by it."""
    version = older.key.version
    if older.institute != newer.institute:
        was, now = older.institute or "–", newer.institute or "–"
        got = Text(ko=f"기관이 {now}", en=f"institute {now}")
        yield fault(where, got, _as_in(was, version), NEW_MAJOR)
    for before, after in ((older.fields, newer.fields), (older.header_fields, newer.header_fields)):
        fields = {field.name: field for field in after}
        for old in before:
            if old.name in fields:
                yield from _field_faults(old, fields[old.name], version, where)
            else:
                got = Text(ko=f"필드 {old.name} 없음", en=f"no field {old.name}")
                kept = Text(ko=f"{version}의 필드를 모두 가진 것", en=f"the field of {version}")
                yield fault(where, got, kept, NEW_MAJOR)
        for name in sorted({f.name for f in after if f.required} - {f.name for f in before}):
            got = Text(ko=f"새 필드 {name}이(가) 필수", en=f"new field {name}, required")
            lacks = Text(ko=f"{version}에 없으므로 선택 항목", en=f"optional, as {version} lacks it")
            yield fault(where, got, lacks, NEW_MAJOR)


def _field_faults(old: Field, new: Field, version: str, where: str) -> Iterator[Fault]:
    for name in FIXED:
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            got = Text(ko=f"{new.name}의 {name} 값이 {now}", en=f"{name} {now} of {new.name}")
            yield fault(where, got, _as_in(str(was), version), NEW_MAJOR)
    if new.required and not old.required:
        got = Text(ko=f"{new.name}이(가) 필수", en=f"{new.name} required")
        yield fault(where, got, Text(ko=f"{version}과(와) 같이 선택 항목", en=f"optional, as in {version}"), NEW_MAJOR)
    gone = sorted(set(old.one_of or ()) - set(new.one_of)) if new.one_of is not None else []
    if gone or (old.one_of is None and new.one_of is not None):
        shown = Text(ko=", ".join(gone) or "다른 글", en=", ".join(gone) or "any other text")
        got = Text(ko=f"{new.name}에서 {shown.ko} 빠짐", en=f"{new.name} without {shown.en}")
        yield fault(where, got, _all_of(version), NEW_MAJOR)
    if old.balance and not new.balance:
        got = Text(ko=f"{new.name}에 나머지 성분(balance) 불가", en=f"{new.name} without a balance component")
        yield fault(where, got, _all_of(version), NEW_MAJOR)
    if _narrower(old.hard, new.hard):
        was, now = _shown(old.hard), _shown(new.hard)
        got = Text(ko=f"{new.name}의 가능 범위가 {now}", en=f"possible range {now} of {new.name}")
        yield fault(where, got, Text(ko=f"{was}보다 좁지 않은 범위", en=f"none below {was}"), NEW_MAJOR)
    if _stricter(old.sum, new.sum):
        got = Text(ko=f"{new.name}의 합계 조건이 더 엄격", en=f"a tighter sum of {new.name}")
        yield fault(where, got, Text(ko=f"{version}의 합계 조건", en=f"the sum of {version}"), NEW_MAJOR)


def _as_in(was: str, version: str) -> Text:
    return Text(ko=f"{version}과(와) 같은 {was}", en=f"{was}, as in {version}")


def _all_of(version: str) -> Text:
    return Text(ko=f"{version}이(가) 받는 것을 모두 받는 것", en=f"all that {version} takes")


def _narrower(old: Bounds | None, new: Bounds | None) -> bool:
    """Return whether a value that the old range allows is impossible in the new one."""
    if new is None:
        return False
    low, high = old or Bounds(None, None)
    return (new.low is not None and (low is None or new.low > low)) or (
        new.high is not None and (high is None or new.high < high)
    )


def _stricter(old: SumRule | None, new: SumRule | None) -> bool:
    """Return whether the new sum refuses what the old one takes, from anybody; what it only flags does not matter."""
    if new is None or new.hard is None:
        return False
    if old is None or old.hard is None or old.of != new.of or new.hard < old.hard:
        return True
    return old.hard_for is not None and (new.hard_for is None or not set(new.hard_for) <= set(old.hard_for))


def _shown(bounds: Bounds | None) -> str:
    low, high = bounds or Bounds(None, None)
    return f"[{'−∞' if low is None else f'{low:g}'}, {'∞' if high is None else f'{high:g}'}]"


def majors(templates: Iterable[Template]) -> list[list[Template]]:
    """Return the templates of each project, stage and major, by minor: later ones are held to all earlier ones."""
    found: dict[RecordsKey, list[Template]] = {}
    for template in templates:
        found.setdefault(template.key.records, []).append(template)
    return [sorted(group, key=lambda t: t.key.number) for _, group in sorted(found.items())]


def earlier_pairs(templates: Iterable[Template]) -> list[tuple[Template, Template]]:
    """Return every (earlier, later) pair of a major: compatibility is transitive only when each pair is looked at."""
    return [(old, new) for group in majors(templates) for n, new in enumerate(group) for old in group[:n]]


def gaps(templates: Iterable[Template]) -> list[tuple[Template, Template]]:
    """Return neighbours of a major between which a minor is missing."""
    return [(a, b) for group in majors(templates) for a, b in pairwise(group) if b.key.number[1] != a.key.number[1] + 1]


def collision_faults(templates: Sequence[tuple[Template, bytes]], where: Mapping[TemplateKey, str]) -> Iterator[Fault]:
    """Yield where two templates share a 31-bit id, or two of different names a fingerprint: a message could be of either.

    `templates` come with their fingerprints; those of one name may share one, since `template_version` tells them apart.
    Only those with a place in `where` are said to be at fault.
    """
    by_id: dict[int, Template] = {}
    by_fingerprint: dict[bytes, Template] = {}
    for template, fingerprint in templates:
        other = by_id.setdefault(template.schema_id, template)
        alike = by_fingerprint.setdefault(fingerprint, template)
        place = where.get(template.key)
        if place is None:
            continue
        if other.key != template.key:
            got = Text(ko=f"스키마 id {template.schema_id}", en=f"schema id {template.schema_id}")
            yield fault(place, got, _not_that_of(other), RELABEL)
        if alike.full_name != template.full_name:
            got = Text(ko=f"지문 {fingerprint.hex()}", en=f"fingerprint {fingerprint.hex()}")
            yield fault(place, got, _not_that_of(alike), RENAME)


def _not_that_of(other: Template) -> Text:
    return Text(ko=f"{other.key}과(와) 다른 것", en=f"another than that of {other.key}")
