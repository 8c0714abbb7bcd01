"""The two values that carry everything: a vocabulary, and the change from one to another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from specialize.vocab.wordpiece import WordPiece


class Vocabulary(Protocol):
    """Pieces and the rule that splits words with them."""

    unk: str
    prefix: str  # marks a piece that continues a word, as in ##ing

    @property
    def pieces(self) -> Sequence[str]:
        """Return the pieces in the order of their ids."""
        ...

    @property
    def ids(self) -> Mapping[str, int]:
        """Return piece -> id."""
        ...

    def words(self, text: str) -> list[str]:
        """Return the pre-tokenised words of ``text``."""
        ...

    def segment(self, word: str) -> list[str]:
        """Return the pieces of one pre-tokenised word; ``[unk]`` where they do not cover it."""
        ...

    def place(self, new: Iterable[str], *, slots: bool = True) -> VocabChange:
        """Return the change that gives ``new`` pieces ids: free slots first, then the end."""
        ...


@dataclass(frozen=True)
class VocabChange:
    """From ``old`` to ``new``: which rows of the embedding table survive and which are fresh."""

    old: WordPiece  # the one family so far; others will share the protocol above
    new: WordPiece
    kept: Mapping[int, int]  # new id -> old id
    fresh: tuple[int, ...]  # new ids without an old row, in the order of selection
    dropped: tuple[str, ...] = ()  # pieces left out because they made known words unknown
    refused: tuple[str, ...] = ()  # pieces left out because they changed guarded words

    @property
    def fresh_pieces(self) -> list[str]:
        """Return the pieces of the fresh rows, in the order of selection."""
        return [self.new.pieces[i] for i in self.fresh]


def unchanged(vocabulary: WordPiece) -> VocabChange:
    """Return the change that changes nothing."""
    return VocabChange(vocabulary, vocabulary, {i: i for i in range(len(vocabulary.pieces))}, ())
