"""Missing characters first: ten of them often help more than ninety-nine longer pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from specialize.augment._words import check_pieces, words_in
from specialize.vocab.base import VocabChange
from specialize.vocab.guard import read_guard
from specialize.vocab.train.retrain import train_like
from specialize.vocab.wordpiece.characters import missing_characters
from specialize.vocab.wordpiece.model import WordPiece, require_wordpiece
from specialize.vocab.wordpiece.replacements import count_replacements
from specialize.vocab.wordpiece.safe_extend import place_safely


def change(
    vocabulary: WordPiece,
    corpus: Iterable[str],
    *,
    pieces: int = 99,
    slots: bool = True,
    min_count: int = 1,
    fill: bool = False,
    new_vocabulary: int = 5000,
    guard: tuple[Path, ...] = (),
    guard_budget: float = 0.0,
) -> VocabChange[WordPiece]:
    """Add the characters that unknown words lack, until no word is unknown.

    A character is added in the forms that words need: word-initial (``ې``), continuing (``##ې``).
    The form that most unknown words lack comes first; counts are updated after each addition. At
    most ``pieces`` are added, and none that fewer than ``min_count`` word occurrences need.
    ``fill``: the rest of ``pieces`` goes to the pieces that tva would add (with ``pad``) from a new
    vocabulary of ``new_vocabulary``. ``slots``: fill [unusedN] slots before appending.
    ``guard``: files of other languages; their known words keep their segmentation, except for a
    share ``guard_budget`` of the occurrences.
    """
    check_pieces(pieces, new_vocabulary if fill else pieces)
    keep = read_guard(require_wordpiece(vocabulary), guard, guard_budget)
    words = words_in(vocabulary, corpus)
    candidates = _candidates(vocabulary, words, min_count, new_vocabulary if fill else 0)
    return place_safely(vocabulary, candidates, pieces, words, slots=slots, guard=keep)


def _candidates(
    vocabulary: WordPiece, words: Mapping[str, int], min_count: int, new_vocabulary: int
) -> Iterator[str]:
    yield from missing_characters(vocabulary, words, min_count=min_count)
    if new_vocabulary:
        new = train_like(vocabulary, words, size=new_vocabulary, min_count=5, alphabet=1000)
        yield from count_replacements(words, vocabulary, new).ranked(vocabulary, pad=True)
