"""The result of a run, to use: a directory with a model, its vocabulary and fine-tuned heads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize import atomic
from specialize.errors import MissingError
from specialize.head_facts import outside, read_head_facts, task_of
from specialize.heads import Head, Mix, chain, load_head
from specialize.recipe.carried import bind_carried

if TYPE_CHECKING:
    from specialize.tasks._base import Task
    from specialize.vocab.base import Vocabulary


@dataclass(frozen=True)
class Specialization:
    """A run's directory, or an arm's; nothing is loaded before it is asked for.

    ``allow_code``: whether heads may run functions outside of the package, which head.json names.
    """

    folder: Path
    allow_code: bool = False

    @property
    def tasks(self) -> list[str]:
        """Return the names of the tasks that have a head."""
        return sorted(p.parent.name for p in (self.folder / "heads").glob("*/head.json"))

    def vocabulary(self) -> Vocabulary:
        """Return the vocabulary of the specialized model."""
        from specialize.vocab.open import read_vocabulary

        return read_vocabulary(self.folder / "model")

    def head(self, task: str, *, language: str = "", pack: Path | None = None) -> Head:
        """Return the head for ``task``; MissingError, naming those there are, if there is none.

        ``language``: whose modules, in ``pack``, take the place of the modules of the language with
        which the head was trained (zero-shot transfer); UsageError if there are none, or others.
        """
        folder = self._head_folder(task)
        return load_head(
            folder,
            self.folder / "model",
            allow_code=self.allow_code,
            language=language,
            pack=pack,
        )

    def task(self, name: str) -> Task[Any]:
        """Return a task as its head was trained for it, without loading the head."""
        folder = self._head_folder(name)
        return task_of(read_head_facts(folder, allow_code=self.allow_code), folder)

    def code(self, name: str) -> list[str]:
        """Return the functions outside of the package that a task's head runs, with their files."""
        folder = self._head_folder(name)
        return outside(read_head_facts(folder, allow_code=True), folder)

    def _head_folder(self, task: str) -> Path:
        if task not in self.tasks:
            known = ", ".join(self.tasks) or "none"
            raise MissingError(f"{self.folder} has no head for {task!r}; it has: {known}")
        return self.folder / "heads" / task


def read_mix(model: str | Path, *, allow_code: bool = False) -> Mix:
    """Return the function that rewrites text as a published model needs it.

    ``model``: its folder, with the specialize.json of a run. UsageError if that names functions
    outside of the package and these are not allowed: whoever wrote the folder chose them.
    """
    folder = Path(model)
    try:
        mixins = atomic.read_json(folder / "specialize.json")["mixins"]
    except FileNotFoundError:
        raise MissingError(f"{folder}/specialize.json: no such file; not a run's model") from None
    return chain(bind_carried(mixins, folder, allow_code=allow_code))
