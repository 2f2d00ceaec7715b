"""Plants from files: one `<plant>.toml` each, checked against the templates."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from sojae.adapters.template_files import TemplateBook
from sojae.domain.errors import PlantError, TemplateError
from sojae.domain.plant import Plant
from sojae.domain.template import Template

MAX_FILE_BYTES = 1_000_000
MAX_PLANTS = 256


def load_plants(folder: Path, book: TemplateBook) -> Mapping[str, Plant]:
    """Return the plants of a folder by id, sorted; raises PlantError naming the first file that is wrong."""
    if not folder.is_dir():
        raise PlantError(
            en=f"{folder}: not a folder; correct SOJAE_PLANTS__PATH",
            ko=f"{folder}: 폴더가 아닙니다. SOJAE_PLANTS__PATH를 고치십시오",
        )
    paths = sorted(folder.glob("*.toml"))
    if len(paths) > MAX_PLANTS:
        raise PlantError(
            en=f"{folder}: {len(paths)} plant files, expected at most {MAX_PLANTS}",
            ko=f"{folder}: 설비 파일이 {len(paths)}개입니다. 최대 {MAX_PLANTS}개여야 합니다",
        )
    return {path.stem: read_plant(path, book) for path in paths}


def read_plant(path: Path, book: TemplateBook) -> Plant:
    """Return the plant of one file; its id must be the file's name, its fields the templates'. Raises PlantError."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _refused(path, f"larger than {MAX_FILE_BYTES} bytes")
        plant = msgspec.toml.decode(path.read_bytes(), type=Plant)
    except OSError as error:
        raise _refused(path, f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # not TOML, another shape, or a check of ours
        raise _refused(path, str(error)) from error
    if plant.plant != path.stem:
        raise _refused(path, f"says it is plant {plant.plant!r}; name the file {plant.plant}.toml, or correct plant")
    _check_fields(plant, path, book)
    return plant


def _check_fields(plant: Plant, path: Path, book: TemplateBook) -> None:
    try:
        templates = {t.key.stage: t for t in (book.get(plant.project, s) for s in _stages(plant))}
    except TemplateError as error:
        raise _refused(path, str(error)) from error
    process = templates["process"]
    for name, channel in plant.channels.items():
        for field in channel.fields:
            _check_number(process, field, path, f"channels.{name}.fields")
    for name, asset in plant.assets.items():
        for field, value in asset.values.items():
            _check_value(process, field, value, path, f"assets.{name}.values")
    for key, planned in plant.plan.items():
        stage, _, field = key.partition(".")
        _check_value(templates[stage], field, planned.value, path, "plan")  # type: ignore[index]  # the plan's own check
    if plant.forecast is not None:
        _check_number(templates["property"], plant.forecast.target.partition(".")[0], path, "forecast.target")


def _stages(plant: Plant) -> list[str]:
    return sorted({key.partition(".")[0] for key in plant.plan} | {"process", "property"})


def _check_number(template: Template, field: str, path: Path, where: str) -> None:
    kinds = {f.name: f.kind for f in template.fields}
    if kinds.get(field) not in ("double", "long"):
        raise _refused(path, f"{where}: {field!r} is no number of template {template.key}")


def _check_value(template: Template, field: str, value: float | str, path: Path, where: str) -> None:
    kinds = {f.name: f.kind for f in template.fields}
    wanted = ("string",) if isinstance(value, str) else ("double", "long")
    if kinds.get(field) not in wanted:
        raise _refused(path, f"{where}: {field} = {value!r} fits no field of template {template.key}")


def _refused(path: Path, why: str) -> PlantError:
    return PlantError(en=f"{path}: {why}", ko=f"{path}: 설비 파일이 잘못되었습니다: {why}")
