"""What is done to the text of every line: Unicode normalisation and punctuation."""

import re
import unicodedata
from collections.abc import Callable
from functools import partial

UNICODE = ("keep", "NFC", "NFKC")
PUNCTUATION = ("keep", "spaced")

# Chau and Smith (2021), appendix A.1, with the quotation marks and the dash of their code
_SPACED = {ord(mark): f" {mark} " for mark in ",\"':;/?!؟،«»‹›¿¡—"}
_FINAL_STOP = re.compile(r"(?<=[^\s.۔])([.۔]+)(?=[\"'»›”’)\].۔]*(?:\s|$))")


def treatments(unicode: str, punctuation: str) -> list[Callable[[str], str]]:
    """Return what turns a line into its treated form, to be applied in order."""
    chosen: list[Callable[[str], str]] = []
    if unicode == "NFC":
        chosen.append(partial(unicodedata.normalize, "NFC"))
    if unicode == "NFKC":
        chosen.append(partial(unicodedata.normalize, "NFKC"))
    if punctuation == "spaced":
        chosen.append(spaced)
    return chosen


def spaced(line: str) -> str:
    """Return ``line`` with its punctuation as words of their own: ``Ja, ta'.`` -> ``Ja , ta ' .``

    The treatment of Chau and Smith (2021), appendix A.1: spaces around ``, " ' : ; / ? ! ؟ ، « »
    ‹ › ¿ ¡ —``, inside numbers and clitics too, and before a sentence-final full stop (``.`` or
    ``۔``, or a run of them, before white space or the end, closing quotes and brackets aside).
    White space becomes single spaces.

    Theirs differs in three ways. Their code puts the space before the last run of identical
    characters of a sentence whatever they are, so that a line without a full stop ends in ``wor
    d``: a bug we do not copy. It makes a line of each sentence, where we keep lines. And it drops
    headings and documents of one sentence, which is no matter of punctuation.
    """
    return " ".join(_FINAL_STOP.sub(r" \1", line.translate(_SPACED)).split())
