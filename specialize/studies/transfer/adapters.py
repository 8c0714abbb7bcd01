"""Task adapters: trained once on several treebanks, then used on any state of the base."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from specialize import atomic
from specialize.model.language_model import LanguageModel
from specialize.model.load import load_checkpoint
from specialize.model.word_encoder import WordEncoder
from specialize.model.word_model import WordModel
from specialize.modules.attach import attach
from specialize.modules.madx import table, task_adapters
from specialize.modules.policy import Policy, training
from specialize.modules.scope import Scope
from specialize.modules.sources import PerKey, Source
from specialize.progress import Log
from specialize.studies.transfer.recipe import AdapterPlan, Treebank, choice_of
from specialize.studies.transfer.treebanks import train_and_dev
from specialize.tasks._base import Task
from specialize.train.finetune import Data, Finetune, finetune, word_model
from specialize.train.optim import device

_WEIGHTS, _FACTS = "adapter.safetensors", "adapter.json"


@dataclass(frozen=True)
class TaskAdapter:
    """A task adapter with its scalar mix and head, on a model's encoder."""

    name: str
    task: Task[Any]
    labels: dict[str, list[str]]
    module: WordModel
    source: PerKey

    @contextmanager
    def on(self, model: LanguageModel, languages: Source | None = None) -> Iterator[Any]:
        """Run ``model`` with the adapter meanwhile, stacked on ``languages`` if given.

        The context's value is called with a language and gives the context of its forward passes.
        """
        made = (
            table(model, languages, tasks=self.source) if languages else table(model, self.source)
        )
        modules = attach(model, made)
        try:
            yield lambda language="": modules.at(Scope(language, self.name))
        finally:
            modules.detach()


def train_adapter(
    folder: Path,
    *,
    log: Log,
    base: Path,
    task: str,
    treebanks: Sequence[Treebank],
    plan: AdapterPlan,
    seed: int,
) -> None:
    """Train the adapter of a task and write it, its scalar mix and head to ``folder``."""
    parts = [train_and_dev(task, bank, plan.sentences) for bank in treebanks]
    train, dev = ([s for part in parts for s in part[i]] for i in (0, 1))
    checkpoint = load_checkpoint(base)
    model = checkpoint.model.to(device())
    source = _source(model, task, plan, seed)
    words = WordEncoder(checkpoint.vocabulary, checkpoint.framing, length=plan.length)
    modules = attach(model, table(model, source))
    with training(modules, Scope(task=task), [Policy(source)]):
        found = finetune(
            checkpoint,
            words,
            choice_of(task)()(),
            Data(train, dev, dev),
            _finetune(plan),
            seed=seed,
            folder=folder,
            log=log,
        )
    modules.detach()
    state = {"source": source, "mix": found.module.mix, "head": found.module.head}
    save_file(_tensors(state), folder / _WEIGHTS)
    facts = {"labels": found.labels, "dev": found.dev, "sentences": len(train)}
    atomic.write_json(folder / _FACTS, facts)
    (folder / "checkpoint.pt").unlink(missing_ok=True)


def open_adapter(folder: Path, model: LanguageModel, task: str, plan: AdapterPlan) -> TaskAdapter:
    """Return the adapter in ``folder`` for ``model``, in evaluation mode, its parameters frozen."""
    labels = atomic.read_json(folder / _FACTS)["labels"]
    source, method = _source(model, task, plan, 0), choice_of(task)()()
    module = word_model(model, method, labels, _finetune(plan), 0)
    saved = load_file(folder / _WEIGHTS)
    for name, part in {"source": source, "mix": module.mix, "head": module.head}.items():
        own = {n.partition("/")[2]: t for n, t in saved.items() if n.startswith(f"{name}/")}
        part.load_state_dict(own)
        part.requires_grad_(False)
    source.to(next(model.parameters()).device)
    module.eval()
    return TaskAdapter(task, method, labels, module, source.eval())


def _source(model: LanguageModel, task: str, plan: AdapterPlan, seed: int) -> PerKey:
    source = task_adapters(model, reduction=plan.reduction)
    source.keyed.add(task, seed=seed)
    return source


def _finetune(plan: AdapterPlan) -> Finetune:
    return Finetune(
        epochs=plan.epochs,
        patience=0,
        batch=plan.batch,
        rate=plan.rate,
        head_rate=plan.rate,
        freeze=0,
        schedule="linear",
        length=plan.length,
        precision="float32",
    )


def _tensors(parts: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    return {
        f"{name}/{key}": tensor.detach().cpu().contiguous()
        for name, part in parts.items()
        for key, tensor in part.state_dict().items()
    }
