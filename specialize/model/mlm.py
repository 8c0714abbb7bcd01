"""A masked language model as we use it: states of pieces, and logits at chosen positions only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from specialize.errors import UsageError

MaskedModel = Any  # a transformers model for masked language modelling (BERT, ModernBERT, ...)

# shapes: B sequences, L pieces, H layers and embeddings, D width, M chosen positions, V pieces


def logits_at(
    model: MaskedModel, ids_BL: Tensor, real_BL: Tensor | None, chosen_M: Tensor
) -> Tensor:
    """Return logits [M, V] at the chosen positions of the flattened batch (b * L + l, in order).

    The head outweighs a small encoder, so computing it for masked positions only is worth 1.8x of
    the arithmetic for mBERT's shape; transformers computes all. Positions, not a mask: a GPU would
    have to wait until the mask is counted. ``real_BL``: False at padding.
    """
    states_BLD = model.base_model(input_ids=ids_BL, attention_mask=real_BL).last_hidden_state
    return _head(model)(states_BLD.flatten(0, 1)[chosen_M])


def positions(chosen_BL: Tensor) -> Tensor:
    """Return the places [M] of the flattened batch where ``chosen_BL`` is True."""
    return chosen_BL.flatten().nonzero().squeeze(1)


def layers(model: MaskedModel, ids_BL: Tensor, real_BL: Tensor) -> tuple[Tensor, ...]:
    """Return the states [B, L, D] after each of the encoder's layers (not the embeddings)."""
    output = model.base_model(input_ids=ids_BL, attention_mask=real_BL, output_hidden_states=True)
    return tuple(output.hidden_states[1:])


def _head(model: MaskedModel) -> Callable[[Tensor], Tensor]:
    if hasattr(model, "cls"):  # BERT
        return model.cls
    if hasattr(model, "head") and hasattr(model, "decoder"):  # ModernBERT
        return lambda states: model.decoder(model.head(states))
    if hasattr(model, "lm_head"):  # RoBERTa, XLM-R
        return model.lm_head
    raise UsageError(
        f"{type(model).__name__}: its masked-language-model head is not one of BERT's, "
        "ModernBERT's or RoBERTa's"
    )


def output_bias(model: MaskedModel) -> Tensor | None:
    """Return the bias [V] of the output layer, if it has one."""
    embeddings = model.get_output_embeddings()
    return None if embeddings is None else getattr(embeddings, "bias", None)


@torch.no_grad()
def tie(model: MaskedModel) -> None:
    """Make the output layer share the embedding table again, where the model is a tied one."""
    if getattr(model.config, "tie_word_embeddings", True):
        model.tie_weights()
