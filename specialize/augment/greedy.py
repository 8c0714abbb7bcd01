"""Greedy coverage: each piece makes the most words known, given the pieces chosen before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from specialize import native
from specialize.augment._words import check_pieces, words_in
from specialize.vocab.base import VocabChange
from specialize.vocab.guard import read_guard
from specialize.vocab.train.retrain import train_like
from specialize.vocab.wordpiece.characters import Spelling, native_chooser
from specialize.vocab.wordpiece.model import WordPiece, require_wordpiece
from specialize.vocab.wordpiece.safe_extend import place_safely


def change(
    vocabulary: WordPiece,
    corpus: Iterable[str],
    *,
    pieces: int = 99,
    new_vocabulary: int = 5000,
    slots: bool = True,
    min_count: int = 5,
    alphabet: int = 1000,
    guard: tuple[Path, ...] = (),
    guard_budget: float = 0.0,
) -> VocabChange[WordPiece]:
    """Add one piece at a time: the one that makes the most unknown words known.

    Candidates are the characters that unknown words lack and the pieces of a new vocabulary of
    ``new_vocabulary`` (``min_count`` and ``alphabet`` as in tva). A candidate's gain is the number
    of occurrences of unknown words that it alone makes known, given the pieces chosen so far. If
    no candidate gains anything, as when each word lacks two characters, the character that most
    occurrences of unknown words lack is next. Ties go to characters before pieces, then to the
    first needed in the corpus or the first merged in training. Stops at ``pieces``, or when no
    word is unknown. ``slots``: fill [unusedN] slots before appending.
    ``guard``: files of other languages; their known words keep their segmentation, except for a
    share ``guard_budget`` of the occurrences.
    """
    check_pieces(pieces, new_vocabulary)
    keep = read_guard(require_wordpiece(vocabulary), guard, guard_budget)
    words = words_in(vocabulary, corpus)
    new = train_like(vocabulary, words, size=new_vocabulary, min_count=min_count, alphabet=alphabet)
    merged = [piece for piece in new.pieces if piece not in vocabulary.ids]
    chosen = _chosen(vocabulary, words, merged)
    return place_safely(vocabulary, chosen, pieces, words, slots=slots, guard=keep)


def _chosen(
    vocabulary: WordPiece, words: Mapping[str, int], merged: Sequence[str]
) -> Iterator[str]:
    """Yield the best of the missing characters and ``merged`` until no word is unknown."""
    if chooser := native_chooser(vocabulary, words):
        core = native.core()
        core.chooser_consider(chooser, dict.fromkeys([*core.chooser_needs(chooser), *merged]))
        yield from iter(partial(core.chooser_next_best, chooser), None)
        return
    spelling = Spelling(vocabulary, words)
    candidates = dict.fromkeys([*spelling.needs, *merged])
    gains = dict.fromkeys(candidates, 0)
    lengths = sorted({len(piece.removeprefix(spelling.prefix)) for piece in candidates})
    fixers: dict[str, list[str]] = {}  # unknown word -> candidates that make it known alone

    def count(word: str) -> None:
        fixers[word] = _fixers(word, spelling, gains, lengths)
        for piece in fixers[word]:
            gains[piece] += spelling.unknown[word]

    for word in spelling.unknown:
        count(word)
    while spelling.unknown:
        best = max(gains, key=gains.__getitem__, default="")
        if not gains.get(best):
            best = max(spelling.needs, key=spelling.needs.__getitem__)
        gains.pop(best, None)  # no longer a candidate
        # only words that contain the piece's text can be segmented differently
        for word, occurrences in spelling.add(best).items():
            for piece in gains.keys() & fixers.pop(word):
                gains[piece] -= occurrences
            if word in spelling.unknown:
                count(word)
        yield best


def _fixers(
    word: str, spelling: Spelling, candidates: dict[str, int], lengths: list[int]
) -> list[str]:
    """Return the candidates that make ``word`` known; they begin at its dead end or before."""
    inside = {
        piece: None
        for start in range(spelling.dead_end(word) + 1)
        for length in lengths
        if (piece := (spelling.prefix if start else "") + word[start : start + length])
        in candidates
    }
    return [piece for piece in inside if spelling.fixed_by(word, piece)]
