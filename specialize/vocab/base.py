"""The two values that carry everything: a vocabulary, and the change from one to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import eq
from typing import Generic, Protocol, TypeVar


class Vocabulary(Protocol):
    """Pieces and the rule that splits words with them: what every family has."""

    unk: str  # the piece for what is not known, "" where there is none
    special: tuple[str, ...]  # pieces with a meaning of their own, as [CLS]

    @property
    def pieces(self) -> Sequence[str]:
        """Return the pieces in the order of their ids."""
        ...

    @property
    def ids(self) -> Mapping[str, int]:
        """Return piece -> id."""
        ...

    def words(self, text: str) -> list[str]:
        """Return the pre-tokenised words of ``text``, as the pieces spell them."""
        ...

    def segment(self, word: str) -> list[str]:
        """Return the pieces of one pre-tokenised word; ``unk`` for what they do not cover."""
        ...

    def parts(self, piece: str) -> list[str]:
        """Return the pieces that spell ``piece`` where it would stand; none if they do not."""
        ...

    def encode(self, text: str) -> list[int]:
        """Return the ids of the pieces of ``text``, without special ones around it."""
        ...

    def encode_lines(self, lines: Sequence[str]) -> list[list[int]]:
        """Return ``encode`` of each line, all at once: natively or in parallel."""
        ...

    def encode_words(self, words: Sequence[str]) -> list[list[int]]:
        """Return the ids of each word of a sentence, encoded where it stands in it; never none.

        A byte-level BPE spells a word with the space before it; a word that the normaliser deletes
        gets the unknown piece, or where there is none the pieces of a space.
        """
        ...

    def continues(self, id: int) -> bool:
        """Return whether the piece is not the first of its word: ``##s``; ``s`` beside ``Ġs``."""
        ...

    def unspelt(self, text: str) -> str:
        """Return the text under unknown pieces: words of a WordPiece, else characters."""
        ...


V = TypeVar("V", bound=Vocabulary, covariant=True)


@dataclass(frozen=True)
class VocabChange(Generic[V]):
    """From ``old`` to ``new``: which rows of the embedding table survive and which are fresh."""

    old: V
    new: V
    kept: Mapping[int, int]  # new id -> old id
    fresh: tuple[int, ...]  # new ids without an old row, in the order of selection
    dropped: tuple[str, ...] = ()  # pieces left out because they made known words unknown
    refused: tuple[str, ...] = ()  # pieces left out because they changed guarded words
    joins: bool = False  # of a word that was known, old pieces are only joined

    @property
    def extends(self) -> bool:
        """Whether old pieces have their ids; only slots may have gone."""
        kept = all(map(eq, self.kept.keys(), self.kept.values()))
        return kept and len(self.new.pieces) >= len(self.old.pieces)

    @property
    def fresh_pieces(self) -> list[str]:
        """Return the pieces of the fresh rows, in the order of selection."""
        return [self.new.pieces[i] for i in self.fresh]


U = TypeVar("U", bound=Vocabulary)


def unchanged(vocabulary: U) -> VocabChange[U]:
    """Return the change that changes nothing."""
    return VocabChange(vocabulary, vocabulary, {i: i for i in range(len(vocabulary.pieces))}, ())


def appended(old: U, new: U, fresh: Sequence[str], *, joins: bool = False) -> VocabChange[U]:
    """Return the change that puts ``fresh`` pieces behind all others."""
    size = len(old.pieces)
    kept, ids = {i: i for i in range(size)}, tuple(range(size, size + len(fresh)))
    return VocabChange(old, new, kept, ids, joins=joins)
