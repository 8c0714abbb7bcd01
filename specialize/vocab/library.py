"""The tokenizers library: tokenizers from files, parallel encoding."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from specialize.errors import DataError, MissingError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

T = TypeVar("T")
BLOCK = 1000  # texts encoded at a time


def live_tokenizer(described: Mapping[str, Any], source: str) -> Tokenizer:
    """Return the tokenizer of a tokenizer.json, without truncation and padding.

    DataError, naming ``source``, if the library cannot read it.
    """
    from tokenizers import Tokenizer

    text = json.dumps(described)
    return _whole(_read(source, lambda: Tokenizer.from_str(text)))


def read_tokenizer(file: Path) -> Tokenizer:
    """Return the tokenizer of a tokenizer.json file, without truncation and padding."""
    from tokenizers import Tokenizer

    return _whole(loaded(file, lambda: Tokenizer.from_file(str(file))))


def loaded(file: Path, read: Callable[[], T]) -> T:
    """Return ``read(file)``; DataError if the library cannot read it."""
    if not file.is_file():
        raise MissingError(f"{file}: no such file; correct the path")
    return _read(str(file), read)


def encode_lines(tokenizer: Tokenizer, lines: Sequence[str]) -> list[list[int]]:
    """Return the ids of each line, without special pieces around it, on all cores."""
    found: list[list[int]] = []
    for start in range(0, len(lines), BLOCK):
        block = lines[start : start + BLOCK]
        found += [e.ids for e in tokenizer.encode_batch_fast(block, add_special_tokens=False)]
    return found


def asked(call: Callable[[], T], message: Callable[[Exception], str]) -> T:
    """Return ``call()``; DataError with the ``message`` of a fault that the library raises."""
    try:
        return call()
    except Exception as error:
        if type(error) is not Exception:  # the library raises exactly this class
            raise
        raise DataError(message(error)) from None


def _read(source: str, read: Callable[[], T]) -> T:
    return asked(read, lambda e: f"{source}:1: the tokenizers library cannot read it: {_cause(e)}")


def _cause(error: Exception) -> str:
    if "Merges text file invalid" in str(error):  # the library splits "a b c" at its first space
        return (
            "a merge is not two pieces; where pieces have spaces, write merges as pairs, "
            '["a", "b c"], as version 0.20 and later of the library do'
        )
    return str(error)


def _whole(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
