"""Fine-tuning a model for one task on words, scored by the task's official metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from safetensors.torch import load_model
from torch import Tensor, nn

from specialize.errors import UsageError
from specialize.model.language_model import LanguageModel, hidden_size
from specialize.model.load import Checkpoint
from specialize.model.word_encoder import WordEncoder
from specialize.model.word_model import WordModel
from specialize.progress import Log, Silent
from specialize.tasks._base import Sentence, Task, dev_score
from specialize.train import loop
from specialize.train.optim import adamw, at_least, groups, precision
from specialize.train.sampling import batches_by_length, batches_within
from specialize.train.schedules import Schedule, constant, inverse_sqrt, linear

_BUDGET = {"cpu": 1024, "cuda": 16384}  # pieces of a batch to predict; a CPU's caches are small
SCHEDULES = ("inverse_sqrt", "constant", "linear")


@dataclass(frozen=True)
class Finetune:
    """How to fine-tune. The defaults are the paper's (Chau & Smith 2021)."""

    epochs: int = 200  # passes over the training sentences, at most
    patience: int = 20  # epochs without a better dev score; 0 = all epochs
    batch: int = 16  # sentences of a step
    rate: float = 5e-5  # peak learning rate of the encoder
    head_rate: float = 1e-3  # peak learning rate of head and scalar mix
    freeze: int = 1  # epochs in which only head and scalar mix train
    schedule: str = "inverse_sqrt"  # as in the paper; its code ran "constant"; or "linear"
    decay: float = 0.01  # weight decay
    bias_correction: bool = True  # of AdamW; as released: false for BERT
    layer_dropout: float = 0.1  # probability of leaving a layer out of the scalar mix
    evaluation_dropout: bool = False  # leave layers out on dev and test too, as released
    length: int = 256  # pieces at once, longer sentences in parts; default: at most what fits
    precision: str = "auto"  # float32 or bfloat16; auto: bfloat16 where it is fast

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        at_least("finetune", self, {"epochs": 0, "patience": 0, "batch": 1, "length": 3})
        at_least("finetune", self, {"rate": 0, "head_rate": 0, "decay": 0, "freeze": 0})
        if not 0 <= self.layer_dropout < 1:
            raise UsageError(
                f"expected finetune.layer_dropout from 0 to below 1, got {self.layer_dropout}"
            )
        if self.schedule not in SCHEDULES:
            raise UsageError(
                f"unknown finetune.schedule {self.schedule!r}; known: {', '.join(SCHEDULES)}"
            )
        precision(self.precision)


@dataclass(frozen=True)
class Data:
    """The three parts of a task's data; ``test`` is scored once, at the end."""

    train: Sequence[Sentence[Any]]
    dev: Sequence[Sentence[Any]]
    test: Sequence[Sentence[Any]]


@dataclass(frozen=True)
class Finetuned:
    """A fine-tuned model and its scores, in percent.

    ``module`` holds the encoder of the checkpoint: save it before the next call of `finetune`.
    """

    module: WordModel
    labels: dict[str, list[str]]
    history: list[loop.Epoch]
    dev: dict[str, float]
    test: dict[str, float]
    predicted: list[Sentence[Any]]  # the test sentences as predicted


def finetune(
    checkpoint: Checkpoint,
    words: WordEncoder,
    task: Task[Any],
    data: Data,
    plan: Finetune,
    *,
    seed: int,
    folder: Path,
    start: Path | None = None,
    log: Log = Silent(),  # noqa: B008 (without state)
) -> Finetuned:
    """Return the model of ``checkpoint`` fine-tuned for ``task``, at its best epoch on dev.

    The model itself is trained. Its weights at the first call are kept on the CPU and restored by
    each later one, so that tasks and seeds share one load and need no second copy on a GPU; nothing
    else may train the model in between. The inventory of labels is that of train and dev, as in
    the authors' code. ``start``: weights of a whole model, head included, to begin with instead.
    ``folder`` holds ``checkpoint.pt``, from which an interrupted call resumes.
    """
    labels = task.labels([*data.train, *data.dev])
    task.check(data.train, labels)
    module = word_model(restored(checkpoint.model), task, labels, plan, seed)
    if start:
        load_model(module, start)
    history = _train(module, words, task, data, labels, plan, seed=seed, folder=folder, log=log)
    return tested(module, words, task, data, labels, history)


def tested(
    module: WordModel,
    words: WordEncoder,
    task: Task[Any],
    data: Data,
    labels: dict[str, list[str]],
    history: list[loop.Epoch],
) -> Finetuned:
    """Return a trained model with its scores on dev and test."""
    module.eval()
    dev = task.score(data.dev, predict(module, words, task, labels, data.dev))
    predicted = predict(module, words, task, labels, data.test)
    return Finetuned(module, labels, history, dev, task.score(data.test, predicted), predicted)


