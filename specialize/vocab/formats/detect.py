"""The format of a tokenizer's file or folder, and the library's tokenizer for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from specialize.vocab.formats.gpt2 import MERGES, PIECES, read_gpt2
from specialize.vocab.formats.sentencepiece import read_sentencepiece
from specialize.vocab.formats.tiktoken import is_ranks, read_ranks
from specialize.vocab.library import live_tokenizer, read_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def open_library(path: Path) -> Tokenizer:
    """Return the tokenizer of a folder or file: tokenizer.json, or the ``other_file``."""
    other = other_file(path)
    if not other:
        return read_tokenizer(path / "tokenizer.json" if path.is_dir() else path)
    if other.name in (PIECES, MERGES):
        return read_gpt2(path)
    ranks = other.suffix == ".tiktoken" or is_ranks(other)  # Llama 3's are a tokenizer.model
    return live_tokenizer(read_ranks(other) if ranks else read_sentencepiece(other), str(other))


def other_file(path: Path) -> Path | None:
    """Return the file of another format at ``path``, a file or folder.

    GPT-2's merges.txt with its vocab.json, a SentencePiece model, or tiktoken's ranks; None if
    there is a tokenizer.json or vocab.txt.
    """
    if path.is_dir():
        if any((path / name).is_file() for name in ("tokenizer.json", "vocab.txt")):
            return None
        return next(iter(other_files(path)), None)
    known = path.name in (PIECES, MERGES) or path.suffix in (".model", ".tiktoken")
    return path if known else None


def other_files(folder: Path) -> list[Path]:
    """Return the files of these formats in a folder, one per format."""
    patterns = (MERGES, "*.model", "*.tiktoken")
    return [file for each in patterns for file in sorted(folder.glob(each)) if file.is_file()]
