"""The templates as a schema registry has them: a subject for each record name, versions counted from 1, ids of the framing."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import rfc8785
from fastavro.schema import SchemaParseException, UnknownType, parse_schema

from sojae.domain.avro_compatibility import incompatibilities
from sojae.domain.errors import TemplateError
from sojae.domain.evolution import change_faults
from sojae.domain.template import STAGES, Template, parse_template, schema_sha256
from sojae.domain.text import Text
from sojae_gateway.refusal import Refused, shorten

LATEST = frozenset({"latest", "-1"})
MAX_VERSION = 2**31 - 1
_VERSION = re.compile(r"[1-9][0-9]{0,9}")
AVRO = "AVRO"
COMPATIBILITY = "FULL_TRANSITIVE"
MODE = "READONLY"
"""Schemas that are here are found; new ones come as files, not over the network."""

_NAMED = frozenset({"record", "error", "enum", "fixed"})
_INVALID = (
    SchemaParseException, UnknownType, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError,
)  # fmt: skip


class Registered(NamedTuple):
    """One template under its subject; `version` counts the template's versions from 1."""

    subject: str
    version: int
    template: Template

    @property
    def text(self) -> str:
        """The schema that frames messages, as the RFC 8785 JSON whose SHA-256 gives the id."""
        return rfc8785.dumps(cast("dict[str, Any]", self.template.schema)).decode()


class Registry:
    """What a registry is asked for, answered from the templates of the moment; every method raises Refused."""

    def __init__(self, templates: Iterable[Template]) -> None:
        by_subject: dict[str, list[Template]] = {}
        for template in sorted(templates, key=lambda t: t.key.number):
            by_subject.setdefault(template.full_name, []).append(template)
        self._subjects = {
            subject: [Registered(subject, number, one) for number, one in enumerate(found, start=1)]
            for subject, found in sorted(by_subject.items())
        }

    def subjects(self, prefix: str = "") -> list[str]:
        """Return the subjects whose names begin with a prefix, sorted."""
        return [subject for subject in self._subjects if subject.startswith(prefix)]

    def versions(self, subject: str) -> list[Registered]:
        """Return what is registered under a subject, oldest first."""
        found = self._subjects.get(subject)
        if found is None:
            text = Text(
                ko=f"{shorten(subject)}: 없는 subject입니다. 이름은 sojae.<project>.<Stage>이고, 클라이언트는 RecordNameStrategy를 써야 합니다",
                en=f"subject {shorten(subject)} not found: subjects are sojae.<project>.<Stage>; set the client to RecordNameStrategy",
            )
            raise Refused("unknown_subject", text, field="subject", got=shorten(subject))
        return found

    def one(self, subject: str, version: str) -> Registered:
        """Return one version of a subject: a number from 1, or `latest`."""
        found = self.versions(subject)
        if version in LATEST:
            return found[-1]
        if not _VERSION.fullmatch(version) or int(version) > MAX_VERSION:
            text = Text(
                ko=f"{shorten(version)}: 버전이 아닙니다. 1부터의 정수이거나 latest이어야 합니다",
                en=f"{shorten(version)} is no version: expected a whole number from 1, or latest",
            )
            raise Refused("invalid_version", text, field="version", got=shorten(version))
        if int(version) > len(found):
            text = Text(
                ko=f"{subject}: 버전 {version}이 없습니다. 1부터 {len(found)}까지 있습니다",
                en=f"version {version} of {subject} not found: there are 1 to {len(found)}",
            )
            raise Refused("unknown_version", text, field="version", got=version)
        return found[int(version) - 1]

    def by_id(self, schema_id: str) -> Registered:
        """Return what has an id of the Confluent framing."""
        for registered in self._all():
            if str(registered.template.schema_id) == schema_id:
                return registered
        text = Text(
            ko=f"스키마 {shorten(schema_id)}이(가) 없습니다. id는 /v1/templates에 있습니다",
            en=f"schema {shorten(schema_id)} not found; /v1/templates has the ids that there are",
        )
        raise Refused("unregistered_schema", text, field="id", got=shorten(schema_id))

    def find(self, subject: str, text: str) -> Registered:
        """Return the version of a subject whose schema is that of a text: the same JSON, whatever its order and spelling."""
        registered = self.versions(subject)
        wanted = _identity(read_schema(text))
        for one in reversed(registered):
            if _identity(one.template.schema) == wanted:
                return one
        said = Text(
            ko=f"{subject}: 이 스키마는 등록되어 있지 않습니다. 최신 스키마를 받아 쓰십시오(use.latest.version)",
            en=f"this schema is not registered under {subject}; take the latest one from here (use.latest.version)",
        )
        raise Refused("unregistered_schema", said, field="schema")

    def register(self, subject: str, text: str) -> Registered:
        """Return what is registered already; what is not is refused, because templates are published by file."""
        if subject in self._subjects:
            try:
                return self.find(subject, text)
            except Refused as refused:
                if refused.rule != "unregistered_schema":
                    raise
        said = Text(
            ko=f"{shorten(subject)}: 템플릿은 파일로 공개합니다. schemas/avro나 SOJAE_TEMPLATES__PATH에 파일을 두고 sojae template check를 실행하십시오",
            en=f"{shorten(subject)}: templates are published by file; put it into schemas/avro or SOJAE_TEMPLATES__PATH and run sojae template check",
        )
        raise Refused("published_by_file", said, field="subject", got=shorten(subject))

    def objections(self, subject: str, text: str, version: str | None = None) -> list[str]:
        """Return why a schema could not follow a version, or all versions of its major; an empty list where it could.

        Each must be able to read what the other wrote. What says that it is a template must also mean the same by
        each field: unit, quantity, basis and role. A schema that names no version is held to the newest major.
        """
        schema = read_schema(text)
        found = self.versions(subject) if version is None else [self.one(subject, version)]
        template = _template(schema)
        if version is None:
            major = found[-1].template.key.major if template is None else template.key.major
            found = [one for one in found if one.template.key.major == major]
        return [said for one in found for said in _objections(one, schema, template)]

    def _all(self) -> Iterable[Registered]:
        return (one for found in self._subjects.values() for one in found)