def _train(
    module: WordModel,
    words: WordEncoder,
    task: Task[Any],
    data: Data,
    labels: dict[str, list[str]],
    plan: Finetune,
    *,
    seed: int,
    folder: Path,
    log: Log,
) -> list[loop.Epoch]:
    """Train ``module``, leave it at its best epoch on ``data.dev`` and return the history."""
    steps = -(-len(data.train) // plan.batch)
    device = next(module.parameters()).device
    lengths = words.sizes(sentence.words for sentence in data.train)

    @lru_cache(maxsize=1)
    def batches(epoch: int) -> list[np.ndarray]:
        return batches_by_length(lengths, plan.batch, seed=seed, epoch=epoch)

    def loss_at(epoch: int, step: int) -> Tensor:
        items = batches(epoch)[step - epoch * steps]
        part = [data.train[i] for i in items]
        batch = words.batch([s.words for s in part], device)
        log.read(sum(lengths[i] for i in items), batch.ids_RL.numel())
        scores = module(batch, frozen=epoch < plan.freeze)
        return task.loss(module.head, scores, part, labels, batch.mask_BW)

    def evaluate(_: int) -> float:
        return dev_score(task, data.dev, predict(module, words, task, labels, data.dev))

    return loop.run(
        module,
        [adamw(tiers(module, plan), bias_correction=plan.bias_correction)],
        schedule_of(plan, steps),
        loss_at,
        evaluate,
        loop_plan(plan, steps, seed, metric=task.metric),
        checkpoint=folder / "checkpoint.pt",
        log=log,
    )


@torch.no_grad()
def predict(
    module: WordModel,
    words: WordEncoder,
    task: Task[Any],
    labels: dict[str, list[str]],
    sentences: Sequence[Sentence[Any]],
) -> list[Sentence[Any]]:
    """Return ``sentences`` with the model's annotation in place of theirs."""
    was_training = module.training
    module.eval()
    device = next(module.parameters()).device
    sizes = words.sizes(sentence.words for sentence in sentences)
    found: dict[int, Sentence[Any]] = {}
    with loop.seeded(module, 0):  # of layers left out with plan.evaluation_dropout
        for items in batches_within(sizes, _BUDGET[device.type]):
            tensors = words.batch([sentences[i].words for i in items], device)
            scores = module(tensors)
            for i, annotation in zip(
                items, task.decode(module.head, scores, labels, tensors.mask_BW), strict=True
            ):
                found[i] = task.predicted(sentences[i], annotation)
    module.train(was_training)
    return [found[i] for i in range(len(sentences))]


_LOADED: WeakKeyDictionary[Any, dict[str, Tensor]] = WeakKeyDictionary()  # model -> its weights


def restored(model: LanguageModel) -> LanguageModel:
    """Return ``model`` with the weights of the first call for it; modules attached since stay."""
    if model in _LOADED:
        found = model.load_state_dict(_LOADED[model], strict=False)
        assert not found.unexpected_keys
    else:
        state = model.state_dict()
        _LOADED[model] = {name: tensor.detach().cpu().clone() for name, tensor in state.items()}
    return model


def word_model(
    model: LanguageModel, task: Task[Any], labels: dict[str, list[str]], plan: Finetune, seed: int
) -> WordModel:
    """Return ``model`` with a fresh head."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        head = task.head(hidden_size(model), labels)
    module = WordModel(
        model,
        head,
        layer_dropout=plan.layer_dropout,
        precision=precision(plan.precision),
        evaluation_dropout=plan.evaluation_dropout,
    )
    return module.to(next(model.parameters()).device)


def tiers(module: nn.Module, plan: Finetune) -> list[dict[str, object]]:
    """Return parameter groups: the encoder, and the heads and scalar mixes."""
    heads = [p for n, p in module.named_parameters() if not n.startswith("encoder.")]
    encoder = groups(
        module.get_submodule("encoder").named_parameters(), rate=plan.rate, decay=plan.decay
    )
    return [*encoder, {"params": heads, "lr": plan.head_rate, "weight_decay": plan.decay}]


def loop_plan(plan: Finetune, steps: int, seed: int, *, metric: str) -> loop.Plan:
    """Return how the loop runs epochs of so many steps; the epoch of the best score is kept."""
    return loop.Plan(
        plan.epochs,
        steps,
        seed,
        clip=5.0,
        patience=plan.patience,
        lower_is_better=False,
        metric=metric,
        rates="finetune.rate or finetune.head_rate",
        unit="sentences",
        print_epochs=False,
        per_step=plan.batch,
    )


def schedule_of(plan: Finetune, steps: int) -> Schedule:
    """Return the schedule of learning rates for epochs of so many steps."""
    if plan.schedule == "inverse_sqrt":
        return inverse_sqrt(steps)
    if plan.schedule == "constant":
        return constant()
    return linear(steps, plan.epochs * steps)
