"""Which parameters train at which rate, on which device, in which precision."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn, zeros_like

from specialize.errors import UsageError
from specialize.model.device import device as device
from specialize.model.language_model import LanguageModel

PRECISIONS = ("auto", "float32", "bfloat16")


def at_least(table: str, plan: object, bounds: Mapping[str, int]) -> None:
    """Raise UsageError for a number of ``plan`` below its bound, infinite or not a number.

    ``table``: its name in recipes.
    """
    for name, least in bounds.items():
        if not least <= (given := getattr(plan, name)) < math.inf:
            key = f"{table}.{name}" if table else name
            raise UsageError(f"expected {key} of at least {least}, got {given}")


def in_equal_parts(table: str, plan: object, name: str) -> None:
    """Raise UsageError unless the steps ``name`` of ``plan`` are a multiple of its epochs."""
    steps, epochs, default = vars(plan)[name], vars(plan)["epochs"], vars(type(plan))["epochs"]
    if steps % epochs == 0:
        return
    key, parts = (f"{table}.{key}" if table else key for key in (name, "epochs"))
    shown = f"{epochs}{' by default' if epochs == default else ''}"
    lower = steps // epochs * epochs
    raise UsageError(
        f"expected {key} to be a multiple of {parts}, {shown}, got {steps}; set {key} = {lower} or "
        f"{lower + epochs}, or {parts} to a divisor of {steps}"
    )


def groups(
    named: Iterable[tuple[str, nn.Parameter]], *, rate: float, decay: float
) -> list[dict[str, object]]:
    """Return AdamW's parameter groups: matrices decay, biases and norms do not."""
    matrices: list[nn.Parameter] = []
    vectors: list[nn.Parameter] = []
    seen: set[int] = set()
    for _, parameter in named:
        if id(parameter) in seen or not parameter.requires_grad:
            continue
        seen.add(id(parameter))
        (matrices if parameter.ndim > 1 else vectors).append(parameter)
    return [
        {"params": matrices, "lr": rate, "weight_decay": decay},
        {"params": vectors, "lr": rate, "weight_decay": 0.0},
    ]


def adamw(
    parameters: list[dict[str, object]],
    *,
    betas: tuple[float, float] = (0.9, 0.999),
    bias_correction: bool = True,
) -> torch.optim.Optimizer:
    """Return AdamW over parameter groups; BERT's own lacks the bias correction."""
    given = [group for group in parameters if group["params"]]
    if not bias_correction:
        return UncorrectedAdamW(given, {"betas": betas, "eps": 1e-6, "weight_decay": 0.01})
    return torch.optim.AdamW(given, betas=betas, eps=1e-6, fused=True)


class UncorrectedAdamW(torch.optim.Optimizer):
    """AdamW without bias correction, as BERT was trained (Devlin et al. 2019).

    Moments start at 0 and are used as they are, so that first steps are up to six times as long.
    """

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Change every parameter that has a gradient."""
        for group in self.param_groups:
            (first_share, second_share), eps = group["betas"], group["eps"]
            for parameter in group["params"]:
                if (gradient := parameter.grad) is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state |= {"mean": zeros_like(parameter), "square": zeros_like(parameter)}
                state["mean"].lerp_(gradient, 1 - first_share)
                state["square"].mul_(second_share).addcmul_(
                    gradient, gradient, value=1 - second_share
                )
                parameter.mul_(1 - group["lr"] * group["weight_decay"])
                parameter.addcdiv_(
                    state["mean"], state["square"].sqrt().add_(eps), value=-group["lr"]
                )


def muon(
    model: LanguageModel, *, rate: float, hidden_rate: float, decay: float
) -> list[torch.optim.Optimizer]:
    """Return Muon for the hidden matrices and AdamW for all else, embedding tables included.

    Muon orthogonalises the momentum of each matrix (Jordan et al. 2024); a small masked model then
    leaves the unigram plateau sooner.
    """
    tables = {id(part.weight) for part in model.modules() if isinstance(part, nn.Embedding)}
    named = list(model.named_parameters())
    hidden = [p for _, p in named if p.ndim == 2 and id(p) not in tables]
    rest = [(name, p) for name, p in named if p.ndim != 2 or id(p) in tables]
    return [
        torch.optim.Muon(hidden, lr=hidden_rate, weight_decay=decay, adjust_lr_fn="original"),
        adamw(groups(rest, rate=rate, decay=decay), betas=(0.9, 0.98)),
    ]


def precision(wanted: str) -> str:
    """Return ``wanted``; for ``"auto"``, bfloat16 where the device is fast at it, else float32."""
    if wanted not in PRECISIONS:
        raise UsageError(f"unknown precision {wanted!r}; known: {', '.join(PRECISIONS)}")
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    return "bfloat16" if torch.cpu._is_avx512_bf16_supported() else "float32"
