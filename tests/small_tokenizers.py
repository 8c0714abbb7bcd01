"""Tokenizers and vocabularies of a few pieces."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from specialize.vocab.audit.inspected import Inspected, InspectedLibrary, InspectedWordPiece
from specialize.vocab.bpe.model import BPE
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import WordPiece

UNKNOWN = "<unk>"
Merges = Iterable[tuple[str, str]]


def byte_level(*, merges: list[tuple[str, str]]) -> Tokenizer:
    pieces = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *(a + b for a, b in merges)]
    tokenizer = Tokenizer(models.BPE({p: i for i, p in enumerate(pieces)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def bpe(letters: Iterable[str], merges: Merges = (), **settings: Any) -> BPE:
    """A BPE with letters, merges and an unknown piece; words are split at spaces."""
    merges = list(merges)
    names = dict.fromkeys([*letters, *(left + right for left, right in merges), UNKNOWN])
    settings = {"unk_token": UNKNOWN} | settings
    tokenizer = Tokenizer(models.BPE({p: i for i, p in enumerate(names)}, merges, **settings))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return BPE(json.loads(tokenizer.to_str()))


def unigram(scores: Mapping[str, float]) -> Unigram:
    """A Unigram: an unknown piece, then pieces with scores."""
    tokenizer = Tokenizer(models.Unigram([(UNKNOWN, 0.0), *scores.items()], unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return Unigram(json.loads(tokenizer.to_str()))


def folding_unigram(*pieces: str) -> Tokenizer:
    """A Unigram with NFKC that deletes ZWNJ; longer pieces are less probable."""
    tokenizer = Tokenizer(
        models.Unigram([("<unk>", 0.0), *((piece, -float(len(piece))) for piece in pieces)], 0)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace("\u200c", ""), normalizers.NFKC()]
    )
    tokenizer.add_special_tokens(["<mask>"])
    return tokenizer


def inspected(opened: WordPiece | Tokenizer) -> Inspected:
    return InspectedWordPiece(opened) if isinstance(opened, WordPiece) else InspectedLibrary(opened)
