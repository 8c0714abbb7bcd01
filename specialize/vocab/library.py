"""The tokenizers library: live tokenizers from descriptions, and texts encoded in parallel."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from specialize.errors import DataError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BLOCK = 1000  # lines encoded at a time


def live_tokenizer(described: Mapping[str, Any], source: str) -> Tokenizer:
    """Return the tokenizer of a tokenizer.json, without truncation and padding.

    DataError, naming ``source``, where the library cannot read it.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(json.dumps(described))
    except Exception as error:  # the library raises nothing narrower
        raise DataError(f"{source}:1: the tokenizers library cannot read it: {error}") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def encode_lines(tokenizer: Tokenizer, lines: Sequence[str]) -> list[list[int]]:
    """Return the ids of each line, without special pieces around it, on all cores."""
    found: list[list[int]] = []
    for start in range(0, len(lines), BLOCK):
        block = lines[start : start + BLOCK]
        found += [e.ids for e in tokenizer.encode_batch_fast(block, add_special_tokens=False)]
    return found
