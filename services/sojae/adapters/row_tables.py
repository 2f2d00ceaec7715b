"""The SQLite file of the local row index: its tables, keys and connections."""

import hashlib
import logging
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sojae.domain.errors import StateError
from sojae.domain.order import Place

log = logging.getLogger(__name__)

LAYOUT = 4
"""Goes up when a table changes; an index of another layout is built again."""

BUSY_MILLISECONDS = 10_000
WRITER_CACHE_KIB = 256 * 1024
READER_CACHE_KIB = 8 * 1024

COLUMNS = (
    "place event_key record_key owner topic topic_id partition offset ingest_us broker_us event_us status issues grade project stage "
    "schema_sha256 rule_version event_id record_id template_version institute producer epoch seq sample_id origin content "
    "supersedes repairs retracted disclosure raw"
).split()
"""Columns of the table `events` of the index, in the order in which rows are inserted."""

DROP = """
DROP TABLE IF EXISTS state; DROP TABLE IF EXISTS events; DROP TABLE IF EXISTS heads;
DROP TABLE IF EXISTS firsts; DROP TABLE IF EXISTS gone;
DROP TABLE IF EXISTS refusals; DROP TABLE IF EXISTS counts
"""

# Keys are 64-bit hashes: three random text indexes cost three times as much as they do. Places sort as the one order.
# `built` tells one building of the index from the next; a turn says since when a head is what it is (row_heads.py).
CREATE = """
CREATE TABLE state (table_id TEXT NOT NULL, table_uri TEXT NOT NULL, version INTEGER NOT NULL, built INTEGER NOT NULL);
CREATE TABLE events (
  id INTEGER PRIMARY KEY, place BLOB NOT NULL, event_key INTEGER, record_key INTEGER, owner TEXT NOT NULL,
  topic TEXT NOT NULL, topic_id TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL,
  ingest_us INTEGER NOT NULL, broker_us INTEGER, event_us INTEGER, status TEXT NOT NULL, issues TEXT NOT NULL,
  grade TEXT, project TEXT, stage TEXT, schema_sha256 TEXT, rule_version TEXT, event_id TEXT, record_id TEXT, template_version TEXT,
  institute TEXT, producer TEXT, epoch INTEGER, seq INTEGER, sample_id TEXT, origin TEXT, content TEXT, supersedes TEXT,
  repairs TEXT, retracted INTEGER, disclosure TEXT, raw BLOB);
CREATE INDEX events_by_event ON events (event_key);
CREATE INDEX events_by_record ON events (record_key) WHERE status = 'accepted';
CREATE INDEX events_quarantined ON events (place) WHERE status = 'quarantined';
CREATE TABLE firsts (id INTEGER PRIMARY KEY, event_key INTEGER);
CREATE INDEX firsts_by_event ON firsts (event_key);
CREATE TABLE heads (
  id INTEGER PRIMARY KEY, turn INTEGER NOT NULL, place BLOB NOT NULL, record_key INTEGER NOT NULL, sample_key INTEGER NOT NULL,
  owner TEXT NOT NULL, record_id TEXT NOT NULL, project TEXT NOT NULL, stage TEXT NOT NULL, grade TEXT);
CREATE INDEX heads_by_record ON heads (record_key);
CREATE INDEX heads_by_sample ON heads (sample_key);
CREATE INDEX heads_by_place ON heads (place);
CREATE INDEX heads_by_project ON heads (project, place);
CREATE INDEX heads_by_turn ON heads (project, turn);
CREATE INDEX heads_by_grade ON heads (project, stage, owner, grade);
CREATE TABLE gone (
  id INTEGER PRIMARY KEY, turn INTEGER NOT NULL, record_key INTEGER NOT NULL, owner TEXT NOT NULL,
  record_id TEXT NOT NULL, project TEXT NOT NULL, stage TEXT NOT NULL);
CREATE INDEX gone_by_record ON gone (record_key);
CREATE INDEX gone_by_turn ON gone (project, turn);
CREATE TABLE refusals (rule TEXT, place BLOB, id INTEGER, PRIMARY KEY (rule, place, id)) WITHOUT ROWID;
CREATE TABLE counts (
  owner TEXT, project TEXT, stage TEXT, status TEXT, n INTEGER NOT NULL,
  PRIMARY KEY (owner, project, stage, status)) WITHOUT ROWID
"""

_PLACE_HEAD, _PLACE_TAIL = struct.Struct(">Q"), struct.Struct(">IQ")
_SIGN = 1 << 63


def hash_key(*parts: str) -> int:
    """Return a signed 64-bit hash of the parts; two that share one are told apart by their full text."""
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def record_key(owner: str, project: str, stage: str, record_id: str) -> int:
    """Return the key of a record; its id is its institute's own, inside one project and stage."""
    return hash_key(owner, project, stage, record_id)


def place_bytes(place: Place) -> bytes:
    """Return a place as bytes that sort, byte by byte, as places do."""
    head = _PLACE_HEAD.pack(place.ingest_time_us + _SIGN)
    return head + place.topic_id.encode() + b"\0" + _PLACE_TAIL.pack(place.partition, place.offset)


def place_of(value: bytes) -> Place:
    """Return the place of its bytes; raises ValueError when they are none."""
    if len(value) < _PLACE_HEAD.size + 1 + _PLACE_TAIL.size or value[-_PLACE_TAIL.size - 1] != 0:
        raise ValueError("not a place")
    partition, offset = _PLACE_TAIL.unpack(value[-_PLACE_TAIL.size :])
    topic_id = value[_PLACE_HEAD.size : -_PLACE_TAIL.size - 1].decode()
    return Place(_PLACE_HEAD.unpack(value[: _PLACE_HEAD.size])[0] - _SIGN, topic_id, partition, offset)


def open_writer(path: Path) -> sqlite3.Connection:
    """Return a connection that may write, to a file of this layout; what is broken or of another layout is made anew.

    Raises StateError when the file cannot be used.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _writer(path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            log.warning("the index %s is broken (%s): built again", path, error)
            remove_index(path)
            return _writer(path)
    except (OSError, sqlite3.Error) as error:
        raise unusable(path, error) from error


def open_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that only reads, for use by one thread at a time; raises StateError."""
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        connection.execute(f"PRAGMA cache_size = -{READER_CACHE_KIB}")
        connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        raise unusable(path, error) from error
    return connection


def remove_index(path: Path) -> None:
    """Delete an index; the next start builds it again with equal content."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def create_tables(connection: sqlite3.Connection) -> None:
    """Empty the index inside the running transaction."""
    for statement in (DROP + ";" + CREATE).split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {LAYOUT}")


@contextmanager
def transaction(connection: sqlite3.Connection, *, write: bool = False) -> Iterator[sqlite3.Connection]:
    """Hold one transaction for the time of the block; it is undone when the block raises."""
    connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def unusable(path: Path, error: Exception) -> StateError:
    """Return the error of an index file that cannot be used."""
    return StateError(
        en=f"the index {path} cannot be used: {error}; free the disk or the rights, or delete the file: it is built again",
        ko=f"색인 {path}을(를) 쓸 수 없습니다: {error}. 디스크 공간과 권한을 확인하거나 파일을 지우십시오. 다시 만들어집니다",
    )


def _writer(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_MILLISECONDS}")
        connection.execute("PRAGMA journal_mode = WAL")
        # A power cut may lose the last transaction, version included: it is followed again.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
        connection.execute("PRAGMA temp_store = MEMORY")
        with transaction(connection, write=True):
            if connection.execute("PRAGMA user_version").fetchone()[0] != LAYOUT:
                create_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection
