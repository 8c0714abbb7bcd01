"""LAPT: language-adaptive pretraining, continued masked-language-model training on one language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from specialize import atomic
from specialize.corpus.prepare import Prepared
from specialize.errors import DataError, UsageError
from specialize.fingerprints import is_sealed, seal
from specialize.model.load import Checkpoint
from specialize.model.mlm import MaskedModel
from specialize.model.tiers import merge, tier
from specialize.model.word_encoder import check_length
from specialize.progress import Log, Silent
from specialize.train import loop
from specialize.train.bits_per_byte import HeldOut, encode, held_out, score
from specialize.train.masking import Masking, mask_piece, mask_pieces
from specialize.train.mlm import train_masked
from specialize.train.optim import adamw, at_least, groups, precision
from specialize.train.packing import pack
from specialize.train.sampling import order
from specialize.train.schedules import linear
from specialize.vocab.base import VocabChange, Vocabulary
from specialize.vocab.framing import Framing

_SAMPLE = 20_000  # lines whose byte frequencies price unknown text


@dataclass(frozen=True)
class Lapt:
    """How to continue pretraining. The defaults are the paper's (Chau & Smith 2021)."""

    epochs: int = 20  # passes over the text
    batch: int = 32  # sequences of a step
    length: int = 128  # pieces of a sequence; default: at most what fits the base
    rate: float = 2e-5  # peak learning rate
    fresh_rate: float = 1.0  # the multiplier a: fresh rows train at a times the rate (TVA)
    warmup: int = 1000  # steps of linear warm-up, at most a tenth of all; then decay to 0
    decay: float = 0.01  # weight decay
    mask: float = 0.15  # share of the pieces to predict
    static: int = 0  # 0 = dynamic masking; 5 = five fixed maskings of each sequence, as released
    precision: str = "auto"  # float32 or bfloat16; auto: bfloat16 where it is fast
    dev_lines: int = 400  # held-out lines measured after every epoch
    per_seed: bool = False  # repeat LAPT with each seed of the recipe, not with the first alone

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        at_least("lapt", self, {"epochs": 0, "batch": 1, "length": 3, "warmup": 0, "dev_lines": 1})
        at_least("lapt", self, {"rate": 0, "fresh_rate": 0, "decay": 0})
        if not 0 < self.mask <= 1:
            raise UsageError(f"expected lapt.mask above 0 and at most 1, got {self.mask}")
        precision(self.precision)


def check(plan: Lapt, framing: Framing) -> None:
    """Raise UsageError for what ``lapt`` would refuse whatever the text is."""
    mask_piece(framing)
    check_length("lapt.length", plan.length, framing)


def lapt(
    checkpoint: Checkpoint,
    change: VocabChange[Vocabulary],
    text: Prepared,
    plan: Lapt,
    *,
    seed: int,
    folder: Path,
    mix: Callable[[str], str] = lambda line: line,
    log: Log = Silent(),  # noqa: B008 (without state)
) -> list[loop.Epoch]:
    """Train ``checkpoint.model`` on ``text``, leave it at its best epoch and return the history.

    ``checkpoint`` has the new vocabulary with its framing, and the model with ``change`` installed;
    ``mix`` is all mix-ins of ``text``. Scores are bits per byte of the original held-out lines,
    comparable across vocabularies and mix-ins (train.bits_per_byte). Fresh rows are a parameter of
    their own with ``fresh_rate`` times the rate; their entries in the output bias train at the base
    rate, as in the authors' code. ``folder`` holds ``packed.npy`` and ``checkpoint.pt``, from which
    an interrupted call resumes.
    """
    check(plan, checkpoint.framing)
    if special := checkpoint.framing.special.intersection(change.fresh):
        raise UsageError(f"fresh pieces {sorted(special)[:3]} are special in the framing given")
    model, framing = checkpoint.model, checkpoint.framing
    measured = measured_text(text, plan, seed=seed, mix=mix)
    rows = encode(measured, checkpoint.vocabulary, framing, length=plan.length)
    packed = _packed(checkpoint, text, plan.length, folder / "packed.npy")
    steps = -(-len(packed) // plan.batch)
    history = train_masked(
        model,
        mask_pieces(checkpoint.vocabulary, framing),
        packed,
        lambda epoch: order(len(packed), seed=seed, epoch=epoch),
        [adamw(_tiers(model, change.fresh, plan))],
        linear(_warmup(plan, steps, log), plan.epochs * steps),
        lambda: score(model, rows, framing.pad),
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
        batch=plan.batch,
        masking=Masking(plan.mask, plan.static),
        checkpoint=folder / "checkpoint.pt",
        log=log,
    )
    merge(model)
    model.eval()
    return history


def measured_text(text: Prepared, plan: Lapt, *, seed: int, mix: Callable[[str], str]) -> HeldOut:
    """Return the held-out text to measure on; DataError where it has too few tokens to mask.

    Unknown text is priced by the bytes of the training text, or where mix-ins rewrote that, of the
    original held-out text.
    """
    pairs = list(islice(text.dev_pairs(), plan.dev_lines))
    if any(mix(before).strip() != after for before, after in pairs):
        raise UsageError("expected the mix-ins of the text as mix, got others")
    lines = [before for before, _ in pairs]
    rewritten = any(before != after for before, after in pairs)
    train = lines if rewritten else islice(text.train, _SAMPLE)
    found = held_out(lines, train, seed=seed, mix=mix)
    if not found.chunks:
        raise DataError(
            f"expected held-out text to measure LAPT on, got {len(lines)} lines without a masked "
            "token; give more documents or raise corpus.dev"
        )
    return found


def _packed(checkpoint: Checkpoint, text: Prepared, length: int, file: Path) -> np.ndarray:
    """Return the training text as sequences, kept in ``file`` for a resumed run."""
    if not is_sealed(file):
        documents = text.train.documents()
        packed = pack(checkpoint.vocabulary, checkpoint.framing, documents, length)
        with atomic.whole_file(file) as partial, partial.open("wb") as stream:
            np.save(stream, packed)
        seal(file)
    sequences: np.ndarray = np.load(file, mmap_mode="r")
    if not len(sequences):
        raise DataError("expected text for LAPT, got no line with a piece; check the corpus")
    return sequences


def _warmup(plan: Lapt, steps: int, log: Log) -> int:
    """Return the steps of warm-up: those asked for, at most a tenth of all."""
    warmup = min(plan.warmup, plan.epochs * steps // 10)
    if warmup < plan.warmup:
        log.say(f"warm-up shortened from {plan.warmup} to {warmup} steps, a tenth of all")
    log.record(warmup=warmup)
    return warmup


def _tiers(model: MaskedModel, fresh: Sequence[int], plan: Lapt) -> list[dict[str, object]]:
    """Return the parameter groups; the rows of ``fresh`` pieces become a parameter of their own."""
    own = tier(model, fresh) if fresh else []
    known = {id(parameter) for parameter in own}
    rest = [(n, p) for n, p in model.named_parameters() if id(p) not in known]
    tiers = groups(rest, rate=plan.rate, decay=plan.decay)
    fresh_rate = plan.rate * plan.fresh_rate
    return [*tiers, {"params": own, "lr": fresh_rate, "weight_decay": plan.decay}]
