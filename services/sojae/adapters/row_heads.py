"""Which events of the row index count: the first of each event_id, and the current one of each record."""

import sqlite3

# Identities are those of the records tables: an event_id or record_id is its institute's, inside one project and stage.

COUNTS = "EXISTS (SELECT 1 FROM firsts f WHERE f.id = e.id)"
"""Holds for an accepted event `e` that is the first in the one order to carry its event_id."""

_SAME_EVENT = "e.owner = n.owner AND e.event_id = n.event_id AND e.project IS n.project AND e.stage IS n.stage"
_SAME_RECORD = (
    "{0}.record_key = t.record_key AND {0}.owner = t.owner AND {0}.record_id = t.record_id "
    "AND {0}.project = t.project AND {0}.stage = t.stage"
)

# NOTE: CROSS JOIN keeps the small side outside; left to itself, SQLite scans all events to save a sort.
# SQLite takes the bare columns beside min() and max() from the row that has it (sqlite.org/lang_select.html §2.5).
_STEPS = (
    """CREATE TEMP TABLE new_firsts AS
SELECT id, min(place) AS place, event_key, owner, event_id, project, stage FROM events
WHERE id > ?1 AND status = 'accepted' GROUP BY event_key, owner, event_id, project, stage""",
    f"""CREATE TEMP TABLE known_firsts AS
SELECT f.id, n.id AS new_id, n.place < e.place AS beaten
FROM new_firsts n CROSS JOIN firsts f ON f.event_key = n.event_key CROSS JOIN events e ON e.id = f.id AND {_SAME_EVENT}""",  # noqa: S608 - constants only
    "DELETE FROM temp.new_firsts WHERE id IN (SELECT new_id FROM known_firsts WHERE NOT beaten)",
    "DELETE FROM firsts WHERE id IN (SELECT id FROM known_firsts WHERE beaten)",
    "INSERT INTO firsts (id, event_key) SELECT id, event_key FROM new_firsts",
    # Records whose head may have moved: those that have won an event, and those that have lost one.
    """CREATE TEMP TABLE touched AS
SELECT DISTINCT record_key, owner, record_id, coalesce(project, '') AS project, coalesce(stage, '') AS stage FROM events
WHERE id IN (SELECT id FROM new_firsts UNION SELECT id FROM known_firsts WHERE beaten)""",
    f"DELETE FROM heads WHERE id IN (SELECT h.id FROM touched t CROSS JOIN heads h ON {_SAME_RECORD.format('h')})",  # noqa: S608
    f"DELETE FROM gone WHERE id IN (SELECT g.id FROM touched t CROSS JOIN gone g ON {_SAME_RECORD.format('g')})",  # noqa: S608
    f"""CREATE TEMP TABLE latest AS
SELECT e.id, max(e.place) AS place, e.retracted, e.sample_id, e.grade, t.*
FROM touched t CROSS JOIN events e ON e.record_key = t.record_key AND e.owner = t.owner AND e.record_id = t.record_id
  AND coalesce(e.project, '') = t.project AND coalesce(e.stage, '') = t.stage
WHERE e.status = 'accepted' AND {COUNTS} GROUP BY t.rowid""",  # noqa: S608
    """INSERT INTO heads (id, turn, place, record_key, sample_key, owner, record_id, project, stage, grade)
SELECT id, ?1 + 1, place, record_key, sample_key(sample_id), owner, record_id, project, stage, grade FROM latest
WHERE NOT coalesce(retracted, 0)""",
    f"""INSERT INTO gone (turn, record_key, owner, record_id, project, stage)
SELECT ?1 + 1, t.record_key, t.owner, t.record_id, t.project, t.stage FROM touched t
WHERE NOT EXISTS (SELECT 1 FROM heads h WHERE {_SAME_RECORD.format("h")})""",  # noqa: S608
)
_SCRATCH = ("new_firsts", "known_firsts", "touched", "latest")


def move_heads(connection: sqlite3.Connection, before: int) -> None:
    """Bring `firsts`, `heads` and `gone` up to the events behind the row `before`; it takes time by what is new.

    What moves is marked with the turn `before + 1`: turns go up until the index is built again.
    """
    _drop_scratch(connection)
    for step in _STEPS:
        connection.execute(step, (before,) if "?1" in step else ())
    _drop_scratch(connection)


def _drop_scratch(connection: sqlite3.Connection) -> None:
    for table in _SCRATCH:
        connection.execute(f"DROP TABLE IF EXISTS temp.{table}")
