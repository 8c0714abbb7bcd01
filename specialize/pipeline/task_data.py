"""The data of a task of the recipe, each file read once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize.recipe.methods import Choice, bind
from specialize.recipe.recipe import TaskFiles
from specialize.tasks._base import gaps
from specialize.tasks._split import FOLDS, split

if TYPE_CHECKING:
    from specialize.tasks._base import Sentence, Task
    from specialize.train.finetune import Data


@dataclass(frozen=True)
class TaskData:
    """A task of the recipe with its data read."""

    choice: Choice
    task: Task[Any]
    data: Data


def read_task(files: TaskFiles, seed: int = 0) -> TaskData:
    """Return a task with its sentences; of folds, those of ``seed``."""
    from specialize.train.finetune import Data

    parts = {part: read_file(files.choice, path) for part, path in files.files.items()}
    if files.whole:
        folds = files.folds or FOLDS
        fold = seed % folds if files.folds else 0
        parts["train"], parts["dev"] = split(parts[files.whole], fold=fold, folds=folds)
    return TaskData(files.choice, files.choice()(), Data(**parts))


def read_file(choice: Choice, path: Path) -> list[Sentence[Any]]:
    """Return the sentences of a file, as the method ``choice`` reads it."""
    options = json.dumps(choice.resolved(), sort_keys=True, default=str)
    return _read_once(choice.method, options, path, state(path))


@lru_cache(maxsize=32)
def _read_once(
    method: str, options: str, path: Path, state: tuple[int, int]
) -> list[Sentence[Any]]:
    """Return the sentences of a file; several tasks and seeds read the same.

    DataError where none has a label.
    """
    task = bind("task", method, json.loads(options))()
    found: list[Sentence[Any]] = task.read(path)
    gaps(task, found)
    return found


def state(path: Path) -> tuple[int, int]:
    """Return what changes when a file does."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns
