"""Continued BPE: byte-pair merging goes on where the vocabulary's own merges end.

A word's old pieces are found first, and new merges join them, so every new segmentation is a
coarsening of the old one, and no text without unknowns gets longer. What a guard forbids is
therefore known before any merge is chosen (``bpe.guard``).

What the vocabulary's trainer kept apart stays apart: two characters of a new piece may be
neighbours only if characters of their classes are in an old piece (``bpe.character_classes``). A
word's old pieces are split into runs where they may not, and merges go on inside these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from specialize.vocab.bpe.character_classes import AllowedPairs
from specialize.vocab.bpe.guard import Guard, lacking
from specialize.vocab.bpe.model import BPE
from specialize.vocab.guard import GuardedWords, Words
from specialize.vocab.marks import BYTE
from specialize.vocab.train.byte_pairs import merge_further

_LONGEST = 1000  # pieces that are merged in together: what it costs grows with their square


class Merged(NamedTuple):
    """New pieces in the order of their merging, and those that changed guarded words."""

    pieces: list[str]
    refused: list[str]


def continue_merges(
    vocabulary: BPE,
    words: Words,
    *,
    pieces: int,
    min_count: int = 2,
    guard: GuardedWords | None = None,
) -> Merged:
    """Return at most ``pieces`` new pieces.

    ``words``: pre-tokenised word -> occurrences. A piece joins a pair that occurs ``min_count``
    times, the most frequent first; a character without a piece is ranked among these by what it
    saves, its bytes less one at each occurrence. No piece joins two classes of characters, or two
    digits, that no old piece joins. Refused are pieces that would change words of ``guard`` beyond
    its budget.
    """
    choose = partial(_chosen, vocabulary, AllowedPairs(vocabulary), words, pieces, min_count)
    guarded = Guard(vocabulary, guard.words, budget=guard.budget) if guard else None
    avoid = set(guarded.changes) if guarded else set()
    wanted = choose(set()) if avoid else []
    if guarded and guarded.allowed:
        avoid -= guarded.admitted(wanted)
    chosen = choose(avoid)
    return Merged(chosen, [piece for piece in wanted if piece in avoid])


def _chosen(
    vocabulary: BPE,
    allowed: AllowedPairs,
    words: Words,
    pieces: int,
    min_count: int,
    avoid: set[str],
) -> list[str]:
    symbols, letters = _symbols(vocabulary, allowed, words, avoid)
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
    vocabulary: BPE, allowed: AllowedPairs, words: Words, avoid: set[str]
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
        for part in _runs(vocabulary, allowed, found):
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


def _runs(vocabulary: BPE, allowed: AllowedPairs, pieces: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield the runs of two pieces and more that can be merged: no unknown one, no bytes."""
    for known in _known(vocabulary, pieces):
        for run in allowed.runs(known):
            for i in range(0, len(run) - 1, _LONGEST):
                yield tuple(run[i : i + _LONGEST])


def _known(vocabulary: BPE, pieces: list[str]) -> list[list[str]]:
    """Return what stands between pieces for the unknown and for single bytes."""
    runs: list[list[str]] = [[]]
    for piece in pieces:
        if piece == vocabulary.unk or (vocabulary.byte_fallback and BYTE.fullmatch(piece)):
            runs.append([])
        else:
            runs[-1].append(piece)
    return runs
