"""Texts counted under any tokenizer of the tokenizers library: BPE, Unigram, WordLevel."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, islice, pairwise
from typing import TYPE_CHECKING, Any

from specialize.vocab.bpe.native_count import byte_level
from specialize.vocab.counting.hidden import Hidden
from specialize.vocab.counting.lost import Lost, drops_characters
from specialize.vocab.counting.separable import joins_words, units_of
from specialize.vocab.counting.space_units import CONTEXT, UnitAudit, UnitCounts, text_of
from specialize.vocab.library import BLOCK, asked
from specialize.vocab.unigram.native_count import unigram

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer


def count_text(
    tokenizer: Tokenizer, lines: Iterable[str], *, source: str = "tokenizer.json"
) -> tuple[dict[str, Any], str]:
    """Return the counts of ``lines`` by the audit's field names, and why the library did it.

    The reason is "" if types of units were counted. An iterator is counted line by line, because
    its units might show too late that the library is needed. DataError, naming ``source``, if the
    text has characters that the tokenizer cannot encode.
    """
    described = json.loads(tokenizer.to_str())
    units, reason = units_of(described, lines)
    if units is None:
        return count_by_library(tokenizer, lines, source=source), reason
    return _count_units(tokenizer, units, described, source), ""


def _count_units(
    tokenizer: Tokenizer, units: Mapping[str, int], described: dict[str, Any], source: str
) -> dict[str, Any]:
    if not isinstance(units, UnitCounts):
        return count_by_types(tokenizer, units, source=source)
    normalizer = tokenizer.normalizer
    by = byte_level(described) or unigram(described, normalizer and normalizer.normalize_str)
    if by is None:
        return count_by_types(tokenizer, units, source=source)
    found = by.count(units)
    sums = _Sums(tokenizer, source)
    sums.add_units(found.rest)
    return sums.result_with(found, units)


def count_by_library(
    tokenizer: Tokenizer, lines: Iterable[str], *, source: str = "tokenizer.json"
) -> dict[str, Any]:
    """Return the counts of ``lines`` by the audit's field names, segmenting each line."""
    sums = _Sums(tokenizer, source)
    waiting = iter(lines)
    while block := list(islice(waiting, BLOCK)):
        for line, encoding in zip(block, sums.encode(block), strict=True):
            sums.add(line, encoding)
    return sums.result()


def count_by_types(
    tokenizer: Tokenizer, units: Mapping[str, int], *, source: str = "tokenizer.json"
) -> dict[str, Any]:
    """Return the same from the counted units of the lines, segmenting each unit once.

    A unit with a leading space is segmented after a context, whose own counts are subtracted.
    """
    sums = _Sums(tokenizer, source)
    sums.add_units((unit, count, at) for at, (unit, count) in enumerate(units.items()))
    return sums.result()


