"""Greedy coverage: each piece is the one that makes the most words known, given those before."""

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
    """Add, one after the other, the piece that turns the most unknown words into known ones.

    Candidates are the characters that unknown words lack and the pieces of a new vocabulary of
    ``new_vocabulary`` (with ``min_count`` and ``alphabet`` as in tva). The gain of a candidate is
    the number of occurrences of words unknown so far that it makes known by itself, those chosen
    before being there. Where no candidate has any, as when each word lacks two characters, the
    character comes next that the most occurrences of unknown words lack. Ties go to characters
    before pieces, then to those needed first in the corpus, or merged first in training. It ends
    with ``pieces``, or once no word is unknown. ``slots``: take [unusedN] places before appending.
    ``guard``: files of other languages; the words in them that are known keep their segmentation,
    but for a share ``guard_budget`` of their occurrences.
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
    """Yield the next best of the missing characters and ``merged``, while a word is unknown."""
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
        gains.pop(best, None)  # no candidate any more
        # only words that hold the text of the piece can be split another way
        for word, occurrences in spelling.add(best).items():
            for piece in gains.keys() & fixers.pop(word):
                gains[piece] -= occurrences
            if word in spelling.unknown:
                count(word)
        yield best


def _fixers(
    word: str, spelling: Spelling, candidates: dict[str, int], lengths: list[int]
) -> list[str]:
    """Return the candidates that make ``word`` known; each begins before its dead end or there."""
    held = {
        piece: None
        for start in range(spelling.dead_end(word) + 1)
        for length in lengths
        if (piece := (spelling.prefix if start else "") + word[start : start + length])
        in candidates
    }
    return [piece for piece in held if spelling.fixed_by(word, piece)]
