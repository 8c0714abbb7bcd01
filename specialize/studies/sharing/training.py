"""Training a parser of one language or two with equal updates, in any sharing.

A step reads one batch of each language, and every part is updated once: its own optimiser clips
the gradient of its part alone. So each part of each language makes the same number of updates in
all cells of the grid, shared or not, and a language that shares nothing is trained as if alone, bit
for bit: order, dropout and initial weights come from generators of its own. In the authors' code
sentences of all treebanks are shuffled, and what is shared is updated more often.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from torch import Tensor, nn

from specialize.model.load import load_checkpoint
from specialize.progress import Log, Silent
from specialize.studies.sharing.host import HostParser
from specialize.studies.sharing.parser import Parser
from specialize.studies.sharing.parts import Parts
from specialize.studies.sharing.sharing import Sharing, derived
from specialize.tasks import dep
from specialize.tasks._base import Sentence, Tree
from specialize.tasks.dep import DepTask
from specialize.train import loop
from specialize.train.optim import at_least, device
from specialize.train.sampling import batches_by_length, batches_within
from specialize.train.schedules import linear

_CLIP = 5.0  # bound on the norm of a part's gradient
_BUDGET = 1024  # words of a batch to parse
Treebank = Sequence[Sentence[Tree]]


@dataclass(frozen=True)
class Training:
    """How every parser of a study is trained, the table [training]."""

    sentences: int = 0  # of each treebank, drawn by the seed; 0 = all
    steps: int = 750  # updates of every part
    epochs: int = 5  # how often LAS on dev is measured within the steps, which chooses nothing
    batch: int = 16  # sentences of each language in a step
    rate: float = 2e-3  # of Adam; falls to 0 in a line
    dropout: float = 0.33  # of states

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        at_least("training", self, {"sentences": 0, "epochs": 1, "steps": self.epochs})
        at_least("training", self, {"batch": 1, "rate": 0})
        dep.task(dropout=self.dropout)


@dataclass(frozen=True)
class Trained:
    """A parser, and LAS on dev (the mean of the languages) after each epoch, in percent."""

    parser: Parts
    dev: list[float]


def train(
    treebanks: Mapping[str, Treebank],
    dev: Mapping[str, Treebank],
    sharing: Sharing,
    plan: Training,
    *,
    seed: int,
    folder: Path,
    host: Path | None = None,
    log: Log = Silent(),  # noqa: B008 (without state)
) -> Trained:
    """Return the parser of the languages of ``treebanks`` after the last step.

    ``host``: the folder of a base on which it is built (host.py), else it is the BiLSTM.
    ``folder`` holds ``checkpoint.pt``, from which an interrupted call resumes.
    """
    task = dep.task(dropout=plan.dropout)
    parser = _new_parser(treebanks, sharing, task, seed, host)
    how = _loop_plan(plan, seed, per_step=plan.batch * len(treebanks))
    orders = {name: _order(name, treebank, plan, seed) for name, treebank in treebanks.items()}

    def loss_at(epoch: int, step: int) -> Tensor:
        losses = []
        for language, treebank in treebanks.items():
            torch.manual_seed(derived(seed, "step", language, step))
            sentences = [treebank[i] for i in orders[language](step)]
            batch = parser.batch(language, sentences)
            head, scores = parser.part("score", language), parser(language, batch)
            losses.append(
                task.loss(head, scores, sentences, parser.labels[language], batch.mask_BW)
            )
        return sum(losses[1:], losses[0])

    def evaluate(_: int) -> float:
        return mean(
            task.score(sentences, parse(parser, language, sentences))["las"]
            for language, sentences in dev.items()
        )

    history = loop.run(
        parser,
        [_adam(module, plan.rate) for module in (*parser.once, parser.vectors)],
        linear(0, how.steps * how.epochs),
        loss_at,
        evaluate,
        how,
        checkpoint=folder / "checkpoint.pt",
        log=log,
    )
    return Trained(parser, [epoch.score for epoch in history])


def _loop_plan(plan: Training, seed: int, *, per_step: int) -> loop.Plan:
    """Return how the loop trains: each part clips its own gradient, and the last step is kept."""
    return loop.Plan(
        plan.epochs,
        plan.steps // plan.epochs,
        seed,
        clip=float("inf"),
        lower_is_better=False,
        keep_best=False,
        metric="LAS",
        rates="training.rate",
        unit="sentences",
        print_epochs=False,
        per_step=per_step,
    )


def _new_parser(
    treebanks: Mapping[str, Treebank], sharing: Sharing, task: DepTask, seed: int, host: Path | None
) -> Parts:
    if host is None:
        return Parser(treebanks, sharing, task, seed=seed).to(device())
    checkpoint = load_checkpoint(host)
    checkpoint.model.to(device())
    return HostParser(checkpoint, treebanks, sharing, task, seed=seed).to(device())


def _order(name: str, treebank: Treebank, plan: Training, seed: int) -> Callable[[int], np.ndarray]:
    """Return the function from a step to the numbers of its sentences.

    All sentences are read, in an order of the language's own, before one is read again.
    """
    lengths = [len(sentence.words) for sentence in treebank]
    own = derived(seed, "order", name)
    count = -(-len(lengths) // plan.batch)

    @lru_cache(maxsize=1)
    def batches(again: int) -> list[np.ndarray]:
        return batches_by_length(lengths, plan.batch, seed=own, epoch=again)

    return lambda step: batches(step // count)[step % count]


def _adam(module: nn.Module, rate: float) -> torch.optim.Optimizer:
    """Return Adam over one part, which clips the part's gradient by its own norm."""
    parameters = list(module.parameters())
    optimizer = torch.optim.Adam(parameters, lr=rate, fused=True)

    def clip(*_: object) -> None:
        nn.utils.clip_grad_norm_(parameters, _CLIP)

    optimizer.register_step_pre_hook(clip)
    return optimizer


@torch.no_grad()
def parse(parser: Parts, language: str, sentences: Treebank) -> list[Sentence[Tree]]:
    """Return ``sentences`` with the parser's trees in place of theirs."""
    was_training = parser.training
    parser.eval()
    task, labels = parser.task, parser.labels[language]
    found: dict[int, Sentence[Tree]] = {}
    for items in batches_within([len(s.words) for s in sentences], _BUDGET):
        batch = parser.batch(language, [sentences[i] for i in items])
        head, scores = parser.part("score", language), parser(language, batch)
        for i, tree in zip(items, task.decode(head, scores, labels, batch.mask_BW), strict=True):
            found[i] = task.predicted(sentences[i], tree)
    parser.train(was_training)
    return [found[i] for i in range(len(sentences))]
