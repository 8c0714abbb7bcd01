"""Words and tokens of a text, counted by types in one pass."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from specialize import native
from specialize.corpus import Countable, TextCounts, count_lines, open_text
from specialize.errors import MissingError
from specialize.vocab.wordpiece.pretokenize import (
    CASED,
    BertRules,
    character_rules,
    deleted_characters,
    special_parts,
    tokens_of,
    words,
)

Text = Countable | TextCounts | Iterable[str]  # lines, or their counts


def count_words(text: Text, rules: BertRules = CASED) -> Mapping[str, int]:
    """Return the occurrences of each word of ``text``, in order of first occurrence.

    ``text``: lines, or their counted tokens. Unicode rules are applied to each type of token only
    once, which gives the same counts: no rule looks across white space.
    """
    tokens = counted(text).tokens
    if isinstance(tokens, native.TokenCounts):
        if rules not in tokens.derived:
            tokens.derived[rules] = TextWords(tokens, rules)
        return tokens.derived[rules]  # type: ignore[no-any-return]
    return split_tokens(tokens, rules).words


def count_tokens(text: Text, rules: BertRules = CASED) -> Mapping[str, int]:
    """Return the occurrences of each white-space token of ``text``, by first occurrence."""
    tokens = counted(text).tokens
    if isinstance(tokens, native.TokenCounts):
        return UnitCounts(tokens, rules)
    return _white_space_tokens(tokens, rules)


def _white_space_tokens(tokens: Mapping[str, int], rules: BertRules) -> Counter[str]:
    counts: Counter[str] = Counter()
    for found, count in tokens.items():
        for token in tokens_of(found, rules):
            counts[token] += count
    return counts


class UnitCounts(Mapping[str, int]):
    """White-space tokens of a text that the extension counted; built lazily on first access."""

    def __init__(self, tokens: native.TokenCounts, rules: BertRules) -> None:
        """Wrap counted tokens."""
        self.tokens, self.rules = tokens, rules

    def __getitem__(self, token: str) -> int:
        return self._counts[token]

    def __iter__(self) -> Iterator[str]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    @cached_property
    def _counts(self) -> Counter[str]:
        return _white_space_tokens(self.tokens, self.rules)


class TextWords(native.WordCounts):
    """Words of a text that the extension counted; their table is built lazily."""

    def __init__(self, tokens: native.TokenCounts, rules: BertRules) -> None:
        """Wrap counted tokens."""
        self.tokens, self.rules = tokens, rules

    @cached_property
    def handle(self) -> Any:  # type: ignore[override]
        """Return the extension's table."""
        words, _, _ = _split_natively(self.tokens, self.rules, ())
        return words.handle

    @property
    def is_built(self) -> bool:
        """Whether the table is built."""
        return "handle" in vars(self)


def as_text(text: Text | str | os.PathLike[str]) -> Text:
    """Return ``text``, or the corpus at a path; TypeError for anything else."""
    if isinstance(text, str | os.PathLike):
        try:
            return open_text([os.fspath(text)])
        except MissingError:
            raise TypeError(
                f"expected lines, a corpus or a path, got {str(text)[:60]!r}, which names no file; "
                "give a text as a list of lines"
            ) from None
    if isinstance(text, bytes | bytearray) or not isinstance(text, TextCounts | Iterable):
        kind = type(text).__name__
        raise TypeError(f"expected lines, a corpus or a path, got {kind}; give a list of lines")
    return text


def counted(text: Text) -> TextCounts:
    """Return the counted tokens of ``text``: its own counts if it has them, else of its lines."""
    text = as_text(text)
    if isinstance(text, TextCounts):
        return text
    return text.counts() if isinstance(text, Countable) else count_lines(text)


@dataclass(frozen=True)
class SplitTokens:
    """The parts of tokens, each with its occurrences, in order of first occurrence."""

    words: Mapping[str, int]
    special: dict[str, int]  # special pieces in the text
    deleted: dict[str, int]  # characters that cleaning deletes


def split_tokens(
    tokens: Mapping[str, int], rules: BertRules = CASED, special: Sequence[str] = ()
) -> SplitTokens:
    """Split counted tokens into words and special pieces."""
    if isinstance(tokens, native.TokenCounts):
        return SplitTokens(*_split_natively(tokens, rules, special))
    return _split(tokens, rules, special)


def _split(tokens: Mapping[str, int], rules: BertRules, special: Sequence[str]) -> SplitTokens:
    found: tuple[Counter[str], Counter[str], Counter[str]] = (Counter(), Counter(), Counter())
    deleted = deleted_characters() if rules.clean else frozenset[str]()
    parts = special_parts(special)
    for token, count in tokens.items():
        for i, part in enumerate(parts(token)):
            if i % 2:
                found[1][part] += count
                continue
            for word in words(part, rules):
                found[0][word] += count
            for character in part:
                if character in deleted:
                    found[2][character] += count
    return SplitTokens(*found)


def _split_natively(
    tokens: native.TokenCounts, rules: BertRules, special: Sequence[str]
) -> tuple[native.WordCounts, dict[str, int], dict[str, int]]:
    handle, written, deleted, fallback = native.core().words_of_text(
        tokens.handle, native_rules(rules), list(special), native.threads()
    )
    words = native.WordCounts(handle)
    written, deleted = {special[i]: n for i, n in written}, {chr(c): n for c, n in deleted}
    split_fallback(fallback, rules, special, words=words, written=written, deleted=deleted)
    return words, written, deleted


def split_fallback(
    tokens: Iterable[tuple[str, int, int]],
    rules: BertRules,
    special: Sequence[str],
    *,
    words: native.WordCounts,
    written: dict[str, int],
    deleted: dict[str, int],
) -> None:
    """Split tokens that fall back to Python; add their parts to ``words`` and others.

    ``tokens``: (token, occurrences, position of the first). ``written``: special pieces.
    """
    for token, count, first in tokens:
        rest = _split({token: count}, rules, special)
        words.add((word, n, first + i) for i, (word, n) in enumerate(rest.words.items()))
        for of, more in ((written, rest.special), (deleted, rest.deleted)):
            for text, n in more.items():
                of[text] = of.get(text, 0) + n


@cache
def native_rules(rules: BertRules) -> Any:
    """Return the extension's handle of ``rules``, built from their effect on each character."""
    return native.core().rules_new(*character_rules(rules))
