"""The points of a host at which modules act, found on models as transformers makes them.

In a layer with s = feed-forward output h + residual and u = norm(s), adapters A act at

- ``ffn_h``: h <- h + A(h), before the residual and the norm (Hyper-X);
- ``ffn_s``: s <- s + A(norm(s)), then out = norm(s) (Pfeiffer et al. 2021, MAD-X);
- ``ffn_u``: u <- u + A(u), then out = norm(u), with the same norm (X-MOD).

A pre-norm host has no norm after the feed-forward part: there ``ffn_u`` is u = s, its layer's
output, and out = u; ``ffn_s`` does not exist. ``embeddings`` is their output, after the norm.

At the attention's linear layers ``query`` and ``value``, or ``qkv`` where they are one layer with
the keys', W x + A(x) takes the place of W x (LoRA).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from specialize.errors import UsageError
from specialize.model.language_model import LanguageModel, hidden_size, layer_count, output_layer

_POST_NORM = ("bert", "roberta", "xlm-roberta", "camembert")
_PRE_NORM = ("modernbert", "roberta-prelayernorm")


@dataclass(frozen=True)
class Sites:
    """The modules of a host to hook, by the name of the point; a module a layer."""

    points: dict[str, tuple[nn.Module, ...]]
    embeddings: nn.Module
    output: nn.Module | None  # the layer that multiplies by the output embeddings, if there is one
    width: int

    @property
    def layers(self) -> int:
        """Return how many layers the host has."""
        return len(self.points["ffn_h"])


def sites(host: LanguageModel) -> Sites:
    """Return the sites of a model, with or without its head; UsageError for unknown shapes."""
    kind = host.config.model_type
    if kind not in _POST_NORM + _PRE_NORM:
        raise UsageError(
            f"modules cannot be attached to a {kind} model; choose one of "
            f"{', '.join(_POST_NORM + _PRE_NORM)}"
        )
    base: Any = host.base_model
    if kind == "modernbert":
        points = {"ffn_h": [layer.mlp for layer in base.layers], "ffn_u": base.layers}
        points |= {"qkv": [layer.attn.Wqkv for layer in base.layers]}
    else:
        stack = base.encoder.layer
        points = {"ffn_h": [layer.output.dropout for layer in stack], "ffn_u": stack}
        if kind in _POST_NORM:
            norms = [layer.output.LayerNorm for layer in stack]
            points |= {"ffn_s": norms, "ffn_u": norms}
        points |= {
            name: [getattr(layer.attention.self, name) for layer in stack]
            for name in ("query", "value")
        }
    found = {name: tuple(modules) for name, modules in points.items()}
    assert len(found["ffn_h"]) == layer_count(host)
    output = output_layer(host) if host is not base else None
    return Sites(found, base.embeddings, output, hidden_size(host))
