"""Steps of masked language modelling on text of one language, and weights put back in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from specialize.model.language_model import LanguageModel, logits_at, positions
from specialize.studies.transfer.recipe import Mlm
from specialize.train.language_model import plain_attention
from specialize.train.loop import seeded
from specialize.train.masking import MaskPieces, mask
from specialize.train.optim import adamw, groups
from specialize.train.sampling import order

_CLIP = 1.0  # bound on the gradient's norm, transformers' default, which the authors used

State = list[Tensor]


def snapshot(model: nn.Module) -> State:
    """Return a copy of the parameters."""
    return [parameter.detach().clone() for parameter in model.parameters()]


@torch.no_grad()
def restore(model: nn.Module, state: State) -> None:
    """Make the parameters those of ``state``."""
    for parameter, value in zip(model.parameters(), state, strict=True):
        parameter.copy_(value)


@contextmanager
def putting_back(model: nn.Module) -> Iterator[State]:
    """Give the parameters and put them back afterwards."""
    before = snapshot(model)
    try:
        yield before
    finally:
        restore(model, before)


@torch.no_grad()
def perturb(model: nn.Module, base: State, state: State, *, seed: int) -> float:
    """Make the parameters ``base`` and noise that is as far from it as ``state``; return how far.

    Directions are Gaussian and know nothing of a language; the length is that of each tensor's own
    change.
    """
    generator = torch.Generator().manual_seed(seed)
    total = 0.0
    for parameter, start, end in zip(model.parameters(), base, state, strict=True):
        length = (end - start).norm()
        noise = torch.randn(start.shape, generator=generator).to(start)
        parameter.copy_(start + noise * (length / noise.norm()))
        total += float(length) ** 2
    return float(total**0.5)


def trajectory(
    model: LanguageModel,
    text_NL: np.ndarray,
    pieces: MaskPieces,
    plan: Mlm,
    steps: Sequence[int],
    *,
    seed: int,
) -> Iterator[int]:
    """Train all parameters of ``model`` and yield each number of ``steps`` when it is reached.

    The rate is constant, so that 10 steps are the first of 100; the authors train anew for each
    number, with a rate that falls to 0. Like theirs, weights do not decay.
    """
    optimizer = adamw(groups(model.named_parameters(), rate=plan.rate, decay=0.0))
    device = next(model.parameters()).device
    with seeded(model, seed):
        for step in range(1, max(steps) + 1):
            model.train()
            batch = batch_at(text_NL, pieces, plan, step - 1, seed=seed)
            with plain_attention(model, device):  # in training alone: scores use one kernel
                mlm_loss(model, *batch).backward()
            nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            if step in steps:
                model.eval()
                yield step
    model.eval()


def batch_at(
    text_NL: np.ndarray, pieces: MaskPieces, plan: Mlm, step: int, *, seed: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the inputs [B, L] of a step, real pieces [B, L], and places and targets [M]."""
    per_epoch = max(1, len(text_NL) // plan.batch)
    epoch, place = divmod(step, per_epoch)
    items = order(len(text_NL), seed=seed, epoch=epoch)[place * plan.batch :][: plan.batch]
    ids = torch.from_numpy(text_NL[items].astype(np.int64))
    generator = torch.Generator().manual_seed((seed << 20) + step)
    inputs, chosen = mask(ids, pieces, rate=plan.mask, generator=generator)
    places = positions(chosen)
    return inputs, ids != pieces.pad, places, ids.flatten()[places]


def mlm_loss(
    model: LanguageModel, inputs: Tensor, real: Tensor, places: Tensor, targets: Tensor
) -> Tensor:
    """Return the mean cross-entropy of the masked pieces."""
    to = next(model.parameters()).device
    logits = logits_at(model, inputs.to(to), real.to(to), places.to(to))
    return F.cross_entropy(logits.float(), targets.to(to))
