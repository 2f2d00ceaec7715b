"""The gate before a template is published: files, labels, sample data through Avro, all earlier minors, what is published."""

import datetime as dt
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import fastavro
from fastavro.schema import parse_schema

from sojae.adapters.avro import FastavroDecoder, FastavroEncoder
from sojae.adapters.published import place_of, published
from sojae.adapters.template_files import TemplateBook, rabin_fingerprint, reload_templates
from sojae.domain.checks import check_values
from sojae.domain.errors import TemplateError
from sojae.domain.evolution import (
    NEW_MAJOR,
    Fault,
    change_faults,
    collision_faults,
    earlier_pairs,
    fault,
    gaps,
    label_faults,
)
from sojae.domain.finding_words import shown_got
from sojae.domain.issue import rule_text
from sojae.domain.template import STAGES, Template, TemplateKey
from sojae.domain.text import Text

Row = Mapping[str, object]
MAX_SAMPLES = 100
SAMPLES = ".sample.json"
COMMON = "common"
"""The folder of shared groups, which are checked in the templates that include them."""

RESTORE = Text(ko="파일을 되돌리고 새 버전을 만드십시오", en="restore the file, and make a new version")
LEFT_OUT = Text(ko="건너뛴 부 버전", en="a minor left out")
MOVE = Text(ko="파일을 옮기거나 지우십시오", en="move the file, or delete it")
MEND_SAMPLE = Text(ko="표본 파일을 고치십시오", en="correct the sample file")


def gate_faults(folder: Path, others: Iterable[Template] = ()) -> tuple[TemplateBook, list[Fault]]:
    """Return the templates of a folder and every reason why they may not be published; raises TemplateError.

    Looked at: each file by itself and its place; labels in both languages; sample data beside it, which are accepted and
    come back unchanged through both framings; every earlier minor of the major, whose samples the new schema reads and
    whose schema reads the new samples; ids and fingerprints, free of collisions, also with `others` that will be known
    beside them; what is published, unchanged; minors without a gap.
    """
    book, broken = reload_templates(folder, TemplateBook([]), packaged=False)
    faults = [Fault(str(folder), error.text) for error in broken] + list(_place_faults(folder))
    templates = sorted(book, key=lambda t: (t.key.project, t.key.stage, t.key.number))
    places = {t.key: str(folder / place_of(t)) for t in templates}
    samples: dict[TemplateKey, list[Row]] = {}
    for template in templates:
        faults += label_faults(template, places[template.key])
        found = _samples(folder, template)
        if isinstance(found, Fault):
            faults.append(found)
            continue
        samples[template.key] = found
        faults += _sample_faults(book, template, found, places[template.key])
    for older, newer in earlier_pairs(templates):
        faults += change_faults(older, newer, places[newer.key])
        faults += _reading_faults(older, newer, samples, places[newer.key])
    for before, after in gaps(templates):
        missing = f"{before.key.number[0]}.{before.key.number[1] + 1}"
        faults.append(fault(places[after.key], LEFT_OUT, Text(ko=missing, en=missing), NEW_MAJOR))
    known = [*(t for t in others if t.key not in places), *templates]
    faults += collision_faults([(t, rabin_fingerprint(t.schema)) for t in known], places)
    return book, faults + list(_published_faults(folder, templates))


def _place_faults(folder: Path) -> Iterator[Fault]:
    """Yield the files that nobody would read: no template lies there, or none beside the sample data."""
    place = "<project>/<stage>/<version>.avsc"
    for path in sorted(folder.rglob("*.avsc")):
        parts = path.relative_to(folder).parts
        if parts[0] != COMMON and (len(parts) != 3 or parts[1] not in STAGES):
            got = Text(ko="템플릿의 자리가 아닌 파일", en="a file where no template lies")
            yield fault(str(path), got, Text(ko=place, en=f"{place} with a stage of {', '.join(STAGES)}"), MOVE)
    for path in sorted(folder.glob(f"*/*/*{SAMPLES}")):
        beside = path.name.removesuffix(SAMPLES) + ".avsc"
        if not (path.parent / beside).is_file():
            got = Text(ko="템플릿 없는 표본", en="sample data of no template")
            yield fault(str(path), got, Text(ko=f"옆에 {beside}", en=f"{beside} beside it"), MOVE)


def _samples(folder: Path, template: Template) -> list[Row] | Fault:
    path = (folder / place_of(template)).with_suffix(SAMPLES)
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        got = Text(ko=f"표본 없음({error})", en=f"no sample data ({error})")
        return fault(str(path), got, Text(ko="기록 목록", en="a list of records"), MEND_SAMPLE)
    good = isinstance(rows, list) and 0 < len(rows) <= MAX_SAMPLES and all(isinstance(row, dict) for row in rows)
    wanted = Text(ko=f"기록 1~{MAX_SAMPLES}건의 목록", en=f"a list of 1 to {MAX_SAMPLES} records")
    return rows if good else fault(str(path), Text(ko="기록 없음", en="no records"), wanted, MEND_SAMPLE)


