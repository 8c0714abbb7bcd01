"""New pieces that change the segmentation of guarded words under continued merging.

The first new merge in a word joins two neighbouring old pieces. So a word is unchanged exactly if
no two neighbours form a new piece and no character becomes one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from specialize.vocab.bpe.model import BPE
from specialize.vocab.guard import Words, allowed_changes, check_budget


class Guard:
    """Known words of a vocabulary, and those that each possible new piece would change."""

    def __init__(self, vocabulary: BPE, words: Words, *, budget: float = 0.0) -> None:
        """Guard ``words`` (word -> occurrences); a share of ``budget`` of these may change."""
        check_budget(budget)
        self.changes: defaultdict[str, set[int]] = defaultdict(set)  # piece -> indices of words
        self._counts = list(words.values())
        self.occurrences = 0
        for number, word in enumerate(words):
            found = vocabulary.segment(word)
            if vocabulary.unk in found:
                continue
            self.occurrences += self._counts[number]
            for left, right in pairwise(found):
                self.changes[left + right].add(number)
            if vocabulary.ignore_merges and len(found) > 1:
                self.changes[word].add(number)
            for character in lacking(vocabulary, word, found):
                self.changes[character].add(number)
        self.allowed = allowed_changes(budget, self.occurrences)

    def admitted(self, wanted: Sequence[str]) -> set[str]:
        """Return those of ``wanted``, in order of preference, that change no more than allowed."""
        changed: set[int] = set()
        admitted: set[str] = set()
        spent = 0
        for piece in wanted:
            more = self.changes.get(piece, set()) - changed
            cost = sum(self._counts[n] for n in more)
            if spent + cost <= self.allowed:
                changed |= more
                spent += cost
                admitted.add(piece)
        return admitted


def lacking(vocabulary: BPE, word: str, pieces: list[str]) -> list[str]:
    """Return the characters of ``word`` without a piece (unknown or bytes)."""
    if not vocabulary.byte_fallback and vocabulary.unk not in pieces:
        return []
    return [c for c in word if c not in vocabulary.ids]
