"""A template: what one stage of one project says of its fields, read from a resolved Avro schema."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

import rfc8785

from sojae.domain.errors import TemplateError
from sojae.domain.text import Text

Stage = Literal["raw", "composition", "process", "property"]
STAGES: tuple[Stage, ...] = ("raw", "composition", "process", "property")
Severity = Literal["hard", "warn", "info"]
Role = Literal["input", "condition", "intermediate", "target", "identifier", "note"]
Kind = Literal["double", "long", "string", "boolean", "date", "timestamp", "map_double", "map_string", "strings"]

HEADER_TYPE = "sojae.common.Header"
PROJECT = re.compile(r"[a-z][a-z0-9_]{1,62}")
VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})")

_KINDS: dict[str, Kind] = {
    "double": "double",
    "int": "long",
    "long": "long",
    "string": "string",
    "boolean": "boolean",
    "date": "date",
    "timestamp-micros": "timestamp",
    "map<double>": "map_double",
    "map<string>": "map_string",
    "array<string>": "strings",
}


class TemplateKey(NamedTuple):
    """What names a template: project, stage and version `<major>.<minor>`."""

    project: str
    stage: Stage
    version: str

    def __str__(self) -> str:
        return f"{self.project}/{self.stage}/{self.version}"

    @property
    def major(self) -> int:
        """The part of the version inside which unit, quantity, basis and role never change."""
        return int(self.version.split(".")[0])


class Bounds(NamedTuple):
    """An inclusive range in the field's unit; None is an open end."""

    low: float | None
    high: float | None


class SumRule(NamedTuple):
    """What the values of a composition must add up to, and how far off is flagged or refused."""

    of: float
    warn: float | None
    hard: float | None
    hard_for: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a template; `unit` is a UCUM code, bounds are in that unit."""

    name: str
    kind: Kind
    label: Text
    required: bool = False
    unit: str | None = None
    quantity: str | None = None
    basis: str | None = None
    role: Role = "note"
    warn: Bounds | None = None
    hard: Bounds | None = None
    one_of: tuple[str, ...] | None = None
    sum: SumRule | None = None
    split_by: str | None = None
    example: object = None
    source: str | None = None
    doc: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A row-wise SQL expression over a template's fields; null passes, False is a finding."""

    id: str
    sql: str
    severity: Severity
    message: Text
    scope: Literal["record", "lineage", "collection"] = "record"
    hard_for: tuple[str, ...] | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """One template version; `schema` is the resolved Avro schema with every attribute, `sha256` its identity."""

    key: TemplateKey
    full_name: str
    schema: Mapping[str, object]
    sha256: str
    label: Text
    fields: tuple[Field, ...]
    header_fields: tuple[Field, ...]
    rules: tuple[Rule, ...]
    institute: str | None = None

    @property
    def schema_id(self) -> int:
        """The 31-bit id of the Confluent framing, taken from the hash: no counter, so drafts of two firms differ."""
        return int(self.sha256[:8], 16) >> 1

    def field(self, name: str) -> Field:
        """Return the field of that name; raises TemplateError when the template has none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise TemplateError(
            en=f"template {self.key} has no field {name!r}", ko=f"템플릿 {self.key}에 {name!r} 필드가 없습니다"
        )


def schema_sha256(schema: Mapping[str, object]) -> str:
    """Return the SHA-256, in hex, of the schema's canonical JSON (RFC 8785)."""
    return hashlib.sha256(rfc8785.dumps(cast("dict[str, object]", schema))).hexdigest()  # type: ignore[arg-type]  # JSON by construction


def parse_template(schema: Mapping[str, object], where: str) -> Template:
    """Return the template that a resolved schema describes; `where` names the file in the errors.

    Raises TemplateError when an attribute is missing or of the wrong form.
    """
    reader = _Reader(where)
    key = TemplateKey(
        reader.text(schema, "project"), cast("Stage", reader.text(schema, "stage")), reader.text(schema, "version")
    )
    if key.stage not in STAGES:
        raise reader.error(f"stage {key.stage!r}", f"one of {', '.join(STAGES)}")
    if not PROJECT.fullmatch(key.project):
        raise reader.error(f"project {key.project!r}", "lower-case letters, digits and _")
    if not VERSION.fullmatch(key.version):
        raise reader.error(f"version {key.version!r}", "<major>.<minor>")
    avro_fields = cast("Sequence[Mapping[str, object]]", schema.get("fields", ()))
    header = [f for f in avro_fields if f.get("name") == "header"]
    if not header or not isinstance(header[0].get("type"), Mapping):
        raise reader.error("no header", f'a first field "header" of type {HEADER_TYPE}')
    header_schema = cast("Mapping[str, Sequence[Mapping[str, object]]]", header[0]["type"])
    return Template(
        key=key,
        full_name=f"{reader.text(schema, 'namespace')}.{reader.text(schema, 'name')}",
        schema=schema,
        sha256=schema_sha256(schema),
        label=reader.label(schema, default=str(key)),
        fields=tuple(_field(f, reader) for f in avro_fields if f.get("name") != "header"),
        header_fields=tuple(_field(f, reader) for f in header_schema["fields"]),
        rules=tuple(_rule(r, reader) for r in cast("Sequence[Mapping[str, object]]", schema.get("rules", ()))),
        institute=reader.optional_text(schema, "institute"),
    )


