"""Template events to and from framed Avro, one at a time, with fastavro as the reference."""

import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import fastavro
from fastavro.schema import parse_schema

from sojae.adapters.template_files import TemplateBook, rabin_fingerprint
from sojae.domain.errors import TemplateError
from sojae.domain.framing import Frame, confluent_frame, frame_or_issue, read_frame, single_object_frame
from sojae.domain.issue import Issue
from sojae.domain.template import Template
from sojae.ports import Decoded

MAX_MESSAGE_BYTES = 1_048_576
"""Kafka's own default limit of a message; what is larger is quarantined unread."""

Record = dict[str, object]


class FastavroDecoder:
    """Decodes both framings; refuses trailing bytes and repeated map keys, never raises for what a message holds."""

    def __init__(self, book: Callable[[], TemplateBook], max_message_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._book = book
        self._max_message_bytes = max_message_bytes
        self._parsed = _ParsedSchemas()

    def decode(self, messages: Sequence[bytes | None]) -> list[Decoded]:
        """Return one Decoded for each message, in order."""
        book = self._book()
        return [self._decode(book, message) for message in messages]

    def _decode(self, book: TemplateBook, message: bytes | None) -> Decoded:
        frame = frame_or_issue(message, self._max_message_bytes)
        if isinstance(frame, Issue):
            return Decoded(issues=(frame,))
        assert message is not None, "it has a frame"
        candidates = _candidates(book, frame)
        if not candidates:
            return _refused("unknown_schema", str(frame), "the id or fingerprint of a known template")
        return self._decode_body(candidates, message[frame.body_offset :])

    def _decode_body(self, candidates: Sequence[Template], body: bytes) -> Decoded:
        first = candidates[0]
        schema = self._parsed.of(first)
        stream = io.BytesIO(body)
        try:
            record = cast("Record", fastavro.schemaless_reader(stream, schema, None))
            length = _encoded_length(schema, record)
        except Exception as error:  # noqa: BLE001 - hostile bytes raise anything: EOFError, UnicodeDecodeError, OverflowError …
            return _refused("undecodable", f"{type(error).__name__}: {error}"[:256], str(first.key), template=first)
        header = cast("Record", record.pop("header"))
        template = next((t for t in candidates if t.key.version == header.get("template_version")), None)
        issues: list[Issue] = []
        if stream.tell() != len(body):
            issues.append(Issue("trailing_bytes", "hard", None, f"{len(body) - stream.tell()} bytes", "none"))
        elif length != len(body):
            issues.append(
                Issue("repeated_key", "hard", None, f"{len(body)} bytes", "each key of a map once, in one block")
            )
        if template is None:
            known = ", ".join(t.key.version for t in candidates)
            issues.append(
                Issue(
                    "template_version",
                    "hard",
                    "header.template_version",
                    str(header.get("template_version"))[:64],
                    known,
                )
            )
        return Decoded(template=template or first, header=header, values=record, issues=tuple(issues))


class FastavroEncoder:
    """Encodes events in Confluent framing (default) or single-object framing."""

    def __init__(self, *, single_object: bool = False) -> None:
        self._single_object = single_object
        self._parsed = _ParsedSchemas()

    def encode(self, template: Template, header: Mapping[str, object], values: Mapping[str, object]) -> bytes:
        """Return the framed bytes; raises TemplateError when the values do not fit the schema."""
        names = {f.name for f in template.fields}
        unknown = sorted(set(values) - names)
        if unknown:
            raise TemplateError(
                en=f"template {template.key} has no field {', '.join(unknown)}",
                ko=f"템플릿 {template.key}에 {', '.join(unknown)} 필드가 없습니다",
            )
        stream = io.BytesIO()
        try:
            fastavro.schemaless_writer(stream, self._parsed.of(template), {**values, "header": dict(header)})
        except (ValueError, TypeError, KeyError, OverflowError, AttributeError) as error:
            raise TemplateError(
                en=f"template {template.key}: the values do not fit: {error}",
                ko=f"템플릿 {template.key}: 값이 스키마에 맞지 않습니다: {error}",
            ) from error
        if self._single_object:
            return single_object_frame(rabin_fingerprint(template.schema), stream.getvalue())
        return confluent_frame(template.schema_id, stream.getvalue())


class RecordCodec:
    """Packs and unpacks one fixed schema, such as outcomes, in single-object framing."""

    def __init__(self, schema: Mapping[str, object]) -> None:
        self._schema = parse_schema(json.loads(json.dumps(schema)))
        self._fingerprint = rabin_fingerprint(schema)

    def encode(self, record: Mapping[str, object]) -> bytes:
        """Return the framed record."""
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, self._schema, dict(record))
        return single_object_frame(self._fingerprint, stream.getvalue())

    def decode(self, message: bytes) -> Record:
        """Return the record of a framed message; raises ValueError when it is of another schema."""
        frame = read_frame(message)
        if frame is None or frame.fingerprint != self._fingerprint:
            raise ValueError("not a message of this schema")
        return cast("Record", fastavro.schemaless_reader(io.BytesIO(message[frame.body_offset :]), self._schema, None))


class _ParsedSchemas:
    """Parsed schemas by hash: parsing one costs more than reading a hundred records."""

    def __init__(self) -> None:
        self._by_sha256: dict[str, dict[str, Any]] = {}

    def of(self, template: Template) -> dict[str, Any]:
        parsed = self._by_sha256.get(template.sha256)
        if parsed is None:
            parsed = self._by_sha256[template.sha256] = cast(
                "dict[str, Any]", parse_schema(json.loads(json.dumps(template.schema)))
            )
        return parsed


def _candidates(book: TemplateBook, frame: Frame) -> Sequence[Template]:
    if frame.fingerprint is not None:
        return book.by_fingerprint(frame.fingerprint)
    template = book.by_id(cast("int", frame.schema_id))
    return () if template is None else (template,)


def _encoded_length(schema: dict[str, Any], record: Record) -> int:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, schema, record)
    return stream.tell()


def _refused(rule: str, got: str, expected: str, template: Template | None = None) -> Decoded:
    return Decoded(template=template, issues=(Issue(rule, "hard", None, got, expected),))
