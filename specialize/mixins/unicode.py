"""A Unicode normal form: the same letters are encoded alike in the corpus and the task's text."""

from __future__ import annotations

import unicodedata
from typing import Literal, cast, get_args

from specialize.errors import UsageError

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]


def mix(line: str, *, form: str = "NFC") -> str:
    """Return ``line`` in the normal form NFC, NFD, NFKC or NFKD.

    C composes letters with their marks, D separates them; K also replaces presentation forms,
    ligatures, full-width letters and superscripts by plain ones, which cannot be undone.
    """
    if form not in get_args(Form):
        raise UsageError(f"unknown form {form!r} of mixin 'unicode'; known: NFC, NFD, NFKC, NFKD")
    return unicodedata.normalize(cast(Form, form), line)