class _Reader:
    """Takes attributes out of schema JSON and says, in both languages, what is wrong where."""

    def __init__(self, where: str) -> None:
        self.where = where

    def error(self, got: str, expected: str) -> TemplateError:
        return TemplateError(
            en=f"{self.where}: got {got}, expected {expected}; correct the template file",
            ko=f"{self.where}: {got}입니다. {expected}이어야 합니다. 템플릿 파일을 고치십시오",
        )

    def text(self, source: Mapping[str, object], key: str) -> str:
        value = source.get(key)
        if not isinstance(value, str) or not value:
            raise self.error(
                f"{key} = {value!r} in {source.get('name') or source.get('id') or 'the schema'}", f"a text {key!r}"
            )
        return value

    def optional_text(self, source: Mapping[str, object], key: str) -> str | None:
        return self.text(source, key) if source.get(key) is not None else None

    def flag(self, source: Mapping[str, object], key: str) -> bool:
        value = source.get(key, False)
        if not isinstance(value, bool):
            raise self.error(f"{key} = {value!r} of {source.get('name')}", "true or false")
        return value

    def label(self, source: Mapping[str, object], default: str, key: str = "label") -> Text:
        value = source.get(key)
        if value is None:
            return Text(ko=default, en=default)
        if not isinstance(value, Mapping) or not {"ko", "en"} <= set(value):
            raise self.error(f"{key} {value!r} of {default}", '{"ko": …, "en": …}')
        return Text(ko=str(value["ko"]), en=str(value["en"]))

    def bounds(self, source: Mapping[str, object], key: str) -> Bounds | None:
        value = source.get(key)
        if value is None:
            return None
        numbers = (int, float, type(None))
        if not isinstance(value, list) or len(value) != 2 or not all(isinstance(v, numbers) for v in value):
            raise self.error(f"{key} {value!r} of {source.get('name')}", "[low, high], null for an open end")
        low, high = (None if v is None else float(v) for v in value)
        if low is not None and high is not None and low > high:
            raise self.error(f"{key} {value!r} of {source.get('name')}", "low ≤ high")
        return Bounds(low, high)

    def strings(self, source: Mapping[str, object], key: str) -> tuple[str, ...] | None:
        value = source.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self.error(f"{key} {value!r} of {source.get('name') or source.get('id')}", "a list of texts")
        return tuple(value)


def _kind(avro_type: object) -> Kind | None:
    """Return the kind of a field of type T or [null, T]; None when Sojae does not take the type."""
    if isinstance(avro_type, list):
        others = [t for t in avro_type if t != "null"]
        plain = len(others) == 1 and len(avro_type) == 2 and not isinstance(others[0], list)
        return _kind(others[0]) if plain else None
    if isinstance(avro_type, Mapping):
        name = str(avro_type.get("logicalType", avro_type.get("type")))
        inner = avro_type.get("values", avro_type.get("items"))
        return _KINDS.get(f"{name}<{inner}>" if inner is not None else name)
    return _KINDS.get(str(avro_type))


def _field(source: Mapping[str, object], reader: _Reader) -> Field:
    name = reader.text(source, "name")
    kind = _kind(source.get("type"))
    if kind is None:
        raise reader.error(f"type {source.get('type')!r} of {name}", f"{', '.join(_KINDS)}, plain or in [null, T]")
    return Field(
        name=name,
        kind=kind,
        label=reader.label(source, default=name),
        required=reader.flag(source, "required"),
        unit=reader.optional_text(source, "unit"),
        quantity=reader.optional_text(source, "quantity"),
        basis=reader.optional_text(source, "basis"),
        role=cast("Role", source.get("role", "note")),
        warn=reader.bounds(source, "warn"),
        hard=reader.bounds(source, "hard"),
        one_of=reader.strings(source, "one_of"),
        sum=_sum(source, reader),
        split_by=reader.optional_text(source, "split_by"),
        example=source.get("example"),
        source=reader.optional_text(source, "source"),
        doc=reader.optional_text(source, "doc"),
    )


def _sum(source: Mapping[str, object], reader: _Reader) -> SumRule | None:
    value = source.get("sum")
    if value is None:
        return None
    if not isinstance(value, Mapping) or not isinstance(value.get("of"), int | float):
        raise reader.error(f"sum {value!r} of {source.get('name')}", '{"of": 100, "warn": 0.5, "hard": 5}')
    warn, hard = value.get("warn"), value.get("hard")
    return SumRule(
        of=float(cast("float", value["of"])),
        warn=None if warn is None else float(cast("float", warn)),
        hard=None if hard is None else float(cast("float", hard)),
        hard_for=reader.strings(cast("Mapping[str, object]", value), "hard_for"),
    )


def _rule(source: Mapping[str, object], reader: _Reader) -> Rule:
    severity = reader.text(source, "severity")
    if severity not in ("hard", "warn"):
        raise reader.error(f"severity {severity!r} of rule {source.get('id')}", "hard or warn")
    scope = source.get("scope", "record")
    if scope not in ("record", "lineage", "collection"):
        raise reader.error(f"scope {scope!r} of rule {source.get('id')}", "record, lineage or collection")
    identity = reader.text(source, "id")
    return Rule(
        id=identity,
        sql=reader.text(source, "sql"),
        severity=cast("Severity", severity),
        message=reader.label(source, default=identity, key="message"),
        scope=scope,
        hard_for=reader.strings(source, "hard_for"),
        source=reader.optional_text(source, "source"),
    )
