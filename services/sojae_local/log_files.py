"""Log files of child processes: appended to, rolled over by size, and asked for the line that explains an end."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROLL_BYTES = 8 * 1024 * 1024
_TAIL_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class LogFile:
    """One log file; `start` is its size in bytes when this run of the process began."""

    path: Path
    start: int

    def last_line(self) -> str:
        """Return the last line that this run wrote, or ''."""
        return self._lines()[-1]

    def last_error(self) -> str:
        """Return the last line of a Java log that is marked ERROR or FATAL, with its innermost cause, else the last line."""
        lines = self._lines()
        marked = [number for number, line in enumerate(lines) if " ERROR " in line or " FATAL " in line]
        if not marked:
            return lines[-1]
        below = [line for line in lines[marked[-1] + 1 :] if not line.startswith(("at ", "... "))]
        causes = [line for line in below if line.startswith("Caused by: ")] or below[:1]
        return ": ".join([lines[marked[-1]], *causes[-1:]])

    def _lines(self) -> list[str]:
        try:
            with self.path.open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(self.start, end - _TAIL_BYTES))
                text = file.read().decode("utf-8", errors="replace")
        except OSError:
            text = ""
        return [line.strip() for line in text.splitlines() if line.strip()] or [""]


def open_log(path: Path) -> tuple[LogFile, IO[bytes]]:
    """Return the log at `path` and its file, open for appending; beyond 8 MiB the old one becomes `<name>.1`."""
    if path.exists() and path.stat().st_size > ROLL_BYTES:
        path.replace(path.with_name(f"{path.name}.1"))
    file = path.open("ab")
    return LogFile(path, file.tell()), file
