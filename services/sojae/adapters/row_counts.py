"""Counts from the local row index: events by status, and current records by grade."""

import sqlite3
from typing import NamedTuple

from sojae.domain.grade import Grade
from sojae.domain.issue import Status


class Count(NamedTuple):
    """How many events of one institute, project and stage ('' where undecodable) have one status."""

    owner: str
    project: str
    stage: str
    status: Status
    n: int


class GradeCount(NamedTuple):
    """How many current records of one institute, in one stage of a project, have one grade; None = stored without one."""

    owner: str
    stage: str
    grade: Grade | None
    n: int


def count_events(connection: sqlite3.Connection) -> list[Count]:
    """Return how many events there are by institute, project, stage and status, sorted."""
    rows = connection.execute("SELECT owner, project, stage, status, n FROM counts ORDER BY 1, 2, 3, 4")
    return [Count(*row) for row in rows]


def count_grades(connection: sqlite3.Connection, project: str) -> list[GradeCount]:
    """Return how many current records of a project there are by institute, stage and grade, sorted."""
    rows = connection.execute(
        "SELECT owner, stage, grade, count(*) FROM heads WHERE project = ? GROUP BY stage, owner, grade ORDER BY 1, 2, 3",
        (project,),
    )
    return [GradeCount(*row) for row in rows]


def count_current(connection: sqlite3.Connection, project: str, stage: str, at_most: int) -> int:
    """Return how many current records a stage of a project has; counting stops at `at_most`."""
    row = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM heads WHERE project = ? AND stage = ? LIMIT ?)", (project, stage, at_most)
    ).fetchone()
    return int(row[0])
