"""The gate before a template is published: files, labels, sample data through Avro, all earlier minors, what is published."""

import datetime as dt
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import fastavro
from fastavro.schema import parse_schema

from sojae.adapters.avro import FastavroDecoder, FastavroEncoder
from sojae.adapters.published import place_of, published
from sojae.adapters.template_files import TemplateBook, reload_templates
from sojae.domain.checks import check_values
from sojae.domain.errors import TemplateError
from sojae.domain.evolution import NEW_MAJOR, Fault, change_faults, earlier_pairs, fault, gaps, label_faults
from sojae.domain.finding_words import shown_got
from sojae.domain.issue import rule_text
from sojae.domain.template import Template
from sojae.domain.text import Text

Row = Mapping[str, object]
MAX_SAMPLES = 100
RESTORE = Text(ko="파일을 되돌리고 새 버전을 만드십시오", en="restore the file, and make a new version")
MEND_SAMPLE = Text(ko="표본 파일을 고치십시오", en="correct the sample file")


def gate_faults(folder: Path) -> tuple[TemplateBook, list[Fault]]:
    """Return the templates of a folder and every reason why they may not be published; raises TemplateError.

    Looked at: each file by itself; labels in both languages; sample data beside it, which are accepted and come back
    unchanged through both framings; every earlier minor of the major, whose samples the new schema reads and whose
    schema reads the new samples; what is published, unchanged; minors without a gap.
    """
    book, broken = reload_templates(folder, TemplateBook([]), packaged=False)
    faults = [Fault(str(folder), error.text) for error in broken]
    templates = sorted(book, key=lambda t: (t.key.project, t.key.stage, t.key.number))
    samples: dict[str, list[Row]] = {}
    for template in templates:
        where = str(folder / place_of(template))
        faults += label_faults(template, where)
        found = _samples(folder, template)
        if isinstance(found, Fault):
            faults.append(found)
            continue
        samples[place_of(template)] = found
        faults += _sample_faults(book, template, found, where)
    for older, newer in earlier_pairs(templates):
        where = str(folder / place_of(newer))
        faults += change_faults(older, newer, where)
        faults += _reading_faults(older, newer, samples, where)
    for before, after in gaps(templates):
        missing = f"{before.key.number[0]}.{before.key.number[1] + 1}"
        faults.append(fault(str(folder / place_of(after)), "a minor left out", missing, NEW_MAJOR))
    return book, faults + list(_published_faults(folder, templates))


def _samples(folder: Path, template: Template) -> list[Row] | Fault:
    path = (folder / place_of(template)).with_suffix(".sample.json")
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return fault(str(path), f"no sample data ({error})", "a list of records", MEND_SAMPLE)
    good = isinstance(rows, list) and 0 < len(rows) <= MAX_SAMPLES and all(isinstance(row, dict) for row in rows)
    return rows if good else fault(str(path), "no records", f"a list of 1 to {MAX_SAMPLES} records", MEND_SAMPLE)


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
                yield fault(
                    f"{where}, sample {number}", f"another record through {framing} framing", "the same", MEND_SAMPLE
                )
    for row, issues in enumerate(check_values(template, complete, ["experiment"] * len(rows)), start=1):
        for issue in issues:
            if issue.severity == "hard":
                said, got = rule_text(issue.rule, template), shown_got(issue.got)
                remedy = Text(ko=said.ko, en=said.en)
                yield fault(f"{where}, sample {row}", f"{issue.field} {got.en}", issue.expected or "a value", remedy)


def _reading_faults(
    older: Template, newer: Template, samples: Mapping[str, Sequence[Row]], where: str
) -> Iterator[Fault]:
    """Yield where one version's records do not come out of the other's schema as they went in."""
    for writer, reader in ((older, newer), (newer, older)):
        common = {f.name for f in writer.fields} & {f.name for f in reader.fields}
        for number, row in enumerate(samples.get(place_of(writer), ()), start=1):
            whole = {f.name: row.get(f.name) for f in writer.fields}
            got = _read(writer, reader, whole)
            if isinstance(got, str):
                yield fault(
                    where, f"{writer.key.version} is not read by {reader.key.version} ({got})", "readable", NEW_MAJOR
                )
                return
            changed = sorted(n for n in common if got[n] != whole[n])
            if changed:
                shown = f"{', '.join(changed)} of sample {number} of {writer.key.version} changed"
                yield fault(where, f"{shown}, read by {reader.key.version}", "the same values", NEW_MAJOR)


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
            yield fault(str(folder / place), "no sound template", "the published version", RESTORE)
        elif now[place] != sha256:
            got = f"a schema of sha256 {now[place][:12]}…"
            yield fault(str(folder / place), got, f"{sha256[:12]}…, as published", RESTORE)
