"""The result of a run, to use: a directory with a model, its vocabulary and fine-tuned heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from specialize import atomic
from specialize.errors import MissingError
from specialize.recipe.methods import bind
from specialize.vocab.framing import read_framing
from specialize.vocab.open import read_vocabulary


@dataclass(frozen=True)
class Head:
    """A fine-tuned model for one task, ready to annotate."""

    module: Any
    words: Any
    task: Any
    labels: dict[str, list[str]]

    def annotate(self, sentences: Sequence[Any]) -> list[Any]:
        """Return ``sentences`` (of ``task.words``) with this head's annotation."""
        from specialize.train.finetune import predict

        return predict(self.module, self.words, self.task, self.labels, sentences)


@dataclass(frozen=True)
class Specialization:
    """A run's directory; nothing is loaded before it is asked for."""

    folder: Path

    @property
    def tasks(self) -> list[str]:
        """Return the names of the tasks that have a head."""
        return sorted(
            p.name for p in (self.folder / "heads").glob("*") if (p / "head.json").exists()
        )

    def vocabulary(self) -> Any:
        """Return the vocabulary of the specialized model."""
        return read_vocabulary(self.folder / "model")

    def head(self, task: str) -> Head:
        """Return the head for ``task``; MissingError, naming those there are, if there is none."""
        import torch
        from safetensors.torch import load_model
        from transformers import AutoConfig, AutoModelForMaskedLM

        from specialize.model.word_encoder import WordEncoder
        from specialize.model.word_model import WordModel
        from specialize.train.optim import device

        folder = self.folder / "heads" / task
        if not (folder / "head.json").exists():
            known = ", ".join(self.tasks) or "none"
            raise MissingError(f"{self.folder} has no head for {task!r}; it has: {known}")
        said = atomic.read_json(folder / "head.json")
        method = bind("task", said["task"], said["options"])()
        config = AutoConfig.from_pretrained(self.folder / "model")
        with torch.random.fork_rng():
            model = AutoModelForMaskedLM.from_config(config, dtype=torch.float32)
            head = method.head(config.hidden_size, said["labels"])
        module = WordModel(model, head, layer_dropout=0.0, precision=said["precision"])
        load_model(module, folder / "model.safetensors")
        mixes = [bind("mixin", name, options) for name, options in said["mixin"]]
        vocabulary = self.vocabulary()
        framing = read_framing(vocabulary, self.folder / "model")
        words = WordEncoder(vocabulary, framing, length=said["length"], mix=chain(mixes))
        return Head(module.eval().to(device()), words, method, said["labels"])


def chain(mixes: Sequence[Callable[[str], str]]) -> Callable[[str], str]:
    """Return the mix-ins as one function, applied in order."""
    return lambda text: reduce(lambda done, mix: mix(done), mixes, text)


def save_head(module: Any, described: dict[str, Any], folder: Path) -> None:
    """Write a fine-tuned model and what is needed to use it to ``folder``, at once."""
    from safetensors.torch import save_model

    with atomic.whole_folder(folder) as partial:
        save_model(module, str(partial / "model.safetensors"))
        atomic.write_json(partial / "head.json", described)
