"""Models in and out of directories; with its siblings, the only place that imports transformers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from specialize.errors import DataError
from specialize.model.mlm import MaskedModel
from specialize.vocab.formats.tokenizer_json import read_wordpiece, write_wordpiece
from specialize.vocab.wordpiece.model import WordPiece


@dataclass(frozen=True)
class Base:
    """A masked language model, its vocabulary and the directory it came from."""

    model: MaskedModel
    vocabulary: WordPiece
    folder: Path


def load_base(folder: Path) -> Base:
    """Return the masked language model of ``folder``, in float32 whatever it is stored in.

    DataError where vocabulary and embedding table disagree; transformers would not say.
    """
    from transformers import AutoModelForMaskedLM

    _quiet()
    vocabulary = read_wordpiece(folder)
    try:
        model = AutoModelForMaskedLM.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise DataError(f"{folder}: cannot be loaded: {str(error).splitlines()[0]}") from None
    rows = model.get_input_embeddings().weight.shape[0]
    if rows < len(vocabulary.pieces):
        raise DataError(
            f"{folder}: {len(vocabulary.pieces)} pieces but {rows} rows in the embedding table"
        )
    return Base(model.eval(), vocabulary, folder)


def save_model(
    model: MaskedModel,
    vocabulary: WordPiece,
    folder: Path,
    *,
    source: Path | None = None,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write a directory that plain ``AutoModelForMaskedLM`` and ``AutoTokenizer`` load."""
    _quiet()
    model.config.dtype = dtype
    model.save_pretrained(folder, state_dict=_state(model, dtype))
    write_wordpiece(vocabulary, folder, source=source)


def new_modernbert(vocabulary: WordPiece, *, seed: int, **shape: Any) -> MaskedModel:
    """Return an untrained ModernBERT (Warner et al. 2024) with full attention in every layer.

    ``shape``: hidden_size, num_hidden_layers, num_attention_heads, intermediate_size. Pre-norm and
    rotary positions learn much faster than BERT's shape at equal tokens of a small budget.
    """
    from transformers import ModernBertConfig, ModernBertForMaskedLM

    ids = vocabulary.ids
    rope = {"rope_type": "default", "rope_theta": 10_000.0}
    config = ModernBertConfig(
        vocab_size=len(vocabulary.pieces),
        max_position_embeddings=512,
        layer_types=["full_attention"] * shape["num_hidden_layers"],
        rope_parameters={"full_attention": rope, "sliding_attention": dict(rope)},
        pad_token_id=ids["[PAD]"],
        bos_token_id=ids["[CLS]"],
        cls_token_id=ids["[CLS]"],
        eos_token_id=ids["[SEP]"],
        sep_token_id=ids["[SEP]"],
        **shape,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return ModernBertForMaskedLM(config)


def _state(model: MaskedModel, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Return the weights on the CPU as ``dtype``; what is tied stays one tensor."""
    cast: dict[int, torch.Tensor] = {}
    state = {}
    for name, tensor in model.state_dict().items():
        key = tensor.data_ptr()
        if key not in cast:
            kind = dtype if tensor.is_floating_point() else tensor.dtype
            cast[key] = tensor.detach().to("cpu", kind)
        state[name] = cast[key]
    return state


def _quiet() -> None:
    """Turn off transformers' progress bars: ours are the progress lines."""
    from transformers.utils import logging

    logging.disable_progress_bar()
