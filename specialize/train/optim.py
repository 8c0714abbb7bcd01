"""Which parameters train at which rate, on which device, in which precision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import nn

from specialize.errors import UsageError

PRECISIONS = ("auto", "float32", "bfloat16")


def at_least(table: str, plan: object, bounds: Mapping[str, int]) -> None:
    """Raise UsageError for a number of ``plan``, the recipe's ``table``, below its bound."""
    for name, least in bounds.items():
        if getattr(plan, name) < least:
            raise UsageError(f"{table}.{name} is at least {least}, not {getattr(plan, name)}")


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
    parameters: list[dict[str, object]], *, betas: tuple[float, float] = (0.9, 0.999)
) -> torch.optim.AdamW:
    """Return AdamW over parameter groups (with bias correction, unlike the original's)."""
    return torch.optim.AdamW(
        [group for group in parameters if group["params"]], betas=betas, eps=1e-6, fused=True
    )


def device() -> torch.device:
    """Return the GPU if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def precision(wanted: str) -> str:
    """Return ``wanted``; for ``"auto"``, bfloat16 where the device is fast at it, else float32."""
    if wanted not in PRECISIONS:
        raise UsageError(f"unknown precision {wanted!r}; known: {', '.join(PRECISIONS)}")
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
    return "bfloat16" if torch.cpu._is_avx512_bf16_supported() else "float32"
