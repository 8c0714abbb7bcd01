"""The claims about a written tokenizer, and the results of passed checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from specialize.corpus import TextCounts
from specialize.vocab.audit.coverage import PieceFacts
from specialize.vocab.base import VocabChange
from specialize.vocab.counting.words import Text

LINES, CHARACTERS = 1_000, 60_000
LENGTH = 2_000  # characters of a line
TYPES = 5_000  # sample of counts, which have no lines


class Broken(Exception):
    """A failed check: its name and the reason."""

    def __init__(self, check: str, what: str) -> None:
        super().__init__(f"{check!r}: {what}")
        self.check, self.what = check, what


@dataclass(frozen=True)
class Check:
    """A passed check."""

    name: str
    says: str
    on: dict[str, int] = field(default_factory=dict)  # amounts of data it was verified on


@dataclass(frozen=True)
class Claims:
    """The claims about a written tokenizer, all of them JSON values."""

    source: str  # the original tokenizer
    fresh: dict[str, int]  # new piece -> id
    extends: bool = True  # old pieces keep their ids, except filled slots
    kept: list[int] = field(default_factory=list)  # else: old id of each id, -1 for a new piece
    coarsens: bool = False  # in known words old pieces are only joined
    files: list[str] = field(default_factory=list)  # names of the written files
    lines: list[str] = field(default_factory=list)  # a sample of the text
    examples: dict[str, list[str]] = field(default_factory=dict)  # new piece -> words with it
    guard: dict[str, int] = field(default_factory=dict)  # word -> occurrences
    budget: float = 0.0  # share of the guarded words that may change


def claims_of(
    change: VocabChange[Any],
    text: Text,
    facts: Iterable[PieceFacts],
    *,
    source: Path,
    files: Sequence[str],
) -> Claims:
    """Return the claims of ``change`` of the tokenizer at ``source``, for ``text``.

    ``files``: the names of the written files.
    """
    extends, size = change.extends, len(change.new.pieces)
    return Claims(
        source=str(source),
        fresh=dict(zip(change.fresh_pieces, change.fresh, strict=True)),
        extends=extends,
        kept=[change.kept.get(i, -1) for i in range(0 if extends else size)],
        coarsens=change.coarsens,
        files=list(files),
        lines=sample(text),
        examples={found.piece: [fix.word for fix in found.words] for found in facts},
        guard=dict(change.guard.words) if change.guard else {},
        budget=change.guard.budget if change.guard else 0.0,
    )


def sample(text: Text) -> list[str]:
    """Return the first non-empty lines, at most 1,000 and 60,000 characters; long ones are cut.

    Of counts, the first 5,000 tokens as lines.
    """
    if isinstance(text, TextCounts):
        return list(islice(text.tokens, TYPES))
    lines: list[str] = []
    size = 0
    for part in islice((part for line in text for part in _cut(line) if part), LINES):
        lines.append(part)
        size += len(part)
        if size >= CHARACTERS:
            break
    return lines


def _cut(line: str) -> Iterator[str]:
    """Yield ``line`` in parts of at most 2,000 characters, cut at spaces if it has any."""
    start = 0
    while len(line) - start > LENGTH:
        space = line.rfind(" ", start, start + LENGTH + 1)
        end = space if space > start else start + LENGTH
        yield line[start:end]
        start = end + (space > start)
    yield line[start:]
