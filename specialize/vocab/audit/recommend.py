"""Will new pieces pay? A rule of thumb for a tokenizer and a text, with the figures it rests on.

The few thresholds are measurements, cited below; without a measurement the answer is "not known".
The prediction is for text of the language under a model pretrained further on it (LAPT), since the
rows of new pieces are meaningless before.
"""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass
from typing import Any, Literal

from specialize.vocab.audit.audit import Audit

Pays = Literal["yes", "likely", "perhaps", "no", "not known"]

# Where accuracy rose: multilingual BERT on Uyghur, 35.5 % of its Wikipedia's words unknown and
# 38.7 % of UD_Uyghur-UDT's (XPOS 79.9 -> 91.5 in Chau & Smith 2021); the bundled base, 50.4 % and
# 57.3 % (72.4 -> 90.7). No accuracy was measured at shares between this and zero.
UNKNOWN_PROVEN = 0.35
# Below it pieces have little effect: of the 99 that Chau & Smith's method chooses, 37 replaced no
# unknown for Uyghur in Latin letters (0.28 % unknown), 95 for Wolof (none), 0 for Maltese (1.9 %).
UNKNOWN_FEW = 0.01
# Multilingual BERT lacks – — ’ “ ”, which make up to 4.6 % of the words of languages that it serves
# well (French, by Common Voice); below this share of letters the unknowns are such signs.
LETTERS_FEW = 0.1
# Multilingual BERT on languages of large Wikipedias beside English, Tatoeba pairs: es and it 1.09,
# nb 1.11, nl 1.16, vi 1.21, ru 1.25; and 1.45 pieces a word at most for de, es, fr, it, nl, pt, sv.
PARITY_EVEN, FERTILITY_LOW = 1.25, 1.45
# The same on languages of small ones: br 1.50, kk 1.51, fo 1.52, is 1.55, tt 1.58, ta 1.98.
PARITY_FAR = 1.5
# Where more pieces helped without unknowns to replace: a small causal base of English; Vietnamese
# at 2.19 pieces a word, 1.28 with 1,500 more: bits per byte 2.06, and 1.83 to 1.85, in equal steps.
FERTILITY_HIGH = 2.19


@dataclass(frozen=True)
class Needed:
    """The one-character pieces that ``char_first`` needs."""

    pieces: int  # until no further one helps
    left: float  # share of words still unknown: overlong words
    slots: int  # of the vocabulary, [unusedN]
    left_by_slots: float | None  # that share with only the slots filled; None without slots


@dataclass(frozen=True)
class Figures:
    """The figures behind a verdict; shares from 0 to 1."""

    words: int
    unknown_words: float
    fertility: float  # pieces per word; an unknown word is one
    missing: int  # distinct characters without a piece
    missing_letters: float  # share of letters and marks among their occurrences
    parity: float | None = None
    needed: Needed | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether new pieces will pay, with the reason."""

    pays: Pays
    reason: str
    figures: Figures

    @property
    def sentence(self) -> str:
        """Return the reason as a sentence."""
        return f"{self.reason[:1].upper()}{self.reason[1:]}."

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        return asdict(self)


def figures(audit: Audit, *, parity: float | None = None, needed: Needed | None = None) -> Figures:
    """Return the figures for a verdict on ``audit``."""
    letters = sum(n for c, n in audit.missing.items() if unicodedata.category(c)[0] in "LM")
    occurrences = sum(audit.missing.values())
    return Figures(
        words=audit.words,
        unknown_words=audit.unknown_words / audit.words if audit.words else 0.0,
        fertility=audit.fertility,
        missing=len(audit.missing),
        missing_letters=letters / occurrences if occurrences else 0.0,
        parity=parity,
        needed=needed,
    )


def verdict(known: Figures) -> Verdict:
    """Return the verdict: by unknown words if there are any, else by length."""
    if not known.words:
        return Verdict("not known", "the text has no words", known)
    if known.unknown_words >= UNKNOWN_FEW:
        pays, reason = _by_unknowns(known)
    else:
        pays, reason = (
            _by_fertility(known) if known.parity is None else _by_parity(known, known.parity)
        )
    return Verdict(pays, reason, known)


def _by_unknowns(known: Figures) -> tuple[Pays, str]:
    unknown = f"{_percent(known.unknown_words)} of the words are unknown"
    if not known.missing:
        return "not known", f"{unknown}, but not for lack of a character: inspect these words"
    remedy = _remedy(known)
    if known.missing_letters < LETTERS_FEW:
        return "no", f"{unknown}, but nearly all of them are signs, not words: {remedy}"
    if known.unknown_words >= UNKNOWN_PROVEN:
        gain = "at similar shares, tagging improved by at least 11 points (Uyghur, with LAPT)"
        return "yes", f"{unknown}: {remedy}; {gain}"
    scant = f"what that is worth was measured from {100 * UNKNOWN_PROVEN:.0f} % upwards only"
    return "likely", f"{unknown}: {remedy}; {scant}"


def _remedy(known: Figures) -> str:
    needed = known.needed
    if needed is None:
        lacking = f"{known.missing:,} character{'s' if known.missing > 1 else ''}"
        return f"they lack {lacking}, which can be added"
    left = "none" if not needed.left else _percent(needed.left)
    text = f"{needed.pieces:,} one-character piece{'s' if needed.pieces != 1 else ''} leave {left}"
    if needed.left_by_slots is None or needed.pieces <= needed.slots:
        return text
    return f"{text}, the first {needed.slots:,} (its free slots) {_percent(needed.left_by_slots)}"


def _by_parity(known: Figures, parity: float) -> tuple[Pays, str]:
    few, times = _few(known), f"{parity:.2f} times the pieces of its translation"
    if parity <= PARITY_EVEN:
        return "no", f"{few}, and the text takes {times}, as in languages served well"
    if parity >= PARITY_FAR:
        return "perhaps", f"{few}, but the text takes {times}: {_COST}"
    return "not known", f"{few}; the text takes {times}, where nothing was measured"


def _by_fertility(known: Figures) -> tuple[Pays, str]:
    few, length = _few(known), f"{known.fertility:.2f} pieces a word"
    if known.fertility <= FERTILITY_LOW:
        return "no", f"{few}, and {length} is as in languages served well"
    if known.fertility >= FERTILITY_HIGH:
        return "perhaps", f"{few}, but a word takes {known.fertility:.2f} pieces: {_COST}"
    hint = "a translation (--parallel) would tell more"
    return "not known", f"{few}, and at {length} nothing was measured; {hint}"


_COST = "more pieces shorten it, cost a row each and need LAPT; accuracy was not measured"


def _few(known: Figures) -> str:
    if not known.unknown_words:
        return "no word is unknown"
    return f"only {_percent(known.unknown_words)} of the words are unknown"


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %" if round(100 * share, 2) else "under 0.01 %"