def read_schema(text: str) -> Any:
    """Return the Avro schema of a JSON text; raises Refused where it is none."""
    try:
        schema = json.loads(text)
        parse_schema(json.loads(text))
    except _INVALID as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else shorten(str(error))
        said = Text(
            ko=f"올바른 Avro 스키마가 아닙니다: {why}. 포함을 풀어 쓴 전체 스키마이어야 합니다",
            en=f"not a valid Avro schema: {why}; expected a whole schema, with its includes resolved",
        )
        raise Refused("invalid_schema", said, field="schema") from error
    return schema


def _template(schema: Any) -> Template | None:
    """Return the template that a schema says it is, None where it says nothing of the kind."""
    if not isinstance(schema, Mapping) or "project" not in schema or schema.get("stage") not in STAGES:
        return None
    try:
        return parse_template(cast("Mapping[str, object]", schema), "schema")
    except TemplateError as error:
        raise Refused("invalid_schema", error.text, field="schema") from error


def _objections(one: Registered, schema: Any, template: Template | None) -> Iterable[str]:
    known = one.template.schema
    for told, reader, writer in (
        (f"the new schema cannot read version {one.version}", schema, known),
        (f"version {one.version} cannot read the new schema", known, schema),
    ):
        try:
            yield from (f"{told}: {found}" for found in incompatibilities(reader, writer))
        except (ValueError, RecursionError) as error:
            said = Text(ko=f"비교할 수 없는 스키마입니다: {error}", en=f"the schema cannot be compared: {error}")
            raise Refused("invalid_schema", said, field="schema") from error
    if template is not None and template.key.major == one.template.key.major:
        yield from (fault.text.en for fault in change_faults(one.template, template, f"version {one.version}"))


def _identity(schema: Any) -> str:
    """Return what tells schemas apart: the SHA-256 of the JSON with full names, and types without an object around them.

    So a schema is found again after Avro's own libraries have written it in their order.
    """
    return schema_sha256({"schema": _plain(schema, "")})


def _plain(schema: Any, space: str) -> Any:
    if isinstance(schema, str):
        return schema
    if isinstance(schema, Sequence):
        return [_plain(branch, space) for branch in schema]
    if set(schema) == {"type"}:
        return _plain(schema["type"], space)
    plain = dict(schema)
    if schema.get("type") in _NAMED:
        name, inner = str(schema["name"]), str(plain.pop("namespace", space))
        plain["name"] = name if "." in name or not inner else f"{inner}.{name}"
        space = plain["name"].rpartition(".")[0]
    for key in ("type", "items", "values"):
        if key in plain:
            plain[key] = _plain(plain[key], space)
    if "fields" in plain:
        plain["fields"] = [{**field, "type": _plain(field["type"], space)} for field in plain["fields"]]
    return plain
