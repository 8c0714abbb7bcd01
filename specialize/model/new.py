"""Untrained masked language models in the shapes of well-known ones."""

from __future__ import annotations

from typing import Any

import torch

from specialize.errors import UsageError
from specialize.model.language_model import LanguageModel
from specialize.model.load import new_modernbert
from specialize.vocab.base import Vocabulary
from specialize.vocab.framing import Framing

SHAPES = ("modernbert", "bert", "roberta", "xlm-roberta")


def new_model(
    shape: str, vocabulary: Vocabulary, framing: Framing, *, seed: int, **sizes: int
) -> LanguageModel:
    """Return an untrained model of ``shape`` (``SHAPES``) with a row for each piece.

    ``sizes``: hidden_size, num_hidden_layers, num_attention_heads, intermediate_size.
    """
    if shape == "modernbert":
        return new_modernbert(vocabulary, framing, seed=seed, **sizes)
    if shape not in SHAPES:
        raise UsageError(f"unknown shape {shape!r}; known: {', '.join(SHAPES)}")
    from transformers import AutoConfig, AutoModelForMaskedLM

    first = framing.prefix[0] if framing.prefix else None
    last = framing.suffix[-1] if framing.suffix else None
    config = AutoConfig.for_model(
        shape,
        vocab_size=len(vocabulary.pieces),
        pad_token_id=framing.pad,
        bos_token_id=first,
        eos_token_id=last,
        **(_positions(shape, framing) | sizes),
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return AutoModelForMaskedLM.from_config(
            config, dtype=torch.float32, trust_remote_code=False
        )


def _positions(shape: str, framing: Framing) -> dict[str, Any]:
    """Return the settings that differ: RoBERTa counts positions from the padding piece's id + 1."""
    if shape == "bert":
        return {"max_position_embeddings": framing.positions}
    rows = framing.positions + framing.pad + 1
    return {"max_position_embeddings": rows, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
