"""Training a masked language model on packed sequences: what LAPT and pretraining share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils import parametrize

from specialize.model.mlm import MaskedModel, logits_at, positions
from specialize.progress import Log
from specialize.train import loop
from specialize.train.masking import Masking, MaskPieces, mask
from specialize.train.schedules import Schedule


def train_masked(
    model: MaskedModel,
    pieces: MaskPieces,
    sequences_NL: np.ndarray,
    order: Callable[[int], np.ndarray],
    optimizers: Sequence[torch.optim.Optimizer],
    schedule: Schedule,
    evaluate: Callable[[], float],
    plan: loop.Plan,
    *,
    batch: int,
    masking: Masking,
    checkpoint: Path,
    log: Log,
) -> list[loop.Epoch]:
    """Train on ``sequences_NL`` in the ``order(epoch)`` [N]; leave the best epoch in ``model``."""
    device = next(model.parameters()).device
    items_of = lru_cache(maxsize=1)(order)

    def loss_at(epoch: int, step: int) -> Tensor:
        start = (step - epoch * plan.steps) * batch
        items = items_of(epoch)[start : start + batch]
        ids = torch.from_numpy(sequences_NL[items].astype(np.int64))
        seeds = (plan.seed, step) if not masking.static else (plan.seed, epoch % masking.static)
        inputs, chosen = _mask(ids, items, pieces, masking, seeds)
        real = ids != pieces.pad
        places = positions(chosen)  # on the CPU, so that a GPU never waits for them
        targets = ids.flatten()[places].to(device)
        padding = None if bool(real.all()) else real.to(device)
        with parametrize.cached():
            logits = logits_at(model, inputs.to(device), padding, places.to(device))
        return F.cross_entropy(logits.float(), targets)

    with plain_attention(model, device):
        return loop.run(
            model,
            optimizers,
            schedule,
            loss_at,
            evaluate,
            plan,
            checkpoint=checkpoint,
            log=log,
        )


@contextmanager
def plain_attention(model: MaskedModel, device: torch.device) -> Iterator[None]:
    """Use unfused attention on a CPU, where the fused backward pass is slower at such lengths."""
    before = model.config._attn_implementation
    if device.type == "cpu":
        model.set_attn_implementation("eager")
    try:
        yield
    finally:
        if device.type == "cpu":
            model.set_attn_implementation(before)


def _mask(
    ids_BL: Tensor,
    items: np.ndarray,
    pieces: MaskPieces,
    masking: Masking,
    seeds: tuple[int, int],
) -> tuple[Tensor, Tensor]:
    masked = partial(mask, pieces=pieces, rate=masking.rate, words=masking.words)
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
