"""Tiny random hosts of the shapes that modules can be attached to."""

from typing import Any

import torch
from tiny_models import SHAPES, random_model

HOSTS = ("bert", "roberta", "xlm-r", "camembert", "modernbert")
IDS = torch.tensor([[2, 5, 6, 7, 3], [2, 8, 9, 3, 0]])
REAL = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]])
ROLES = {"pad": 0, "cls": 2, "sep": 3}


def new_host(name: str, *, layers: int = 3, **config: Any) -> Any:
    """Return a random masked model of a shape: width 8, ``layers`` layers."""
    config |= {"num_hidden_layers": layers}
    if name == "modernbert":
        config["layer_types"] = ["full_attention"] * layers
    return random_model(SHAPES[name], vocab_size=20, positions=16, tied=True, ids=ROLES, **config)


def logits(host: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = host(input_ids=IDS, attention_mask=REAL).logits
    return found


def randomise(module: torch.nn.Module, std: float = 0.4) -> None:
    """Fill all parameters, so that every one matters."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, std, generator=generator)
