"""Classes of characters that a BPE joins; new pieces respect the boundaries of its trainer.

A trainer may keep digits single, or separate letters from punctuation (SentencePiece does both).
This is not recorded in tokenizer.json, but its pieces show it. There are four classes: letters,
including any character of a single script, such as the Urdu full stop; digits; white space and its
mark; all others. Combining marks and format characters take the class of the character before them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

from specialize.vocab.bpe.model import BPE
from specialize.vocab.marks import BYTE, MARK, letter_bytes

LETTER, DIGIT, SPACE, OTHER, MARKING, PART = "LDSOM?"  # PART: part of a character


class _Classes(dict[int, str]):
    """Code point -> class, looked up once; a part of a character is a surrogate."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _class_of(chr(code))
        return found


def _class_of(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cs":
        return PART
    if category[0] == "M" or category == "Cf":
        return MARKING
    if character == MARK or character.isspace():
        return SPACE
    if category == "Nd":
        return DIGIT
    return LETTER if category[0] == "L" or not _is_common(character) else OTHER


def _is_common(character: str) -> bool:
    """Return whether a character belongs to no particular script, like the full stop."""
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import Split

    return not Split(Regex("\\p{Common}"), "removed").pre_tokenize_str(character)


_CLASSES = _Classes()


def character_classes(text: str) -> str:
    """Return the class of each character: ``a1.`` -> ``LDO``; ``?`` for an initial mark."""
    found = text.translate(_CLASSES)
    if MARKING not in found:
        return found
    settled = PART
    for each in found:
        settled += settled[-1] if each == MARKING else each
    return settled[1:]


class AllowedPairs:
    """The pairs of character classes that the pieces of a vocabulary join."""

    def __init__(self, vocabulary: BPE) -> None:
        """Learn from every piece of text; letters join letters in any case.

        Parts of characters are ignored, and a vocabulary of single characters allows everything.
        """
        self._bytes = letter_bytes() if vocabulary.is_byte_level else {}
        apart = {*vocabulary.control_pieces, vocabulary.unk}
        text = (p for p in vocabulary.pieces if p not in apart and not BYTE.fullmatch(p))
        classes = map(self._classes, text)
        self._known = {pair for found in classes for pair in _pairs(found) if PART not in pair}
        self._any = not self._known
        self._known.add((LETTER, LETTER))

    def runs(self, pieces: Sequence[str]) -> Iterator[Sequence[str]]:
        """Yield the pieces of a word in runs, split where no old piece joins such neighbours.

        This is decided by whole characters, even if pieces are bytes.
        """
        found = self._classes("".join(pieces))
        begin = at = 0
        for i, piece in enumerate(pieces):
            if begin < i and not self._allows(found[at - 1], found[at]):
                yield pieces[begin:i]
                begin = i
            at += len(piece)
        yield pieces[begin:]

    def _allows(self, left: str, right: str) -> bool:
        pair = (left.upper(), right)
        return self._any or right.islower() or PART in pair or pair in self._known

    def _classes(self, piece: str) -> str:
        """Return the class of each character; of bytes, ``l`` for all but a character's first."""
        if not self._bytes:
            return character_classes(piece)
        codes = [self._bytes.get(letter, -1) for letter in piece]
        if -1 in codes:
            return PART * len(piece)
        text = bytes(codes).decode(errors="surrogateescape")
        found = character_classes(text)
        if len(found) == len(piece):
            return found
        return "".join(k + k.lower() * (_length(c) - 1) for c, k in zip(text, found, strict=True))


def _pairs(found: str) -> Iterator[tuple[str, str]]:
    """Yield the classes of neighbouring characters."""
    return pairwise(k for k in found if not k.islower())


def _length(character: str) -> int:
    return len(character.encode(errors="surrogateescape"))
