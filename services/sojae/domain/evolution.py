"""What may change from one version of a template to the next, and what every template must say in both languages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, cast

from sojae.domain.schema_reader import Bounds
from sojae.domain.template import Field, Template
from sojae.domain.text import Text

FIXED = ("kind", "unit", "quantity", "basis", "role")
"""What a field keeps within a major: who trained on it, or compares with it, relies on all of these."""


class Fault(NamedTuple):
    """One reason why a template may not be published: the file, and a sentence with got, expected and remedy."""

    where: str
    text: Text


def fault(where: str, got: str, expected: str, remedy: Text) -> Fault:
    """Return a fault in both languages."""
    return Fault(
        where,
        Text(
            ko=f"{where}: {got}입니다. {expected}이어야 합니다. {remedy.ko}",
            en=f"{where}: got {got}, expected {expected}; {remedy.en}",
        ),
    )


NEW_MAJOR = Text(ko="되돌리거나 주 버전을 올리십시오", en="take it back, or begin a new major version")
SAY_IT = Text(ko="템플릿 파일에 쓰십시오", en="write it into the template file")


def label_faults(template: Template, where: str) -> Iterator[Fault]:
    """Yield a fault for the template, each field and each rule that says nothing in Korean or in English."""
    schema = template.schema
    yield from _unlabelled(schema, "label", "the template", where)
    for field in cast("Sequence[Mapping[str, object]]", schema["fields"]):
        yield from _unlabelled(field, "label", f"field {field['name']}", where)
    for rule in cast("Sequence[Mapping[str, object]]", schema.get("rules", ())):
        yield from _unlabelled(rule, "message", f"rule {rule['id']}", where)


def _unlabelled(source: Mapping[str, object], key: str, what: str, where: str) -> Iterator[Fault]:
    said = source.get(key)
    missing = [lang for lang in ("ko", "en") if not isinstance(said, Mapping) or not str(said.get(lang, "")).strip()]
    if missing:
        yield fault(where, f"no {key} of {what} in {' and '.join(missing)}", f'{key} {{"ko": …, "en": …}}', SAY_IT)


def change_faults(older: Template, newer: Template, where: str) -> Iterator[Fault]:
    """Yield what a later minor of the same major may not do: what an earlier one took, it takes, and means the same by it."""
    fields = {field.name: field for field in newer.fields}
    before = {field.name: field for field in older.fields}
    for name, old in before.items():
        if name not in fields:
            yield fault(where, f"no field {name}", f"the field of {older.key.version}", NEW_MAJOR)
        else:
            yield from _field_faults(old, fields[name], older.key.version, where)
    for name, new in fields.items():
        if name not in before and new.required:
            yield fault(where, f"new field {name}, required", f"optional, as {older.key.version} lacks it", NEW_MAJOR)


def _field_faults(old: Field, new: Field, version: str, where: str) -> Iterator[Fault]:
    for name in FIXED:
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            yield fault(where, f"{name} {now} of {new.name}", f"{was}, as in {version}", NEW_MAJOR)
    if new.required and not old.required:
        yield fault(where, f"{new.name} required", f"optional, as in {version}", NEW_MAJOR)
    gone = sorted(set(old.one_of or ()) - set(new.one_of)) if new.one_of is not None else []
    if gone or (old.one_of is None and new.one_of is not None):
        shown = ", ".join(gone) or "any other text"
        yield fault(where, f"{new.name} without {shown}", f"all that {version} takes", NEW_MAJOR)
    if _narrower(old.hard, new.hard):
        yield fault(
            where, f"possible range {_shown(new.hard)} of {new.name}", f"none below {_shown(old.hard)}", NEW_MAJOR
        )
    if new.sum is not None and (old.sum is None or old.sum.of != new.sum.of or _tighter(old.sum.hard, new.sum.hard)):
        yield fault(where, f"a tighter sum of {new.name}", f"the sum of {version}", NEW_MAJOR)


def _narrower(old: Bounds | None, new: Bounds | None) -> bool:
    """Return whether a value that the old range allows is impossible in the new one."""
    if new is None:
        return False
    low, high = old or Bounds(None, None)
    return (new.low is not None and (low is None or new.low > low)) or (
        new.high is not None and (high is None or new.high < high)
    )


def _tighter(old: float | None, new: float | None) -> bool:
    return new is not None and (old is None or new < old)


def _shown(bounds: Bounds | None) -> str:
    low, high = bounds or Bounds(None, None)
    return f"[{'−∞' if low is None else f'{low:g}'}, {'∞' if high is None else f'{high:g}'}]"


def majors(templates: Iterable[Template]) -> list[list[Template]]:
    """Return the templates of each project, stage and major, by minor: later ones are held to all earlier ones."""
    found: dict[tuple[str, str, int], list[Template]] = {}
    for template in templates:
        found.setdefault((template.key.project, template.key.stage, template.key.major), []).append(template)
    return [sorted(group, key=lambda t: t.key.number) for _, group in sorted(found.items())]


def earlier_pairs(templates: Iterable[Template]) -> list[tuple[Template, Template]]:
    """Return every (earlier, later) pair of a major: compatibility is transitive only when each pair is looked at."""
    return [(old, new) for group in majors(templates) for n, new in enumerate(group) for old in group[:n]]


def gaps(templates: Iterable[Template]) -> list[tuple[Template, Template]]:
    """Return neighbours of a major between which a minor is missing."""
    return [(a, b) for group in majors(templates) for a, b in pairwise(group) if b.key.number[1] != a.key.number[1] + 1]