class _Sums:
    """The counts of texts encoded by the library, weighted by occurrences."""

    def __init__(self, tokenizer: Tokenizer, source: str) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        described = json.loads(tokenizer.to_str())
        self._tokenizer, self._source = tokenizer, source
        self._unknown = _unknown_id(tokenizer, described["model"])
        self._by_space = joins_words(described)  # white space separates words
        self._hidden = Hidden(tokenizer, described["model"]["type"])
        self._lost = Lost(tokenizer) if drops_characters(described) else None
        self._counts: Counter[str] = Counter()
        self._characters: Counter[str] = Counter()
        self._missing: Counter[str] = Counter()
        self._missing_at: dict[str, tuple[int, int]] = {}  # first unit, and index in it

    def encode(self, texts: list[str]) -> list[Encoding]:
        return asked(
            lambda: self._tokenizer.encode_batch(texts, add_special_tokens=False),
            lambda e: f"{self._source}:1: {_cannot_encode(self._tokenizer, texts, e)}",
        )

    def add_units(self, units: Iterable[tuple[str, int, int]]) -> None:
        """Add units with their occurrences and first positions."""
        (context,) = self.encode([CONTEXT])
        behind = 0
        waiting = iter(units)
        while block := list(islice(waiting, BLOCK)):
            texts = [CONTEXT + unit if unit[0] == " " else text_of(unit) for unit, _, _ in block]
            for (unit, times, at), text, encoding in zip(
                block, texts, self.encode(texts), strict=True
            ):
                before = len(CONTEXT) if unit[0] == " " else 0
                behind += times if before else 0
                self.add(text, encoding, times, at=at, before=before)
        self.add(CONTEXT, context, -behind, before=len(CONTEXT))

    def add(
        self, text: str, encoding: Encoding, times: int = 1, *, at: int = 0, before: int = 0
    ) -> None:
        """Add the counts of ``text`` without those of its first ``before`` characters."""
        ids = encoding.ids
        owners = self._owners(text, encoding)
        words = len(set(owners))
        counts = self._counts
        counts["words"] += times * words
        counts["pieces"] += times * len(ids)
        if words < len(ids):
            lengths = Counter(owners).values()
            counts["continued_words"] += times * sum(length > 1 for length in lengths)
        counts["bytes"] += times * len(text[before:].encode())
        for character in text[before:]:
            self._characters[character] += times
        if self._lost:
            self._add_lost(text[before:], times, at)
        if self._unknown not in ids:
            return
        unknown = [i for i, piece in enumerate(ids) if piece == self._unknown]
        counts["unknown_words"] += times * len({owners[i] for i in unknown})
        counts["unknown_pieces"] += times * len(unknown)
        offsets = encoding.offsets
        for start, end in (offsets[i] for i in unknown):
            for character in self._hidden.characters(text, max(start, before), end):
                self._missing[character] += times
                self._missing_at.setdefault(character, (at, len(self._missing_at)))

    def _add_lost(self, text: str, times: int, at: int) -> None:
        """Count the characters without a piece and their white-space tokens."""
        for token in text.split():
            if lost := [character for character in token if self._lost and character in self._lost]:
                self._counts["unknown_words"] += times
            for character in lost:
                self._missing[character] += times
                self._missing_at.setdefault(character, (at, len(self._missing_at)))

    def _owners(self, text: str, encoding: Encoding) -> list[int]:
        """Return the index of each piece's word."""
        word_ids: list[int | None] = encoding.word_ids
        if self._by_space:
            word_ids = _words_by_space(text, encoding.offsets)
        # a special piece in the text has no word index and is a separate word
        return [-1 - i if word is None else word for i, word in enumerate(word_ids)]

    def result(self) -> dict[str, Any]:
        return {name: self._counts[name] for name in _COUNTS} | {
            "characters": self._characters.total(),
            "missing": dict(self._missing.most_common()),
            "deleted": _deleted(self._tokenizer, self._characters),
        }

    def result_with(self, found: UnitAudit, units: UnitCounts) -> dict[str, Any]:
        """Return the totals, including those of the extension."""
        characters = Counter({c: 1 for c in units.characters()})
        gone = "".join(_deleted(self._tokenizer, characters))
        missing, at = self._missing, self._missing_at
        for nth, (code, count, place) in enumerate(found.missing):
            missing[chr(code)] += count
            at[chr(code)] = min((place, nth), at.get(chr(code), (place, nth)))
        ordered = Counter({c: missing[c] for c in sorted(missing, key=at.__getitem__)})
        named = ("words", "pieces", "unknown_words", "unknown_pieces", "continued_words")
        return {name: self._counts[name] + getattr(found, name) for name in named} | {
            "bytes": found.bytes,
            "characters": found.characters,
            "missing": dict(ordered.most_common()),
            "deleted": dict(Counter(units.occurrences(gone) if gone else {}).most_common()),
        }


_NAMED = 10  # characters in a message
_COUNTS = ("words", "pieces", "unknown_words", "unknown_pieces", "continued_words", "bytes")


def _words_by_space(line: str, offsets: Sequence[tuple[int, int]]) -> list[int | None]:
    """Return the index of the word in which each piece ends; words include their leading space."""
    spaces = [False, *map(str.isspace, line)]
    numbers = [0, *accumulate(space and not last for last, space in pairwise(spaces))]
    return [numbers[end] for _, end in offsets]


def _unknown_id(tokenizer: Tokenizer, model: dict[str, Any]) -> int | None:
    """Return the id of the unknown piece, if any."""
    if model["type"] == "Unigram":
        return model["unk_id"]
    return tokenizer.token_to_id(model["unk_token"]) if model.get("unk_token") else None


def _cannot_encode(tokenizer: Tokenizer, texts: Sequence[str], error: Exception) -> str:
    """Return the message for a text that the library cannot encode."""
    if "unk_id" not in str(error):
        return f"the tokenizers library cannot encode the text: {error}"
    model = json.loads(tokenizer.to_str())["model"]
    known = {piece for piece, _ in model["vocab"]}
    normalize = tokenizer.normalizer.normalize_str if tokenizer.normalizer else str
    characters = (c for c in dict.fromkeys("".join(texts)) if not c.isspace())
    named = [c for c in characters if not known.issuperset(normalize(c))][:_NAMED]
    return (
        f"model.unk_id is null, and the text has characters without a piece: {' '.join(named)}; "
        "set unk_id to the id of the unknown piece"
    )


def _deleted(tokenizer: Tokenizer, characters: Counter[str]) -> dict[str, int]:
    if tokenizer.normalizer is None:
        return {}
    plain = tokenizer.normalizer.normalize_str("aa")
    gone = (c for c in characters if tokenizer.normalizer.normalize_str(f"a{c}a") == plain)
    counts = Counter({c: characters[c] for c in gone})
    return dict(counts.most_common())
