"""One interface for measuring any tokenizer: a WordPiece with BERT's rules, or the library's.

The tokenizers library has more families than those that can be extended (WordLevel, BPE with marks
on pieces, WordPiece with other rules); these can be audited and measured as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from specialize.vocab.audit.audit import Audit, audit_library, audit_wordpiece
from specialize.vocab.audit.metrics import library_counts, wordpiece_counts
from specialize.vocab.audit.normalizer_changes import (
    CharacterChange,
    changed_by_library,
    changed_by_rules,
)
from specialize.vocab.audit.segmentation import (
    Segment,
    tokens_by_library,
    tokens_by_rules,
    words_by_rules,
)
from specialize.vocab.audit.unreachable import (
    Unreachable,
    unreachable_by_library,
    unreachable_by_rules,
)
from specialize.vocab.counting.words import Text
from specialize.vocab.formats.detect import describe
from specialize.vocab.formats.tokenizer_json import has_bert_rules, wordpiece_of
from specialize.vocab.wordpiece.model import WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WordRules = tuple[BertRules, Sequence[str]]  # with special pieces


class Inspected(Protocol):
    """The measures of a tokenizer."""

    wordpiece: WordPiece | None  # if it is one
    notes: tuple[str, ...]  # how it was read, where that is not obvious
    size: int  # number of pieces, including special and unused ones

    @property
    def word_rules(self) -> WordRules | None:
        """Return the pre-tokenisation rules, None if the library pre-tokenises."""
        ...

    def audit(self, text: Text) -> Audit:
        """Return the audit of ``text``."""
        ...

    def count_pieces(self, text: Text, audit: Audit) -> dict[str, int]:
        """Return the occurrences of each piece in ``text``, counted like its ``audit``."""
        ...

    def changed_characters(self, text: Text) -> list[CharacterChange]:
        """Return the characters that the normaliser changes, most frequent first."""
        ...

    def unreachable(self) -> Unreachable:
        """Return the pieces that no text yields."""
        ...

    def segment_tokens(self) -> Segment:
        """Return the segmenter of white-space tokens."""
        ...

    def segment_words(self) -> Segment:
        """Return the segmenter of words under ``word_rules``."""
        ...


def open_inspected(path: Path) -> Inspected:
    """Return the tokenizer of a folder or file: with our rules if it is BERT's WordPiece."""
    found = describe(path)
    if has_bert_rules(found.tokenizer, found.file):
        return InspectedWordPiece(wordpiece_of(found.tokenizer, found.file, found.settings))
    return InspectedLibrary(found.library(), str(found.file))


def audit_path(path: Path, text: Text) -> Audit:
    """Return the audit of ``text`` under the tokenizer at ``path``: a folder or file.

    A WordPiece with BERT's rules takes lines or their counts, any other tokenizer lines only.
    """
    return open_inspected(path).audit(text)


class InspectedWordPiece:
    """A WordPiece with BERT's rules, measured on types of words."""

    def __init__(self, vocabulary: WordPiece) -> None:
        """Wrap the vocabulary."""
        self.wordpiece: WordPiece | None = vocabulary
        self.notes = vocabulary.settings.notes if vocabulary.settings else ()
        self.size = len(vocabulary.pieces)
        self._vocabulary = vocabulary

    @property
    def word_rules(self) -> WordRules | None:
        """Return the rules and the special pieces."""
        return self._vocabulary.rules, self._vocabulary.special

    def audit(self, text: Text) -> Audit:
        """Return the audit of ``text``."""
        return audit_wordpiece(self._vocabulary, text)

    def count_pieces(self, text: Text, audit: Audit) -> dict[str, int]:
        """Return the occurrences of each piece."""
        return wordpiece_counts(self._vocabulary, text)

    def changed_characters(self, text: Text) -> list[CharacterChange]:
        """Return the characters that the rules change."""
        return changed_by_rules(self._vocabulary, text)

    def unreachable(self) -> Unreachable:
        """Return the pieces that no text yields."""
        return unreachable_by_rules(self._vocabulary)

    def segment_tokens(self) -> Segment:
        """Return the segmenter of white-space tokens."""
        return tokens_by_rules(self._vocabulary)

    def segment_words(self) -> Segment:
        """Return the segmenter of words."""
        return words_by_rules(self._vocabulary)


class InspectedLibrary:
    """A tokenizer of the tokenizers library, measured with the library."""

    wordpiece: WordPiece | None = None
    word_rules: WordRules | None = None
    notes: tuple[str, ...] = ()

    def __init__(self, tokenizer: Tokenizer, source: str = "tokenizer.json") -> None:
        """Wrap the tokenizer, without truncation and padding; ``source`` is for messages."""
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer, self._source = tokenizer, source
        self.size: int = tokenizer.get_vocab_size()

    def audit(self, text: Text) -> Audit:
        """Return the audit of ``text``."""
        return audit_library(self._tokenizer, text, self._source)

    def count_pieces(self, text: Text, audit: Audit) -> dict[str, int]:
        """Return the occurrences of each piece."""
        by_types = audit.counted_by == "types"
        return library_counts(self._tokenizer, text, by_types=by_types)

    def changed_characters(self, text: Text) -> list[CharacterChange]:
        """Return the characters that the normaliser changes."""
        return changed_by_library(self._tokenizer, text)

    def unreachable(self) -> Unreachable:
        """Return the pieces that the library does not yield for their own text."""
        return unreachable_by_library(self._tokenizer)

    def segment_tokens(self) -> Segment:
        """Return the segmenter of white-space tokens."""
        return tokens_by_library(self._tokenizer)

    def segment_words(self) -> Segment:
        """Return the segmenter of tokens: the library's words are compared as tokens."""
        return tokens_by_library(self._tokenizer)
