"""Templates from files: includes, places, look-ups, and folders that are read again."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from sojae.adapters.template_files import (
    MAX_FILE_BYTES,
    TemplateBook,
    load_templates,
    packaged_folder,
    rabin_fingerprint,
    read_common,
    read_template,
)
from sojae.domain.errors import TemplateError
from sojae.domain.template import TemplateKey, schema_sha256
from sojae.surroundings import REREAD_SECONDS, WatchedTemplates
from tests.builders import book, template, templates

SCHEMA: dict[str, Any] = {
    "type": "record",
    "namespace": "sojae.x_kims_new",
    "name": "Raw",
    "project": "x_kims_new",
    "stage": "raw",
    "version": "1.0",
    "institute": "kims",
    "includes": {"header": "1.0"},
    "rules": [],
    "fields": [
        {"name": "header", "type": "sojae.common.Header"},
        {"name": "purity", "type": ["null", "double"], "default": None, "unit": "%{mass}"},
    ],
}

PACKAGED = 32
"""Eight projects of four stages."""


def write(folder: Path, schema: object = SCHEMA, place: str = "x_kims_new/raw/1.0") -> Path:
    path = folder / f"{place}.avsc"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema, ensure_ascii=False), encoding="utf-8")
    return path


def load(folder: Path, schema: object = SCHEMA, place: str = "x_kims_new/raw/1.0") -> TemplateBook:
    write(folder, schema, place)
    return load_templates(folder)


def test_the_package_has_the_eight_projects_with_all_stages() -> None:
    """The header is no template of its own."""
    keys = {(t.key.project, t.key.stage) for t in book()}
    assert len(keys) == len(book()) == PACKAGED
    assert book().projects() == [
        "biodegradable_fibre",
        "capacitor_ceramic",
        "ceramic_electrode",
        "composite_resin",
        "high_entropy_alloy",
        "hydrogen_catalyst",
        "interior_textile",
        "olefin_catalyst",
    ]


def test_the_header_is_inlined() -> None:
    """A resolved schema stands alone: what is hashed, served and framed is the whole."""
    (header,) = (f for f in template().schema["fields"] if f["name"] == "header")  # type: ignore[attr-defined]  # JSON
    assert header["type"]["name"] == "Header"
    assert {f.name for f in template().header_fields} >= {
        "event_id",
        "record_id",
        "sample_id",
        "retracted",
        "as_reported",
    }


def test_an_extra_folder_adds_to_the_package(tmp_path: Path) -> None:
    """The header comes from the package where the folder has none."""
    found = load(tmp_path)
    assert len(found) == PACKAGED + 1
    assert found.get("x_kims_new", "raw").field("purity").unit == "%{mass}"


def test_an_extra_folder_wins_over_the_package(tmp_path: Path) -> None:
    """Of two files with one key, the operator's is taken."""
    schema = json.loads((packaged_folder() / "high_entropy_alloy/raw/1.0.avsc").read_text(encoding="utf-8"))
    found = load(tmp_path, schema | {"doc": "ours"}, "high_entropy_alloy/raw/1.0")
    assert len(found) == PACKAGED
    assert found.get("high_entropy_alloy", "raw").schema["doc"] == "ours"


def test_a_group_becomes_flat_fields(tmp_path: Path) -> None:
    """Its fields stand in the template's own row; `required` says which of them must be given."""
    group = {"fields": [{"name": "phase", "type": ["null", "string"]}, {"name": "texture", "type": ["null", "string"]}]}
    write(tmp_path, group, "common/microstructure/1.0")
    fields = [*SCHEMA["fields"], {"include": "common/microstructure/1.0", "required": ["phase"]}]
    read = load(tmp_path, SCHEMA | {"fields": fields}).get("x_kims_new", "raw")
    assert [(f.name, f.required) for f in read.fields] == [("purity", False), ("phase", True), ("texture", False)]
    assert "include" not in json.dumps(read.schema["fields"])


