"""Which pieces change the segmentation of guarded words, under longest match.

With longest match first, which new pieces change a word is seen from its old segmentation alone.
The walk through ``dancing``, which is ``dan ##c ##ing``, comes by the starts 0, 3 and 4 until it
takes a new piece, and takes one there exactly if it is longer than the old one: ``danc`` and
``##ci`` change the word, ``##nci`` begins at no start. Hence (tests try every subset):

- a piece changes a guarded word or not, whatever the other new pieces are;
- a set of pieces changes just the words that one of them changes;
- without a budget there is one largest set that changes nothing, so none is dropped in vain;
- a word that is a piece itself stays whole, so the old vocabulary guards its own words.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from specialize.vocab.guard import Words, allowed_changes, check_budget
from specialize.vocab.wordpiece.model import WordPiece


class Guard:
    """The words that a vocabulary covers, and which pieces would change their segmentation.

    ``occurrences``: of the guarded words; ``allowed``: how many of these may change. Words unknown
    to the vocabulary are not guarded, nor are special pieces written out.
    """

    def __init__(self, vocabulary: WordPiece, words: Words, *, budget: float = 0.0) -> None:
        """Guard ``words`` (word -> occurrences); a share of ``budget`` of these may change."""
        check_budget(budget)
        self._counts: list[int] = []
        starts: list[tuple[str, int, int]] = []
        for word, count in words.items():
            path = _guarded(vocabulary, word)
            if not path:
                continue
            number = len(self._counts)
            starts += ((text, n, number) for text, n in _starts(word, path, vocabulary.prefix))
            self._counts.append(count)
        starts.sort()
        self._texts = [text for text, _, _ in starts]
        self._taken = [taken for _, taken, _ in starts]
        self._words = [word for _, _, word in starts]
        self.occurrences = sum(self._counts)
        self.allowed = allowed_changes(budget, self.occurrences)

    def admit(self, candidates: Iterable[str], refused: dict[str, None]) -> Iterator[str]:
        """Yield the candidates, in order of preference, that together change no more than allowed.

        The others are added to ``refused``. A candidate that is over the budget does not stop
        cheaper ones after it.
        """
        changed: set[int] = set()
        spent = 0
        for piece in candidates:
            more = self._changed_by(piece) - changed
            cost = sum(self._counts[word] for word in more)
            if more and spent + cost > self.allowed:
                refused[piece] = None
                continue
            changed |= more
            spent += cost
            yield piece

    def _changed_by(self, piece: str) -> set[int]:
        """Return the numbers of the words that ``piece`` changes."""
        found: set[int] = set()
        for i in range(bisect_left(self._texts, piece), len(self._texts)):
            if not self._texts[i].startswith(piece):
                break
            if self._taken[i] < len(piece):
                found.add(self._words[i])
        return found


def _guarded(vocabulary: WordPiece, word: str) -> Sequence[str]:
    """Return the pieces of a word to guard, none where it is not one."""
    if len(word) > vocabulary.max_chars or word in vocabulary.special:
        return ()
    return vocabulary.cover(word)


def _starts(word: str, path: Sequence[str], prefix: str) -> Iterator[tuple[str, int]]:
    """Yield, for each piece but the last, the word from there on, and how long the piece is.

    ``dan ##c ##ing`` -> ("dancing", 3), ("##cing", 3). Nothing is longer than the last piece.
    """
    at = 0
    for piece in path[:-1]:
        mark = prefix if at else ""
        yield mark + word[at:], len(piece)
        at += len(piece) - len(mark)
