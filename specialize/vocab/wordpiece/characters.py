"""Unknown words, and the single characters that a vocabulary lacks for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from specialize import native
from specialize.vocab.wordpiece.longest_match import longest_first
from specialize.vocab.wordpiece.model import WordPiece


class Spelling:
    """The words of a corpus that a growing set of pieces leaves unknown.

    ``unknown``: word -> occurrences; ``needs``: one-character piece -> occurrences of unknown words
    that lack it, in order of first occurrence. Words longer than the vocabulary's limit are left
    out: no piece can make them known.
    """

    def __init__(self, vocabulary: WordPiece, counts: Mapping[str, int]) -> None:
        self.prefix, self._longest = vocabulary.prefix, vocabulary.longest
        self._pieces = set(vocabulary.pieces)
        self.unknown: dict[str, int] = {}
        self.needs: Counter[str] = Counter()
        self._lacks: dict[str, list[str]] = {}  # unknown word -> one-character pieces
        for word, count in counts.items():
            if len(word) <= vocabulary.max_chars and (lacks := self._missing(word)):
                self.unknown[word] = count
                self._note(word, lacks)

    def dead_end(self, word: str) -> int:
        """Return how many characters of ``word`` the pieces cover before a dead end."""
        return longest_first(word, self._pieces, prefix=self.prefix, longest=self._longest)[1]

    def fixed_by(self, word: str, piece: str) -> bool:
        """Whether the new ``piece`` alone would make ``word`` known."""
        longest = max(self._longest, len(piece))
        self._pieces.add(piece)
        end = longest_first(word, self._pieces, prefix=self.prefix, longest=longest)[1]
        self._pieces.remove(piece)
        return end == len(word)

    def add(self, piece: str) -> dict[str, int]:
        """Add ``piece``; return the previously unknown words that contain its text."""
        text = piece.removeprefix(self.prefix)
        self._pieces.add(piece)
        self._longest = max(self._longest, len(text))
        held = {word: count for word, count in self.unknown.items() if text in word}
        for word, count in held.items():
            for form in self._lacks.pop(word):
                self.needs[form] -= count
            if lacks := self._missing(word):
                self._note(word, lacks)
            else:
                del self.unknown[word]
        return held

    def _note(self, word: str, lacks: list[str]) -> None:
        self._lacks[word] = lacks
        for form in lacks:
            self.needs[form] += self.unknown[word]

    def _missing(self, word: str) -> list[str]:
        """Return the one-character pieces that together make ``word`` known: ``["##ې"]``.

        They are the characters at the dead ends of longest match, skipping each. Characters
        covered by longer pieces are not among them.
        """
        forms: dict[str, None] = {}
        start = 0
        while start < len(word):
            _, end = longest_first(
                word[start:],
                self._pieces,
                prefix=self.prefix,
                longest=self._longest,
                continuing=start > 0,
            )
            start += end + 1
            if start <= len(word):
                forms[self.prefix * (start > 1) + word[start - 1]] = None
        return list(forms)


def missing_characters(
    vocabulary: WordPiece, counts: Mapping[str, int], *, min_count: int = 1
) -> Iterator[str]:
    """Yield one-character pieces, adding each; first the one that most unknown words lack.

    Counts are updated after each. Ties go to the piece needed first in the corpus. Stops when no
    piece is needed by ``min_count`` word occurrences.
    """
    if chooser := native_chooser(vocabulary, counts):
        following = partial(native.core().chooser_next_missing, chooser, max(1, min_count))
        yield from iter(following, None)
        return
    spelling = Spelling(vocabulary, counts)
    while spelling.unknown:
        piece = max(spelling.needs, key=spelling.needs.__getitem__)
        if spelling.needs[piece] < min_count:
            return
        spelling.add(piece)
        yield piece


def native_chooser(vocabulary: WordPiece, counts: Mapping[str, int]) -> Any:
    """Return the extension's counterpart of ``Spelling``, None without the extension."""
    if native.core() is None or not vocabulary.prefix:
        return None
    return native.core().chooser_new(
        native.as_words(counts).handle, vocabulary.handle, native.threads()
    )
