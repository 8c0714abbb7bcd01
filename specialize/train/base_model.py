"""The model of a new base: trained on the packed text of several languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from specialize import atomic
from specialize.errors import DataError
from specialize.model.load import Checkpoint, save_model
from specialize.model.new import new_model
from specialize.progress import Log
from specialize.train import loop
from specialize.train.bits_per_byte import Row, score
from specialize.train.distributed import start_equal, together
from specialize.train.language_model import Step, masked, train_language_model
from specialize.train.masking import Masking, mask_pieces
from specialize.train.optim import device, muon, precision
from specialize.train.pretrain import DEV, PACKED, VOCABULARY, Pretrain
from specialize.train.sampling import (
    alike_turns,
    mixed_order,
    one_source_batches,
    weighted_turns,
)
from specialize.train.schedules import linear
from specialize.vocab.framing import read_framing
from specialize.vocab.open import read_vocabulary

Within = Callable[[str], AbstractContextManager[object]]  # language -> what its text runs in
_CHECKPOINT = "checkpoint.pt"


def write_base(
    folder: Path, *, log: Log, tokenizer: Path, text: Path, recipe: Pretrain, languages: list[str]
) -> None:
    """Write the trained model to ``folder/model``, and its history to ``training.json``."""
    given = {"tokenizer": tokenizer, "text": text, "languages": languages, "folder": folder}
    base, facts = together(_trained, log=log, recipe=recipe, **given)
    save_model(
        base.model, base.vocabulary, folder / "model", source=base.folder, dtype=torch.bfloat16
    )
    write_facts(facts, folder)


def _trained(
    *, log: Log, recipe: Pretrain, tokenizer: Path, text: Path, languages: list[str], folder: Path
) -> tuple[Checkpoint, dict[str, Any]]:
    base = new_base(recipe, tokenizer)
    start_equal(base.model)
    return base, train_base(recipe, base, text, languages, folder=folder, log=log)


def new_base(recipe: Pretrain, tokenizer: Path) -> Checkpoint:
    """Return the untrained model of ``recipe`` with what `write_tokenizer` wrote."""
    source = tokenizer / VOCABULARY
    vocabulary = read_vocabulary(source)
    framing = read_framing(vocabulary, source)
    model = new_model(
        recipe.shape,
        vocabulary,
        framing,
        seed=recipe.seed,
        hidden_size=recipe.hidden_size,
        num_hidden_layers=recipe.num_hidden_layers,
        num_attention_heads=recipe.num_attention_heads,
        intermediate_size=recipe.intermediate_size,
    )
    return Checkpoint(model.to(device()), vocabulary, framing, source)


def train_base(
    recipe: Pretrain,
    base: Checkpoint,
    text: Path,
    languages: Sequence[str],
    *,
    folder: Path,
    log: Log,
    within: Within = lambda language: nullcontext(),
) -> dict[str, Any]:
    """Train the model of ``base`` on what `write_text` wrote; return the facts of the training.

    ``within``: what steps and measurements of a language run in, where each batch is of one
    language. ``folder`` holds a checkpoint, from which an interrupted call resumes. DataError where
    a language that has batches of its own has no text.
    """
    packed, model = _Packed.read(text, languages), base.model

    if without := [code for code in packed.languages if code not in packed.dev]:
        log.say(f"no held-out text, so not measured: {', '.join(without)}")

    def bits() -> dict[str, float]:
        found = {}
        for code, rows in packed.dev.items():
            with within(code):
                found[code] = score(model, rows, base.framing.pad)
        return found

    def evaluate() -> float:
        found = list(bits().values())
        return sum(found) / len(found)

    def of_batch(items: np.ndarray) -> AbstractContextManager[object]:
        return within(packed.language_of(int(items[0])))

    history = _train(recipe, base, packed, evaluate, of_batch, folder / _CHECKPOINT, log)
    return {
        "history": [epoch.to_json() for epoch in history],
        "bits_per_byte": dict.fromkeys(packed.languages) | bits(),  # None: nothing held out
        "sequences": packed.counts,
    }


def write_facts(facts: Mapping[str, Any], folder: Path) -> None:
    """Write the facts of finished training to ``folder/training.json``."""
    atomic.write_json(folder / "training.json", facts)
    (folder / _CHECKPOINT).unlink(missing_ok=True)


@dataclass(frozen=True)
class _Packed:
    """The text of every language, packed; and what its held-out lines are measured on."""

    languages: Sequence[str]
    sequences_NL: np.ndarray  # those of one language after those of another
    counts: list[int]  # sequences of each language
    dev: Mapping[str, Sequence[Row]]  # by language; without those that have none held out

    @classmethod
    def read(cls, folder: Path, languages: Sequence[str]) -> _Packed:
        """Return what `write_text` wrote of ``languages``."""
        with np.load(folder / PACKED) as saved:
            parts = [saved[code] for code in languages]
        dev = {
            code: [Row(**row) for row in rows]
            for code, rows in atomic.read_json(folder / DEV).items()
            if code in languages
        }
        if not dev:
            raise DataError(
                f"expected held-out documents of {', '.join(languages)}, got none; give text of a "
                "hundred or more"
            )
        return cls(languages, np.concatenate(parts), [len(part) for part in parts], dev)

    def language_of(self, item: int) -> str:
        """Return the language of a sequence."""
        return self.languages[int(np.searchsorted(np.cumsum(self.counts), item, side="right"))]


def _order(recipe: Pretrain, packed: _Packed, steps: int) -> np.ndarray:
    """Return the numbers of the sequences that all steps read, those of one after another's."""
    counts, size = packed.counts, steps * recipe.batch
    if not recipe.one_language:
        total = recipe.steps * recipe.batch + len(counts)
        return mixed_order(counts, total, alpha=recipe.alpha, seed=recipe.seed)
    if empty := [code for code, n in zip(packed.languages, counts, strict=True) if not n]:
        raise DataError(f"expected text of each language, got none of {', '.join(empty)}")
    if recipe.per_language:
        each, parts = recipe.per_language // recipe.epochs, recipe.epochs
        turns = alike_turns(len(counts), each, parts=parts, seed=recipe.seed)
    else:
        turns = weighted_turns(counts, size // recipe.batch, alpha=recipe.alpha, seed=recipe.seed)
    return one_source_batches(counts, turns, recipe.batch, seed=recipe.seed)


def _train(
    recipe: Pretrain,
    base: Checkpoint,
    packed: _Packed,
    evaluate: Callable[[], float],
    within: Callable[[np.ndarray], AbstractContextManager[object]],
    checkpoint: Path,
    log: Log,
) -> list[loop.Epoch]:
    steps = recipe.steps // recipe.epochs
    if recipe.per_language:
        steps = recipe.per_language // recipe.epochs * len(packed.languages)
    size = steps * recipe.batch
    items = _order(recipe, packed, steps * recipe.epochs)
    pieces = mask_pieces(base.vocabulary, base.framing)
    return train_language_model(
        base.model,
        masked(pieces, Masking(recipe.mask, words=True), recipe.seed),
        packed.sequences_NL,
        lambda epoch: items[epoch * size : (epoch + 1) * size],
        muon(base.model, rate=recipe.rate, hidden_rate=recipe.hidden_rate, decay=recipe.decay),
        linear(recipe.warmup, steps * recipe.epochs),
        evaluate,
        loop.Plan(
            recipe.epochs,
            steps,
            recipe.seed,
            keep_best=False,  # the rate falls to 0: the last is the best, whatever 15 lines say
            precision=precision(recipe.precision),
            checkpoint_seconds=120,
            metric="bits/byte",
            rates="rate or hidden_rate",
            unit="tokens",
            per_step=recipe.batch * recipe.length,
        ),
        Step(recipe.batch, pieces.pad),
        within=within,
        checkpoint=checkpoint,
        log=log,
    )
