"""The committed list of jars, and a cache that holds only what the list says."""

import hashlib
import re
from pathlib import Path

import pytest

from sojae.domain.errors import BrokerError
from sojae_local.jars import KAFKA_VERSION, Jar, classpath, kafka_jars


class FakeRepository:
    """Serves the bytes that it was given by file name, and remembers what was asked."""

    def __init__(self, contents: dict[str, bytes]) -> None:
        self.contents = contents
        self.asked: list[str] = []

    def fetch(self, jar: Jar, scratch: Path) -> Path:
        """Return the file, or raise OSError as a repository without the file does."""
        self.asked.append(jar.filename)
        if jar.filename not in self.contents:
            raise OSError("no answer")
        path = scratch / f"fetched-{jar.filename}"
        path.write_bytes(self.contents[jar.filename])
        return path


CONTENTS = {f"part{number}-1.0.jar": f"content {number}".encode() for number in range(3)}
JARS = [
    Jar("org.example", name.removesuffix("-1.0.jar"), "1.0", hashlib.sha256(content).hexdigest())
    for name, content in CONTENTS.items()
]


def test_the_list_is_one_kafka() -> None:
    """45 different jars; every part of Kafka is of the one version, kafka-clients included."""
    jars = kafka_jars()
    assert len({jar.filename for jar in jars}) == len(jars) == 45
    kafka = {jar.artifact: jar.version for jar in jars if jar.group == "org.apache.kafka"}
    assert set(kafka.values()) == {KAFKA_VERSION}
    assert {"kafka_2.13", "kafka-clients", "kafka-server", "kafka-raft"} <= set(kafka)
    assert all(re.fullmatch(r"[0-9a-f]{64}", jar.sha256) for jar in jars)


def test_what_is_missing_is_fetched_once(tmp_path: Path) -> None:
    """The paths come in the order of the list; a second call asks for nothing."""
    repository, seen = FakeRepository(CONTENTS), []
    paths = classpath(tmp_path, jars=JARS, repository=repository, progress=lambda *step: seen.append(step))
    assert [path.read_bytes() for path in paths] == list(CONTENTS.values())
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert classpath(tmp_path, jars=JARS, repository=repository) == paths
    assert len(repository.asked) == 3


def test_a_damaged_file_is_fetched_again(tmp_path: Path) -> None:
    """The cache mends itself, and touches nothing else."""
    repository = FakeRepository(CONTENTS)
    paths = classpath(tmp_path, jars=JARS, repository=repository)
    paths[1].write_bytes(b"content")
    assert classpath(tmp_path, jars=JARS, repository=repository)[1].read_bytes() == b"content 1"
    assert repository.asked[3:] == ["part1-1.0.jar"]


def test_another_file_than_the_listed_one_never_enters_the_cache(tmp_path: Path) -> None:
    """What a captive portal or a tampered mirror answers is refused, and no scratch stays."""
    repository = FakeRepository(CONTENTS | {"part1-1.0.jar": b"<html>log in first</html>"})
    with pytest.raises(BrokerError, match=r"part1-1\.0\.jar has another SHA-256"):
        classpath(tmp_path, jars=JARS, repository=repository)
    assert [path.name for path in tmp_path.iterdir()] == ["part0-1.0.jar"]


def test_no_network_is_one_sentence_in_both_languages(tmp_path: Path) -> None:
    """The caller can say why there is only the mock."""
    with pytest.raises(BrokerError) as caught:
        classpath(tmp_path, jars=JARS, repository=FakeRepository({}))
    assert "Maven Central" in caught.value.text.en
    assert "Maven Central" in caught.value.text.ko
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_the_same_error() -> None:
    """A read-only home must still get its mock broker."""
    with pytest.raises(BrokerError):
        classpath(Path("/proc/sojae"), jars=JARS, repository=FakeRepository(CONTENTS))
