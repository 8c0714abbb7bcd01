"""Continued BPE: byte-pair merging goes on where the vocabulary's own merges end.

A word's old pieces are found first, and new merges join them, so that every new segmentation is a
coarsening of the old one, and no text without unknowns gets longer. What a guard forbids is
therefore known before any merge is chosen: the first new merge in a word joins two of its old
pieces, so a guarded word stays as it is exactly if no two neighbours of it spell a new piece.

What the vocabulary's trainer kept apart stays apart: two characters of a new piece may stand next
to each other only if characters of their kinds do so in an old piece (``kinds``). A word's old
pieces are cut into runs where they may not, and merges go on inside of these.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from specialize.vocab.bpe.character_classes import Joins
from specialize.vocab.bpe.model import BPE
from specialize.vocab.counting.space_units import BYTE
from specialize.vocab.train.byte_pairs import merge_further
from specialize.vocab.wordpiece.guard import allowed_changes

Words = Mapping[str, int]
_LONGEST = 1000  # pieces that are merged in together: what it costs grows with their square


class Continued(NamedTuple):
    """New pieces in the order of their merging, and those that changed guarded words."""

    pieces: list[str]
    refused: list[str]


def continued(
    vocabulary: BPE,
    words: Words,
    *,
    pieces: int,
    min_count: int = 2,
    guard: Words | None = None,
    budget: float = 0.0,
) -> Continued:
    """Return at most ``pieces`` new pieces.

    ``words``, ``guard``: pre-tokenised word -> occurrences. A piece joins a pair that occurs
    ``min_count`` times, the most frequent first; a character that has no piece yet saves as many
    pieces as it has bytes, less one, at each occurrence, and comes where that puts it. No piece
    joins two kinds of characters, or two digits, that no old piece joins. Refused are pieces that
    would change a word of the guard, beyond a share ``budget`` of its occurrences.
    """
    changed_by = Changed(vocabulary, guard or {})
    choose = partial(_chosen, vocabulary, Joins(vocabulary), words, pieces, min_count)
    avoid = set(changed_by.pieces)
    wanted = choose(set()) if avoid else []
    if budget and guard:
        avoid -= changed_by.affordable(wanted, budget)
    chosen = choose(avoid)
    return Continued(chosen, [piece for piece in wanted if piece in avoid])


class Changed:
    """Which guarded words each possible new piece would change: word numbers by piece."""

    def __init__(self, vocabulary: BPE, guard: Words) -> None:
        """Guard the words that ``vocabulary`` knows."""
        self.pieces: defaultdict[str, set[int]] = defaultdict(set)
        self._counts = list(guard.values())
        self.occurrences = 0
        for number, word in enumerate(guard):
            found = vocabulary.segment(word)
            if vocabulary.unk in found:
                continue
            self.occurrences += self._counts[number]
            for left, right in pairwise(found):
                self.pieces[left + right].add(number)
            if vocabulary.whole_first and len(found) > 1:
                self.pieces[word].add(number)
            for character in lacking(vocabulary, word, found):
                self.pieces[character].add(number)

    def affordable(self, wanted: list[str], budget: float) -> set[str]:
        """Return those of ``wanted``, the first first, that change no more than the budget."""
        allowed = allowed_changes(budget, self.occurrences)
        changed: set[int] = set()
        admitted: set[str] = set()
        spent = 0
        for piece in wanted:
            more = self.pieces.get(piece, set()) - changed
            cost = sum(self._counts[n] for n in more)
            if spent + cost <= allowed:
                changed |= more
                spent += cost
                admitted.add(piece)
        return admitted


def lacking(vocabulary: BPE, word: str, pieces: list[str]) -> list[str]:
    """Return the characters of ``word`` that have no piece, and so are unknown or bytes."""
    if not vocabulary.by_bytes and vocabulary.unk not in pieces:
        return []
    return [c for c in word if c not in vocabulary.ids]


def _chosen(
    vocabulary: BPE, joins: Joins, words: Words, pieces: int, min_count: int, avoid: set[str]
) -> list[str]:
    symbols, letters = _symbols(vocabulary, joins, words, avoid)
    ages = vocabulary.ids | {c: len(vocabulary.ids) + i for i, c in enumerate(sorted(letters))}
    merged = merge_further(
        symbols, ages, pieces=pieces, min_count=min_count, avoid=avoid.union(vocabulary.ids)
    )
    # subtle: a character saves no less than what is merged from it, so it stays before that
    saved = [(c, n) for c, n in letters.items() if n >= min_count]
    known = {c for c, _ in saved}
    lost = letters.keys() - known
    merged = [(piece, n) for piece, n in merged if not lost.intersection(piece)]
    ranked = sorted([*saved, *merged], key=lambda found: -found[1])  # stable
    return [piece for piece, _ in ranked[:pieces]]


def _symbols(
    vocabulary: BPE, joins: Joins, words: Words, avoid: set[str]
) -> tuple[dict[tuple[str, ...], int], Counter[str]]:
    """Return the words as pieces, characters that may become pieces among them, and these.

    The characters have what they would save: at each occurrence, the bytes less one.
    """
    symbols: Counter[tuple[str, ...]] = Counter()
    letters: Counter[str] = Counter()
    for word, count in words.items():
        found = vocabulary.segment(word)
        if missing := [c for c in lacking(vocabulary, word, found) if c not in avoid]:
            for character in missing:
                letters[character] += count * max(1, len(character.encode()) - 1)
            found = _with_letters(vocabulary, word, set(missing))
        for part in _runs(vocabulary, joins, found):
            symbols[part] += count
    return dict(symbols), letters


def _with_letters(vocabulary: BPE, word: str, letters: set[str]) -> list[str]:
    """Return the pieces of ``word`` with ``letters`` as pieces; what is unknown stays so."""
    found: list[str] = []
    begin = 0
    for i, character in enumerate(word):
        if character in letters:
            found += vocabulary.segment(word[begin:i]) if begin < i else []
            found.append(character)
            begin = i + 1
    return found + (vocabulary.segment(word[begin:]) if begin < len(word) else [])


def _runs(vocabulary: BPE, joins: Joins, pieces: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield the runs of two pieces and more that can be merged: no unknown one, no bytes."""
    for known in _known(vocabulary, pieces):
        for run in joins.cut(known):
            for i in range(0, len(run) - 1, _LONGEST):
                yield tuple(run[i : i + _LONGEST])


def _known(vocabulary: BPE, pieces: list[str]) -> list[list[str]]:
    """Return what stands between pieces for the unknown and for single bytes."""
    runs: list[list[str]] = [[]]
    for piece in pieces:
        if piece == vocabulary.unk or (vocabulary.by_bytes and BYTE.fullmatch(piece)):
            runs.append([])
        else:
            runs[-1].append(piece)
    return runs
