"""Running a command or a process: errors become one sentence and an exit code, never a stack trace."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import click

from sojae.domain.errors import CommandError, SojaeError
from sojae.domain.text import Language
from sojae.lifeline import watch

log = logging.getLogger(__name__)


def language() -> Language:
    """Return the language for people: SOJAE_LANGUAGE when it is ko or en, else English."""
    value = os.environ.get("SOJAE_LANGUAGE", "en")
    return cast("Language", value) if value in ("ko", "en") else "en"


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say that `path` cannot be written, as a CommandError, when an OSError says so inside."""
    try:
        yield
    except OSError as error:
        raise CommandError(
            en=f"{path}: cannot be written: {error.strerror}", ko=f"{path}: 쓸 수 없습니다: {error.strerror}"
        ) from error


def run_process(body: Callable[[], None]) -> None:
    """Run a service's body under its launcher's lifeline; a SojaeError ends the process with its sentence and code."""

    def under_lifeline() -> None:
        watch()
        body()

    with_sentence(under_lifeline)


def with_sentence(body: Callable[[], object]) -> None:
    """Call `body`; a SojaeError, alone or in a group of tasks, becomes one sentence on stderr and its exit code."""
    try:
        body()
    except SojaeError as error:
        _end(error)
    except ExceptionGroup as group:
        expected, others = group.split(SojaeError)
        if others is not None or expected is None:
            raise
        _end(_first(expected))


def _first(group: ExceptionGroup[SojaeError]) -> SojaeError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first


def _end(error: SojaeError) -> None:
    click.echo(f"sojae: {error.message(language())}", err=True)
    sys.exit(error.exit_code)
