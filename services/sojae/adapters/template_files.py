"""Templates from files: includes expanded, every attribute kept, found by key, by id and by fingerprint."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import cast

from fastavro.schema import SchemaParseException, UnknownType, fingerprint, parse_schema, to_parsing_canonical_form

from sojae.domain.errors import TemplateError
from sojae.domain.joined_rules import check_joined_rules
from sojae.domain.template import HEADER_TYPE, STAGES, Stage, Template, TemplateKey, parse_template
from sojae.domain.template_check import check_template

Schema = dict[str, object]

MAX_FILE_BYTES = 1_000_000
_SCHEMA_ERRORS = (
    SchemaParseException, UnknownType, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError,
)  # fmt: skip


class TemplateBook:
    """Every template that a process knows; lookups never guess: what is not here is None."""

    def __init__(self, templates: Iterable[Template]) -> None:
        self._by_key: dict[TemplateKey, Template] = {}
        self._by_id: dict[int, Template] = {}
        self._by_fingerprint: dict[bytes, list[Template]] = {}
        for template in templates:
            clash = self._by_id.get(template.schema_id)
            if clash is not None:
                raise TemplateError(
                    en=f"templates {clash.key} and {template.key} have the same schema id {template.schema_id}; change a label in one",
                    ko=f"템플릿 {clash.key}와 {template.key}의 스키마 id가 같습니다({template.schema_id}). 한쪽의 이름표를 바꾸십시오",
                )
            self._by_key[template.key] = template
            self._by_id[template.schema_id] = template
            self._by_fingerprint.setdefault(rabin_fingerprint(template.schema), []).append(template)

    def __iter__(self) -> Iterator[Template]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def by_id(self, schema_id: int) -> Template | None:
        """Return the template of a Confluent schema id."""
        return self._by_id.get(schema_id)

    def by_fingerprint(self, value: bytes) -> Sequence[Template]:
        """Return the templates that share a Rabin fingerprint: it ignores units, ranges and defaults."""
        return self._by_fingerprint.get(value, ())

    def get(self, project: str, stage: str, version: str | None = None) -> Template:
        """Return a template, the newest version when none is named; raises TemplateError when there is none."""
        found = [
            t for t in self if t.key.project == project and t.key.stage == stage and version in (None, t.key.version)
        ]
        if not found:
            known = ", ".join(sorted({f"{t.key.project}/{t.key.stage}" for t in self})) or "–"
            wanted = f"{project}/{stage}" + (f"/{version}" if version else "")
            raise TemplateError(
                en=f"unknown template {wanted}; known are {known}",
                ko=f"템플릿 {wanted}을(를) 찾을 수 없습니다. 있는 것: {known}",
            )
        return max(found, key=lambda t: t.key.number)

    def newest(self, project: str) -> list[Template]:
        """Return the newest template of each stage of a project, raw materials first; raises TemplateError when it has none."""
        found = {t.key.stage for t in self if t.key.project == project}
        # Where there is none, asking for the first stage says so.
        return [self.get(project, stage) for stage in STAGES if stage in (found or STAGES[:1])]

    def projects(self) -> list[str]:
        """Return the projects that have at least one template, sorted."""
        return sorted({t.key.project for t in self})


def load_templates(extra: Path | None = None) -> TemplateBook:
    """Return the templates of `extra` (a folder like schemas/avro) and of the package; `extra` wins.

    Raises TemplateError naming the first file that is broken.
    """
    book, broken = reload_templates(extra, TemplateBook([]))
    if broken:
        raise broken[0]
    return book


def reload_templates(
    extra: Path | None, last: TemplateBook, *, packaged: bool = True
) -> tuple[TemplateBook, Sequence[TemplateError]]:
    """Return the templates as they are now, and an error for each broken file: `last` stands in for what it held.

    With `packaged` false those of `extra` alone are returned; shared groups and the header are looked for in both.

    Raises TemplateError when the folder is gone, or two templates have the same schema id.
    """
    folders = [folder for folder in (extra, packaged_folder()) if folder is not None]
    if extra is not None and not extra.is_dir():
        raise TemplateError(
            en=f"{extra}: not a folder; correct SOJAE_TEMPLATES__PATH",
            ko=f"{extra}: 폴더가 아닙니다. SOJAE_TEMPLATES__PATH를 고치십시오",
        )
    before = {template.key: template for template in last}
    templates: dict[TemplateKey, Template] = {}
    files: dict[TemplateKey, Path] = {}
    broken: list[TemplateError] = []
    for folder in folders if packaged or extra is None else folders[:1]:
        for path in sorted(folder.glob("*/*/*.avsc")):
            place = _place(path)
            if place.stage not in STAGES:
                continue
            files.setdefault(place, path)
            try:
                templates.setdefault(place, read_template(path, folders))
            except TemplateError as error:
                broken.append(error)
                if place in before:
                    templates.setdefault(place, before[place])
    for key, unsound in _unsound_together(templates, files):
        broken.append(unsound)
        del templates[key]
        if key in before:
            templates[key] = before[key]
    return TemplateBook(templates.values()), broken


def _unsound_together(
    templates: Mapping[TemplateKey, Template], files: Mapping[TemplateKey, Path]
) -> list[tuple[TemplateKey, TemplateError]]:
    """Return the templates whose rules speak of other stages as these are not."""
    found = []
    for key, template in templates.items():
        try:
            check_joined_rules(template, [t for k, t in templates.items() if k.project == key.project], str(files[key]))
        except TemplateError as error:
            found.append((key, error))
    return found


def packaged_folder() -> Path:
    """Return schemas/avro: inside the wheel, else in the checkout that an editable install points to."""
    inside = Path(str(resources.files("sojae"))) / "avro"
    checkout = Path(__file__).parents[3] / "schemas" / "avro"
    return checkout if checkout.is_dir() else inside


def read_template(path: Path, folders: Sequence[Path]) -> Template:
    """Return the template of one file; its key must be the file's place `<project>/<stage>/<version>.avsc`."""
    raw = _read_json(path)
    try:
        resolved = _resolve(raw, path, folders)
        template = parse_template(resolved, where=str(path))
        parse_schema(json.loads(json.dumps(resolved)))
        check_template(template, where=str(path))
    except _SCHEMA_ERRORS as error:
        raise TemplateError(
            en=f"{path}: not a valid Avro schema: {error}", ko=f"{path}: 올바른 Avro 스키마가 아닙니다: {error}"
        ) from error
    place = _place(path)
    if template.key != place:
        raise TemplateError(
            en=f"{path}: says it is {template.key}, but lies at {place}; move the file or correct project, stage and version",
            ko=f"{path}: 내용은 {template.key}인데 위치는 {place}입니다. 파일을 옮기거나 project, stage, version을 고치십시오",
        )
    return template


