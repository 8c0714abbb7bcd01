"""Byte-level BPE counted by the native extension, as the tokenizers library would count it."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from specialize import native
from specialize.vocab.counting.separable import PATTERNS
from specialize.vocab.counting.space_units import UnitAudit, UnitCounts
from specialize.vocab.marks import byte_letters, letter_bytes

Json = dict[str, Any]


@dataclass(frozen=True)
class Pattern:
    """The pattern that splits words, described by its variations."""

    any_case: bool  # of contractions such as 's
    one_before: bool  # words of letters take any character before them, not only a space
    lines: bool  # line ends are separate words
    numbers: int  # maximal digits in a word
    space_first: bool = False  # a space is prepended to a text without one


_GPT2 = Pattern(any_case=False, one_before=False, lines=False, numbers=sys.maxsize)
_KNOWN = {
    PATTERNS[0]: _GPT2,
    PATTERNS[1]: Pattern(any_case=True, one_before=True, lines=True, numbers=3),
    PATTERNS[2]: Pattern(any_case=True, one_before=True, lines=True, numbers=1),
}


@dataclass(frozen=True)
class ByteLevel:
    """A byte-level BPE in the native extension."""

    handle: Any
    pattern: Pattern
    special: tuple[str, ...]

    def count(self, units: UnitCounts) -> UnitAudit:
        """Return the totals of ``units``; left over: special pieces and very long words."""
        p = self.pattern
        return UnitAudit(
            *units.core.byte_bpe_count(
                units.handle,
                self.handle,
                (p.any_case, p.one_before, p.lines, p.numbers, p.space_first),
                _kinds(units.characters() + " "),
                self.special,
                native.threads(),
            )
        )


def byte_level(described: Json) -> ByteLevel | None:
    """Return the byte-level BPE of a tokenizer.json, if the extension can count it all."""
    model, pattern = described["model"], _pattern(described.get("pre_tokenizer") or {})
    odd = ("dropout", "continuing_subword_prefix", "end_of_word_suffix")
    if model["type"] != "BPE" or any(model.get(name) for name in odd):
        return None
    bytes_ = byte_letters()
    if pattern is None or described.get("normalizer") or not model["vocab"].keys() >= {*bytes_}:
        return None
    ids = model["vocab"]
    merges = array("I")
    for left, right in model["merges"]:
        merges.extend((ids[left], ids[right], ids[left + right]))
    whole = _in_bytes(ids) if model.get("ignore_merges") else []
    handle = native.core().byte_bpe_new(
        array("I", [ids[piece] for piece in bytes_]).tobytes(), merges.tobytes(), whole
    )
    special = tuple(token["content"] for token in described.get("added_tokens") or ())
    return ByteLevel(handle, pattern, special)


def _pattern(pre: Json) -> Pattern | None:
    if pre.get("type") == "ByteLevel" and pre["use_regex"]:
        return replace(_GPT2, space_first=pre["add_prefix_space"])
    steps: list[Json] = pre.get("pretokenizers") or []
    if [step["type"] for step in steps] != ["Split", "ByteLevel"]:
        return None
    split, level = steps
    if level["use_regex"] or level["add_prefix_space"]:
        return None
    return _KNOWN.get(split["pattern"].get("Regex"))


def _in_bytes(pieces: Iterable[str]) -> list[bytes]:
    """Return the bytes of the byte pieces."""
    table = letter_bytes()
    named = ([table.get(letter, -1) for letter in piece] for piece in pieces)
    return [bytes(codes) for codes in named if -1 not in codes]


def _kinds(characters: str) -> bytes:
    """Return the kind of each character up to the last, as bpe.hpp names them."""
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import Split

    kinds = bytearray(max(map(ord, characters), default=0) + 1)
    for kind, pattern in enumerate(("\\p{L}+", "\\p{N}+", "\\s+"), 1):
        found = Split(Regex(pattern), "removed", invert=True).pre_tokenize_str(characters)
        for character in "".join(text for text, _ in found):
            kinds[ord(character)] = kind
    return bytes(kinds)
