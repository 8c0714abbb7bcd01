"""Words that a Unigram is to segment as before, and the new pieces that give way for their sake."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush

from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.guard import allowed_changes

Words = Mapping[str, int]
Changed = tuple[int, Sequence[str]]  # of a word: its occurrences, and the new pieces in it


class Kept:
    """The words of a guard that are known; a share ``budget`` of their occurrences may change.

    To be asked about fewer and fewer pieces, with scores that only fall.
    """

    def __init__(self, vocabulary: Unigram, guard: Words, budget: float) -> None:
        """Guard the words that ``vocabulary`` knows."""
        self._vocabulary, self._guard = vocabulary, guard
        before = {word: vocabulary.segment(word) for word in guard}
        self._before = {w: found for w, found in before.items() if vocabulary.unk not in found}
        self._allowed = allowed_changes(budget, sum(guard[word] for word in self._before))
        self.refused: dict[str, None] = {}

    def admitted(
        self,
        scores: Mapping[str, float],
        lower: Mapping[str, float],
        worth: Mapping[str, float],
        *,
        room: float = 1.0,
    ) -> dict[str, float]:
        """Return new pieces with scores that together change no more than is allowed.

        ``room`` times that, to be exact. Of pieces that change too much, those of the least
        ``worth`` for it get their ``lower`` score, if they have one, and go if they do so again.
        What is left is looked at anew until it is little enough: pieces may change a word together
        that none changes alone.
        """
        found = dict(scores)
        while self._before and found:
            changed = self._changed(found)
            excess = sum(count for count, _ in changed) - room * self._allowed
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

    def _changed(self, scores: Mapping[str, float]) -> list[Changed]:
        """Return the words that these pieces change; no others need be looked at any more."""
        trial = self._vocabulary.place(scores).new
        now = {word: trial.segment(word) for word in self._before}
        # subtle: a word that these leave alone, fewer or less probable ones leave alone
        self._before = {word: old for word, old in self._before.items() if now[word] != old}
        return [(self._guard[w], sorted(scores.keys() & now[w])) for w in self._before]


def least_worth(changed: Sequence[Changed], excess: float, worth: Mapping[str, float]) -> list[str]:
    """Return pieces without which ``excess`` of the occurrences may be as they were; none for 0.

    One of each word's pieces has to give way. The first is the one of the least ``worth`` for the
    occurrences that it stands in, and those that are left are weighed by what is left of these.
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
        if cost[piece] < then:  # outdated: put it back under its present cost
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
