"""The entry form of a template as data: what a person is asked for, so that a console draws it without knowing templates."""

from dataclasses import dataclass
from typing import Literal

from sojae.domain.schema_reader import Bounds
from sojae.domain.template_rule import Severity
from sojae.domain.text import Text

Widget = Literal["text", "number", "whole_number", "choice", "yes_no", "date", "date_time", "amounts", "names", "list"]
"""`amounts`: a number for each component; `names`: a text for each component; `list`: several texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSum:
    """What the amounts of a field must add up to; farther off than `usual` is flagged, than `possible` refused."""

    of: float
    usual: float | None
    possible: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One question. `key` is that of the workbook's column; `possible` and `usual` are inclusive ranges in `unit` (UCUM).

    `components` are offered by `amounts` and `names`, and are all that is taken where `closed`; `formula` says whether a
    chemical formula will do: as the text itself, or instead of the amounts.
    """

    key: str
    label: Text
    widget: Widget
    help: Text
    required: bool = False
    unit: str | None = None
    unit_shown: str = ""
    possible: Bounds | None = None
    usual: Bounds | None = None
    choices: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    closed: bool = False
    formula: bool = False
    sum: FormSum | None = None
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSection:
    """Questions that belong together; a section that is not `open` may begin folded: nothing in it must be answered."""

    id: str
    label: Text
    open: bool
    fields: tuple[FormField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormRule:
    """A rule over several answers, to be told of beside the fields that it names; who judges it is Sojae."""

    id: str
    severity: Severity
    hard_for: tuple[str, ...] | None
    fields: tuple[str, ...]
    message: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The form of one template version; `sha256` is that of the resolved schema that it was made from."""

    project: str
    stage: str
    version: str
    sha256: str
    label: Text
    sections: tuple[FormSection, ...]
    rules: tuple[FormRule, ...]
