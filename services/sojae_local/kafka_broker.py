"""One real Apache Kafka for development: a Java process whose data live in SOJAE_HOME/kafka."""

import os
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

from sojae.domain.errors import BrokerError, StateError
from sojae.home import Home, replace_file
from sojae.lifeline import die_with_parent
from sojae_local.endpoint import Endpoint, answering_cluster
from sojae_local.free_ports import LOOPBACK
from sojae_local.java import HEAP_FLAGS, ClassArchive, Java
from sojae_local.kafka_data import cluster_id_of, new_cluster_id, run_id_of, server_properties, settle_ports
from sojae_local.log_files import LogFile, open_log

START_SECONDS = 60.0
FORMAT_SECONDS = 60.0
STOP_SECONDS = 5.0
_JAVA_OPTION_VARIABLES = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
_ENDED_BY_SIGNAL = (130, 143)
"""What Java exits with after SIGINT and SIGTERM: somebody asked it to stop."""


class KafkaBroker:
    """A Kafka of one node, on ports that stay the same over restarts."""

    def __init__(self, home: Home, java: Java, jars: list[Path], archive: ClassArchive) -> None:
        self._home = home
        self._java = java
        self._classpath = os.pathsep.join(map(str, jars))
        self._archive = archive
        self._process: subprocess.Popen[bytes] | None = None
        self._log = LogFile(home.logs / "kafka.log", 0)

    def start(self) -> Endpoint:
        """Return where the broker answers, once it does; data are formatted the first time.

        Raises BrokerError with the reason from its log when it does not come up, StateError when its data are broken.
        """
        folder = self._home.kafka
        try:
            replace_file(folder / "log4j2.properties", files("sojae_local").joinpath("log4j2.properties").read_bytes())
            shutil.rmtree(folder / "tmp", ignore_errors=True)
            (folder / "tmp").mkdir()
            cluster_id = cluster_id_of(folder / "data") or self._format()
            ports = settle_ports(folder)
            replace_file(folder / "server.properties", server_properties("data", ports).encode())
            self._launch()
        except OSError as exc:
            raise StateError(
                en=f"Kafka's folder {folder} cannot be used ({exc.strerror}).",
                ko=f"Kafka 폴더 {folder}을(를) 쓸 수 없습니다({exc.strerror}).",
            ) from exc
        address = f"{LOOPBACK}:{ports.broker}"
        self._await_answer(address, cluster_id)
        return Endpoint(kind="real", bootstrap_servers=address, run_id=run_id_of(cluster_id))

    @property
    def pid(self) -> int | None:
        """Return the process id of the Java process, or None when there is none."""
        return None if self._process is None else self._process.pid

    def wait(self) -> None:
        """Return when the broker has been asked to stop by a signal; raises BrokerError when it ended by itself."""
        if self._process is not None and self._process.wait() not in _ENDED_BY_SIGNAL:
            raise self._died()

    def stop(self) -> None:
        """Stop the broker cleanly, within 5 s (0.3 s as a rule), else by force; its data stay."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        finally:
            if process.poll() is None:  # a second Ctrl-C while waiting
                process.kill()
            process.wait()
            self._archive.keep(whole=process.returncode in _ENDED_BY_SIGNAL)

    def _format(self) -> str:
        # Formatted beside and renamed, so that data half-formatted by an interruption never look like data.
        folder, cluster_id = self._home.kafka, new_cluster_id()
        shutil.rmtree(folder / "data.new", ignore_errors=True)
        properties = server_properties("data.new", settle_ports(folder))
        replace_file(folder / "format.properties", properties.encode())
        command = [*self._java_command([]), "kafka.tools.StorageTool", "format", "-t", cluster_id]
        self._log, file = open_log(self._log.path)
        try:
            with file:
                subprocess.run(  # noqa: S603 - our own Java with our own arguments
                    [*command, "-c", "format.properties"],
                    cwd=folder,
                    env=_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    check=True,
                    timeout=FORMAT_SECONDS,
                )
        except subprocess.SubprocessError as exc:
            raise self._died() from exc
        (folder / "data.new").replace(folder / "data")
        return cluster_id

    def _launch(self) -> None:
        self._log, file = open_log(self._log.path)
        with file:
            self._process = subprocess.Popen(  # noqa: S603 - our own Java with our own arguments
                [*self._java_command(self._archive.flags()), "kafka.Kafka", "server.properties"],
                cwd=self._home.kafka,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - one system call, already looked up: safe after a fork
            )

    def _java_command(self, archive_flags: list[str]) -> list[str]:
        return [
            str(self._java.executable),
            *HEAP_FLAGS,
            *archive_flags,
            "-XX:+ExitOnOutOfMemoryError",
            "-XX:-UsePerfData",
            f"-Djava.io.tmpdir={self._home.kafka / 'tmp'}",
            "-Dlog4j2.configurationFile=log4j2.properties",
            "-cp",
            self._classpath,
        ]

    def _await_answer(self, address: str, cluster_id: str) -> None:
        process = self._process
        try:
            answered = answering_cluster(
                address,
                timeout_seconds=START_SECONDS,
                still_worth_it=lambda: process is not None and process.poll() is None,
            )
        except BrokerError as exc:
            raise self._died() from exc
        if answered != cluster_id:
            raise self._died()

    def _died(self) -> BrokerError:
        line = self._log.last_error() or "-"
        return BrokerError(
            en=f"Kafka did not come up or ended by itself: {line} (log: {self._log.path}). If its data are damaged, "
            "`make fresh` starts afresh.",
            ko=f"Kafka가 시작되지 않았거나 스스로 종료되었습니다: {line} (로그: {self._log.path}). 데이터가 손상되었다면 "
            "`make fresh`로 새로 시작하십시오.",
        )


def _environment() -> dict[str, str]:
    # A Java agent or option meant for another program stays out, and paths in any script are read as UTF-8.
    kept = {name: value for name, value in os.environ.items() if name not in _JAVA_OPTION_VARIABLES}
    return kept | {"LC_ALL": "C.UTF-8"}
