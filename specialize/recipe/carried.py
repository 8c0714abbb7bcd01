"""Mix-ins that travel with what was trained on their text: their files are copied beside it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from specialize.errors import UsageError
from specialize.recipe.methods import Choice, bind, place, plain, source_files

FOLDER = "mixins"  # beside head.json, and in a model's folder

Described = list[list[Any]]  # method and options of each mix-in, files relative to a folder


def carry(mixins: Sequence[Choice], folder: Path) -> Described:
    """Copy the files of ``mixins`` to ``folder/mixins`` and describe the copies, in order.

    Tables of the package are copied too, so that a later version does not change the text. A
    function of a file is copied with the files it imports from beside it; one of an installed
    module stays a name.
    """
    return [_carry(choice, folder, f"{FOLDER}/{i}") for i, choice in enumerate(mixins, 1)]


def bind_carried(
    mixins: Iterable[Sequence[Any]], folder: Path, *, allow_code: bool = False
) -> list[partial[Any]]:
    """Return the functions of mix-ins that `carry` described in ``folder``.

    UsageError for one outside of the package unless ``allow_code``.
    """
    found = []
    for name, options in mixins:
        if ":" in name and not allow_code:
            raise UsageError(
                f"{folder}: mix-in {name!r} is code outside of the package; where you trust it, "
                "allow it: allow_code=True"
            )
        found.append(bind("mixin", place(name, folder), options, folder=folder))
    return found


def _carry(choice: Choice, folder: Path, to: str) -> list[Any]:
    method, options = choice.method, choice.with_files(choice().keywords)
    if method.partition(":")[0].endswith(".py"):
        sources = source_files(choice)
        root = Path(os.path.commonpath([file.parent for file in sources]))
        for file in sources:
            _copy(file, folder / to / file.relative_to(root))
        module, _, function = method.rpartition(":")
        method = f"{to}/{Path(module).relative_to(root).as_posix()}:{function}"
    return [method, plain({name: _copied(value, folder, to) for name, value in options.items()})]


def _copied(value: Any, folder: Path, to: str) -> Any:
    """Return an option's value with the copies of files in their place."""
    if isinstance(value, tuple | list):
        return [_copied(item, folder, f"{to}/{i}") for i, item in enumerate(value, 1)]
    if not isinstance(value, Path):
        return value
    _copy(value, folder / to / value.name)
    return f"{to}/{value.name}"


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)
