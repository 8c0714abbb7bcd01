"""How well a tokenizer serves a text: unknowns, pieces per word, missing and deleted characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from operator import add, itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize import native
from specialize.corpus import TextCounts
from specialize.errors import UsageError
from specialize.vocab.counting.by_library import (
    count_text,
    open_library,
    other_file,
    read_tokenizer,
)
from specialize.vocab.counting.words import Text, add_hard, counted, native_rules, split_tokens
from specialize.vocab.formats.tokenizer_json import find_wordpiece
from specialize.vocab.wordpiece.model import WordPiece

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class Audit:
    """The counts of a text under a tokenizer, [CLS] and [SEP] left out."""

    words: int  # pre-tokenised
    pieces: int
    unknown_words: int  # words with an unknown piece
    unknown_pieces: int
    continued_words: int  # words of two pieces or more
    characters: int  # code points of the lines, their ends left out
    bytes: int  # of these in UTF-8
    missing: dict[str, int] = field(default_factory=dict)  # cannot be spelt, most frequent first
    deleted: dict[str, int] = field(default_factory=dict)  # by the normaliser, such as ZWNJ
    counted_by: str = "types"  # each segmented once; or "library": line by line, by tokenizers
    why_library: str = ""  # what of the tokenizer or of the text is not known to allow types

    @property
    def fertility(self) -> float:
        """Return the pieces per word; read it with the unknowns, each of which hides a word."""
        return self.pieces / self.words if self.words else 0.0

    @property
    def unknown_piece_share(self) -> float:
        """Return the share of unknown pieces among all pieces."""
        return self.unknown_pieces / self.pieces if self.pieces else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        shares = {"fertility": self.fertility, "unknown_piece_share": self.unknown_piece_share}
        return asdict(self) | shares


def audit_path(path: Path, lines: Text) -> Audit:
    """Return the audit of ``lines`` under the tokenizer at ``path``: a directory or file.

    WordPiece with BERT's rules is counted here. Any other tokenizer.json, and a GPT-2 directory
    (vocab.json and merges.txt), takes lines, not their counts: see ``audit_library``.
    """
    return audit_opened(open_tokenizer(path), lines, path)


def audit_opened(opened: WordPiece | Tokenizer, lines: Text, path: Path) -> Audit:
    """Return the same of a tokenizer that is open already; ``path`` is for the messages."""
    if isinstance(opened, WordPiece):
        return audit(opened, lines)
    return _by_library(opened, _lines(lines, path))


def open_tokenizer(path: Path) -> WordPiece | Tokenizer:
    """Return the tokenizer of a directory or file: ours where it is BERT's WordPiece."""
    other = other_file(path)
    if not other and (wordpiece := find_wordpiece(path)):
        return wordpiece
    return open_library(path)


def _lines(text: Text, path: Path) -> Iterable[str]:
    if isinstance(text, TextCounts):
        raise UsageError(
            f"{path}: only WordPiece tokenizers can be audited on counts; name the text itself"
        )
    return text


def audit(vocabulary: WordPiece, lines: Text) -> Audit:
    """Return the audit of ``lines``, given without their ends.

    Pieces and unknown pieces are as many as the tokenizers library makes of each line; a special
    piece written out in the text, such as [UNK], is a word and a piece like there. ``missing``: the
    characters of unknown words that are no piece where they stand, alone or continuing.
    """
    text = counted(lines)
    found = _sums(vocabulary, text.tokens)
    written = sum(found.special.values())
    unknown = found.unknown + found.special.get(vocabulary.unk, 0)
    return Audit(
        words=found.words + written,
        pieces=found.pieces + written,
        unknown_words=unknown,
        unknown_pieces=unknown,
        continued_words=found.continued,
        characters=text.characters,
        bytes=text.bytes,
        missing=_frequent_first(found.missing),
        deleted=_frequent_first(found.deleted),
    )


@dataclass(frozen=True)
class _Sums:
    words: int
    pieces: int
    unknown: int
    continued: int
    missing: Mapping[str, int]  # characters, by first occurrence
    special: Mapping[str, int]  # pieces written out, which the sums leave out
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
            for character in _unspelt(vocabulary, word):
                missing[character] += count
    words = sum(split.words.values())
    return _Sums(words, pieces, unknown, continued, missing, split.special, split.deleted)


def _sums_natively(vocabulary: WordPiece, tokens: native.TokenCounts) -> _Sums:
    """Return the same, token by token: no table of the words is made."""
    core, rules, threads = native.core(), vocabulary.rules, native.threads()
    (sums, missing), written, deleted, hard = core.audit_text(
        tokens.handle, native_rules(rules), vocabulary.handle, threads
    )
    special = {vocabulary.pieces[i]: n for i, n in written}
    deleted = {chr(c): n for c, n in deleted}
    if hard:
        rest = native.WordCounts()
        add_hard(hard, rules, vocabulary.special, words=rest, written=special, deleted=deleted)
        more, lacking = core.audit_words(rest.handle, vocabulary.handle, threads)
        sums, missing = map(add, sums, more), missing + lacking
    words, pieces, unknown, continued = sums
    return _Sums(words, pieces, unknown, continued, _in_order(missing), special, deleted)


def _in_order(missing: Iterable[tuple[int, int, int, int]]) -> Counter[str]:
    """Sum up (character, occurrences, place of the word, place in it) by first occurrence."""
    counts: Counter[str] = Counter()
    for code, count, *_ in sorted(missing, key=itemgetter(2, 3)):
        counts[chr(code)] += count
    return counts


def _frequent_first(counts: Mapping[str, int]) -> dict[str, int]:
    return {text: counts[text] for text in sorted(counts, key=counts.__getitem__, reverse=True)}


def _unspelt(vocabulary: WordPiece, word: str) -> Iterator[str]:
    for i, character in enumerate(word):
        if (vocabulary.prefix + character if i else character) not in vocabulary.ids:
            yield character


def audit_library(tokenizer_file: Path, lines: Iterable[str]) -> Audit:
    """Return the audit of ``lines`` under any tokenizer.json, as the tokenizers library does it.

    Words are those of its own pre-tokeniser, or white-space tokens where it has none. ``missing``:
    the characters under unknown pieces. ``counted_by`` says whether types were counted or lines.
    """
    return _by_library(read_tokenizer(tokenizer_file), lines)


def _by_library(tokenizer: Tokenizer, lines: Iterable[str]) -> Audit:
    counts, reason = count_text(tokenizer, lines)
    return Audit(**counts, counted_by="library" if reason else "types", why_library=reason)
