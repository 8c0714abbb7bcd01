"""Continued BPE: byte-pair merging continues after the vocabulary's own merges.

A word is first segmented into old pieces, which new merges then join: every new segmentation is a
coarsening of the old one, and no text without unknowns gets longer. So the pieces that a guard
forbids are known before any merge is chosen (``bpe.guard``).

Boundaries of the vocabulary's trainer are respected: two characters may be neighbours in a new
piece only if their classes are neighbours in an old one (``bpe.character_classes``). A word's old
pieces are split into runs elsewhere, and merging continues inside these.
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
    """New pieces in merge order, and those refused because they changed guarded words."""

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

    ``words``: pre-tokenised word -> occurrences. Pairs that occur ``min_count`` times are merged,
    most frequent first; characters without a piece are ranked among them by the pieces they save,
    their bytes less one per occurrence. No piece joins two classes of characters, or two digits,
    unless an old piece does. Pieces that would change words of ``guard`` beyond its budget are
    refused.
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
    # subtle: a character saves at least as much as pieces merged from it, so it stays first
    saved = [(c, n) for c, n in letters.items() if n >= min_count]
    known = {c for c, _ in saved}
    lost = letters.keys() - known
    merged = [(piece, n) for piece, n in merged if not lost.intersection(piece)]
    ranked = sorted([*saved, *merged], key=lambda found: -found[1])  # stable
    return [piece for piece, _ in ranked[:pieces]]


def _symbols(
    vocabulary: BPE, allowed: AllowedPairs, words: Words, avoid: set[str]
) -> tuple[dict[tuple[str, ...], int], Counter[str]]:
    """Return the words as pieces and candidate characters, and the candidates with their savings.

    A character saves its bytes less one per occurrence.
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
    """Return the pieces of ``word`` with ``letters`` as pieces; the rest stays unknown."""
    found: list[str] = []
    begin = 0
    for i, character in enumerate(word):
        if character in letters:
            found += vocabulary.segment(word[begin:i]) if begin < i else []
            found.append(character)
            begin = i + 1
    return found + (vocabulary.segment(word[begin:]) if begin < len(word) else [])


def _runs(vocabulary: BPE, allowed: AllowedPairs, pieces: list[str]) -> Iterator[tuple[str, ...]]:
    """Yield runs of two or more pieces that can be merged, without unknown pieces and bytes."""
    for known in _known(vocabulary, pieces):
        for run in allowed.runs(known):
            for i in range(0, len(run) - 1, _LONGEST):
                yield tuple(run[i : i + _LONGEST])


def _known(vocabulary: BPE, pieces: list[str]) -> list[list[str]]:
    """Return the runs between unknown pieces and single bytes."""
    runs: list[list[str]] = [[]]
    for piece in pieces:
        if piece == vocabulary.unk or (vocabulary.byte_fallback and BYTE.fullmatch(piece)):
            runs.append([])
        else:
            runs[-1].append(piece)
    return runs
