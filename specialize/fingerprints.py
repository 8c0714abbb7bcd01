"""SHA-256 of files and folders, remembered while their size and times stay the same.

Also whether the files of a finished stage are still what they were when they were written
(``outputs_of``, ``Fingerprints.fault``).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock

from specialize import atomic
from specialize.pipes import regular

_RACY = 2.0  # seconds in which a file may change again without a new time


class Output(NamedTuple):
    """A file as a stage left it."""

    size: int  # bytes
    time: int  # of its modification, nanoseconds
    sha256: str


def outputs_of(folder: Path) -> dict[str, Output]:
    """Return all files in ``folder`` by their names there."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        state = path.stat()
        found[path.relative_to(folder).as_posix()] = Output(
            state.st_size, state.st_mtime_ns, _sha256(path)
        )
    return found


class Fingerprints:
    """SHA-256 of files and folders, remembered while size and times stay the same."""

    def __init__(self, file: Path) -> None:
        """Remember in ``file``."""
        self._file = file
        self._known: dict[str, list[Any]] | None = None

    def of(self, path: Path) -> str:
        """Return the hash of a file, or of a folder's files with their names, hidden ones apart."""
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p, path))
            lines = [f"{p.relative_to(path)} {self._of_file(p)}\n" for p in files]
            found = hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
        else:
            found = self._of_file(path)
        return found

    def fault(self, folder: Path, outputs: Mapping[str, Output]) -> str:
        """Return which of a stage's files is not as the stage left it; "" if all are.

        A file with its size and time of modification is taken for unchanged; a copy with another
        time is read.
        """
        for name, output in outputs.items():
            file = folder / name
            if not file.is_file():
                return f"{file} is missing"
            state = file.stat()
            if state.st_size != output.size:
                return f"{file} has {state.st_size:,} bytes instead of {output.size:,}"
            if state.st_mtime_ns != output.time and self._of_file(file) != output.sha256:
                return f"{file} has changed since it was written"
        return ""

    def _of_file(self, path: Path) -> str:
        if self._known is None:
            self._known = self._load()
        path = regular(path)
        state = path.stat()
        now = [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]
        known = self._known.get(str(path.absolute()))
        if known is None or known[:-1] != now:
            known = [*now, _sha256(path)]
            if time.time() - max(state.st_mtime, state.st_ctime) > _RACY:
                self._known[str(path.absolute())] = known
        return str(known[-1])

    def _load(self) -> dict[str, list[Any]]:
        try:
            return dict(atomic.read_json(self._file))
        except (OSError, ValueError, TypeError):  # none yet, or damaged
            return {}

    def save(self) -> None:
        """Keep what is known; nothing is created before a stage runs."""
        if self._known and self._file.parent.is_dir():
            with FileLock(self._file.with_name(".fingerprints.lock")):
                atomic.write_json(self._file, self._known)


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _hidden(path: Path, top: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(top).parts)
