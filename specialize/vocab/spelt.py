"""What the pieces of a tokenizers-library tokenizer spell, whatever marks its family puts on them.

``Ġof`` (byte-level), ``▁of`` (SentencePiece) and ``of`` before ``##f`` (WordPiece) are the same
letters; ``<0xDB>`` and most of byte-level's pieces of other scripts are parts of a character.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from specialize.vocab.bpe_counts import byte_pieces
from specialize.vocab.units import MARK

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


class Speller:
    """Spells the pieces of one tokenizer, and puts a piece's spelling through its parts."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._normalizer, self._pre = tokenizer.normalizer, tokenizer.pre_tokenizer
        self._model = tokenizer.model
        described = json.loads(tokenizer.to_str())
        model: dict[str, Any] = described["model"]
        self._prefix: str = model.get("continuing_subword_prefix") or ""
        self._suffix: str = model.get("end_of_word_suffix") or ""
        self._vocabulary: dict[str, int] = tokenizer.get_vocab()
        named = json.dumps([described.get("pre_tokenizer"), described.get("decoder")])
        table = {piece: byte for byte, piece in enumerate(byte_pieces())}
        self._table = table if '"ByteLevel"' in named else {}
        self._marks = "\u0120" if self._table else MARK
        self.unknown = _unknown(model)
        self._special = {token["content"] for token in described.get("added_tokens") or ()}
        self._special.add(self.unknown)

    def bytes(self, piece: str) -> bytes | None:
        """Return the UTF-8 bytes that ``piece`` stands for, spaces included; None if unknown."""
        if piece == self.unknown:
            return None
        if piece in self._special:
            return piece.encode()
        if self._table and all(character in self._table for character in piece):
            return bytes(self._table[character] for character in piece)
        if byte := _BYTE.fullmatch(piece):
            return bytes.fromhex(byte[1])
        return self._core(piece).replace(MARK, " ").encode()

    def text(self, piece: str) -> str | None:
        """Return the text that ``piece`` spells by itself; None if it has none to be tested by."""
        if piece in self._special or _BYTE.fullmatch(piece) or not self._core(piece):
            return None
        if self._suffix and not piece.endswith(self._suffix):
            return None  # it stands before another piece only
        try:
            return (self.bytes(piece) or b"").decode()
        except UnicodeDecodeError:
            return None

    def shown(self, piece: str) -> str:
        """Return ``piece`` as people read it: bytes as the text they are, or in hexadecimal."""
        if not self._table or piece in self._special:
            return piece
        letters = (self.bytes(piece) or b"").removeprefix(b" ")
        try:
            return letters.decode()
        except UnicodeDecodeError:
            return f"<{letters.hex(' ').upper()}>"

    def normalized(self, text: str) -> str:
        """Return ``text`` without spaces and marks, as the normaliser leaves it."""
        return self.bare(self._normalizer.normalize_str(text) if self._normalizer else text)

    def bare(self, text: str) -> str:
        """Return ``text`` without spaces and marks."""
        return text.replace(MARK, "").replace(" ", "")

    def stays_whole(self, piece: str, text: str) -> bool:
        """Whether the pre-tokeniser makes one word of ``piece``, which spells ``text``."""
        if self._normalizer:
            text = self._normalizer.normalize_str(text)
        units = [text] if self._pre is None else [u for u, _ in self._pre.pre_tokenize_str(text)]
        core = self._core(piece).strip(self._marks)
        return any(unit.strip(f"{self._marks} ") == core for unit in units)

    def is_made(self, piece: str) -> bool:
        """Whether the model makes ``piece`` of a word spelt like it."""
        word = self._core(piece)
        if self._prefix and piece.startswith(self._prefix):
            word = self._beginning + word
        return any(token.value == piece for token in self._model.tokenize(word))

    def _core(self, piece: str) -> str:
        return piece.removeprefix(self._prefix).removesuffix(self._suffix)

    @cached_property
    def _beginning(self) -> str:
        """Return the longest piece that begins words: none longer is taken in its place."""
        pieces: Sequence[str] = sorted(self._vocabulary)
        plain = (p for p in pieces if p.isalpha() and p not in self._special)
        return max(plain, key=len, default="")


def _unknown(model: dict[str, Any]) -> str:
    """Return the piece that the model puts for what it does not know, "" if it has none."""
    if model["type"] == "Unigram":
        return "" if model["unk_id"] is None else str(model["vocab"][model["unk_id"]][0])
    return model.get("unk_token") or ""
