"""The characters under unknown pieces: those of the normalised text that have no piece."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from specialize.vocab.marks import MARK

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_REMEMBERED = 10_000  # cached spans


class Hidden:
    """What the unknown pieces of a tokenizer hide.

    The library's offsets are those of the text before normalisation, where ``e`` and an accent may
    be the ``é`` that has no piece.
    """

    def __init__(self, tokenizer: Tokenizer, kind: str) -> None:
        """Inspect texts of ``tokenizer``, whose model is of type ``kind``."""
        normalizer = tokenizer.normalizer
        self._normalize = normalizer.normalize_str if normalizer else None
        by_characters = kind in ("BPE", "Unigram")  # others hide whole words
        self._has_piece = tokenizer.model.token_to_id if by_characters else None
        self._found = lru_cache(_REMEMBERED)(self._inspected)

    def characters(self, text: str, start: int, end: int) -> str:
        """Return the characters without a piece of the unknown piece from ``start`` to ``end``."""
        behind = end
        while self._normalize and behind < len(text) and unicodedata.combining(text[behind]):
            behind += 1
        return self._found(text[start:end], text[end:behind])

    def _inspected(self, text: str, marks: str) -> str:
        form = text
        if self._normalize:
            form = self._normalize(text)
            whole = self._normalize(text + marks)
            if not whole.startswith(form):  # the marks and what is before them are one character
                form = whole
            form = (form if MARK in text else form.replace(MARK, "")) or text
        if self._has_piece is None:
            return form
        return "".join(c for c in form if self._has_piece(c) is None) or form
