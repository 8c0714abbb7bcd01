"""The two values that carry everything: a vocabulary, and the change from one to another."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import eq
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from specialize.vocab.audit.audit import Audit
    from specialize.vocab.counting.words import Text
    from specialize.vocab.guard import GuardedWords


@dataclass(frozen=True)
class Extension:
    """How a vocabulary is extended; see ``augment.extend``."""

    pieces: int
    min_count: int = 5
    slots: bool = True  # WordPiece: take [unusedN] places before appending
    mixture: float = 0.1  # Unigram: the share of the text that the new pieces are scored for
    strict: bool = False  # Unigram: scores that only join old pieces
    guard: GuardedWords | None = None  # words that keep their segmentation


class Vocabulary(Protocol):
    """Pieces and the rule that splits words with them: what every family has."""

    unk: str  # the piece for what is not known, "" where there is none
    special: tuple[str, ...]  # pieces with a meaning of their own, as [CLS]
    prefix: str  # the mark of pieces that continue a word, "" where others are marked

    @property
    def pieces(self) -> Sequence[str]:
        """Return the pieces in the order of their ids."""
        ...

    @property
    def ids(self) -> Mapping[str, int]:
        """Return piece -> id."""
        ...

    @property
    def tokenizer(self) -> Tokenizer:
        """Return the tokenizer of the tokenizers library, without truncation and padding."""
        ...

    # Texts and words

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

    def unspelt(self, text: str) -> str:
        """Return the text under unknown pieces: words of a WordPiece, else characters."""
        ...

    # Counts

    def count_words(self, text: Text) -> Mapping[str, int]:
        """Return how often each pre-tokenised word occurs, in order of first occurrence."""
        ...

    def audit(self, text: Text) -> Audit:
        """Return the audit of ``text``."""
        ...

    # Pieces

    @property
    def control_pieces(self) -> Sequence[str]:
        """Return the pieces that words are not made of, by id: special, unknown, around a text."""
        ...

    def continues(self, id: int) -> bool:
        """Return whether the piece is not the first of its word: ``##s``; ``s`` beside ``Ġs``."""
        ...

    def readable(self, piece: str) -> str:
        """Return ``piece`` as people read it, in one line: bytes as text."""
        ...

    # Other vocabularies of the family

    def extended(self, words: Mapping[str, int], options: Extension) -> VocabChange[Self]:
        """Return the change that adds the pieces that save the most on ``words``."""
        ...

    def retrained(self, words: Mapping[str, int], *, size: int, min_count: int) -> Self:
        """Return a vocabulary of ``size`` pieces trained on ``words``, with the same rules."""
        ...

    def restricted(self, keep: Collection[str]) -> Self:
        """Return the vocabulary with the pieces of ``keep``, control pieces and what these need.

        Where ``keep`` has the pieces of a word, its characters, and ``base_pieces``, the word has
        these pieces still.
        """
        ...

    def base_pieces(self, letters: Iterable[str]) -> set[str]:
        """Return the pieces that words of ``letters`` may need, however rare."""
        ...

    def trace(self, word: str) -> list[str]:
        """Return the pieces that make ``word`` what it is: its own, or those before a dead end."""
        ...

    def setting_changes(self, old: Self) -> str:
        """Return what differs from ``old`` besides new pieces: a rule, a score, an order; or ""."""
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
    coarsens: bool = False  # known words have the same pieces, or old ones joined
    guard: GuardedWords | None = None  # words that keep their segmentation

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


def appended(old: U, new: U, fresh: Sequence[str], *, coarsens: bool = False) -> VocabChange[U]:
    """Return the change that puts ``fresh`` pieces behind all others."""
    size = len(old.pieces)
    kept, ids = {i: i for i in range(size)}, tuple(range(size, size + len(fresh)))
    return VocabChange(old, new, kept, ids, coarsens=coarsens)
