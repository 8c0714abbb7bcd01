"""Pieces in a sentence: the word each belongs to, and those that continue words."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from specialize.vocab.marks import BYTE, MARK, SPACE_LETTER, letter_bytes

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

_LONGEST = 4  # bytes per character


def ids_by_word(tokenizer: Tokenizer, words: Sequence[str]) -> list[list[int]]:
    """Return the ids of the sentence of ``words``, joined by single spaces, word by word.

    A piece belongs to the word in which its text begins; the space before a word is part of the
    word. A word may have no piece. Concatenated, the ids are those of the sentence.
    """
    found: list[list[int]] = [[] for _ in words]
    text = " ".join(words)
    owners = [n for n, word in enumerate(words) for _ in range(len(word) + (n > 0))]
    encoding, cut = _encoding(tokenizer, text)
    for id, (start, end) in zip(encoding.ids, encoding.offsets, strict=True):
        places = range(start + cut, min(end + cut, len(text)))
        place = next((at for at in places if not text[at].isspace()), start + cut)
        found[owners[min(place, len(owners) - 1)]].append(id)
    return found


def _encoding(tokenizer: Tokenizer, text: str) -> tuple[Encoding, int]:
    """Return the encoding of ``text``, and the number of leading characters outside its offsets.

    subtle: if a precompiled map deletes characters at the beginning, the library's offsets are
    shifted by their number for the whole text; so the text is encoded without them if that gives
    the same pieces.
    """
    encoding = tokenizer.encode(text, add_special_tokens=False)
    cut, normalizer = 0, tokenizer.normalizer
    if normalizer and text and not text[0].isalnum():
        plain = normalizer.normalize_str("aa")
        while cut < len(text) and normalizer.normalize_str(f"a{text[cut]}a") == plain:
            cut += 1
    if cut:
        bare = tokenizer.encode(text[cut:], add_special_tokens=False)
        if bare.ids == encoding.ids:
            return bare, cut
    return encoding, 0


def continuing(pieces: Sequence[str], *, byte_level: bool) -> frozenset[int]:
    """Return the ids of ``pieces`` that continue words, without the mark of a space.

    An unmarked piece that begins with a letter, a digit, a combining mark or part of a character
    continues a word; punctuation begins one. If no piece has a mark, none counts as continuing.
    """
    mark = SPACE_LETTER if byte_level else MARK
    if not any(len(piece) > 1 and piece[0] == mark for piece in pieces):
        return frozenset()
    first = _first_of_bytes if byte_level else _first
    return frozenset(i for i, piece in enumerate(pieces) if piece and _is_inside(first(piece)))


def _is_inside(character: str) -> bool:
    """Whether ``character`` can be inside a word; "", part of a character, can."""
    return not character or character.isalnum() or _category(character) in ("M", "Cf")


def _category(character: str) -> str:
    found = unicodedata.category(character)
    return found if found == "Cf" else found[0]


def _first(piece: str) -> str:
    """Return the first character of ``piece``, "" if it begins with part of one."""
    if byte := BYTE.fullmatch(piece):
        code = int(byte[1], 16)
        return chr(code) if code < 0x80 else ""
    return piece[0]


def _first_of_bytes(piece: str) -> str:
    """Return the first character of a byte-level ``piece``, "" for part of one."""
    table = letter_bytes()
    codes = [table.get(letter, -1) for letter in piece[:_LONGEST]]
    if -1 in codes:
        return piece[0]
    text = bytes(codes).decode(errors="replace")
    return "" if text[0] == "\ufffd" else text[0]
