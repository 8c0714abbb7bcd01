"""GPT-2's two files, vocab.json and merges.txt: a byte-level BPE without custom rules."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize.vocab.formats.json_files import write_json
from specialize.vocab.library import loaded

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PIECES, MERGES = "vocab.json", "merges.txt"
END = "<|endoftext|>"


def read_gpt2(path: Path) -> Tokenizer:
    """Return the tokenizer of both files; ``path`` is their folder or one of them.

    Words are split by GPT-2's pattern, and <|endoftext|> is special if it is a piece.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    folder = path if path.is_dir() else path.parent
    pieces, merges = folder / PIECES, folder / MERGES
    model = loaded(pieces, lambda: models.BPE.from_file(str(pieces), str(merges)))
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    if tokenizer.token_to_id(END) is not None:
        tokenizer.add_special_tokens([END])
    return tokenizer


def write_gpt2(model: Mapping[str, Any], folder: Path) -> None:
    """Write the two files of the model of a tokenizer.json."""
    write_json(folder / PIECES, model["vocab"], indent=None)
    merges = "".join(f"{left} {right}\n" for left, right in model["merges"])
    (folder / MERGES).write_text(f"#version: 0.2\n{merges}", "utf-8")
