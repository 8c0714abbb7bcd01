"""Training a language model on sequences of text: what LAPT and pretraining share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import parametrize

from specialize.errors import UsageError
from specialize.model.language_model import LanguageModel, positions
from specialize.model.loss import loss_sum
from specialize.progress import Log
from specialize.train import loop
from specialize.train.distributed import share, world
from specialize.train.masking import Masking, MaskPieces, mask
from specialize.train.packing import PADDING
from specialize.train.schedules import Schedule
from specialize.train.sharding import Inside, plain
from specialize.train.state import Parts

# shapes: N sequences, B sequences of a batch, L pieces of a sequence

Ask = Callable[[Tensor, np.ndarray, int, int], tuple[Tensor, Tensor]]
# (ids [B, L], numbers of the sequences [B], epoch, step) -> what the model sees [B, L], and the
# pieces that it is asked for [B, L]; PADDING where there is no text, or no question
_Batch = tuple[Tensor, Tensor | None, Tensor, Tensor, Tensor | None]  # what `loss_sum` takes


class Rows(Protocol):
    """Sequences of ids, PADDING behind the text: an array [N, L], or cut when read."""

    def __len__(self) -> int:
        """Return N."""
        ...

    def __getitem__(self, items: np.ndarray, /) -> np.ndarray:
        """Return the sequences [B, L] with these numbers."""
        ...


@dataclass(frozen=True)
class Step:
    """How a step reads its sequences; none of it changes what is learned but ``ends``."""

    batch: int  # sequences
    pad: int  # shown at padding
    ends: int | None = None  # the piece behind a document, if pieces see only their own document
    parts: int = 1  # the batch goes through the model in so many parts
    recompute: bool = False  # activations again in the backward pass


def masked(pieces: MaskPieces, masking: Masking, seed: int) -> Ask:
    """Return what asks for masked pieces, drawn anew in each step or fixed by epoch."""

    def ask(ids_BL: Tensor, items: np.ndarray, epoch: int, step: int) -> tuple[Tensor, Tensor]:
        seeds = (seed, step) if not masking.static else (seed, epoch % masking.static)
        text_BL = ids_BL.masked_fill(ids_BL == PADDING, pieces.pad)  # which is never chosen
        inputs, chosen = _mask(text_BL, items, pieces, masking, seeds)
        return inputs, text_BL.masked_fill(~chosen, PADDING)

    return ask


def following(ids_BL: Tensor, items: np.ndarray, epoch: int, step: int) -> tuple[Tensor, Tensor]:
    """Ask for the piece that follows each piece."""
    return ids_BL, torch.cat([ids_BL[:, 1:], torch.full_like(ids_BL[:, :1], PADDING)], 1)


def train_language_model(
    model: LanguageModel,
    ask: Ask,
    sequences: Rows,
    order: Callable[[int], np.ndarray],
    optimizers: Sequence[torch.optim.Optimizer],
    schedule: Schedule,
    evaluate: Callable[[], float],
    plan: loop.Plan,
    how: Step,
    *,
    within: Callable[[np.ndarray], AbstractContextManager[object]] = lambda items: nullcontext(),
    checkpoint: Path,
    log: Log,
    inside: Inside = plain,
) -> list[loop.Epoch]:
    """Train on ``sequences`` in the ``order(epoch)`` [N]; leave the best epoch in ``model``.

    ``within``: numbers of a batch's sequences [B] -> what its forward and backward pass run in.
    Processes that train together all call this with the same: each draws the masks of the whole
    batch, and computes its share. ``inside`` calls functions of a model that is sharded.
    """
    device = next(model.parameters()).device
    items_of = lru_cache(maxsize=1)(order)
    each = -(-how.batch // world())
    parts = Parts(how.parts, each if inside is plain else how.parts)

    def losses_at(epoch: int, step: int) -> Iterator[Tensor]:
        start = (step - epoch * plan.steps) * how.batch
        items = items_of(epoch)[start : start + how.batch]
        ids = torch.from_numpy(sequences[items].astype(np.int64))
        log.read(int((ids != PADDING).sum()), ids.numel())
        inputs, targets = ask(ids, items, epoch, step)
        wanted = int((targets != PADDING).sum())
        if not wanted:  # in all processes: none waits for another's gradient
            return
        own = _share_of(ids, inputs, targets, how)
        with within(items):
            for numbers in torch.arange(len(own.ids)).chunk(parts.number):
                if (batch := own.part(numbers, device)) is None:
                    continue
                with parametrize.cached():
                    loss = inside(partial(loss_sum, model, *batch))
                yield loss / wanted

    with plain_attention(model, device), _recomputing(model, how.recompute):
        return loop.run(
            model,
            optimizers,
            schedule,
            losses_at,
            lambda _: _without_gradient(inside, evaluate),
            plan,
            checkpoint=checkpoint,
            log=log,
            parts=parts,
        )


@dataclass(frozen=True)
class _Share:
    """What this process computes of a batch, [B, L] each."""

    ids: Tensor
    inputs: Tensor  # what the model sees
    targets: Tensor  # what it is asked for
    documents: Tensor | None  # the number of each piece's document

    def part(self, numbers_B: Tensor, device: torch.device) -> _Batch | None:
        """Return some of its sequences as `loss_sum` takes them; None if nothing is asked."""
        asked = self.targets[numbers_B]
        places = positions(asked != PADDING)  # on the CPU: a GPU never waits for them
        if not len(places) and world() == 1:
            return None
        real = self.ids[numbers_B] != PADDING
        return (
            self.inputs[numbers_B].to(device),
            None if bool(real.all()) else real.to(device),
            places.to(device),
            asked.flatten()[places].to(device),
            None if self.documents is None else self.documents[numbers_B].to(device),
        )


def _share_of(ids_BL: Tensor, inputs_BL: Tensor, targets_BL: Tensor, how: Step) -> _Share:
    """Return this process's share of a batch, as long as every other's."""
    own = share(len(ids_BL))  # -1 where nothing is left
    return _Share(
        ids_BL[own],
        inputs_BL.masked_fill(ids_BL == PADDING, how.pad)[own],
        targets_BL[own].masked_fill(own[:, None] < 0, PADDING),
        None if how.ends is None else documents_of(ids_BL, how.ends)[own],
    )


@torch.no_grad()
def _without_gradient(inside: Inside, evaluate: Callable[[], float]) -> float:
    return float(inside(evaluate))


def documents_of(ids_BL: Tensor, ends: int) -> Tensor:
    """Return the number of each piece's document [B, L]: one more behind each piece ``ends``.

    Padding, which is not text, is a document of its own.
    """
    ended = (ids_BL == ends).cumsum(1)
    numbers = ended - (ids_BL == ends).long()  # the end belongs to its document
    return numbers.masked_fill(ids_BL == PADDING, -1)


@contextmanager
def plain_attention(model: LanguageModel, device: torch.device) -> Iterator[None]:
    """Use unfused attention on a CPU, where the fused backward pass is slower at such lengths."""
    before = model.config._attn_implementation
    if device.type == "cpu":
        model.set_attn_implementation("eager")
    try:
        yield
    finally:
        if device.type == "cpu":
            model.set_attn_implementation(before)


@contextmanager
def _recomputing(model: LanguageModel, wanted: bool) -> Iterator[None]:
    """Keep no activations within layers where that is ``wanted``; UsageError if it cannot be."""
    if not wanted:
        yield
        return
    now = "activation" if hasattr(model, "activation_checkpointing_enable") else "gradient"
    try:
        getattr(model, f"{now}_checkpointing_enable")({"use_reentrant": False})
    except ValueError as error:
        raise UsageError(f"{error}; set recompute = false") from None
    try:
        yield
    finally:
        getattr(model, f"{now}_checkpointing_disable")()


def _mask(
    ids_BL: Tensor,
    items: np.ndarray,
    pieces: MaskPieces,
    masking: Masking,
    seeds: tuple[int, int],
) -> tuple[Tensor, Tensor]:
    chosen_by = partial(mask, pieces=pieces, rate=masking.rate, words=masking.words)
    if not masking.static:
        return chosen_by(ids_BL, generator=_generator(*seeds))
    rows = [
        chosen_by(row[None], generator=_generator(*seeds, int(item)))
        for row, item in zip(ids_BL, items, strict=True)
    ]
    inputs, chosen = zip(*rows, strict=True)
    return torch.cat(inputs), torch.cat(chosen)


def _generator(*seeds: int) -> torch.Generator:
    seed = int(np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0] >> np.uint64(1))
    return torch.Generator().manual_seed(seed)
