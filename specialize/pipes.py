"""Pipes as texts: ``<(…)``, FIFOs and standard input, read once.

What a pipe yields is copied to a temporary file on its first use; every later pass reads the copy,
which is deleted when the program ends.
"""

from __future__ import annotations

import shutil
import stat
import tempfile
from functools import cache
from pathlib import Path

_copies: dict[tuple[Path, int, int], Path] = {}


def regular(path: Path) -> Path:
    """Return ``path``, or the file with all that it yields if it is a pipe or a terminal."""
    try:
        state = path.stat()
    except OSError:
        return path  # an error for whoever opens it
    if stat.S_ISREG(state.st_mode) or stat.S_ISDIR(state.st_mode):
        return path
    key = (path, state.st_dev, state.st_ino)
    if key not in _copies:
        copy = Path(_folder().name) / str(len(_copies))
        with path.open("rb") as pipe, copy.open("wb") as file:
            shutil.copyfileobj(pipe, file)
        _copies[key] = copy
    return _copies[key]


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="specialize-")
