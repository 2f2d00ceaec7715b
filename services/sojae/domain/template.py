"""A template: what one stage of one project says of its fields, read from a resolved Avro schema."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

import rfc8785

from sojae.domain.errors import TemplateError
from sojae.domain.schema_reader import Bounds, Reader
from sojae.domain.template_rule import Rule, parse_rule
from sojae.domain.text import Text

Stage = Literal["raw", "composition", "process", "property"]
STAGES: tuple[Stage, ...] = ("raw", "composition", "process", "property")
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


class RecordsKey(NamedTuple):
    """What one records table holds: the records of every minor version of a project's stage."""

    project: str
    stage: str
    major: int

    def __str__(self) -> str:
        return f"records/{self.project}/{self.stage}/{self.major}"

    def uri(self, store_uri: str) -> str:
        """Return the URI of the table in a store."""
        return f"{store_uri.rstrip('/')}/{self}"


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
        return self.number[0]

    @property
    def number(self) -> tuple[int, int]:
        """Major and minor, which sort as versions do."""
        major, minor = self.version.split(".")
        return int(major), int(minor)

    @property
    def records(self) -> RecordsKey:
        """The table that records of this version are stored in, beside those of its other minors."""
        return RecordsKey(self.project, self.stage, self.major)


class SumRule(NamedTuple):
    """What the values of a composition must add up to, and how far off is flagged or refused."""

    of: float
    warn: float | None
    hard: float | None
    hard_for: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a template; `unit` is a UCUM code, bounds are in that unit.

    `balance`: a formula of it may name one element as `bal.`, what is missing to 100.
    """

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
    balance: bool = False
    split_by: str | None = None
    standard: str | None = None
    example: object = None
    source: str | None = None
    doc: str | None = None


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
        return schema_id_of(self.sha256)

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


def schema_id_of(sha256: str) -> int:
    """Return the 31-bit id under which Confluent framing names the schema of this hash."""
    return int(sha256[:8], 16) >> 1


def parse_template(schema: Mapping[str, object], where: str) -> Template:
    """Return the template that a resolved schema describes; `where` names the file in the errors.

    Raises TemplateError when an attribute is missing or of the wrong form.
    """
    reader = Reader(where)
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
        rules=tuple(parse_rule(r, reader) for r in cast("Sequence[Mapping[str, object]]", schema.get("rules", ()))),
        institute=reader.optional_text(schema, "institute"),
    )


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


def _field(source: Mapping[str, object], reader: Reader) -> Field:
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
        balance=reader.flag(source, "balance"),
        split_by=reader.optional_text(source, "split_by"),
        standard=reader.optional_text(source, "standard"),
        example=source.get("example"),
        source=reader.optional_text(source, "source"),
        doc=reader.optional_text(source, "doc"),
    )


def _sum(source: Mapping[str, object], reader: Reader) -> SumRule | None:
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
