"""The text of pieces, without the marks of their family.

``Ġof`` (byte-level), ``▁of`` (SentencePiece) and ``of`` beside ``##f`` (WordPiece) are the same
letters; ``<0xDB>`` and many byte-level pieces of non-Latin scripts are parts of a character.
"""

from __future__ import annotations

import json
import re
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from specialize.vocab.marks import BYTE, MARK, SPACE_LETTER, letter_bytes

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Json = dict[str, Any]

_BREAK = re.compile("[\t-\r\x1c-\x1e\x85\u2028\u2029]")  # tabs, and line ends of str.splitlines
_LETTER = "q"  # composes with no combining mark
_TRIED = 5  # word beginnings to test a continuing piece with


class Speller:
    """Returns the text of a tokenizer's pieces, and segments a piece's own text."""

    def __init__(self, tokenizer: Tokenizer, described: Json | None = None) -> None:
        """Take a tokenizer; its tokenizer.json, where that is at hand, is not built again."""
        self._normalizer, self._pre = tokenizer.normalizer, tokenizer.pre_tokenizer
        self._model = tokenizer.model
        described = json.loads(tokenizer.to_str()) if described is None else described
        model: Json = described["model"]
        self._prefix: str = model.get("continuing_subword_prefix") or ""
        self._suffix: str = model.get("end_of_word_suffix") or ""
        self._longest: float = model.get("max_input_chars_per_word") or float("inf")
        self._pieces = model["vocab"]
        steps = [described.get(name) for name in ("normalizer", "pre_tokenizer", "decoder")]
        named = json.dumps(steps, ensure_ascii=False)
        self._table = letter_bytes() if '"ByteLevel"' in named else {}
        self._mark = MARK if MARK in named else ""  # else U+2581 is an ordinary character
        self._marks = SPACE_LETTER if self._table else self._mark
        self.unknown = _unknown(model)
        self._special = {token["content"] for token in described.get("added_tokens") or ()}
        self._special.add(self.unknown)

    def bytes(self, piece: str) -> bytes | None:
        """Return the UTF-8 bytes of ``piece``, spaces included; None if unknown."""
        if piece == self.unknown:
            return None
        if piece in self._special:
            return piece.encode()
        if self._table and all(character in self._table for character in piece):
            return bytes(self._table[character] for character in piece)
        if byte := BYTE.fullmatch(piece):
            return bytes.fromhex(byte[1])
        core = self._core(piece)
        return (core.replace(self._mark, " ") if self._mark else core).encode()

    def text(self, piece: str) -> str | None:
        """Return the text of ``piece``; None for special pieces and parts of characters."""
        if piece in self._special or BYTE.fullmatch(piece) or not self._core(piece):
            return None
        if self._suffix and not piece.endswith(self._suffix):
            return None  # only occurs before another piece
        try:
            return (self.bytes(piece) or b"").decode()
        except UnicodeDecodeError:
            return None

    def readable(self, piece: str) -> str:
        """Return ``piece`` in readable form: bytes decoded, or in hexadecimal."""
        if not self._table or piece in self._special:
            return piece
        letters = (self.bytes(piece) or b"").removeprefix(b" ")
        try:
            return letters.decode()
        except UnicodeDecodeError:
            return f"<{letters.hex(' ').upper()}>"

    def normalized(self, text: str) -> str:
        """Return normalised ``text`` without spaces and marks."""
        return self.bare(self._normalizer.normalize_str(text) if self._normalizer else text)

    def bare(self, text: str) -> str:
        """Return ``text`` without spaces and marks."""
        return text.replace(self._mark, "").replace(" ", "")

    def stays_whole(self, piece: str, text: str) -> bool:
        """Return whether ``text``, the text of ``piece``, is one word for the pre-tokeniser.

        A continuing piece is tried after a letter.
        """
        core = self._core(piece).strip(self._marks)
        if self.continues(piece):
            text, core = _LETTER + text, _LETTER + core
        if self._normalizer:
            text = self._normalizer.normalize_str(text)
        units = [text] if self._pre is None else [u for u, _ in self._pre.pre_tokenize_str(text)]
        return any(unit.strip(f"{self._marks} ") == core for unit in units)

    def yields(self, piece: str) -> bool:
        """Return whether the model yields ``piece`` for its own text, or a word ending in it."""
        words = [self._core(piece)]
        if self.continues(piece):
            room = self.room(piece)
            fitting = (first for first in self._beginnings if len(first) <= room)
            words = [first + words[0] for first in islice(fitting, _TRIED)]
        return any(t.value == piece for word in words for t in self._model.tokenize(word))

    def continues(self, piece: str) -> bool:
        """Return whether ``piece`` has the prefix of continuing pieces."""
        return bool(self._prefix) and piece.startswith(self._prefix)

    def room(self, piece: str) -> float:
        """Return how many more characters a word with ``piece`` may have."""
        return self._longest - len(self._core(piece))

    def _core(self, piece: str) -> str:
        return piece.removeprefix(self._prefix).removesuffix(self._suffix)

    @cached_property
    def _beginnings(self) -> list[str]:
        """Return word-initial pieces, longest first: no longer piece matches instead."""
        plain = (p for p in self._pieces if p.isalpha() and p not in self._special)
        return sorted(plain, key=len, reverse=True)  # stable


def visible(text: str) -> str:
    """Return ``text`` for a cell of a table: tabs and line ends as ``\\t``, ``\\u2028``."""
    return _BREAK.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _unknown(model: Json) -> str:
    """Return the unknown piece of a model, "" if it has none."""
    if model["type"] == "Unigram":
        return "" if model["unk_id"] is None else str(model["vocab"][model["unk_id"]][0])
    return model.get("unk_token") or ""
