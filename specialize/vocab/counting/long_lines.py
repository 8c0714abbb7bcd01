"""Lines of megabytes, encoded in parts: the library needs 150 bytes for each character."""

from __future__ import annotations

import json
from collections.abc import Iterator

from specialize.vocab.base import Vocabulary
from specialize.vocab.counting.separable import units_of
from specialize.vocab.counting.space_units import CONTEXT, text_of, units

LONGEST = 1 << 18  # characters of a line that the library encodes at once
_TOGETHER = 16  # parts


def encode_long(vocabulary: Vocabulary, line: str, *, part: int = LONGEST) -> list[int]:
    """Return ``vocabulary.encode(line)``, found in parts of about ``part`` characters.

    Where a rule of the tokenizer may look across cuts (`separable`), the line is encoded at once.
    """
    found, _ = units_of(json.loads(vocabulary.tokenizer.to_str()), [line])
    if found is None:
        return vocabulary.encode(line)
    ids: list[int] = []
    behind = len(vocabulary.encode(CONTEXT))
    for parts in _parts(line, part):
        texts = [CONTEXT + text if text[0] == " " else text_of(text) for text in parts]
        for text, encoded in zip(parts, vocabulary.encode_lines(texts), strict=True):
            ids += encoded[behind:] if text[0] == " " else encoded
    return ids


def _parts(line: str, part: int) -> Iterator[list[str]]:
    """Yield the parts of a line, several at a time; all but the first begin with a space."""
    parts: list[str] = []
    waiting: list[str] = []
    held = 0
    for unit in units(line):
        waiting.append(unit)
        held += len(unit)
        if held >= part:
            parts.append("".join(waiting))
            waiting, held = [], 0
        if len(parts) == _TOGETHER:
            yield parts
            parts = []
    yield [*parts, "".join(waiting)] if waiting else parts
