"""Tokenizers of other kinds (byte-level BPE, Unigram, ...), counted by the tokenizers library."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from specialize.errors import DataError, MissingError

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer, models

BLOCK = 1000  # lines encoded at a time
T = TypeVar("T")


def read_tokenizer(file: Path) -> Tokenizer:
    """Return the tokenizer of a tokenizer.json."""
    from tokenizers import Tokenizer

    return _loaded(file, lambda: Tokenizer.from_file(str(file)))


def read_byte_level(path: Path) -> Tokenizer:
    """Return the tokenizer of GPT-2's two files; ``path`` is their folder or one of them."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = path if path.is_dir() else path.parent
    vocab, merges = folder / "vocab.json", folder / "merges.txt"

    def read() -> models.BPE:
        return models.BPE.from_file(str(vocab), str(merges))

    tokenizer = Tokenizer(_loaded(vocab, read))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def _loaded(file: Path, read: Callable[[], T]) -> T:
    """Return what ``read`` makes of ``file``; what the library says against it is a DataError."""
    if not file.is_file():
        raise MissingError(f"{file}: no such file; correct the path")
    try:
        return read()
    except Exception as error:  # the library raises nothing narrower
        raise DataError(f"{file}:1: the tokenizers library cannot read it: {error}") from None


def count_by_library(tokenizer: Tokenizer, lines: Iterable[str]) -> dict[str, Any]:
    """Return the counts of ``lines`` by the names of the audit's fields."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    counts: Counter[str] = Counter()
    characters: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    unknown = _unknown_id(tokenizer)
    waiting = iter(lines)
    while block := list(islice(waiting, BLOCK)):
        encodings = tokenizer.encode_batch(block, add_special_tokens=False)
        for line, encoding in zip(block, encodings, strict=True):
            characters.update(line)
            counts["bytes"] += len(line.encode())
            counts.update(_count_line(line, encoding, unknown, tokenizer.pre_tokenizer is None))
            for piece, (start, end) in zip(encoding.ids, encoding.offsets, strict=True):
                if piece == unknown:
                    missing.update(line[start:end])
    names = ("words", "pieces", "unknown_words", "unknown_pieces", "continued_words", "bytes")
    return {name: counts[name] for name in names} | {
        "characters": characters.total(),
        "missing": dict(missing.most_common()),
        "deleted": _deleted(tokenizer, characters),
    }


def _count_line(
    line: str, encoding: Encoding, unknown: int | None, by_space: bool
) -> dict[str, int]:
    """Return the counts of one line; ``by_space``: white space parts words, not the tokenizer."""
    if by_space:
        word_ids: list[int | None] = _words_by_space(line, encoding.offsets)
    else:
        word_ids = encoding.word_ids
    # a special piece written out has no number, and is a word of its own
    owners = [-1 - i if word is None else word for i, word in enumerate(word_ids)]
    lengths = Counter(owners)
    unknowns = [word for word, piece in zip(owners, encoding.ids, strict=True) if piece == unknown]
    return {
        "words": len(lengths),
        "pieces": len(owners),
        "unknown_words": len(set(unknowns)),
        "unknown_pieces": len(unknowns),
        "continued_words": sum(length > 1 for length in lengths.values()),
    }


def _words_by_space(line: str, offsets: Sequence[tuple[int, int]]) -> list[int | None]:
    """Return the number of the word that each piece ends in, a word having the space before it."""
    spaces = [False, *map(str.isspace, line)]
    numbers = [0, *accumulate(space and not last for last, space in pairwise(spaces))]
    return [numbers[end] for _, end in offsets]


def _unknown_id(tokenizer: Tokenizer) -> int | None:
    """Return the id of the piece that the model puts for what it does not know, if it has one."""
    model = json.loads(tokenizer.to_str())["model"]
    if model["type"] == "Unigram":
        return model["unk_id"]
    return tokenizer.token_to_id(model["unk_token"]) if model.get("unk_token") else None


def _deleted(tokenizer: Tokenizer, characters: Counter[str]) -> dict[str, int]:
    if tokenizer.normalizer is None:
        return {}
    plain = tokenizer.normalizer.normalize_str("aa")
    gone = (c for c in characters if tokenizer.normalizer.normalize_str(f"a{c}a") == plain)
    counts = Counter({c: characters[c] for c in gone})
    return dict(counts.most_common())
