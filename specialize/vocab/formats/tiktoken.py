"""tiktoken ranks: files of ``base64 rank`` lines, read as a byte-level BPE and written back.

GPT-4's, Qwen's and Llama 3's vocabularies have this format (Llama 3's is called tokenizer.model).
The file has neither the pattern that splits words nor special pieces: the pattern is an argument,
special pieces are up to the caller.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from specialize.errors import DataError, MissingError, UsageError
from specialize.vocab.bpe.merges import merges_of
from specialize.vocab.counting.separable import PATTERNS
from specialize.vocab.marks import byte_letters, letter_bytes

Json = dict[str, Any]

_NAMES = dict(zip(("gpt2", "cl100k", "qwen2", "o200k"), PATTERNS, strict=True))
_IN_FILE_NAMES = {"o200k": "o200k", "qwen": "qwen2", "gpt2": "gpt2", "50k": "gpt2"}
_LINE = re.compile(rb"([A-Za-z0-9+/]+={0,2}) ([0-9]+)\s*")
_FIRST = 1000  # bytes of a file that show its first line


def is_ranks(path: Path) -> bool:
    """Return whether ``path`` is a file whose first line is base64 and a number."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        found = _LINE.fullmatch(file.readline(_FIRST))
    return found is not None and _decoded(found[1]) is not None


def read_ranks(path: Path, *, pattern: str = "") -> Json:
    """Return the tokenizer.json of a file of ranks, which are the ids.

    ``pattern`` splits words: "gpt2", "cl100k", "qwen2", "o200k" or a regular expression; by default
    the one of the file's name (r50k: gpt2), else cl100k, which Llama 3 uses too. A text gets the
    pieces of tiktoken's ``Encoding.encode_ordinary`` with this pattern. (Since 0.8, tiktoken's own
    cl100k differs if a text ends in a line end and more white space: one word there, two with the
    published pattern, as in Llama 3.)

    DataError if a line is invalid, or the ranks are not 0, 1, 2, ... with all 256 bytes.
    """
    expression = _expression(pattern, path)
    alphabet = byte_letters()
    vocab = {"".join(alphabet[byte] for byte in piece): i for i, piece in enumerate(_read(path))}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    split = {"type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated"}
    words = [split | {"invert": False}, level | {"use_regex": False}]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": words},
        "post_processor": None,
        "decoder": level | {"use_regex": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": True,  # a word that is a piece is not segmented
            "vocab": vocab,
            "merges": merges_of(vocab, vocab),
        },
    }


def write_ranks(source: Path, pieces: Sequence[str], out: Path) -> None:
    """Write ``source`` with ``pieces``, in GPT-2's letters for bytes, at the next ranks.

    DataError if a piece exists already or has other letters.
    """
    known = set(_read(source))
    table = letter_bytes()
    lines = []
    for rank, piece in enumerate(pieces, len(known)):
        if not piece or any(letter not in table for letter in piece):
            raise DataError(f"{source}:1: piece {piece!r} is not in the letters for bytes")
        token = bytes(table[letter] for letter in piece)
        if token in known:
            raise DataError(f"{source}:1: piece {piece!r} has a rank already; leave it out")
        known.add(token)
        lines.append(b"%s %d\n" % (base64.b64encode(token), rank))
    content = source.read_bytes()
    end = b"" if content.endswith(b"\n") else b"\n"
    out.write_bytes(content + end + b"".join(lines))


# The file -----------------------------------------------------------------------------------------


def _expression(pattern: str, path: Path) -> str:
    if not pattern:
        name = path.name.lower()
        pattern = next((_IN_FILE_NAMES[part] for part in _IN_FILE_NAMES if part in name), "cl100k")
    if pattern not in _NAMES and re.fullmatch(r"\w+", pattern):
        raise UsageError(
            f"unknown pattern {pattern!r}; known: {', '.join(_NAMES)}, or a regular expression"
        )
    return _NAMES.get(pattern, pattern)


def _read(path: Path) -> list[bytes]:
    """Return the pieces in order of rank."""
    if not path.is_file():
        raise MissingError(f"{path}: no such file; correct the path")
    ranks: dict[int, bytes] = {}
    lines: dict[bytes, int] = {}
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        token, rank = _parsed(line, f"{path}:{number}")
        if token in lines:
            raise DataError(
                f"{path}:{number}: {token!r} has a rank already, in line {lines[token]}"
            )
        if rank in ranks:
            raise DataError(
                f"{path}:{number}: rank {rank} is that of line {lines[ranks[rank]]} already"
            )
        ranks[rank], lines[token] = token, number
    for rank in range(len(ranks)):
        if rank not in ranks:
            raise DataError(f"{path}:1: rank {rank} is missing; ranks are 0, 1, 2 and so on")
    for byte in range(256):
        if bytes([byte]) not in lines:
            raise DataError(f"{path}:1: byte {byte:#04x} has no rank; all 256 need one")
    return [ranks[rank] for rank in range(len(ranks))]


def _parsed(line: bytes, where: str) -> tuple[bytes, int]:
    fields = line.split()
    if len(fields) != 2 or not fields[1].isdigit():
        excerpt = line[:40].decode("utf-8", "backslashreplace")
        raise DataError(
            f"{where}: expected `base64 rank`, got {excerpt!r}; name a file of tiktoken's ranks"
        )
    token = _decoded(fields[0])
    if token is None:
        raise DataError(f"{where}: {fields[0][:40].decode('utf-8', 'replace')!r} is not base64")
    return token, int(fields[1])


def _decoded(field: bytes) -> bytes | None:
    try:
        return base64.b64decode(field, validate=True) or None
    except binascii.Error:
        return None
