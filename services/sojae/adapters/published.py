"""The list of published template versions: sha256 of the resolved schema, and its place, one a line."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sojae.domain.errors import TemplateError
from sojae.domain.template import STAGES, Template

FILE_NAME = "PUBLISHED"
NOTE = "# sha256 of the resolved schema, then its path, one published version a line; what is not listed may still change\n"


def published(folder: Path) -> dict[str, str]:
    """Return place `<project>/<stage>/<version>.avsc` → sha256 of each published version; raises TemplateError.

    A folder without the list has published nothing.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if len(words) != 2 or len(words[0]) != 64 or words[1] in found:
            raise TemplateError(
                en=f"{path}, line {number}: got {line!r}, expected a sha256 and a path, each path once; restore the file",
                ko=f"{path}, {number}행: {line!r}입니다. sha256과 경로 하나씩이어야 합니다. 파일을 되돌리십시오",
            )
        found[words[1]] = words[0]
    return found


def place_of(template: Template) -> str:
    """Return where a template lies in its folder."""
    return f"{template.key}.avsc"


def folder_of(file: Path) -> Path:
    """Return the folder of templates that a file lies in; raises TemplateError where no template would be looked for."""
    path = file.resolve()
    if path.parent.name not in STAGES or len(path.parts) < 4:
        raise TemplateError(
            en=f"{file}: no template is looked for here; move it to <project>/<stage>/<version>.avsc with a stage of {', '.join(STAGES)}",
            ko=f"{file}: 템플릿을 찾는 자리가 아닙니다. <project>/<stage>/<version>.avsc로 옮기십시오(stage: {', '.join(STAGES)})",
        )
    return path.parents[2]


def add_published(folder: Path, templates: Mapping[str, str]) -> None:
    """Write the list with these versions (place → sha256) added, in one step: never half of it."""
    lines = [NOTE, *(f"{sha256}  {place}\n" for place, sha256 in sorted({**published(folder), **templates}.items()))]
    handle, name = tempfile.mkstemp(dir=folder, prefix=FILE_NAME)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.writelines(lines)
    Path(name).chmod(0o644)
    Path(name).replace(folder / FILE_NAME)
