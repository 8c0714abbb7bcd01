"""Cross-entropy at places of a batch, the logits of which never exist all at once.

For 8,192 places and 119,547 pieces the logits alone are 3.9 GB in float32, as much again their
gradient. Here they are made for some rows at a time, with the gradients of states and table, as in
Liger and CCE (Hsu et al. 2024; Wijmans et al. 2024), but in plain PyTorch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from specialize.model.language_model import (
    LanguageModel,
    bare_head,
    logits_at,
    output_layer,
    states_at,
)

# shapes: M places, D width, R rows of the table, B sequences, L pieces

_LOGITS = 1 << 26  # at once: 256 MB in float32


def loss_sum(
    model: LanguageModel,
    ids_BL: Tensor,
    real_BL: Tensor | None,
    places_M: Tensor,
    targets_M: Tensor,
    documents_BL: Tensor | None = None,
) -> Tensor:
    """Return the summed cross-entropy (nats, float32) of the pieces ``targets_M`` at ``places_M``.

    The batch is that of `logits_at`. A model without a known head (``head_of``) makes all logits.
    """
    batch = model, ids_BL, real_BL, places_M, documents_BL
    head = bare_head(model)
    if head is None or (output := output_layer(model)) is None:
        logits = logits_at(*batch)
        return F.cross_entropy(logits.float(), targets_M, reduction="sum")
    states_MD = head(states_at(*batch))
    return linear_cross_entropy(states_MD, output.weight, output.bias, targets_M)


def linear_cross_entropy(
    states_MD: Tensor,
    weight_RD: Tensor,
    bias_R: Tensor | None,
    targets_M: Tensor,
    *,
    logits: int = _LOGITS,
) -> Tensor:
    """Return ``F.cross_entropy(F.linear(states, weight, bias), targets, reduction="sum")``.

    ``logits``: how many exist at once. Products are in the precision of autocast, sums in float32.
    """
    rows = max(1, logits // len(weight_RD))
    device = states_MD.device.type
    kind = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
    given = states_MD, weight_RD, bias_R, targets_M
    total: Tensor = _Summed.apply(*given, rows, kind or states_MD.dtype, torch.is_grad_enabled())
    return total


class _Summed(torch.autograd.Function):
    """The sum, and the gradients with it: nothing is computed twice."""

    @staticmethod
    def forward(
        ctx: Any,
        states_MD: Tensor,
        weight_RD: Tensor,
        bias_R: Tensor | None,
        targets_M: Tensor,
        rows: int,
        kind: torch.dtype,
        trains: bool,
    ) -> Tensor:
        wanted = [trains and need for need in ctx.needs_input_grad[:3]]
        inputs = states_MD, weight_RD, bias_R
        pairs = zip(inputs, wanted, strict=True)
        grads = [None if x is None or not w else torch.zeros_like(x) for x, w in pairs]
        total = torch.zeros((), device=states_MD.device)
        with torch.autocast(states_MD.device.type, enabled=False):
            table, bias = weight_RD.to(kind), None if bias_R is None else bias_R.to(kind)
            for start in range(0, len(states_MD), rows):
                part = slice(start, start + rows)
                states = states_MD[part].to(kind)
                logits = F.linear(states, table, bias).float()
                total += _loss(logits, targets_M[part])  # leaves the gradient in ``logits``
                if any(wanted):
                    _add(grads, part, states, table, logits.to(kind))
        ctx.save_for_backward(*grads)
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        found = [None if g is None else g * grad for g in ctx.saved_tensors]
        return (*found, None, None, None, None)


def _loss(logits_MR: Tensor, targets_M: Tensor) -> Tensor:
    """Return the sum of the losses, and put their gradient in place of the logits."""
    places = torch.arange(len(targets_M), device=targets_M.device)
    sums_M = logits_MR.logsumexp(1)
    total = (sums_M - logits_MR[places, targets_M]).sum()
    logits_MR.sub_(sums_M[:, None]).exp_()
    logits_MR[places, targets_M] -= 1
    return total


def _add(
    grads: list[Tensor | None], part: slice, states: Tensor, table: Tensor, gradient: Tensor
) -> None:
    """Add what the gradient [M, R] of the logits gives states, table and bias."""
    of_states, of_table, of_bias = grads
    if of_states is not None:
        of_states[part] = gradient @ table
    if of_table is not None:
        of_table += gradient.T @ states
    if of_bias is not None:
        of_bias += gradient.sum(0)
