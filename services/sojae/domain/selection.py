"""Which part of what is known a dataset is made of: as known at a moment, from whom, how good, how open."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from sojae.domain.disclosure import level_of
from sojae.domain.lineage import Row


@dataclass(frozen=True, slots=True)
class Selection:
    """What a dataset holds; None leaves a choice open.

    `as_known_at`: nothing that was taken in later counts, neither corrections nor retractions. `origins`, `institutes` and
    `grades` are those of the property record. `disclosure` is the least open level of a row, which is the strictest of
    all records that it is made of; `free_on` leaves out what is under embargo on that day.
    """

    as_known_at: dt.datetime | None = None
    origins: frozenset[str] | None = None
    institutes: frozenset[str] | None = None
    grades: frozenset[str] | None = None
    disclosure: str | None = None
    free_on: dt.date | None = None

    def known(self, rows: Iterable[Row]) -> list[Row]:
        """Return the records that had been taken in by the moment; it comes before any joining."""
        if self.as_known_at is None:
            return list(rows)
        return [row for row in rows if cast("dt.datetime", row["known_at"]) <= self.as_known_at]

    def chosen(self, view: pa.Table) -> pa.Table:
        """Return the rows of a materials view that are wanted, in their order."""
        for name, wanted in (("origin", self.origins), ("institute", self.institutes), ("grade", self.grades)):
            if wanted is not None:
                view = view.filter(pc.is_in(view[name], pa.array(sorted(wanted), pa.string())))
        if self.disclosure is not None:
            least = level_of(self.disclosure)
            view = view.filter(pa.array([level_of(d) >= least for d in view["disclosure"].to_pylist()], pa.bool_()))
        if self.free_on is not None:
            embargoed = pc.fill_null(
                pc.greater(view["embargo_until"], pa.scalar(self.free_on, pa.date32())), fill_value=False
            )
            view = view.filter(pc.invert(embargoed))
        return view
