"""Vocabularies of all families from files and from tokenizers in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from specialize.errors import DataError
from specialize.vocab.bpe.model import BPE
from specialize.vocab.formats.detect import open_library, other_file
from specialize.vocab.formats.tokenizer_json import (
    find_wordpiece,
    has_bert_rules,
    vocabulary_file,
    wordpiece_of,
)
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import WordPiece

_FAIRSEQ = "sentencepiece.bpe.model"  # file name of models whose pieces transformers renumbers
_FAMILIES: dict[str, type[BPE] | type[Unigram]] = {"BPE": BPE, "Unigram": Unigram}


def read_vocabulary(path: Path) -> WordPiece | BPE | Unigram:
    """Return the vocabulary of a folder or file: tokenizer.json, vocab.txt, GPT-2's two files, a
    SentencePiece model or tiktoken's ranks.

    DataError if the file is damaged or the family cannot be extended.
    """
    other = other_file(path)
    if not other and (wordpiece := find_wordpiece(path)):
        return wordpiece
    if other and path.is_dir() and other.name == _FAIRSEQ:
        raise DataError(
            f"{other}:1: the model beside it (XLM-R, mBART, ...) numbers pieces differently; "
            "write the tokenizer.json first, AutoTokenizer.from_pretrained(folder)"
            ".save_pretrained(folder), or name the file itself for its own ids"
        )
    file = other or vocabulary_file(path)
    return _family_of(json.loads(open_library(file).to_str()), str(file))


def vocabulary_in(described: dict[str, Any], file: Path) -> WordPiece | BPE | Unigram:
    """Return the vocabulary of a tokenizer.json that is loaded already from ``file``."""
    if has_bert_rules(described, file):
        return wordpiece_of(described, file)
    return read_vocabulary(file)


def vocabulary_of(tokenizer: Any) -> WordPiece | BPE | Unigram:
    """Return the vocabulary of a fast tokenizer of tokenizers or transformers."""
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    described, name = json.loads(backend.to_str()), type(tokenizer).__name__
    if has_bert_rules(described, Path(name)):
        return wordpiece_of(described, Path(name))
    return _family_of(described, name)


def _family_of(described: dict[str, Any], source: str) -> BPE | Unigram:
    kind = described["model"]["type"]
    family = _FAMILIES.get(kind)
    if kind == "WordPiece":
        wordpiece_of(described, Path(source))  # raises: names the rule or token that differs
    if family is None:
        raise DataError(
            f"{source}:1: expected WordPiece with BERT's rules, BPE or Unigram, got {kind} with "
            "other rules; only those three can be extended"
        )
    return family(described, source=source)
