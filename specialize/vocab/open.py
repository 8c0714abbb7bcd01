"""Vocabularies of all families from files and from tokenizers in memory."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from specialize.errors import DataError
from specialize.vocab.bpe.model import BPE
from specialize.vocab.formats.detect import describe
from specialize.vocab.formats.tokenizer_json import model_type, wordpiece_of
from specialize.vocab.settings import Settings, read_settings
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import WordPiece

_FAMILIES: dict[str, type[BPE] | type[Unigram]] = {"BPE": BPE, "Unigram": Unigram}


def read_vocabulary(path: Path) -> WordPiece | BPE | Unigram:
    """Return the vocabulary of a folder or file: tokenizer.json, vocab.txt, GPT-2's two files, a
    SentencePiece model or tiktoken's ranks.

    A folder without tokenizer.json that names a class is read as transformers reads it. DataError
    if a file is damaged or the family cannot be extended.
    """
    found = describe(path)
    return vocabulary_in(found.as_written(), found.file, found.settings)


def vocabulary_in(
    described: dict[str, Any], file: Path, settings: Settings | None = None
) -> WordPiece | BPE | Unigram:
    """Return the vocabulary of a tokenizer.json, as the library writes it, read from ``file``."""
    kind = model_type(described, file)
    if kind == "WordPiece":
        return wordpiece_of(described, file, settings)
    if family := _FAMILIES.get(kind):
        return family(described, source=str(file), settings=settings)
    raise DataError(
        f"{file}:1: expected WordPiece, BPE or Unigram, got {kind or 'none'}; only those three can "
        "be extended"
    )


def vocabulary_of(tokenizer: Any) -> WordPiece | BPE | Unigram:
    """Return the vocabulary of a fast tokenizer of tokenizers or transformers.

    TypeError for anything else, such as ByT5's tokenizer, which has no vocabulary to extend.
    """
    name = type(tokenizer).__name__
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    if not hasattr(backend, "to_str"):
        raise TypeError(
            "expected a path, a model's name, or a fast tokenizer of the tokenizers or "
            f"transformers library, got {name}"
        )
    settings = Settings()
    if backend is not tokenizer:
        with tempfile.TemporaryDirectory() as folder:
            tokenizer.save_pretrained(folder)
            settings = replace(read_settings(Path(folder)), origin=None, live=tokenizer)
    return vocabulary_in(json.loads(backend.to_str()), Path(name), settings)
