"""The training, dev and test files of a task: named, or found by their names in a folder.

A folder may have the names of treebanks (``ug_udt-ud-train.conllu``), those of CoNLL-2003
(``eng.testa`` is dev), or plain ones (``train.txt.xz``, ``valid.tsv``, WikiAnn's ``dev``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from specialize.corpus.columns import is_columns
from specialize.corpus.conllu import is_conllu
from specialize.errors import UsageError
from specialize.recipe.keys import TaskKeys
from specialize.recipe.methods import Choice
from specialize.recipe.recipe import PARTS
from specialize.recipe.table import Key, convert

_PARTS = {
    "train": ("train", "training"),
    "dev": ("dev", "devel", "development", "valid", "validation", "val", "testa"),
    "test": ("test", "testing", "testb"),
}
_PART_OF = {name: part for part, names in _PARTS.items() for name in names}
_FORMATS: dict[str, Callable[[Path], bool]] = {"CoNLL-U": is_conllu, "columns": is_columns}
_SHOWN = 12  # names that a message lists


def task_files(keys: TaskKeys, choice: Choice, folder: Path, where: str) -> dict[str, Path]:
    """Return the files of a task: those named, and others from its folder.

    One of train and dev may be missing; UsageError if more are.
    """
    named = {part: name for part in PARTS if (name := getattr(keys, part))}
    files = {part: _file(name, f"{where}.{part}", folder) for part, name in named.items()}
    inside = ""
    if keys.folder:
        key = f"{where}.folder"
        if len(files) == len(PARTS):
            message = f"{key} is not used: train, dev and test are named; remove one of the keys"
            raise UsageError(message, key=key)
        place = _file(keys.folder, key, folder)
        wanted = [part for part in PARTS if part not in files]
        files |= find_parts(place, choice()().format, key, wanted=wanted)
        inside = f" in {place}: {listing(place)}"
    if "test" not in files:
        raise UsageError(f"{where}: no test file{inside}; add test = 'FILE'", key=where)
    if files.keys() == {"test"}:
        add = "add train = 'FILE' or dev = 'FILE'"
        raise UsageError(f"{where}: no train and no dev file{inside}; {add}", key=where)
    if keys.folds and (keys.folds < 2 or len(files) == len(PARTS)):
        expected = "2 or more" if keys.folds < 2 else "none where train and dev both have files"
        raise UsageError(f"{where}.folds = {keys.folds}: expected {expected}", key=f"{where}.folds")
    return files


def _file(name: str, key: str, folder: Path) -> Path:
    """Return the file ``name`` of the recipe's key ``key``."""
    found: Path = convert(name, Key(Path), key, folder=folder)
    return found


def find_parts(
    folder: Path, form: str, key: str, *, wanted: Sequence[str] = PARTS
) -> dict[str, Path]:
    """Return the files of ``folder`` by the part that their names tell; parts may be missing.

    Of several files of a part, the one in the format ``form`` (`Task.format`) is taken. UsageError
    if several are, or if no file has such a name; ``key`` is that of the folder in the recipe.
    """
    if not folder.is_dir():
        raise UsageError(f"{key}: {folder} is no folder; name files: train, dev, test", key=key)
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if (part := part_of(path.name)) in wanted and path.is_file():
            found.setdefault(part, []).append(path)
    if not found:
        parts = " or ".join(wanted)
        raise UsageError(f"{key}: no file named {parts} in {folder}; {listing(folder)}", key=key)
    return {part: _only(paths, part, form, key) for part, paths in found.items()}


def part_of(name: str) -> str:
    """Return the part that a file's name tells, "" if none.

    >>> part_of("ug_udt-ud-train.conllu.xz"), part_of("eng.testa"), part_of("README.md")
    ('train', 'dev', '')
    """
    words = [] if name.startswith(".") else re.split(r"[-_.]+", name.lower())
    return next((_PART_OF[word] for word in reversed(words) if word in _PART_OF), "")


def listing(folder: Path) -> str:
    """Return what is in a folder: ``"it holds README.md, test/"``."""
    paths = [path for path in folder.iterdir() if not path.name.startswith(".")]
    names = sorted(path.name + "/" * path.is_dir() for path in paths)
    more = [f"{len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return f"it holds {', '.join([*names[:_SHOWN], *more])}" if names else "it is empty"


def _only(paths: list[Path], part: str, form: str, key: str) -> Path:
    if len(paths) > 1 and form in _FORMATS:
        paths = [path for path in paths if _FORMATS[form](path)] or paths
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths)
        raise UsageError(
            f"{key}: several {part} files in {paths[0].parent}: {names}; choose one: "
            f'{part} = "{paths[0]}"',
            key=key,
        )
    return paths[0]
