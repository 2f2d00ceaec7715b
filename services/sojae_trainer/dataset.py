"""From a materials view to the rows and targets that models are trained on."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from sojae.domain.lineage import LEFT_OUT
from sojae.domain.model import Rights, Skipped, record_name
from sojae.domain.template import Field, Stage, Template
from sojae.domain.text import Text

ELEMENT_PREFIX = "composition__el__"
Templates = Mapping[Stage, Template]


@dataclass(frozen=True, slots=True)
class Target:
    """One property to be learnt: a field, or the part of a field where another field has one value."""

    name: str
    field: Field
    label: Text
    split: Mapping[str, str]

    @property
    def column(self) -> str:
        """Return the column of the materials view that holds the values."""
        return f"property__{self.field.name}"

    def rows(self, frame: pl.DataFrame) -> pl.Series:
        """Return for each row whether it says something of this target: a finite value, of the right split."""
        wanted = pl.col(self.column).is_not_null() & pl.col(self.column).is_finite()
        for field, value in self.split.items():
            wanted &= (pl.col(f"property__{field}").cast(pl.String) == value).fill_null(value=False)
        return frame.select(wanted.alias("wanted")).to_series()


def training_rows(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the rows that may be trained on, by institute and record_id, and how many were left out for which reason.

    The order of the answer does not depend on the order of the view.
    """
    left_out: dict[str, int] = {}
    uncertain = no_recipe = pl.lit(value=False)
    if "findings" in frame.columns:
        uncertain = _found(LEFT_OUT)
        no_recipe = _found({"no_composition"})
    elements = [c for c in frame.columns if c.startswith(ELEMENT_PREFIX)]
    if elements:
        no_recipe |= pl.all_horizontal([pl.col(c).is_null() for c in elements])
    for reason, condition in (("lineage", uncertain), ("no_composition", no_recipe)):
        height = frame.height
        frame = frame.filter(~condition)
        if frame.height < height:
            left_out[reason] = height - frame.height
    return frame.sort("institute", "record_id"), left_out


def record_names(frame: pl.DataFrame) -> tuple[str, ...]:
    """Return `<institute>/<record_id>` of each row."""
    pairs = frame.select("institute", "record_id").iter_rows()
    return tuple(record_name(str(institute), str(record_id)) for institute, record_id in pairs)


def rights(frame: pl.DataFrame) -> tuple[Rights, ...]:
    """Return the disclosure and embargo of each row; a view that does not say leaves a row to its owner."""
    columns = {name: pl.lit(None).alias(name) for name in Rights.__struct_fields__ if name not in frame.columns}
    rows = frame.with_columns(columns.values()).select(Rights.__struct_fields__).iter_rows(named=True)
    return tuple(Rights(**row) for row in rows)


def _found(findings: Collection[str]) -> pl.Expr:
    return pl.col("findings").list.eval(pl.element().is_in(sorted(findings))).list.any().fill_null(value=False)


def targets(frame: pl.DataFrame, template: Template) -> list[Target]:
    """Return the targets of a property template, split ones once for each value seen, in template order."""
    found: list[Target] = []
    for field in template.fields:
        if field.role != "target" or field.kind not in ("double", "long"):
            continue
        if f"property__{field.name}" not in frame.columns:
            continue
        if field.split_by is None:
            found.append(Target(field.name, field, field.label, {}))
        elif f"property__{field.split_by}" in frame.columns:
            found += _split(frame, field, field.split_by)
    return found


def copies(frame: pl.DataFrame, found: Sequence[Target], recipe: Sequence[str]) -> list[list[tuple[str, int]]]:
    """Return for each row what it shares with its copies: for every target it has, the recipe together with the value."""
    shared: list[list[tuple[str, int]]] = [[] for _ in range(frame.height)]
    for target in found:
        hashes = frame.select(pl.struct([*recipe, target.column]).hash(seed=0)).to_series().to_list()
        for row, (has, number) in enumerate(zip(target.rows(frame), hashes, strict=True)):
            if has:
                shared[row].append((target.name, int(number)))
    return shared


def enough_rows(frame: pl.DataFrame, found: Sequence[Target], least: int) -> tuple[list[Target], list[Skipped]]:
    """Return the targets with at least `least` rows whose values differ, and the others with the reason."""
    kept: list[Target] = []
    skipped: list[Skipped] = []
    for target in found:
        values = frame.filter(target.rows(frame))[target.column]
        if values.len() < least:
            reason = Text(
                ko=f"값이 있는 행이 {values.len()}개로 {least}개보다 적습니다",
                en=f"{values.len()} rows have a value, fewer than {least}",
            )
        elif values.n_unique() < 3:
            reason = Text(ko="값이 거의 모두 같습니다", en="nearly all values are equal")
        else:
            kept.append(target)
            continue
        skipped.append(Skipped(field=target.name, reason=reason))
    return kept, skipped


def _split(frame: pl.DataFrame, field: Field, by: str) -> list[Target]:
    values = frame[f"property__{by}"].cast(pl.String).drop_nulls().unique().sort().to_list()
    return [
        Target(
            f"{field.name}.{_file_name(value)}",
            field,
            Text(ko=f"{field.label.ko} ({value})", en=f"{field.label.en} ({value})"),
            {by: value},
        )
        for value in values
    ]


def _file_name(value: str) -> str:
    """Return a value as it may stand in a file name, in any script."""
    return re.sub(r"[^\w-]+", "_", value)
