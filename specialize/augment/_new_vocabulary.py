"""The new vocabulary V that pieces are chosen from."""

from __future__ import annotations

from collections.abc import Mapping

from specialize.errors import UsageError
from specialize.vocab.train.byte_pairs import train_wordpiece
from specialize.vocab.wordpiece.model import WordPiece


def check_pieces(pieces: int, new_vocabulary: int) -> None:
    """Refuse to choose more pieces than there are to choose from."""
    if pieces < 0:
        raise UsageError(f"n = {pieces} pieces cannot be added; ask for 0 or more")
    if pieces > new_vocabulary:
        raise UsageError(
            f"n = {pieces} pieces cannot be chosen from a new vocabulary of V = {new_vocabulary}; "
            "lower pieces or raise new_vocabulary"
        )


def train_like(
    vocabulary: WordPiece, words: Mapping[str, int], *, size: int, min_count: int, alphabet: int
) -> WordPiece:
    """Return a vocabulary of ``size`` pieces, special ones included, under the same rules."""
    pieces = train_wordpiece(
        words,
        size=size,
        special=list(dict.fromkeys((*vocabulary.special, vocabulary.unk))),
        min_count=min_count,
        alphabet=alphabet,
        prefix=vocabulary.prefix,
    )
    return vocabulary.with_pieces(pieces)
