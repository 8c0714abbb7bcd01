"""Files that recipes name, relative to the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from specialize.errors import MissingError, UsageError
from specialize.recipe.table import locate


def file_of(name: str, folder: Path, key: str) -> Path:
    """Return the full path of a file; MissingError, which names the key, without it."""
    try:
        return locate(name, folder)
    except MissingError as error:
        raise MissingError(f"{key}: {error}", key=key) from None


def files_of(files: Any, folder: Path, key: str) -> Any:
    """Return a list of files, or a table of lists, with full paths; errors as of `file_of`."""
    if isinstance(files, Mapping):
        return {name: files_of(own, folder, f"{key}.{name}") for name, own in files.items()}
    return [str(file_of(name, folder, key)) for name in files]


def check_files(files: Any, where: str) -> None:
    """Raise UsageError for an empty list of files of a language."""
    if files in ([], ()):
        message = f"{where} has no file: name one, or leave it out: {where}=false"
        raise UsageError(message, key=where)
