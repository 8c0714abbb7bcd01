"""Audit of a tokenizer on a text: unknowns, pieces per word, missing and deleted characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from operator import add, itemgetter
from typing import TYPE_CHECKING, Any

from specialize import native
from specialize.corpus import TextCounts
from specialize.errors import UsageError
from specialize.vocab.base import Vocabulary
from specialize.vocab.counting.by_library import count_text
from specialize.vocab.counting.words import (
    Text,
    as_text,
    counted,
    native_rules,
    split_fallback,
    split_tokens,
)
from specialize.vocab.wordpiece.model import WordPiece

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class Audit:
    """The counts of a text under a tokenizer, without [CLS] and [SEP]."""

    words: int  # pre-tokenised
    pieces: int
    unknown_words: int  # words with an unknown piece
    unknown_pieces: int
    continued_words: int  # words of two pieces or more
    characters: int  # code points of the lines, without line ends
    bytes: int  # of these in UTF-8
    missing: dict[str, int] = field(
        default_factory=dict
    )  # characters without a piece, most frequent first
    deleted: dict[str, int] = field(default_factory=dict)  # by the normaliser, such as ZWNJ
    counted_by: str = "types"  # or "library": line by line, by the tokenizers library
    why_library: str = ""  # what rules out counting by types

    @property
    def fertility(self) -> float:
        """Return the pieces per word; read it with the unknowns, which hide whole words."""
        return self.pieces / self.words if self.words else 0.0

    @property
    def unknown_piece_share(self) -> float:
        """Return the share of unknown pieces among all pieces."""
        return self.unknown_pieces / self.pieces if self.pieces else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the audit as JSON values."""
        shares = {"fertility": self.fertility, "unknown_piece_share": self.unknown_piece_share}
        return asdict(self) | shares


def audit(vocabulary: Vocabulary, text: Text) -> Audit:
    """Return the audit of ``text`` under a vocabulary of any family."""
    return vocabulary.audit(text)


def audit_wordpiece(vocabulary: WordPiece, lines: Text) -> Audit:
    """Return the audit of ``lines``, given without their ends.

    Pieces and unknown pieces equal those of the tokenizers library; a special piece in the text,
    such as [UNK], is a word and a piece. ``missing``: characters of unknown words without a piece
    of their form, word-initial or continuing; none where all pieces are whole words.
    """
    text = counted(lines)
    found = _sums(vocabulary, text.tokens)
    written = sum(found.special.values())
    unknown = found.unknown + found.special.get(vocabulary.unk, 0)
    parts = any(piece.startswith(vocabulary.prefix) for piece in vocabulary.pieces)
    return Audit(
        words=found.words + written,
        pieces=found.pieces + written,
        unknown_words=unknown,
        unknown_pieces=unknown,
        continued_words=found.continued,
        characters=text.characters,
        bytes=text.bytes,
        missing=_frequent_first(found.missing) if parts else {},
        deleted=_frequent_first(found.deleted),
    )


@dataclass(frozen=True)
class _Sums:
    words: int
    pieces: int
    unknown: int
    continued: int
    missing: Mapping[str, int]  # characters, by first occurrence
    special: Mapping[str, int]  # special pieces in the text, not in the totals
    deleted: Mapping[str, int]


def _sums(vocabulary: WordPiece, tokens: Mapping[str, int]) -> _Sums:
    if isinstance(tokens, native.TokenCounts):
        return _sums_natively(vocabulary, tokens)
    split = split_tokens(tokens, vocabulary.rules, vocabulary.special)
    pieces = unknown = continued = 0
    missing: Counter[str] = Counter()
    for word, count in split.words.items():
        length = len(found := vocabulary.segment(word))
        pieces += count * length
        continued += count * (length > 1)
        if found == [vocabulary.unk]:
            unknown += count
            for character in _missing(vocabulary, word):
                missing[character] += count
    words = sum(split.words.values())
    return _Sums(words, pieces, unknown, continued, missing, split.special, split.deleted)


def _sums_natively(vocabulary: WordPiece, tokens: native.TokenCounts) -> _Sums:
    """Return the same from tokens, without a table of words."""
    core, rules, threads = native.core(), vocabulary.rules, native.threads()
    (sums, missing), written, deleted, fallback = core.audit_text(
        tokens.handle, native_rules(rules), vocabulary.handle, threads
    )
    special = {vocabulary.pieces[i]: n for i, n in written}
    deleted = {chr(c): n for c, n in deleted}
    if fallback:
        rest = native.WordCounts()
        split_fallback(
            fallback, rules, vocabulary.special, words=rest, written=special, deleted=deleted
        )
        more, lacking = core.audit_words(rest.handle, vocabulary.handle, threads)
        sums, missing = map(add, sums, more), missing + lacking
    words, pieces, unknown, continued = sums
    return _Sums(words, pieces, unknown, continued, _in_order(missing), special, deleted)


def _in_order(missing: Iterable[tuple[int, int, int, int]]) -> Counter[str]:
    """Sum (character, occurrences, position of the word, index in it) by first occurrence."""
    counts: Counter[str] = Counter()
    for code, count, *_ in sorted(missing, key=itemgetter(2, 3)):
        counts[chr(code)] += count
    return counts


def _frequent_first(counts: Mapping[str, int]) -> dict[str, int]:
    return {text: counts[text] for text in sorted(counts, key=counts.__getitem__, reverse=True)}


def _missing(vocabulary: WordPiece, word: str) -> Iterator[str]:
    for i, character in enumerate(word):
        if (vocabulary.prefix + character if i else character) not in vocabulary.ids:
            yield character


def audit_library(tokenizer: Tokenizer, text: Text, source: str = "tokenizer.json") -> Audit:
    """Return the audit of lines under any tokenizer, as the tokenizers library segments them.

    Words are those of its own pre-tokeniser, or white-space tokens without one. ``missing``: the
    characters under unknown pieces. ``counted_by``: whether types or lines were counted.
    UsageError, naming ``source``, if ``text`` is counts.
    """
    text = as_text(text)
    if isinstance(text, TextCounts):
        raise UsageError(
            f"{source}: expected a text, got counts, which only WordPiece tokenizers can be "
            "audited on; name the text itself"
        )
    counts, reason = count_text(tokenizer, text, source=source)
    return Audit(**counts, counted_by="library" if reason else "types", why_library=reason)
