"""Tiny random models that predict the next piece, with tokenizers laid out as on the hub."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import layouts
import torch
import transformers
from transformers import GenerationConfig

from specialize.vocab.open import read_vocabulary


@dataclass(frozen=True)
class Shape:
    """A model class with the layout of its tokenizer."""

    model: str  # as in GPT2Config
    tokenizer: Callable[[Path], None]
    tied: bool = True
    padding: int = 0  # rows beyond the pieces
    end: str = "</s>"
    config: dict[str, Any] = field(default_factory=dict)


WIDTH = 8
_SIZES = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2}
_LLAMA = _SIZES | {"intermediate_size": 16, "max_position_embeddings": 64}
_QWEN = _LLAMA | {"num_key_value_heads": 1, "head_dim": 4}
SHAPES = {
    "gpt2": Shape(
        "GPT2",
        layouts.gpt2,
        end="<|endoftext|>",
        config={"n_embd": WIDTH, "n_layer": 2, "n_head": 2, "n_positions": 64},
    ),
    "llama2": Shape("Llama", layouts.llama2_saved, tied=False, config=_LLAMA),
    "llama3": Shape("Llama", layouts.llama3, tied=False, end="<|end_of_text|>", config=_LLAMA),
    "qwen2": Shape("Qwen2", layouts.qwen2, padding=40, end="<|im_end|>", config=_QWEN),
    "qwen3": Shape("Qwen3", layouts.qwen3, tied=False, padding=5, end="<|im_end|>", config=_QWEN),
}


def write_model(name: str, folder: Path) -> Path:
    """Write a random model of the shape ``name`` with its tokenizer."""
    shape = SHAPES[name]
    shape.tokenizer(folder)
    (folder / "config.json").unlink()
    vocabulary = read_vocabulary(folder)
    end = vocabulary.ids[shape.end]
    config = getattr(transformers, f"{shape.model}Config")(
        vocab_size=len(vocabulary.pieces) + shape.padding,
        tie_word_embeddings=shape.tied,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=None,
        **shape.config,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.AutoModelForCausalLM.from_config(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_(0, 0.3)
    model.generation_config = GenerationConfig(eos_token_id=[end], pad_token_id=end)
    model.save_pretrained(folder)
    return folder
