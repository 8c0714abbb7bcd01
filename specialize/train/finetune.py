"""Fine-tuning a model for one task on words, scored by the task's official metric."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from specialize.errors import UsageError
from specialize.model.mlm import MaskedModel
from specialize.model.word_encoder import WordEncoder
from specialize.model.word_model import WordModel
from specialize.tasks._base import Sentence, Task
from specialize.train import loop
from specialize.train.optim import adamw, at_least, groups, precision
from specialize.train.packing import batches_by_length

SCHEDULES = ("inverse_sqrt", "constant", "linear")


@dataclass(frozen=True)
class Finetune:
    """How to fine-tune. The defaults are the paper's (Chau & Smith 2021)."""

    epochs: int = 200
    patience: int = 20  # epochs without a better dev score; 0 = all epochs
    batch: int = 16  # sentences
    rate: float = 5e-5  # encoder
    head_rate: float = 1e-3  # head and scalar mix
    freeze: int = 1  # epochs in which only head and scalar mix train
    schedule: str = "inverse_sqrt"  # the text's; the authors' code ran "constant"; or "linear"
    decay: float = 0.01
    layer_dropout: float = 0.1
    length: int = 256  # pieces at once; longer sentences are read in parts
    precision: str = "auto"

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        at_least("finetune", self, {"epochs": 0, "patience": 0, "batch": 1, "length": 3})
        if self.schedule not in SCHEDULES:
            raise UsageError(
                f"unknown finetune.schedule {self.schedule!r}; known: {', '.join(SCHEDULES)}"
            )
        precision(self.precision)


@dataclass(frozen=True)
class Data:
    """The three parts of a task's data; ``test`` is looked at once, at the end."""

    train: Sequence[Sentence[Any]]
    dev: Sequence[Sentence[Any]]
    test: Sequence[Sentence[Any]]


@dataclass(frozen=True)
class Finetuned:
    """A fine-tuned model and what it scored; metrics in percent."""

    module: WordModel
    labels: dict[str, list[str]]
    history: list[loop.Epoch]
    dev: dict[str, float]
    test: dict[str, float]
    predicted: list[Sentence[Any]]  # the test sentences as predicted


def finetune(
    model: MaskedModel,
    words: WordEncoder,
    task: Task[Any],
    data: Data,
    how: Finetune,
    *,
    seed: int,
    checkpoint: Path,
    on_epoch: Callable[[loop.Epoch], None] = lambda epoch: None,
) -> Finetuned:
    """Return a copy of ``model`` fine-tuned for ``task``, at its best epoch on ``data.dev``.

    The inventory of labels is that of train and dev, as in the original.
    """
    labels = task.labels([*data.train, *data.dev])
    task.check(data.train, labels)
    module = _module(model, task, labels, how, seed)
    heads = [p for n, p in module.named_parameters() if not n.startswith("encoder.")]
    tiers = groups(module.encoder.named_parameters(), rate=how.rate, decay=how.decay)
    tiers.append({"params": heads, "lr": how.head_rate, "weight_decay": how.decay})
    steps = -(-len(data.train) // how.batch)
    device = next(module.parameters()).device

    lengths = [len(sentence.words) for sentence in data.train]

    def loss_at(epoch: int, step: int) -> Tensor:
        batches = batches_by_length(lengths, how.batch, seed=seed, epoch=epoch)
        part = [data.train[i] for i in batches[step - epoch * steps]]
        batch = words.batch([s.words for s in part], device)
        scores = module(batch, frozen=epoch < how.freeze)
        return task.loss(module.head, scores, part, labels, batch.mask_BW)

    def evaluate() -> float:
        predicted = predict(module, words, task, labels, data.dev)
        return task.score(data.dev, predicted)[task.metric]

    history = loop.run(
        module,
        [adamw(tiers)],
        _schedule(how, steps),
        loss_at,
        evaluate,
        loop.Plan(how.epochs, steps, seed, clip=5.0, patience=how.patience, lower_is_better=False),
        checkpoint=checkpoint,
        on_epoch=on_epoch,
    )
    module.eval()
    dev = task.score(data.dev, predict(module, words, task, labels, data.dev))
    predicted = predict(module, words, task, labels, data.test)
    return Finetuned(module, labels, history, dev, task.score(data.test, predicted), predicted)


@torch.no_grad()
def predict(
    module: WordModel,
    words: WordEncoder,
    task: Task[Any],
    labels: dict[str, list[str]],
    sentences: Sequence[Sentence[Any]],
    *,
    batch: int = 64,
) -> list[Sentence[Any]]:
    """Return ``sentences`` with the model's annotation in place of theirs."""
    was_training = module.training
    module.eval()
    device = next(module.parameters()).device
    by_length = sorted(range(len(sentences)), key=lambda i: len(sentences[i].words))
    found: dict[int, Sentence[Any]] = {}
    for start in range(0, len(by_length), batch):
        items = by_length[start : start + batch]
        tensors = words.batch([sentences[i].words for i in items], device)
        scores = module(tensors)
        for i, annotation in zip(
            items, task.decode(module.head, scores, labels, tensors.mask_BW), strict=True
        ):
            found[i] = task.predicted(sentences[i], annotation)
    module.train(was_training)
    return [found[i] for i in range(len(sentences))]


def _module(
    model: MaskedModel, task: Task[Any], labels: dict[str, list[str]], how: Finetune, seed: int
) -> WordModel:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        head = task.head(model.config.hidden_size, labels)
    module = WordModel(
        copy.deepcopy(model),
        head,
        layer_dropout=how.layer_dropout,
        precision=precision(how.precision),
    )
    return module.to(next(model.parameters()).device)


def _schedule(how: Finetune, steps: int) -> loop.Schedule:
    if how.schedule == "inverse_sqrt":
        return loop.inverse_sqrt(steps)
    if how.schedule == "constant":
        return loop.constant()
    return loop.linear(steps, how.epochs * steps)
