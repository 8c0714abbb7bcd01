"""Training a masked language model on packed sequences: what LAPT and pretraining share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils import parametrize

from specialize.model.mlm import MaskedModel, logits_at, positions
from specialize.train import loop
from specialize.train.packing import Frame, frame_of, mask
from specialize.vocab.wordpiece.model import WordPiece


@dataclass(frozen=True)
class Masking:
    """How positions are chosen: at which rate, anew each time or once for all, by piece or word."""

    rate: float = 0.15
    static: int = 0  # 0 = dynamic; k = each sequence has k fixed maskings, taken in turn by epoch
    words: bool = False


def train_masked(
    model: MaskedModel,
    vocabulary: WordPiece,
    sequences_NL: np.ndarray,
    order: Callable[[int], np.ndarray],
    optimizers: Sequence[torch.optim.Optimizer],
    schedule: loop.Schedule,
    evaluate: Callable[[], float],
    plan: loop.Plan,
    *,
    batch: int,
    masking: Masking,
    checkpoint: Path,
    on_epoch: Callable[[loop.Epoch], None],
) -> list[loop.Epoch]:
    """Train on ``sequences_NL`` in the ``order(epoch)`` [N]; leave the best epoch in ``model``."""
    frame = frame_of(vocabulary)
    device = next(model.parameters()).device
    if device.type == "cpu":  # the fused attention's backward pass is slower there at such lengths
        model.set_attn_implementation("eager")
    orders: dict[int, np.ndarray] = {}

    def loss_at(epoch: int, step: int) -> Tensor:
        if epoch not in orders:
            orders.clear()
            orders[epoch] = order(epoch)
        start = (step - epoch * plan.steps) * batch
        items = orders[epoch][start : start + batch]
        ids = torch.from_numpy(sequences_NL[items].astype(np.int64))
        seeds = (plan.seed, step) if not masking.static else (plan.seed, epoch % masking.static)
        inputs, chosen = _mask(ids, items, frame, masking, seeds)
        real = ids != frame.pad
        places = positions(chosen)  # on the CPU, so that a GPU never waits for them
        targets = ids.flatten()[places].to(device)
        padding = None if bool(real.all()) else real.to(device)
        with parametrize.cached():
            logits = logits_at(model, inputs.to(device), padding, places.to(device))
        return F.cross_entropy(logits.float(), targets)

    return loop.run(
        model,
        optimizers,
        schedule,
        loss_at,
        evaluate,
        plan,
        checkpoint=checkpoint,
        on_epoch=on_epoch,
    )


def _mask(
    ids_BL: Tensor, items: np.ndarray, frame: Frame, masking: Masking, seeds: tuple[int, int]
) -> tuple[Tensor, Tensor]:
    masked = partial(mask, frame=frame, rate=masking.rate, words=masking.words)
    if not masking.static:
        return masked(ids_BL, generator=_generator(*seeds))
    rows = [
        masked(row[None], generator=_generator(*seeds, int(item)))
        for row, item in zip(ids_BL, items, strict=True)
    ]
    inputs, chosen = zip(*rows, strict=True)
    return torch.cat(inputs), torch.cat(chosen)


def _generator(*seeds: int) -> torch.Generator:
    seed = int(np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0] >> np.uint64(1))
    return torch.Generator().manual_seed(seed)
