"""Texts segmented by WordPiece's rules or the tokenizers library, with the bytes of each piece.

Pieces of two tokenizers are compared by their bytes, without marks, so ``Ġof`` equals ``of``; the
bytes of an unknown piece are None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from specialize import native
from specialize.vocab.counting.space_units import CONTEXT
from specialize.vocab.piece_text import Speller
from specialize.vocab.wordpiece.model import WordPiece

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class Segmentation(NamedTuple):
    """The pieces of a word or token in readable form, and the bytes of each."""

    pieces: Sequence[str]
    letters: tuple[bytes | None, ...]


Segment = Callable[[Sequence[str]], Iterator[Segmentation]]


def words_by_rules(vocabulary: WordPiece) -> Segment:
    """Return the segmenter of pre-tokenised words."""
    segment = _segmenter(vocabulary)

    def segment_words(words: Sequence[str]) -> Iterator[Segmentation]:
        for word in words:
            yield _with_letters(vocabulary, segment(word))

    return segment_words


def tokens_by_rules(vocabulary: WordPiece) -> Segment:
    """Return the segmenter of white-space tokens, which may be several words each."""
    segment = _segmenter(vocabulary)

    def segment_tokens(tokens: Sequence[str]) -> Iterator[Segmentation]:
        for token in tokens:
            pieces = [piece for word in vocabulary.words(token) for piece in segment(word)]
            yield _with_letters(vocabulary, pieces)

    return segment_tokens


def tokens_by_library(tokenizer: Tokenizer) -> Segment:
    """Return the segmenter of white-space tokens, each after another token and a space."""
    speller = Speller(tokenizer)

    def segment_tokens(tokens: Sequence[str]) -> Iterator[Segmentation]:
        texts = [f"{CONTEXT} {token}" for token in tokens]
        for encoding in tokenizer.encode_batch(texts, add_special_tokens=False):
            pieces: list[str] = []
            letters: list[bytes | None] = []
            for piece, (_, end) in zip(encoding.tokens, encoding.offsets, strict=True):
                if end <= len(CONTEXT):
                    continue
                raw = speller.bytes(piece)
                raw = raw if raw is None or letters else raw.lstrip(b" ")
                if raw != b"":  # the space alone
                    pieces.append(speller.readable(piece))
                    letters.append(raw)
            yield Segmentation(pieces, tuple(letters))

    return segment_tokens


def _segmenter(vocabulary: WordPiece) -> Callable[[str], Sequence[str]]:
    if not (core := native.core()):
        return vocabulary.segment
    handle, pieces, special = vocabulary.handle, vocabulary.pieces, set(vocabulary.special)

    def segment(word: str) -> Sequence[str]:
        if word in special:
            return [word]
        return [pieces[i] for i in core.wordpiece_segment(handle, word)]

    return segment


def _with_letters(vocabulary: WordPiece, pieces: Sequence[str]) -> Segmentation:
    unk, prefix = vocabulary.unk, vocabulary.prefix
    letters = (None if p == unk else p.removeprefix(prefix).encode() for p in pieces)
    return Segmentation(pieces, tuple(letters))
