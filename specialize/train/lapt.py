"""LAPT: language-adaptive pretraining, a language model's training continued on one language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from specialize.corpus.prepare import Prepared
from specialize.errors import DataError, UsageError
from specialize.model.language_model import is_causal, logits_at
from specialize.model.load import Checkpoint
from specialize.model.tiers import merge
from specialize.model.word_encoder import check_length
from specialize.progress import Log, Silent
from specialize.train import loop
from specialize.train.bits_per_byte import (
    WHOLE,
    HeldOut,
    encode,
    encode_following,
    held_out,
    score,
)
from specialize.train.distributed import agree, rank
from specialize.train.language_model import (
    Ask,
    Step,
    documents_of,
    following,
    masked,
    train_language_model,
)
from specialize.train.lapt_parameters import trained_parameters
from specialize.train.masking import Masking, mask_piece, mask_pieces
from specialize.train.optim import adamw, at_least, in_equal_parts, precision
from specialize.train.packing import Sequences, read_ids, write_ids
from specialize.train.sampling import order, order_of_part
from specialize.train.schedules import linear
from specialize.train.sharding import take_whole
from specialize.vocab.base import VocabChange, Vocabulary

_SAMPLE = 20_000  # lines whose byte frequencies price unknown text


@dataclass(frozen=True)
class Lapt:
    """How to continue pretraining. The defaults are the paper's (Chau & Smith 2021)."""

    epochs: int = 20  # passes over the text
    steps: int = 0  # 0: epochs are passes; else steps in all, a multiple of epochs: equal parts
    batch: int = 32  # sequences of a step
    length: int = 128  # pieces of a sequence; default: at most what fits the base
    rate: float = 2e-5  # peak learning rate
    fresh_rate: float = 1.0  # the multiplier a: fresh rows train at a times the rate (TVA)
    warmup: int = 1000  # steps of linear warm-up, at most a tenth of all; then decay to 0
    decay: float = 0.01  # weight decay
    mask: float = 0.15  # share of the pieces to predict; a causal model predicts all
    words: bool = False  # mask whole words
    static: int = 0  # 0 = dynamic masking; 5 = five fixed maskings of each sequence, as released
    documents: bool = False  # pieces see their own document only, positions begin anew in each
    train: Literal["all", "embeddings", "fresh"] = "all"  # parameters: all, the tables of
    # rows with the output bias, or the rows of fresh pieces
    parts: int = 1  # a batch goes through the model in so many parts: less memory, same result
    recompute: bool = False  # activations in the backward pass: less memory, a third more time
    shard: bool = False  # under torchrun, each process holds a share of the parameters (FSDP2)
    precision: str = "auto"  # float32 or bfloat16; auto: bfloat16 where it is fast
    dev_lines: int = 400  # held-out lines measured after every epoch
    per_seed: bool = False  # repeat LAPT with each seed of the recipe, not with the first alone

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        at_least("lapt", self, {"epochs": 0, "batch": 1, "length": 3, "warmup": 0, "dev_lines": 1})
        at_least("lapt", self, {"parts": 1, "steps": 0, "static": 0})
        if self.steps and not 1 <= self.epochs <= self.steps:
            raise UsageError(
                f"expected lapt.epochs from 1 to lapt.steps, {self.steps}, got {self.epochs}"
            )
        if self.steps:
            in_equal_parts("lapt", self, "steps")
        at_least("lapt", self, {"rate": 0, "fresh_rate": 0, "decay": 0})
        if not 0 < self.mask <= 1:
            raise UsageError(f"expected lapt.mask above 0 and at most 1, got {self.mask}")
        precision(self.precision)

    def key_parts(self) -> dict[str, Any]:
        """Return what enters a stage's key: not on how many devices the same is computed."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "shard"}


def check(plan: Lapt, base: Checkpoint) -> None:
    """Raise UsageError for what ``lapt`` would refuse whatever the text is."""
    if not is_causal(base.model.config):
        mask_piece(base.framing)
    check_length("lapt.length", plan.length, base.framing)
    if plan.documents:
        _check_documents(base, plan.length)


def lapt(
    checkpoint: Checkpoint,
    change: VocabChange[Vocabulary],
    text: Prepared,
    plan: Lapt,
    *,
    seed: int,
    folder: Path,
    ids: Path | None = None,
    mix: Callable[[str], str] = lambda line: line,
    log: Log = Silent(),  # noqa: B008 (without state)
) -> list[loop.Epoch]:
    """Train ``checkpoint.model`` on ``text``, leave it at its best epoch and return the history.

    ``checkpoint`` has the new vocabulary with its framing, and the model with ``change`` installed;
    ``ids``: the file of ``text.train`` in pieces (`write_ids`), by default written to ``folder``;
    ``mix``: all mix-ins of ``text``. Scores are bits per byte of the original held-out lines,
    comparable across vocabularies and mix-ins among masked models, and among causal ones
    (train.bits_per_byte). Fresh rows are a parameter of their own with ``fresh_rate`` times the
    rate; their entries in the output bias train at the base rate, as in the authors' code. Both
    train where the rest of the model was frozen before (modules.policy); that stays so.
    ``folder`` holds ``checkpoint.pt``, from which an interrupted call resumes. Processes that train
    together (train.distributed) all call this; with ``plan.shard`` the model is on the CPU.
    """
    check(plan, checkpoint)
    if special := checkpoint.framing.special.intersection(change.fresh):
        raise UsageError(f"fresh pieces {sorted(special)[:3]} are special in the framing given")
    model, framing = checkpoint.model, checkpoint.framing
    causal = is_causal(model.config)
    measured = measured_text(text, plan, seed=seed, mix=mix, causal=causal)
    in_rows = encode_following if causal else encode
    rows = in_rows(measured, checkpoint.vocabulary, framing, length=plan.length)
    sequences = _sequences(checkpoint, text, plan.length, ids, folder)
    steps, ordered = _steps(plan, len(sequences), seed)
    trained, inside, tiers = trained_parameters(model, change.fresh, plan, log)
    history = train_language_model(
        trained,
        following if causal else _masked(checkpoint, plan, seed),
        sequences,
        ordered,
        [adamw(tiers)],
        linear(_warmup(plan, steps, log), plan.epochs * steps),
        lambda: score(trained, rows, framing.pad),
        loop.Plan(
            plan.epochs,
            steps,
            seed,
            precision=precision(plan.precision),
            metric="bits/byte",
            rates="lapt.rate",
            unit="tokens",
            per_step=plan.batch * plan.length,
        ),
        Step(
            plan.batch,
            framing.pad,
            framing.separator[-1] if plan.documents else None,
            plan.parts,
            plan.recompute,
        ),
        checkpoint=folder / "checkpoint.pt",
        log=log,
        inside=inside,
    )
    take_whole(model, trained)
    merge(model)
    model.requires_grad_(True)
    model.eval()
    return history


def measured_text(
    text: Prepared, plan: Lapt, *, seed: int, mix: Callable[[str], str], causal: bool = False
) -> HeldOut:
    """Return the held-out text to measure on; DataError where it has too few tokens to mask.

    ``causal``: every token is measured, in whole lines. Unknown text is priced by the bytes of the
    training text, or where mix-ins rewrote that, of the original held-out text.
    """
    pairs = list(islice(text.dev_pairs(), plan.dev_lines))
    if any(mix(before).strip() != after for before, after in pairs):
        raise UsageError("expected the mix-ins of the text as mix, got others")
    lines = [before for before, _ in pairs]
    rewritten = any(before != after for before, after in pairs)
    train = lines if rewritten else islice(text.train, _SAMPLE)
    found = held_out(lines, train, seed=seed, mix=mix, **(WHOLE if causal else {}))
    if not found.chunks:
        raise DataError(
            f"expected held-out text to measure LAPT on, got {len(lines)} lines without a masked "
            "token; give more documents or raise corpus.dev"
        )
    return found


@torch.no_grad()
def _check_documents(base: Checkpoint, length: int) -> None:
    """Raise UsageError if a document does not stay the same beside another in a sequence.

    It fills the ``length``, so that windows of attention count, as in ModernBERT.
    """
    model, framing = base.model, base.framing
    if not framing.separator:
        raise UsageError(
            "lapt.documents: the tokenizer has no piece that ends a document; name one as "
            '"eos_token" in tokenizer_config.json, or set lapt.documents = false'
        )
    ordinary = [i for i in range(len(base.vocabulary.pieces)) if i not in framing.special]
    before = [ordinary[0], *framing.separator]
    others = islice(cycle(ordinary), max(1, length - len(before)))
    both = torch.tensor([[*before, *others]], device=model.device)
    document = both[:, len(before) :]
    places = torch.arange(document.shape[1], device=model.device)
    apart = documents_of(both, framing.separator[-1])
    try:
        alone = logits_at(model, document, torch.ones_like(document), places)
        beside = logits_at(model, both, None, places + len(before), apart)
        equal = torch.allclose(alone, beside, rtol=1e-4, atol=1e-5)
    except (TypeError, ValueError, RuntimeError, IndexError):  # other masks or positions
        equal = False
    if not equal:
        raise UsageError(
            f"lapt.documents: {type(model).__name__} cannot keep documents apart; set it to false"
        )


def _sequences(
    checkpoint: Checkpoint, text: Prepared, length: int, ids: Path | None, folder: Path
) -> Sequences:
    """Return the training text, written to ``folder`` where there is no file of its ``ids``."""
    framing = checkpoint.framing
    if ids is None:
        ids = folder / "ids.bin"
        if rank() == 0:
            write_ids(checkpoint.vocabulary, framing, text.train.documents(), ids)
        agree(0)  # the others wait until they can read it
    sequences = Sequences(read_ids(ids), framing.prefix, length)
    if not len(sequences):
        raise DataError("expected text for LAPT, got no line with a piece; check the corpus")
    return sequences


def _steps(plan: Lapt, count: int, seed: int) -> tuple[int, Callable[[int], np.ndarray]]:
    """Return the steps of an epoch, and the order in which it visits ``count`` sequences."""
    if not plan.steps:
        return -(-count // plan.batch), lambda epoch: order(count, seed=seed, epoch=epoch)
    steps = plan.steps // plan.epochs
    return steps, lambda epoch: order_of_part(count, steps * plan.batch, seed=seed, part=epoch)


def _masked(checkpoint: Checkpoint, plan: Lapt, seed: int) -> Ask:
    pieces = mask_pieces(checkpoint.vocabulary, checkpoint.framing)
    return masked(pieces, Masking(plan.mask, plan.static, plan.words), seed)


def _warmup(plan: Lapt, steps: int, log: Log) -> int:
    """Return the steps of warm-up: those asked for, at most a tenth of all."""
    warmup = min(plan.warmup, plan.epochs * steps // 10)
    if warmup < plan.warmup:
        log.say(f"warm-up shortened from {plan.warmup} to {warmup} steps, a tenth of all")
    log.record(warmup=warmup)
    return warmup
