"""The result of a run, to use: a directory with a model, its vocabulary and fine-tuned heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize import atomic
from specialize.errors import MissingError
from specialize.recipe.methods import bind

if TYPE_CHECKING:
    from specialize.model.word_encoder import WordEncoder
    from specialize.model.word_model import WordModel
    from specialize.tasks._base import Sentence, Task
    from specialize.tasks._pretokenize import Style
    from specialize.vocab.base import Vocabulary

Mix = Callable[[str], str]


@dataclass(frozen=True)
class HeadFacts:
    """What ``head.json`` says beside the weights."""

    task: str  # the method's name
    options: dict[str, Any]
    labels: dict[str, list[str]]
    mixin: list[list[Any]]  # method and options of each, in order
    length: int  # pieces at once
    precision: str
    seed: int
    pretokenize: Style  # how plain text is split into words


@dataclass(frozen=True)
class Head:
    """A fine-tuned model for one task, ready to annotate."""

    module: WordModel
    words: WordEncoder
    task: Task[Any]
    labels: dict[str, list[str]]
    pretokenize: Style

    def read(self, file: Path) -> list[Sentence[Any]]:
        """Return the sentences of a file to annotate; plain text is split as the training data."""
        return self.task.words(file, pretokenize=self.pretokenize)

    def annotate(self, sentences: Sequence[Sentence[Any]]) -> list[Sentence[Any]]:
        """Return ``sentences`` (of ``task.words``) with this head's annotation."""
        from specialize.train.finetune import predict

        return predict(self.module, self.words, self.task, self.labels, sentences)


@dataclass(frozen=True)
class Specialization:
    """A run's directory, or an arm's; nothing is loaded before it is asked for."""

    folder: Path

    @property
    def tasks(self) -> list[str]:
        """Return the names of the tasks that have a head."""
        return sorted(p.parent.name for p in (self.folder / "heads").glob("*/head.json"))

    def vocabulary(self) -> Vocabulary:
        """Return the vocabulary of the specialized model."""
        from specialize.vocab.open import read_vocabulary

        return read_vocabulary(self.folder / "model")

    def head(self, task: str) -> Head:
        """Return the head for ``task``; MissingError, naming those there are, if there is none."""
        return load_head(self._head_folder(task), self.folder / "model")

    def task(self, name: str) -> Task[Any]:
        """Return a task as its head was trained for it, without loading the head."""
        return _task(read_head_facts(self._head_folder(name)))

    def _head_folder(self, task: str) -> Path:
        folder = self.folder / "heads" / task
        if not (folder / "head.json").is_file():
            known = ", ".join(self.tasks) or "none"
            raise MissingError(f"{self.folder} has no head for {task!r}; it has: {known}")
        return folder


def read_head_facts(folder: Path) -> HeadFacts:
    """Return what `save_head` wrote beside the weights."""
    return HeadFacts(**atomic.read_json(folder / "head.json"))


def _task(facts: HeadFacts) -> Task[Any]:
    task: Task[Any] = bind("task", facts.task, facts.options)()
    return task


def load_head(folder: Path, model: Path) -> Head:
    """Return the head in ``folder``, fine-tuned from the model in ``model``."""
    import torch
    from safetensors.torch import load_model

    from specialize.model.load import empty_model
    from specialize.model.mlm import hidden_size
    from specialize.model.word_encoder import WordEncoder
    from specialize.model.word_model import WordModel
    from specialize.train.optim import device
    from specialize.vocab.framing import read_framing
    from specialize.vocab.open import read_vocabulary

    facts = read_head_facts(folder)
    method = _task(facts)
    with torch.random.fork_rng():
        encoder = empty_model(model)
        head = method.head(hidden_size(encoder), facts.labels)
    module = WordModel(encoder, head, layer_dropout=0.0, precision=facts.precision)
    load_model(module, folder / "model.safetensors")
    vocabulary = read_vocabulary(model)
    framing = read_framing(vocabulary, model)
    mixes = [bind("mixin", name, options) for name, options in facts.mixin]
    words = WordEncoder(vocabulary, framing, length=facts.length, mix=chain(mixes))
    return Head(module.eval().to(device()), words, method, facts.labels, facts.pretokenize)


def chain(mixes: Sequence[Mix]) -> Mix:
    """Return the mix-ins as one function, applied in order."""
    return lambda text: reduce(lambda done, mix: mix(done), mixes, text)


def save_head(module: Any, facts: HeadFacts, folder: Path) -> None:
    """Write a fine-tuned model and what is needed to use it to ``folder``, at once."""
    from safetensors.torch import save_model

    with atomic.whole_folder(folder) as partial:
        save_model(module, str(partial / "model.safetensors"))
        atomic.write_json(partial / "head.json", asdict(facts))
        (partial / "model.safetensors").chmod((partial / "head.json").stat().st_mode)
