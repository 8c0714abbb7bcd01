"""Pieces of a new vocabulary that replace unknowns of an old one: the paper's count.

This is the Python reference of the package's hot path, over types rather than occurrences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from specialize import native
from specialize.vocab.base import Vocabulary
from specialize.vocab.counting.words import TextWords, UnitCounts, native_rules
from specialize.vocab.wordpiece.model import WordPiece
from specialize.vocab.wordpiece.pretokenize import words


@dataclass(frozen=True)
class Replacements:
    """The occurrences of each piece of the new vocabulary, by first occurrence."""

    replaced: dict[str, int]  # in units with fewer unknowns than under the old vocabulary
    overall: dict[str, int]  # in all units; empty if not requested

    def ranked(self, old: Vocabulary, *, pad: bool = False) -> list[str]:
        """Return the pieces that ``old`` lacks, those replacing the most unknowns first.

        Ties go to the piece that occurs first. ``pad``: the other pieces follow, the most frequent
        overall first.
        """
        ranked = sorted(self.replaced, key=self.replaced.__getitem__, reverse=True)  # stable
        if pad:
            ranked += sorted(self.overall, key=self.overall.__getitem__, reverse=True)
        return [piece for piece in dict.fromkeys(ranked) if piece not in old.ids]


def count_replacements(
    counts: Mapping[str, int], old: Vocabulary, new: Vocabulary, *, overall: bool = True
) -> Replacements:
    """Count the pieces of ``new`` that replace unknowns of ``old``.

    ``counts``: unit -> occurrences, in order of first occurrence. A unit is a pre-tokenised word,
    or a white-space token, which may be several words (``"(ئاي)"`` is three), as in the authors'
    code. A unit with fewer unknown pieces under ``new`` credits each occurrence of a piece that it
    does not have under ``old``. ``overall``: also count pieces in all units, for padding; without
    it, units that ``old`` covers are not segmented.
    """
    if native.core() and isinstance(old, WordPiece) and isinstance(new, WordPiece):
        alike = (old.rules, old.special) == (new.rules, new.special) and not old.by_library
        # subtle: a few marks depend on their neighbours, so tokens fall back to the reference
        splits = old.rules.strip_accents and not isinstance(counts, native.WordCounts)
        if alike and not pieces_in_words(old) and not splits:
            return _natively(counts, old, new, overall)
    return _count(counts, old, new, overall)


def _count(
    counts: Mapping[str, int], old: Vocabulary, new: Vocabulary, overall: bool
) -> Replacements:
    replaced: Counter[str] = Counter()
    everywhere: Counter[str] = Counter()
    for unit, count in counts.items():
        after = _pieces(unit, new)
        if overall:
            for piece in after:
                everywhere[piece] += count
        before = _pieces(unit, old)
        if before.count(old.unk) > after.count(new.unk):
            for piece in after:
                if piece not in before:
                    replaced[piece] += count
    return Replacements(dict(replaced), dict(everywhere))


def _pieces(unit: str, vocabulary: Vocabulary) -> list[str]:
    return [piece for word in vocabulary.words(unit) for piece in vocabulary.segment(word)]


def pieces_in_words(vocabulary: WordPiece) -> list[str]:
    """Return special and unknown pieces that can be inside a word, unlike [UNK]."""

    def is_word(text: str) -> bool:
        return len(words(text, vocabulary.rules)) == 1

    pieces = dict.fromkeys((*vocabulary.special, vocabulary.unk))
    return [p for p in pieces if is_word(p) or is_word(p.removeprefix(vocabulary.prefix))]


def _natively(
    counts: Mapping[str, int], old: WordPiece, new: WordPiece, overall: bool
) -> Replacements:
    units, rules, unit = _units(counts, old)
    found = native.core().count_replacements(
        units.handle, old.handle, new.handle, rules, unit, overall, native.threads()
    )
    return Replacements(*({new.pieces[i]: n for i, n in sums} for sums in found))


_WHOLE, _TOKEN, _WORD = range(3)  # the extension's units of comparison


def _units(counts: Mapping[str, int], old: WordPiece) -> tuple[native.Counts, Any, int]:
    """Return a table of the extension, its splitting rules, and the units it is split into."""
    if isinstance(counts, TextWords) and not (counts.is_built or counts.rules.strip_accents):
        return counts.tokens, native_rules(counts.rules), _WORD  # faster than building their table
    if isinstance(counts, native.WordCounts):
        return counts, None, _WHOLE
    rules = native_rules(old.rules)
    if isinstance(counts, UnitCounts):
        return counts.tokens, rules, _TOKEN
    return native.as_tokens(counts), rules, _WHOLE
