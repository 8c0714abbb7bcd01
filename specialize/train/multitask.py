"""Several tasks trained together on one encoder: hard parameter sharing (Chau & Smith 2021, §3.1).

A batch holds sentences of one task, or of several that share their training file.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from specialize import atomic
from specialize.errors import DataError, UsageError
from specialize.model.load import Checkpoint
from specialize.model.word_encoder import WordBatch, WordEncoder
from specialize.model.word_model import WordModel
from specialize.progress import Log, Silent
from specialize.tasks._base import Task, dev_score
from specialize.train import loop
from specialize.train.finetune import (
    Data,
    Finetune,
    Finetuned,
    loop_plan,
    restored,
    schedule_of,
    tested,
    tiers,
    word_model,
)
from specialize.train.finetune import predict as annotate
from specialize.train.optim import adamw, at_least
from specialize.train.sampling import SAMPLINGS, batches_by_length, mixed_batches

CHECKPOINTS = ("one", "each")


@dataclass(frozen=True)
class Multitask:
    """How the tasks of an arm are trained together. The defaults are MTL-INT of the paper.

    A batch is of one task. "interleave": the tasks take turns; where one has no more, the others go
    on (MTL-INT). "upsample": they take turns until the largest is through; the others begin again
    as often as needed (MTL-UPS). "shuffled": all batches in random order. "proportional" and
    "temperature": as many batches, each of a task drawn by its number of sentences.
    """

    sampling: str = "interleave"  # or upsample, shuffled, proportional, temperature
    temperature: float = 2.0  # of "temperature": n sentences have the weight n^(1/temperature)
    joint: bool = False  # tasks with one training file share batches and scalar mix (ALT)
    normalize: bool = False  # divide each task's loss by its value before training
    checkpoint: str = "one"  # at the best sum of dev scores; "each": at each task's own best
    prefinetune: bool = False  # then fine-tune each task alone from that checkpoint (MTL-PFT)

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        for name, known in (("sampling", SAMPLINGS), ("checkpoint", CHECKPOINTS)):
            if (given := getattr(self, name)) not in known:
                raise UsageError(f"unknown multitask.{name} {given!r}; known: {', '.join(known)}")
        at_least("multitask", self, {"temperature": 0})
        if not self.temperature:
            raise UsageError("expected multitask.temperature above 0, got 0")
        if self.temperature != type(self).temperature and self.sampling != "temperature":
            raise UsageError(
                f"multitask.temperature has no effect on {self.sampling!r}; set "
                'multitask.sampling = "temperature"'
            )

    def __str__(self) -> str:
        """Return the sampling and other options: ``"upsample (joint, checkpoint each)"``."""
        values = {f.name: getattr(self, f.name) for f in fields(self)[1:]}
        defaults = {f.name: f.default for f in fields(self)}
        options = [
            name if value is True else f"{name} {value}"
            for name, value in values.items()
            if value != defaults[name]
        ]
        return f"{self.sampling} ({', '.join(options)})" if options else self.sampling


@dataclass(frozen=True)
class Part:
    """A task to train with others; those of equal ``source`` have the same training sentences."""

    task: Task[Any]
    data: Data
    source: Hashable


@dataclass(frozen=True)
class _Member:
    """A part with its labels and its model, which shares the encoder with the others'."""

    part: Part
    labels: dict[str, list[str]]
    model: WordModel

    def loss(self, states_BWD: Tensor, batch: WordBatch, items: np.ndarray) -> Tensor:
        scores = self.model.head(states_BWD, batch.mask_BW)
        sentences = [self.part.data.train[i] for i in items]
        return self.part.task.loss(self.model.head, scores, sentences, self.labels, batch.mask_BW)

    def dev_score(self, words: WordEncoder) -> float:
        task, dev = self.part.task, self.part.data.dev
        return dev_score(task, dev, annotate(self.model, words, task, self.labels, dev))


class _Together(nn.Module):
    """What several word models consist of, each part once."""

    def __init__(self, models: Sequence[WordModel]) -> None:
        super().__init__()
        self.encoder = models[0].encoder
        self.mixes = nn.ModuleList({id(model.mix): model.mix for model in models}.values())
        self.heads = nn.ModuleList(model.head for model in models)


def groups_of(sources: Sequence[Hashable], *, joint: bool) -> list[list[int]]:
    """Return the numbers of the tasks that share their batches.

    >>> groups_of(["a", "b", "a"], joint=True)
    [[0, 2], [1]]
    """
    if not joint:
        return [[i] for i in range(len(sources))]
    return [[i for i, own in enumerate(sources) if own == one] for one in dict.fromkeys(sources)]


def train_together(
    checkpoint: Checkpoint,
    words: WordEncoder,
    parts: Sequence[Part],
    plan: Finetune,
    how: Multitask,
    *,
    seed: int,
    folder: Path,
    log: Log = Silent(),  # noqa: B008 (without state)
) -> Iterator[Finetuned]:
    """Yield the model of each part at the best epoch: of the sum of dev scores, or its own.

    All share the encoder of ``checkpoint``, so each is to be saved before the next is taken. One
    part alone is trained as `finetune` does. ``folder`` holds what an interrupted call resumes
    from, until `forget`; the history of each result has the dev scores of its own task.
    """
    groups = groups_of([part.source for part in parts], joint=how.joint)
    members = _members(checkpoint, parts, groups, plan, seed)
    module = _Together([member.model for member in members])
    history = _train(module, members, groups, words, plan, how, seed=seed, folder=folder, log=log)
    scores = {epoch: row for epoch, *row in atomic.read_json(folder / "dev.json")}
    for i, member in enumerate(members):
        if how.checkpoint == "each":
            module.load_state_dict(torch.load(folder / f"best-{i}.pt", weights_only=True))
        own = [
            loop.Epoch(e.epoch, e.steps, e.train_loss, scores[e.epoch][i], e.seconds)
            for e in history
        ]
        yield tested(member.model, words, member.part.task, member.part.data, member.labels, own)


