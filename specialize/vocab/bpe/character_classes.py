"""Which kinds of characters a BPE joins: what its trainer kept apart, new pieces keep apart too.

A trainer may be told to keep digits single, or letters from punctuation (SentencePiece does both),
and a tokenizer.json does not say so; its pieces do. There are four kinds of characters: letters,
with whatever belongs to one script only, as the Urdu full stop; digits; white space and its mark;
and all others. Marks and format characters count with what stands before them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

from specialize.vocab.bpe.model import BPE
from specialize.vocab.marks import BYTE, MARK, byte_letters

LETTER, DIGIT, SPACE, OTHER, MARKING, PART = "LDSOM?"  # PART: of a character that is cut


class _Kinds(dict[int, str]):
    """Code point -> kind, looked up once; what is cut out of a character is a surrogate."""

    def __missing__(self, code: int) -> str:
        self[code] = found = _kind(chr(code))
        return found


def _kind(character: str) -> str:
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
    """Whether a character belongs to no script in particular, as the full stop does."""
    from tokenizers import Regex
    from tokenizers.pre_tokenizers import Split

    return not Split(Regex("\\p{Common}"), "removed").pre_tokenize_str(character)


_KINDS = _Kinds()


def kinds(text: str) -> str:
    """Return the kind of each character: ``a1.`` -> ``LDO``; of a mark that begins, ``?``."""
    found = text.translate(_KINDS)
    if MARKING not in found:
        return found
    settled = PART
    for each in found:
        settled += settled[-1] if each == MARKING else each
    return settled[1:]


class Joins:
    """Which neighbours the pieces of a vocabulary join, by their kinds."""

    def __init__(self, vocabulary: BPE) -> None:
        """Learn from every piece of text; letters join letters in any case.

        A part of a character says nothing, and so does a vocabulary of single characters, which
        forbids nothing.
        """
        letters = byte_letters() if vocabulary.is_byte_level else ()
        self._bytes = {ord(letter): byte for byte, letter in enumerate(letters)}
        apart = {*vocabulary.control_pieces, vocabulary.unk}
        text = (p for p in vocabulary.pieces if p not in apart and not BYTE.fullmatch(p))
        spelt = map(self._kinds, text)
        self._known = {pair for found in spelt for pair in _pairs(found) if PART not in pair}
        self._any = not self._known
        self._known.add((LETTER, LETTER))

    def cut(self, pieces: Sequence[str]) -> Iterator[Sequence[str]]:
        """Yield the pieces of a word in runs; no old piece joins what two of these meet in.

        Judged by the text, not by parts of its characters that pieces of bytes may be.
        """
        found = self._kinds("".join(pieces))
        begin = at = 0
        for i, piece in enumerate(pieces):
            if begin < i and not self._may_join(found[at - 1], found[at]):
                yield pieces[begin:i]
                begin = i
            at += len(piece)
        yield pieces[begin:]

    def _may_join(self, left: str, right: str) -> bool:
        pair = (left.upper(), right)
        return self._any or right.islower() or PART in pair or pair in self._known

    def _kinds(self, spelt: str) -> str:
        """Return the kind of each character; of each byte, all but a character's first as ``l``."""
        if not self._bytes:
            return kinds(spelt)
        codes = [self._bytes.get(ord(letter), -1) for letter in spelt]
        if -1 in codes:
            return PART * len(spelt)
        text = bytes(codes).decode(errors="surrogateescape")
        found = kinds(text)
        if len(found) == len(spelt):
            return found
        return "".join(k + k.lower() * (_length(c) - 1) for c, k in zip(text, found, strict=True))


def _pairs(found: str) -> Iterator[tuple[str, str]]:
    """Yield the kinds of neighbouring characters."""
    return pairwise(k for k in found if not k.islower())


def _length(character: str) -> int:
    return len(character.encode(errors="surrogateescape"))