def test_a_missing_group_is_named(tmp_path: Path) -> None:
    """With the file that wants it."""
    fields = [*SCHEMA["fields"], {"include": "common/nowhere/1.0"}]
    with pytest.raises(
        TemplateError, match=r"x_kims_new/raw/1\.0\.avsc: includes common/nowhere/1\.0, which is not there"
    ):
        load(tmp_path, SCHEMA | {"fields": fields})


def test_the_header_s_version_is_pinned(tmp_path: Path) -> None:
    """Without it a template would change when the header does."""
    with pytest.raises(TemplateError, match="names no header version"):
        load(tmp_path, SCHEMA | {"includes": {}})
    with pytest.raises(TemplateError, match=r"common/header/9\.9, which is not there"):
        load(tmp_path, SCHEMA | {"includes": {"header": "9.9"}})


@pytest.mark.parametrize("place", ["x_kims_new/raw/1.1", "x_kims_other/raw/1.0", "x_kims_new/process/1.0"])
def test_a_template_lies_where_it_says(tmp_path: Path, place: str) -> None:
    """A copied file that was not corrected would shadow another template."""
    with pytest.raises(TemplateError, match=r"says it is x_kims_new/raw/1\.0, but lies at"):
        load(tmp_path, place=place)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not valid JSON"),
        ("[1]", "expected one JSON object"),
        ("{", "not valid JSON"),
        ('{"type": "record"}', "project = None"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    """With what is wrong in it."""
    path = write(tmp_path)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError, match=f"{re.escape(str(path))}.*{said}"):
        load_templates(tmp_path)