def forget(folder: Path) -> None:
    """Remove what an interrupted call of `train_together` resumes from."""
    # subtle: the checkpoint first, for it cannot be resumed from without the others
    for file in (folder / "checkpoint.pt", folder / "dev.json", *folder.glob("best-*.pt")):
        file.unlink(missing_ok=True)


def _members(
    checkpoint: Checkpoint,
    parts: Sequence[Part],
    groups: Sequence[Sequence[int]],
    plan: Finetune,
    seed: int,
) -> list[_Member]:
    """Return the parts with fresh heads; those of a group share their scalar mix."""
    model = restored(checkpoint.model)
    found = []
    for part in parts:
        labels = part.task.labels([*part.data.train, *part.data.dev])
        part.task.check(part.data.train, labels)
        found.append(_Member(part, labels, word_model(model, part.task, labels, plan, seed)))
    for group in groups:
        first = found[group[0]]
        for i in group:
            _check_same_sentences(first.part, found[i].part)
            found[i].model.mix = first.model.mix
    return found


def _check_same_sentences(one: Part, other: Part) -> None:
    """Raise DataError unless both have the same words, sentence by sentence."""
    if [s.words for s in one.data.train] != [s.words for s in other.data.train]:
        raise DataError(
            f"{one.data.train[0].where}: expected the same training sentences of {one.task.name} "
            f"and {other.task.name}, which share a file, got others; set multitask.joint = false"
        )


def _train(
    module: _Together,
    members: Sequence[_Member],
    groups: Sequence[Sequence[int]],
    words: WordEncoder,
    plan: Finetune,
    how: Multitask,
    *,
    seed: int,
    folder: Path,
    log: Log,
) -> list[loop.Epoch]:
    """Train ``module``, leave it at its best epoch and return the history."""
    lengths = [words.sizes(s.words for s in members[group[0]].part.data.train) for group in groups]
    device = next(module.parameters()).device

    @lru_cache(maxsize=1)
    def batches(epoch: int) -> list[tuple[int, np.ndarray]]:
        return mixed_batches(
            lengths, plan.batch, how.sampling, temperature=how.temperature, seed=seed, epoch=epoch
        )

    def losses(place: int, items: np.ndarray, *, frozen: bool) -> list[Tensor]:
        group = [members[i] for i in groups[place]]
        sentences = group[0].part.data.train
        batch = words.batch([sentences[i].words for i in items], device)
        log.read(sum(lengths[place][i] for i in items), batch.ids_RL.numel())
        states_BWD = group[0].model.states(batch, frozen=frozen)
        return [member.loss(states_BWD, batch, items) for member in group]

    steps = len(batches(0))
    first = [batches_by_length(own, plan.batch, seed=seed, epoch=0)[0] for own in lengths]
    scales = _scales(module, groups, first, losses) if how.normalize else None
    dev = _Dev(members, words, folder, keep=how.checkpoint == "each", module=module)

    def loss_at(epoch: int, step: int) -> Tensor:
        place, items = batches(epoch)[step - epoch * steps]
        found = losses(place, items, frozen=epoch < plan.freeze)
        if scales:
            found = [loss / scales[i] for loss, i in zip(found, groups[place], strict=True)]
        return sum(found[1:], found[0])

    return loop.run(
        module,
        [adamw(tiers(module, plan), bias_correction=plan.bias_correction)],
        schedule_of(plan, steps),
        loss_at,
        dev.evaluate,
        loop_plan(plan, steps, seed, metric="sum of dev scores"),
        checkpoint=folder / "checkpoint.pt",
        log=log,
    )


@torch.no_grad()
def _scales(
    module: _Together,
    groups: Sequence[Sequence[int]],
    first: Sequence[np.ndarray],
    losses: Any,
) -> dict[int, float]:
    """Return each task's loss on its ``first`` batch, before training and without dropout.

    1 for a loss of 0, as of a task with a single label.
    """
    module.eval()
    with loop.seeded(module, 0):  # of layers left out with plan.evaluation_dropout
        return {
            task: float(loss) or 1.0
            for place, items in enumerate(first)
            for task, loss in zip(groups[place], losses(place, items, frozen=True), strict=True)
        }


class _Dev:
    """The dev scores by epoch, and each task's best weights if they are to be kept, on disk.

    Epochs after the checkpoint from which training resumes are evaluated again, to the same end.
    """

    def __init__(
        self,
        members: Sequence[_Member],
        words: WordEncoder,
        folder: Path,
        *,
        keep: bool,
        module: _Together,
    ) -> None:
        self._members, self._words, self._folder = members, words, folder
        self._keep, self._module = keep, module

    def evaluate(self, epoch: int) -> float:
        """Return the sum of the tasks' scores after ``epoch``, and remember them."""
        rows: list[list[float]] = []
        with suppress(FileNotFoundError):
            rows = atomic.read_json(self._folder / "dev.json")
        rows = [row for row in rows if row[0] < epoch]
        scores = [member.dev_score(self._words) for member in self._members]
        for i, score in enumerate(scores):
            if self._keep and all(score > row[i + 1] for row in rows):
                with atomic.whole_file(self._folder / f"best-{i}.pt") as partial:
                    torch.save(self._module.state_dict(), partial)
        atomic.write_json(self._folder / "dev.json", [*rows, [epoch, *scores]])
        return sum(scores)
