"""New pieces that change the segmentation of guarded words under longest match.

Under longest match, the old segmentation of a word determines the new pieces that change it.
Segmenting ``dancing`` (``dan ##c ##ing``) passes the starts 0, 3 and 4 until a new piece matches,
which happens exactly if it is longer than the old piece there: ``danc`` and ``##ci`` change the
word, ``##nci`` begins at no start. Hence (tests try every subset):

- whether a piece changes a guarded word does not depend on other new pieces;
- a set of pieces changes exactly the words that one of its pieces changes;
- without a budget there is a unique largest set that changes nothing, and it is chosen;
- a word that is itself a piece never changes, so the old vocabulary guards its own words.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from specialize.vocab.guard import Words, allowed_changes, check_budget
from specialize.vocab.wordpiece.model import WordPiece


class Guard:
    """Words covered by a vocabulary, and the pieces that would change their segmentation.

    ``occurrences`` of guarded words, ``allowed`` of which may change. Unknown words and special
    pieces are not guarded.
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

        The others are added to ``refused``. A candidate beyond the budget does not block cheaper
        ones after it.
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
        """Return the indices of the words that ``piece`` changes."""
        found: set[int] = set()
        for i in range(bisect_left(self._texts, piece), len(self._texts)):
            if not self._texts[i].startswith(piece):
                break
            if self._taken[i] < len(piece):
                found.add(self._words[i])
        return found


def _guarded(vocabulary: WordPiece, word: str) -> Sequence[str]:
    """Return the pieces of a word to guard; none if it is not guarded."""
    if len(word) > vocabulary.max_chars or word in vocabulary.special:
        return ()
    return vocabulary.cover(word)


def _starts(word: str, path: Sequence[str], prefix: str) -> Iterator[tuple[str, int]]:
    """Yield, for each piece but the last, the rest of the word from it, and its length.

    ``dan ##c ##ing`` -> ("dancing", 3), ("##cing", 3). Nothing is longer than the last piece.
    """
    at = 0
    for piece in path[:-1]:
        mark = prefix if at else ""
        yield mark + word[at:], len(piece)
        at += len(piece) - len(mark)
