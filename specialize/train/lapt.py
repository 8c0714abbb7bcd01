"""LAPT: language-adaptive pretraining, continued masked-language-model training on one language."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from specialize.corpus import Corpus
from specialize.errors import DataError, UsageError
from specialize.model.mlm import MaskedModel
from specialize.model.tiers import merge, tier
from specialize.train import loop
from specialize.train.bits_per_byte import bits_per_byte, held_out
from specialize.train.mlm import Masking, train_masked
from specialize.train.optim import adamw, at_least, groups, precision
from specialize.train.packing import order, pack
from specialize.vocab.base import VocabChange
from specialize.vocab.wordpiece.model import WordPiece


@dataclass(frozen=True)
class Lapt:
    """How to continue pretraining. The defaults are the paper's (Chau & Smith 2021)."""

    epochs: int = 20  # passes over the text
    batch: int = 32
    length: int = 128
    rate: float = 2e-5
    fresh_rate: float = 1.0  # the multiplier a: fresh rows train at a times the rate (TVA)
    warmup: int = 1000  # steps of linear warm-up; decay is linear to 0 at the end
    decay: float = 0.01
    mask: float = 0.15
    static: int = 0  # 0 = dynamic masking; 5 = five fixed maskings of each sequence, as released
    precision: str = "auto"
    dev_lines: int = 400  # held-out lines measured after every epoch

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        at_least("lapt", self, {"epochs": 0, "batch": 1, "length": 3, "warmup": 0, "dev_lines": 1})
        if not 0 < self.mask <= 1:
            raise UsageError(f"lapt.mask is a share above 0, at most 1, not {self.mask}")
        precision(self.precision)


def lapt(
    model: MaskedModel,
    change: VocabChange[WordPiece],
    corpus: Corpus,
    how: Lapt,
    *,
    seed: int,
    checkpoint: Path,
    on_epoch: Callable[[loop.Epoch], None] = lambda epoch: None,
) -> list[loop.Epoch]:
    """Train ``model`` on ``corpus.train()``, leave it at the best epoch, return the history.

    Scores are bits per byte of ``corpus.dev()``, comparable across vocabularies (train.measure).
    Fresh rows are a parameter of their own with ``fresh_rate`` times the rate; their entries in the
    output bias train at the base rate, as in the original.
    """
    sequences = _packed(change, corpus, how.length, checkpoint.with_suffix(".npy"))
    steps = -(-len(sequences) // how.batch)
    dev = [line for line, _ in zip(corpus.dev(), range(how.dev_lines), strict=False)]
    text = held_out(
        dev, (line for line, _ in zip(corpus.train(), range(20_000), strict=False)), seed=seed
    )
    if not text.chunks:
        raise DataError("the corpus has no held-out lines; give it more documents or a larger dev")
    if how.warmup >= how.epochs * steps:
        raise UsageError(
            f"lapt.warmup = {how.warmup} steps, but training has only {how.epochs * steps}"
        )
    fresh = tier(model, change.fresh) if change.fresh else []
    own = {id(parameter) for parameter in fresh}
    rest = [(n, p) for n, p in model.named_parameters() if id(p) not in own]
    tiers = groups(rest, rate=how.rate, decay=how.decay)
    tiers += [{"params": fresh, "lr": how.rate * how.fresh_rate, "weight_decay": how.decay}]
    history = train_masked(
        model,
        change.new,
        sequences,
        lambda epoch: order(len(sequences), seed=seed, epoch=epoch),
        [adamw(tiers)],
        loop.linear(how.warmup, how.epochs * steps),
        lambda: bits_per_byte(model, change.new, text, length=how.length),
        loop.Plan(how.epochs, steps, seed, precision=precision(how.precision)),
        batch=how.batch,
        masking=Masking(how.mask, how.static),
        checkpoint=checkpoint,
        on_epoch=on_epoch,
    )
    merge(model)
    model.eval()
    return history


def _packed(change: VocabChange[WordPiece], corpus: Corpus, length: int, file: Path) -> np.ndarray:
    """Return the training text as sequences, kept in ``file`` for a resumed run."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(file.name + ".partial.npy")
        np.save(partial, pack(change.new, corpus.train().documents(), length))
        os.replace(partial, file)
    sequences = np.load(file, mmap_mode="r")
    if not len(sequences):
        raise DataError("the corpus has no text to train on")
    return sequences
