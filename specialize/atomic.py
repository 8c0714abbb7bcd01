"""Files that appear whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from specialize.errors import UsageError


def write_text(path: Path, text: str) -> None:
    """Write ``path`` at once: under another name first, then renamed."""
    with whole_file(path) as partial:
        partial.write_text(text, "utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, at once."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """Return what ``write_json`` wrote."""
    return json.loads(path.read_text("utf-8"))


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Give a folder to fill; it becomes ``path`` at the end, and vanishes if something goes wrong.

    A folder that stood at ``path`` before is replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        yield partial
        shutil.rmtree(path, ignore_errors=True)
        os.replace(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a file name to write to; it becomes ``path`` at the end, and vanishes on an error."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file to write")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Remove a folder with all in it, if it is there."""
    shutil.rmtree(path, ignore_errors=True)
