"""Rewriting lines: Unicode normalisation, punctuation, and mix-ins in order."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import partial

Rewrite = Callable[[str], str]  # a line -> the line in another form

UNICODE = ("keep", "NFC", "NFKC")
PUNCTUATION = ("keep", "spaced")

# Chau and Smith (2021), appendix A.1, with the quotation marks and the dash of their code
_SPACED = {ord(mark): f" {mark} " for mark in ",\"':;/?!؟،«»‹›¿¡—"}
_FINAL_STOP = re.compile(r"(?<=[^\s.۔])([.۔]+)(?=[\"'»›”’)\].۔]*(?:\s|$))")


def treatments(unicode: str, punctuation: str) -> list[Rewrite]:
    """Return the rewrites that ``[corpus]`` asks for, to be applied in order."""
    chosen: list[Rewrite] = []
    if unicode == "NFC":
        chosen.append(partial(unicodedata.normalize, "NFC"))
    if unicode == "NFKC":
        chosen.append(partial(unicodedata.normalize, "NFKC"))
    if punctuation == "spaced":
        chosen.append(spaced)
    return chosen


def rewrite(
    lines: list[str], rewrites: Sequence[Rewrite], *, keep_empty: bool = False
) -> list[str]:
    """Return stripped lines passed through ``rewrites`` in order and stripped again.

    Lines that become empty are left out unless ``keep_empty``.
    """
    if not rewrites:
        return lines
    for change in rewrites:
        lines = [change(line) for line in lines]
    stripped = [line.strip() for line in lines]
    return stripped if keep_empty else [line for line in stripped if line]


def spaced(line: str) -> str:
    """Return ``line`` with its punctuation as words of their own: ``Ja, ta'.`` -> ``Ja , ta ' .``

    The treatment of Chau and Smith (2021), appendix A.1: spaces around ``, " ' : ; / ? ! ؟ ، « »
    ‹ › ¿ ¡ —``, inside numbers and clitics too, and before a sentence-final full stop (``.`` or
    ``۔``, or a run of them, before white space or the end, closing quotes and brackets aside).
    White space becomes single spaces.

    The authors' code differs in three ways. It puts the space before the last run of identical
    characters of a sentence whatever they are, so that a line without a full stop ends in ``wor
    d``: a bug not copied here. It writes a line for each sentence; lines are kept here. And it
    drops headings and documents of one sentence, which has nothing to do with punctuation.
    """
    return " ".join(_FINAL_STOP.sub(r" \1", line.translate(_SPACED)).split())