def _sample_faults(book: TemplateBook, template: Template, rows: Sequence[Row], where: str) -> Iterator[Fault]:
    complete = [{f.name: row.get(f.name) for f in template.fields} for row in rows]
    decoder = FastavroDecoder(lambda: book)
    for single_object in (False, True):
        try:
            messages = [
                FastavroEncoder(single_object=single_object).encode(template, _header(template), row) for row in rows
            ]
        except TemplateError as error:
            yield Fault(where, error.text)
            return
        for number, (sent, came) in enumerate(zip(complete, decoder.decode(messages), strict=True), start=1):
            if came.issues or came.values != sent:
                framing = "single-object" if single_object else "Confluent"
                got = Text(ko=f"{framing} 틀을 거친 다른 기록", en=f"another record through {framing} framing")
                yield fault(f"{where}, sample {number}", got, Text(ko="같은 기록", en="the same"), MEND_SAMPLE)
    for row, issues in enumerate(check_values(template, complete, ["experiment"] * len(rows)), start=1):
        for issue in issues:
            if issue.severity == "hard":
                shown, wanted = shown_got(issue.got), issue.expected
                got = Text(ko=f"{issue.field} 값이 {shown.ko}", en=f"{issue.field} {shown.en}")
                expected = Text(ko=wanted or "값이 있는 것", en=wanted or "a value")
                yield fault(f"{where}, sample {row}", got, expected, rule_text(issue.rule, template))


def _reading_faults(
    older: Template, newer: Template, samples: Mapping[TemplateKey, Sequence[Row]], where: str
) -> Iterator[Fault]:
    """Yield where one version's records do not come out of the other's schema as they went in."""
    for writer, reader in ((older, newer), (newer, older)):
        common = {f.name for f in writer.fields} & {f.name for f in reader.fields}
        wrote, reads = writer.key.version, reader.key.version
        for number, row in enumerate(samples.get(writer.key, ()), start=1):
            whole = {f.name: row.get(f.name) for f in writer.fields}
            got = _read(writer, reader, whole)
            if isinstance(got, str):
                refused = Text(
                    ko=f"{wrote}의 기록을 {reads}(으)로 읽지 못함({got})", en=f"{wrote} is not read by {reads} ({got})"
                )
                yield fault(where, refused, Text(ko="읽히는 기록", en="readable"), NEW_MAJOR)
                return
            changed = sorted(n for n in common if got[n] != whole[n])
            if changed:
                names = ", ".join(changed)
                other = Text(
                    ko=f"{wrote}의 표본 {number}을(를) {reads}(으)로 읽으면 {names} 값이 다름",
                    en=f"{names} of sample {number} of {wrote} changed, read by {reads}",
                )
                yield fault(where, other, Text(ko="같은 값", en="the same values"), NEW_MAJOR)


def _read(writer: Template, reader: Template, values: Row) -> Row | str:
    """Return what the reader's schema makes of a record of the writer's, or why it makes nothing of it."""
    schemas = [parse_schema(json.loads(json.dumps(t.schema))) for t in (writer, reader)]
    stream = io.BytesIO()
    try:
        fastavro.schemaless_writer(stream, schemas[0], {**values, "header": _header(writer)})
        stream.seek(0)
        return cast("Row", fastavro.schemaless_reader(stream, schemas[0], schemas[1]))
    except (fastavro.read.SchemaResolutionError, ValueError, TypeError, KeyError, EOFError) as error:
        return f"{type(error).__name__}: {error}"[:256]


def _header(template: Template) -> dict[str, object]:
    return {
        "event_id": "sample", "record_id": "sample", "template_version": template.key.version, "institute": "sample",
        "producer": "sample/gate", "epoch": 0, "seq": 0, "event_time": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        "sample_id": "sample", "origin": "experiment", "retracted": False, "historical": False,
    }  # fmt: skip


def _published_faults(folder: Path, templates: Sequence[Template]) -> Iterator[Fault]:
    """Yield the published versions that are gone, or of which a file, a shared group or the header was changed."""
    now = {place_of(t): t.sha256 for t in templates}
    for place, sha256 in published(folder).items():
        if place not in now:
            got = Text(ko="온전한 템플릿 없음", en="no sound template")
            yield fault(str(folder / place), got, Text(ko="발행된 버전", en="the published version"), RESTORE)
        elif now[place] != sha256:
            is_now, was = f"{now[place][:12]}…", f"{sha256[:12]}…"
            got = Text(ko=f"스키마의 sha256이 {is_now}", en=f"a schema of sha256 {is_now}")
            yield fault(str(folder / place), got, Text(ko=f"발행된 {was}", en=f"{was}, as published"), RESTORE)
