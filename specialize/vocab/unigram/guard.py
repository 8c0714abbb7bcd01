"""New pieces to drop so that a Unigram segments guarded words as before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush

from specialize.vocab.guard import Words, allowed_changes, check_budget
from specialize.vocab.unigram.model import Unigram

ChangedWord = tuple[int, Sequence[str]]  # its occurrences, and the new pieces in it


class Guard:
    """Known words of a vocabulary, and the new pieces that change too many of them.

    Query with ever fewer pieces and only decreasing scores.
    """

    def __init__(self, vocabulary: Unigram, words: Words, *, budget: float = 0.0) -> None:
        """Guard ``words`` (word -> occurrences); a share of ``budget`` of these may change."""
        check_budget(budget)
        self._vocabulary, self._counts = vocabulary, words
        before = {word: vocabulary.segment(word) for word in words}
        self._before = {w: found for w, found in before.items() if vocabulary.unk not in found}
        self.occurrences = sum(words[word] for word in self._before)
        self.allowed = allowed_changes(budget, self.occurrences)
        self.refused: dict[str, None] = {}

    def admitted(
        self,
        scores: Mapping[str, float],
        lower: Mapping[str, float],
        worth: Mapping[str, float],
        *,
        room: float = 1.0,
    ) -> dict[str, float]:
        """Return new pieces with scores that together change at most ``room`` times ``allowed``.

        Of the pieces that change too much, the least ``worth`` their changes get their ``lower``
        score, if any, and are dropped the next time. The rest is measured again until it changes
        little enough: pieces together may change a word that none changes alone.
        """
        found = dict(scores)
        while self._before and found:
            changed = self._changed(found)
            excess = sum(count for count, _ in changed) - room * self.allowed
            gone = least_worth(changed, excess, worth)
            if not gone:
                break
            for piece in gone:
                if lower.get(piece, found[piece]) < found[piece]:
                    found[piece] = lower[piece]
                else:
                    del found[piece]
                    self.refused[piece] = None
        return found

    def _changed(self, scores: Mapping[str, float]) -> list[ChangedWord]:
        """Return the words that these pieces change; the others are never checked again."""
        trial = self._vocabulary.place(scores).new
        now = {word: trial.segment(word) for word in self._before}
        # subtle: fewer or less probable pieces do not change words that these leave unchanged
        self._before = {word: old for word, old in self._before.items() if now[word] != old}
        return [(self._counts[w], sorted(scores.keys() & now[w])) for w in self._before]


def least_worth(
    changed: Sequence[ChangedWord], excess: float, worth: Mapping[str, float]
) -> list[str]:
    """Return pieces whose removal may restore ``excess`` occurrences; none for 0.

    One piece of each word must be dropped. The first is the piece with the least ``worth`` per
    occurrence of changed words; the others are weighed by the remaining words.
    """
    cost: Counter[str] = Counter()
    places: defaultdict[str, list[int]] = defaultdict(list)
    for number, (count, pieces) in enumerate(changed):
        for piece in pieces:
            cost[piece] += count
            places[piece].append(number)
    heap = [(worth[piece] / n, piece, n) for piece, n in cost.items()]
    heapify(heap)
    gone: list[str] = []
    freed: set[int] = set()
    while excess > 0 and heap:
        _, piece, then = heappop(heap)
        if cost[piece] < then:  # outdated: push it again with its current cost
            if cost[piece]:
                heappush(heap, (worth[piece] / cost[piece], piece, cost[piece]))
            continue
        gone.append(piece)
        fresh = [number for number in places[piece] if number not in freed]
        freed.update(fresh)
        for count, pieces in map(changed.__getitem__, fresh):
            excess -= count
            cost.subtract(dict.fromkeys(pieces, count))
    return gone
