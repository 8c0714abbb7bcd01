"""Unreachable pieces: those that no text can yield, so their rows are never used."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from specialize.vocab.piece_text import Speller
from specialize.vocab.wordpiece.model import WordPiece
from specialize.vocab.wordpiece.pretokenize import words

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CHANGED = "changed by the normaliser"
DELETED = "deleted by the normaliser"
SPLIT = "split by the pre-tokeniser"
LONG = "longer than a word may be"
OTHERS = "other pieces are taken instead"
_RESERVED = re.compile(r"\[unused\d+\]|<\|.+\|>")  # BERT's and GPT's reserved pieces


@dataclass(frozen=True)
class Unreachable:
    """The pieces that no text yields, each with the reason.

    ``exact``: all contexts were considered (WordPiece); otherwise only each piece's own text, and
    other contexts may yield the piece. ``untested``: special and reserved pieces, and parts of
    characters, which have no text of their own.
    """

    pieces: dict[str, str]  # piece -> why
    tested: int
    untested: int
    exact: bool

    def by_reason(self) -> dict[str, int]:
        """Return the number of pieces for each reason, most frequent first."""
        reasons = list(self.pieces.values())
        return {r: reasons.count(r) for r in sorted(set(reasons), key=lambda r: -reasons.count(r))}

    def to_json(self) -> dict[str, Any]:
        """Return the findings as JSON values."""
        return {"count": len(self.pieces), "by_reason": self.by_reason(), **asdict(self)}


# WordPiece ----------------------------------------------------------------------------------------


def unreachable_by_rules(vocabulary: WordPiece) -> Unreachable:
    """Return the pieces of a WordPiece that no text yields, except [unusedN].

    A word-initial piece is yielded by the word equal to it, provided that the rules do not change
    that word: longest match takes all of it. A continuing piece is yielded after a word-initial
    piece of maximal length, since nothing longer can match instead.

    Rules act on single characters and are idempotent, so text they do not change in one word they
    do not change in any. This is exact with two rare exceptions: a special piece that is part of
    another if no rule deletes characters, and pieces almost as long as the word limit.
    """
    special = {p for p in vocabulary.pieces if p in vocabulary.special or _RESERVED.fullmatch(p)}
    special.add(vocabulary.unk)
    plain = [p for p in vocabulary.pieces if p not in special]
    begin = _Beginnings(vocabulary, plain)
    found = {p: why for p in plain if (why := begin.why_not(p))}
    return Unreachable(found, len(plain), len(special), exact=True)


class _Beginnings:
    """The pieces that can begin a word, and so all others that can occur in one."""

    def __init__(self, vocabulary: WordPiece, pieces: list[str]) -> None:
        self._vocabulary, self._rules = vocabulary, vocabulary.rules
        self._inside: dict[str, bool] = {}
        self._longest = ""
        for piece in sorted(pieces, key=len, reverse=True):
            # a mark at its end could be reordered with a following one
            if not self._why_not_first(piece) and self._goes_on(piece):
                self._longest = piece
                break

    def why_not(self, piece: str) -> str:
        """Return why no text yields ``piece``, "" if one does."""
        prefix = self._vocabulary.prefix
        if not prefix or not piece.startswith(prefix):
            return self._why_not_first(piece)
        why = self._why_not_later(piece[len(prefix) :])
        return why if why and self._why_not_first(piece) else ""

    def _why_not_first(self, text: str) -> str:
        if len(text) > self._vocabulary.max_chars:
            return LONG
        if len(text) > 1 and all(map(self._is_inside, text)) and self._in_order(text):
            return ""
        return self._fault(text, text)

    def _why_not_later(self, text: str) -> str:
        if not text or not self._longest:
            return OTHERS
        if len(text) + 1 > self._vocabulary.max_chars:
            return LONG
        if all(map(self._is_inside, text)) and self._in_order(text):
            return "" if self._before(text) else OTHERS
        return self._fault(self._longest + text, text) or SPLIT

    def _before(self, text: str) -> str:
        """Return a word-initial piece after which ``text`` is matched."""
        room, ids = self._vocabulary.max_chars - len(text), self._vocabulary.ids
        for piece in chain([self._longest], self._vocabulary.pieces):
            longer = (piece + text[:end] for end in range(1, len(text) + 1))
            if len(piece) > room or any(longer_piece in ids for longer_piece in longer):
                continue
            if not self._why_not_first(piece) and self._goes_on(piece):
                return piece
        return ""

    def _is_inside(self, character: str) -> bool:
        """Whether the rules do not change ``character`` inside a word."""
        if character not in self._inside:
            text = f"a{character}a"
            self._inside[character] = words(text, self._rules) == [text]
        return self._inside[character]

    def _in_order(self, text: str) -> bool:
        """Whether the marks of ``text`` keep their order."""
        return not any(map(self._moves, text)) or words(text, self._rules) == [text]

    def _moves(self, character: str) -> bool:
        """Whether ``character`` may be reordered with an adjacent mark (NFD)."""
        return self._rules.strip_accents and unicodedata.combining(character) > 0

    def _goes_on(self, text: str) -> bool:
        return self._is_inside(text[-1]) and not self._moves(text[-1])

    def _fault(self, text: str, piece: str) -> str:
        found = words(text, self._rules)
        if found == [text]:
            return ""
        if "".join(found) == text:
            return SPLIT
        kept = "".join(words(piece, self._rules))
        return DELETED if _is_shortened(kept, piece) else CHANGED


def _is_shortened(short: str, text: str) -> bool:
    """Whether ``short`` is ``text`` with characters removed and none added."""
    rest = iter(text)
    return all(character in rest for character in short)


# Others -------------------------------------------------------------------------------------------


def unreachable_by_library(tokenizer: Tokenizer) -> Unreachable:
    """Return the pieces that the library does not yield for their own text.

    The text passes through the normaliser and the pre-tokeniser; the model must produce the piece
    from the result. A piece that only some contexts yield is reported too.
    """
    speller = Speller(tokenizer)
    found: dict[str, str] = {}
    tested = untested = 0
    for piece in tokenizer.get_vocab():
        text = speller.text(piece)
        if text is None or _RESERVED.fullmatch(piece):
            untested += 1
            continue
        tested += 1
        if why := why_never(speller, piece):
            found[piece] = why
    return Unreachable(found, tested, untested, exact=False)


def why_never(speller: Speller, piece: str) -> str:
    """Return why a piece is not produced from its own text, "" if it is.

    A part of a character has no text; for such a piece only the model is checked.
    """
    text = speller.text(piece)
    if speller.room(piece) < speller.continues(piece):
        return LONG
    if text is None:
        return "" if speller.yields(piece) else OTHERS
    plain, kept = speller.bare(text), speller.normalized(text)
    if kept != plain:
        return DELETED if _is_shortened(kept, plain) else CHANGED
    if not speller.stays_whole(piece, text):
        return SPLIT
    return "" if speller.yields(piece) else OTHERS