def test_a_file_may_begin_with_a_mark_but_must_be_utf_8(tmp_path: Path) -> None:
    """Editors on Windows write the mark; other encodings are refused."""
    path = write(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(load_templates(tmp_path)) == PACKAGED + 1
    path.write_text(json.dumps(SCHEMA | {"doc": "한글"}, ensure_ascii=False), encoding="cp949")
    with pytest.raises(TemplateError, match="not valid JSON"):
        load_templates(tmp_path)


def test_a_file_has_at_most_a_million_bytes(tmp_path: Path) -> None:
    """The limit itself passes."""
    path = write(tmp_path)
    path.write_bytes(path.read_bytes().ljust(MAX_FILE_BYTES))
    assert len(load_templates(tmp_path)) == PACKAGED + 1
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(TemplateError, match="larger than"):
        load_templates(tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the setting to correct."""
    with pytest.raises(TemplateError, match="SOJAE_TEMPLATES__PATH"):
        load_templates(tmp_path / "nowhere")


JUNK: list[Any] = [
    None,
    5,
    -1.5,
    True,
    "",
    "x",
    "../../x",
    [],
    {},
    [None],
    [[1]],
    {"a": 1},
    float("nan"),
    float("inf"),
    2**70,
    "\ud800",
]


def _paths(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return [path, *(p for k, v in items for p in _paths(v, (*path, k)))]
    return [path]


def test_whatever_is_wrong_in_a_file_is_a_template_error(tmp_path: Path) -> None:
    """A running service reads templates again: any other error would end it."""
    source = (packaged_folder() / "high_entropy_alloy/composition/1.0.avsc").read_text(encoding="utf-8")
    paths, draw = [p for p in _paths(json.loads(source)) if p], random.Random(7)
    refused = 0
    for _ in range(100):
        schema, path = json.loads(source), draw.choice(paths)
        inner = schema
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = draw.choice(JUNK)
        file = write(tmp_path, None, "high_entropy_alloy/composition/1.0")
        file.write_text(json.dumps(schema), encoding="utf-8")
        try:
            read_template(file, [tmp_path, packaged_folder()])
        except TemplateError:
            refused += 1
    assert refused > 25


def test_templates_are_found_by_key_id_and_fingerprint() -> None:
    """And nothing is guessed."""
    one = template()
    assert book().get("high_entropy_alloy", "property", "1.0") is one
    assert book().by_id(one.schema_id) is one
    assert list(book().by_fingerprint(rabin_fingerprint(one.schema))) == [one]
    assert book().by_id(one.schema_id + 1) is None
    assert book().by_fingerprint(b"12345678") == ()


def test_every_template_has_an_id_and_a_fingerprint_of_its_own() -> None:
    """So every framing names exactly one."""
    assert len({t.schema_id for t in templates()}) == len(templates())
    assert len({rabin_fingerprint(t.schema) for t in templates()}) == len(templates())


def test_the_newest_version_is_the_highest_not_the_last_in_the_alphabet(tmp_path: Path) -> None:
    """1.10 is newer than 1.9."""
    for version in ("1.2", "1.9", "1.10"):
        write(tmp_path, SCHEMA | {"version": version}, f"x_kims_new/raw/{version}")
    found = load_templates(tmp_path)
    assert found.get("x_kims_new", "raw").key.version == "1.10"
    assert found.get("x_kims_new", "raw", "1.9").key == TemplateKey("x_kims_new", "raw", "1.9")


@pytest.mark.parametrize(
    "wanted", [("nothing", "raw", None), ("high_entropy_alloy", "raw", "9.9"), ("high_entropy_alloy", "test", None)]
)
def test_an_unknown_template_is_an_error_that_lists_the_known(wanted: tuple[str, str, str | None]) -> None:
    """Project, stage and version as asked for."""
    with pytest.raises(TemplateError, match=r"unknown template .*known are biodegradable_fibre/composition"):
        book().get(*wanted)


def test_two_templates_of_one_id_are_refused() -> None:
    """31 bits can clash; then one message could be two things."""
    with pytest.raises(TemplateError, match="the same schema id"):
        TemplateBook([template(), template()])


def test_versions_that_differ_in_units_only_share_a_fingerprint(tmp_path: Path) -> None:
    """The parsing canonical form drops what it takes for decoration; the hash does not."""
    changed = [SCHEMA["fields"][0], SCHEMA["fields"][1] | {"unit": "1"}]
    write(tmp_path, SCHEMA)
    write(tmp_path, SCHEMA | {"version": "1.1", "fields": changed}, "x_kims_new/raw/1.1")
    found = load_templates(tmp_path)
    one = found.get("x_kims_new", "raw", "1.0")
    assert [t.key.version for t in found.by_fingerprint(rabin_fingerprint(one.schema))] == ["1.0", "1.1"]


def test_the_outcome_s_schema_is_there() -> None:
    """With an error that names it when it is not."""
    assert read_common("outcome", "1.0")["name"] == "Outcome"
    with pytest.raises(TemplateError, match=r"common/outcome/9\.9"):
        read_common("outcome", "9.9")


def test_published_versions_have_not_changed() -> None:
    """A line of PUBLISHED is the hash of the resolved schema and its place."""
    for line in (packaged_folder() / "PUBLISHED").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            sha256, place = line.split()
            project, stage, file = place.split("/")[-3:]
            resolved = book().get(project, stage, file.removesuffix(".avsc")).schema
            assert schema_sha256(resolved) == sha256, place


class Watch:
    """A watched folder and a hand on the clock."""

    def __init__(self, folder: Path) -> None:
        self.time = 0.0
        self.templates = WatchedTemplates(folder, now=lambda: self.time)

    def after(self, seconds: float) -> TemplateBook:
        self.time += seconds
        return self.templates()


def test_a_new_template_is_seen_without_a_restart(tmp_path: Path) -> None:
    """Within five seconds, not before."""
    watch = Watch(tmp_path)
    write(tmp_path)
    assert len(watch.after(REREAD_SECONDS - 0.1)) == PACKAGED
    assert len(watch.after(0.1)) == PACKAGED + 1


def test_a_broken_template_leaves_the_last_good_ones(tmp_path: Path) -> None:
    """And the mended one is taken."""
    path = write(tmp_path)
    watch = Watch(tmp_path)
    path.write_text("{", encoding="utf-8")
    assert len(watch.after(REREAD_SECONDS)) == PACKAGED + 1
    write(tmp_path, SCHEMA | {"doc": "mended"})
    assert watch.after(REREAD_SECONDS).get("x_kims_new", "raw").schema["doc"] == "mended"


def test_a_folder_that_vanishes_leaves_the_last_good_ones(tmp_path: Path) -> None:
    """A mount that is gone for a while quarantines nothing."""
    path = write(tmp_path / "templates")
    watch = Watch(tmp_path / "templates")
    path.unlink()
    (tmp_path / "templates").rename(tmp_path / "elsewhere")
    assert len(watch.after(REREAD_SECONDS)) == PACKAGED + 1


def test_an_unchanged_folder_is_not_read_again(tmp_path: Path) -> None:
    """The same book, so that what was parsed stays parsed."""
    write(tmp_path)
    watch = Watch(tmp_path)
    assert watch.after(REREAD_SECONDS) is watch.after(REREAD_SECONDS)


def test_without_a_folder_the_package_s_templates_stand() -> None:
    """There is nothing to watch."""
    assert len(WatchedTemplates(None)()) == PACKAGED


def test_a_broken_file_hides_no_other_change(tmp_path: Path) -> None:
    """One firm's slip keeps its own last version, and another firm's new template is taken."""
    path = write(tmp_path)
    watch = Watch(tmp_path)
    path.write_text("{", encoding="utf-8")
    other = SCHEMA | {"namespace": "sojae.x_pnu_new", "project": "x_pnu_new", "institute": "pnu"}
    write(tmp_path, other, "x_pnu_new/raw/1.0")
    assert watch.after(REREAD_SECONDS).projects() == [*book().projects(), "x_kims_new", "x_pnu_new"]


def test_a_broken_file_is_reported_and_left_out_where_nothing_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names it; the package's own template of that place stays."""
    watch = Watch(tmp_path)
    new = write(tmp_path)
    new.write_text("[" * 100_000, encoding="utf-8")
    ours = write(tmp_path, None, "high_entropy_alloy/raw/1.0")
    assert len(watch.after(REREAD_SECONDS)) == PACKAGED
    assert [r.levelname for r in caplog.records if str(new) in r.message or str(ours) in r.message] == ["ERROR"] * 2


def test_a_link_to_nothing_hides_no_other_change(tmp_path: Path) -> None:
    """What cannot be looked at is one broken file."""
    watch = Watch(tmp_path)
    (tmp_path / "x_kims_new" / "raw").mkdir(parents=True)
    (tmp_path / "x_kims_new" / "raw" / "1.1.avsc").symlink_to(tmp_path / "nowhere")
    assert len(watch.after(REREAD_SECONDS)) == PACKAGED
    write(tmp_path)
    assert len(watch.after(REREAD_SECONDS)) == PACKAGED + 1
    write(tmp_path, SCHEMA | {"doc": "changed"})
    assert watch.after(REREAD_SECONDS).get("x_kims_new", "raw").schema["doc"] == "changed"


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' + "9" * 5_000 + "}"])
def test_at_the_start_an_odd_file_is_an_error(tmp_path: Path, text: str) -> None:
    """With exit code 2, whatever it holds."""
    path = write(tmp_path)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError, match=re.escape(str(path))) as caught:
        load_templates(tmp_path)
    assert caught.value.exit_code == 2


def lineage_rule(sql: str) -> dict[str, object]:
    return {"id": "chain", "severity": "warn", "scope": "lineage", "sql": sql}


def test_a_rule_may_speak_of_the_other_stages_of_its_project(tmp_path: Path) -> None:
    """Whichever file is read first."""
    process = SCHEMA | {"name": "Process", "stage": "process", "rules": [lineage_rule("raw__purity > 1")]}
    write(tmp_path, process, "x_kims_new/process/1.0")
    assert [r.id for r in load(tmp_path).get("x_kims_new", "process").rules] == ["chain"]


def test_a_rule_that_speaks_of_what_no_stage_has_is_refused(tmp_path: Path) -> None:
    """Its file is named; where it was sound before, the last sound version stays."""
    watch = Watch(tmp_path)
    write(tmp_path)
    assert len(watch.after(REREAD_SECONDS)) == PACKAGED + 1
    path = write(tmp_path, SCHEMA | {"rules": [lineage_rule("process__speed > 1")]})
    assert watch.after(REREAD_SECONDS).get("x_kims_new", "raw").rules == ()
    with pytest.raises(TemplateError, match="unknown field process__speed") as refused:
        load_templates(tmp_path)
    assert str(path) in refused.value.text.en
