"""The central values: a vocabulary, and the change from one to another."""

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
    from specialize.vocab.settings import Settings


@dataclass(frozen=True)
class Extension:
    """How a vocabulary is extended; see ``augment.extend``."""

    pieces: int
    min_count: int = 5
    slots: bool = True  # WordPiece: fill [unusedN] slots before appending
    mixture: float = 0.1  # Unigram: share of text in the new language
    strict: bool = False  # Unigram: scores under which old pieces are only joined
    guard: GuardedWords | None = None  # words that keep their segmentation


class Vocabulary(Protocol):
    """The protocol of every family: pieces, and segmentation with them."""

    unk: str  # the unknown piece, "" if there is none
    special: tuple[str, ...]  # pieces with a special meaning, such as [CLS]
    prefix: str  # marks continuing pieces; "" if word-initial ones are marked
    settings: Settings | None  # of the folder it was read from; None if it was made in memory

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
        """Return the pre-tokenised words of ``text``, in the letters of the pieces."""
        ...

    def segment(self, word: str) -> list[str]:
        """Return the pieces of one pre-tokenised word; ``unk`` for uncovered text."""
        ...

    def parts(self, piece: str, text: str | None = None) -> list[str]:
        """Return the pieces of the text of ``piece`` in its position; none if unknown.

        ``text``: another text in its place, normalised and split into words as any text is.
        """
        ...

    def text(self, piece: str) -> str:
        """Return the text of ``piece`` without marks; "" for control pieces and part-characters."""
        ...

    def encode(self, text: str) -> list[int]:
        """Return the ids of the pieces of ``text``, without special ones around it."""
        ...

    def encode_lines(self, lines: Sequence[str]) -> list[list[int]]:
        """Return ``encode`` of each line, all at once: natively or in parallel."""
        ...

    def encode_words(self, words: Sequence[str]) -> list[list[int]]:
        """Return the ids of each word of a sentence, encoded in context; at least one per word.

        In a byte-level BPE a word includes the space before it. A word that the normaliser deletes
        gets the unknown piece, or the pieces of a space if there is none.
        """
        ...

    def unknown_text(self, text: str) -> str:
        """Return the text under unknown pieces: words of a WordPiece, else characters."""
        ...

    # Counts

    def count_words(self, text: Text) -> Mapping[str, int]:
        """Return the occurrences of each pre-tokenised word, by first occurrence."""
        ...

    def audit(self, text: Text) -> Audit:
        """Return the audit of ``text``."""
        ...

    # Pieces

    @property
    def control_pieces(self) -> Sequence[str]:
        """Return pieces that are not text, by id: special, unknown, framing a text."""
        ...

    def continues(self, id: int) -> bool:
        """Return whether the piece is not the first of its word: ``##s``; ``s`` beside ``Ġs``."""
        ...

    def readable(self, piece: str) -> str:
        """Return ``piece`` in readable form, on one line, with bytes decoded."""
        ...

    # Other vocabularies of the family

    def extended(self, words: Mapping[str, int], options: Extension) -> VocabChange[Self]:
        """Return the change that adds the pieces that save the most on ``words``."""
        ...

    def retrained(self, words: Mapping[str, int], *, size: int, min_count: int) -> Self:
        """Return a vocabulary of ``size`` pieces trained on ``words``, with the same rules."""
        ...

    def restricted(self, keep: Collection[str]) -> Self:
        """Return the vocabulary with only ``keep``, control pieces and their dependencies.

        A word keeps its segmentation if ``keep`` has its pieces, characters and ``base_pieces``.
        """
        ...

    def base_pieces(self, letters: Iterable[str]) -> set[str]:
        """Return the pieces that words of ``letters`` may need, regardless of frequency."""
        ...

    def trace(self, word: str) -> list[str]:
        """Return the pieces that the segmentation of ``word`` depends on, up to a dead end."""
        ...

    def setting_changes(self, old: Self) -> str:
        """Return the first difference from ``old`` except new pieces (a rule, score ...), or ""."""
        ...


V = TypeVar("V", bound=Vocabulary, covariant=True)


@dataclass(frozen=True)
class VocabChange(Generic[V]):
    """From ``old`` to ``new``: the rows of the embedding table that are kept or fresh."""

    old: V
    new: V
    kept: Mapping[int, int]  # new id -> old id
    fresh: tuple[int, ...]  # new ids without an old row, in the order of selection
    dropped: tuple[str, ...] = ()  # pieces left out because they made known words unknown
    refused: tuple[str, ...] = ()  # pieces left out because they changed guarded words
    coarsens: bool = False  # in known words old pieces are only joined
    guard: GuardedWords | None = None  # words that keep their segmentation

    def __post_init__(self) -> None:
        """Raise ValueError if a fresh piece is also an old one, whose row it would have to keep."""
        if both := [piece for piece in self.fresh_pieces if piece in self.old.ids]:
            raise ValueError(
                f"fresh pieces that the old vocabulary has: {both[:5]}; expected them in kept"
            )

    @property
    def extends(self) -> bool:
        """Whether old pieces keep their ids; only slots may be replaced."""
        kept = all(map(eq, self.kept.keys(), self.kept.values()))
        return kept and len(self.new.pieces) >= len(self.old.pieces)

    @property
    def fresh_pieces(self) -> list[str]:
        """Return the pieces of the fresh rows, in the order of selection."""
        return [self.new.pieces[i] for i in self.fresh]


U = TypeVar("U", bound=Vocabulary)


def unchanged(vocabulary: U) -> VocabChange[U]:
    """Return the identity change of a vocabulary."""
    return VocabChange(vocabulary, vocabulary, {i: i for i in range(len(vocabulary.pieces))}, ())


def appended(old: U, new: U, fresh: Sequence[str], *, coarsens: bool = False) -> VocabChange[U]:
    """Return the change that appends ``fresh`` pieces."""
    size = len(old.pieces)
    kept, ids = {i: i for i in range(size)}, tuple(range(size, size + len(fresh)))
    return VocabChange(old, new, kept, ids, coarsens=coarsens)