def read_common(name: str, version: str, extra: Path | None = None) -> Schema:
    """Return a schema of schemas/avro/common, such as ("outcome", "1.0")."""
    return _read_json(_find_common(f"common/{name}/{version}", [f for f in (extra, packaged_folder()) if f], "sojae"))


def read_groups(folder: Path) -> dict[str, tuple[Schema, list[TemplateKey]]]:
    """Return each shared group that templates of a folder include, by its place, and which include it."""
    users: dict[str, list[TemplateKey]] = {}
    for path in sorted(folder.glob("*/*/*.avsc")):
        for field in cast("Sequence[Schema]", _read_json(path).get("fields", ())):
            if "include" in field:
                users.setdefault(str(field["include"]), []).append(_place(path))
    return {name: (_read_json(_find_common(name, [folder], str(folder))), keys) for name, keys in sorted(users.items())}


def rabin_fingerprint(schema: Mapping[str, object]) -> bytes:
    """Return the CRC-64-AVRO fingerprint of the schema's parsing canonical form, 8 bytes little-endian."""
    plain = json.loads(json.dumps(schema))
    return bytes.fromhex(fingerprint(to_parsing_canonical_form(plain), "CRC-64-AVRO"))


def _place(path: Path) -> TemplateKey:
    return TemplateKey(path.parent.parent.name, cast("Stage", path.parent.name), path.stem)


def _read_json(path: Path) -> Schema:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise TemplateError(
                en=f"{path}: larger than {MAX_FILE_BYTES} bytes", ko=f"{path}: {MAX_FILE_BYTES} 바이트보다 큽니다"
            )
        value = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise TemplateError(
            en=f"{path}: cannot be read: {error.strerror}", ko=f"{path}: 읽을 수 없습니다: {error.strerror}"
        ) from error
    except (ValueError, RecursionError) as error:
        # Not JSON, not UTF-8, a whole number of thousands of digits, or brackets without end.
        raise TemplateError(
            en=f"{path}: not valid JSON: {error}", ko=f"{path}: 올바른 JSON이 아닙니다: {error}"
        ) from error
    if not isinstance(value, dict):
        raise TemplateError(en=f"{path}: expected one JSON object", ko=f"{path}: JSON 객체 하나여야 합니다")
    return value


def _resolve(schema: Schema, path: Path, folders: Sequence[Path]) -> Schema:
    """Return the schema with its header inlined and its groups expanded to flat fields."""
    includes = cast("Mapping[str, str]", schema.get("includes", {}))
    fields: list[Schema] = []
    for field in cast("Sequence[Schema]", schema.get("fields", ())):
        if field.get("type") == HEADER_TYPE:
            version = includes.get("header")
            if version is None:
                raise TemplateError(
                    en=f'{path}: "includes" names no header version', ko=f'{path}: "includes"에 header 버전이 없습니다'
                )
            fields.append({**field, "type": _read_json(_find_common(f"common/header/{version}", folders, str(path)))})
        elif "include" in field:
            required = set(cast("Sequence[str]", field.get("required", ())))
            group = _read_json(_find_common(str(field["include"]), folders, str(path)))
            members = cast("Sequence[Schema]", group["fields"])
            fields.extend({**m, "required": True} if m["name"] in required else m for m in members)
        else:
            fields.append(field)
    return {**schema, "fields": fields}


def _find_common(name: str, folders: Sequence[Path], where: str) -> Path:
    for folder in folders:
        path = folder / f"{name}.avsc"
        if path.is_file():
            return path
    raise TemplateError(
        en=f"{where}: includes {name}, which is not there", ko=f"{where}: 포함하려는 {name}이(가) 없습니다"
    )
