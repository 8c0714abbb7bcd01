"""Marks in pieces: spaces, bytes, and byte-level letters."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

Json = dict[str, Any]

MARK = "\u2581"  # SentencePiece's space
BEFORE_MARK = re.compile(f"(?<=[^{MARK}])(?={MARK})")
BYTE = re.compile(r"<0x([0-9A-F]{2})>")  # the piece for a byte of a character without a piece
SPACE_LETTER = "\u0120"  # Ġ, the letter for the byte of a space


@cache
def byte_letters() -> tuple[str, ...]:
    """Return the letter for each byte, in GPT-2's table: the character itself if printable."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return tuple(chr(byte if byte in printable else next(others)) for byte in range(256))


@cache
def letter_bytes() -> dict[str, int]:
    """Return letter -> byte."""
    return {letter: byte for byte, letter in enumerate(byte_letters())}


def is_byte_level(described: Json) -> bool:
    """Return whether a tokenizer.json is byte-level."""
    parts = (described.get(name) for name in ("normalizer", "pre_tokenizer"))
    return any(_has_byte_level(part) for part in parts if part)


def _has_byte_level(part: Json) -> bool:
    inner = part.get("pretokenizers") or part.get("normalizers") or []
    return part.get("type") == "ByteLevel" or any(map(_has_byte_level, inner))
