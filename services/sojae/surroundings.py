"""What every process finds around it: its home, its broker, its store, its templates."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sojae.adapters.kafka_connection import Connection
from sojae.adapters.template_files import TemplateBook, load_templates, reload_templates
from sojae.domain.errors import TemplateError
from sojae.home import Home, bootstrap_servers, find_home
from sojae.settings import (
    GeneralSettings,
    KafkaSettings,
    StoreSettings,
    TelemetrySettings,
    TemplatesSettings,
    check_environment,
    read,
)
from sojae.telemetry import set_up_logging

log = logging.getLogger(__name__)

REREAD_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Home, store and templates of a process; the broker is looked up when it is needed."""

    home: Home
    store_uri: str
    templates: "WatchedTemplates"
    telemetry: TelemetrySettings
    kafka: KafkaSettings

    @classmethod
    def read(cls) -> "Surroundings":
        """Return what the environment says; raises SettingsError, StateError or TemplateError."""
        check_environment()
        read(GeneralSettings)  # a language that nobody speaks is refused like any other value
        telemetry = read(TelemetrySettings)
        set_up_logging(telemetry.level)
        home = find_home(os.environ).prepare()
        return cls(
            home=home,
            store_uri=read(StoreSettings).uri or str(home.store),
            templates=WatchedTemplates(read(TemplatesSettings).path),
            telemetry=telemetry,
            kafka=read(KafkaSettings),
        )

    def connection(self) -> Connection:
        """Return how to reach the broker: the setting, else the one that runs in this home; raises BrokerError."""
        servers = bootstrap_servers(self.kafka.bootstrap_servers, self.home)
        run = self.home.live_run()
        mock = run is not None and run.bootstrap_servers == servers and run.broker == "mock"
        return Connection(
            bootstrap_servers=servers,
            security_protocol=self.kafka.security_protocol,
            sasl_mechanism=self.kafka.sasl_mechanism,
            username=self.kafka.username,
            password_file=self.kafka.password_file,
            run_id=run.run_id if run is not None and mock else None,
        )


class WatchedTemplates:
    """The templates of a folder and of the package, read again when a file of the folder changes."""

    def __init__(self, path: Path | None, now: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._now = now
        self._book = load_templates(path)
        self._stamp = _stamp(path)
        self._looked = now()

    def __call__(self) -> TemplateBook:
        """Return the templates; a file that has become broken is reported, and what it last held stays."""
        if self._path is not None and self._now() - self._looked >= REREAD_SECONDS:
            self._looked = self._now()
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._book, broken = reload_templates(self._path, self._book)
                    log.info("templates read again from %s: %d", self._path, len(self._book))
                    for error in broken:
                        log.error("this file's template stays as it was: %s", error)
                except TemplateError as error:
                    log.error("templates stay as they were: %s", error)
        return self._book


def _stamp(path: Path | None) -> tuple[tuple[str, int, int, int], ...]:
    if path is None or not path.is_dir():
        return ()
    return tuple((str(p), *_file_stamp(p)) for p in sorted(path.rglob("*.avsc")))


def _file_stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:  # it is just being replaced, or links to nothing: the other files are looked at all the same
        return (0, 0, 0)
    # A file that has become readable has another ctime only.
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size)
