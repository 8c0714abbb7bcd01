"""Inspection results, one per tokenizer and text: audit, measures and verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from specialize.augment.char_first import change as char_first
from specialize.corpus import Corpus, Dropped, TextCounts, open_text
from specialize.corpus.files import expand
from specialize.corpus.formats import is_text
from specialize.errors import UsageError
from specialize.model.find import tokenizer_path
from specialize.vocab.audit.audit import Audit
from specialize.vocab.audit.compare import Differences, differences
from specialize.vocab.audit.coverage import coverage
from specialize.vocab.audit.inspected import open_inspected
from specialize.vocab.audit.metrics import bytes_per_piece, renyi_efficiency
from specialize.vocab.audit.normalizer_changes import CharacterChange
from specialize.vocab.audit.parity import Pairs, Parity, is_table, parity_of, read_pairs
from specialize.vocab.audit.recommend import Needed, Verdict, figures, verdict
from specialize.vocab.audit.unreachable import Unreachable
from specialize.vocab.wordpiece.model import WordPiece

ALL = 1_000_000  # more one-character pieces than exist
CURVE = 99  # pieces: as many as Chau & Smith (2021) add


@dataclass(frozen=True)
class Details:
    """Measures that take longer than the audit."""

    vocabulary_size: int  # special and unused pieces included
    pieces_used: int  # distinct pieces that occur in the text
    renyi_efficiency: float | None  # over the whole vocabulary
    renyi_efficiency_used: float | None  # over the pieces used
    changed: list[CharacterChange]
    unreachable: Unreachable
    differs: Differences | None = None  # from the first of two tokenizers
    curve: list[tuple[int, float]] = field(default_factory=list)  # pieces added, share unknown


@dataclass(frozen=True)
class Finding:
    """The inspection of one tokenizer on one text."""

    tokenizer: str
    text: str
    audit: Audit
    dropped: Dropped  # when the counts were pruned
    verdict: Verdict
    parity: Parity | None = None
    details: Details | None = None
    notes: tuple[str, ...] = ()  # how the tokenizer was read, where that is not obvious

    @property
    def bytes_per_piece(self) -> float | None:
        """Return the bytes of the text divided by its pieces."""
        return bytes_per_piece(self.audit)

    def to_json(self) -> dict[str, Any]:
        """Return the results as JSON values under stable names; None where undefined.

        tokenizer, text (as given); all of ``Audit``; dropped {types, tokens}; bytes_per_piece;
        verdict {pays, reason, figures}; notes; parity {file, pairs, pieces, other_pieces, parity,
        ...}.
        With details, also vocabulary_size, pieces_used, renyi_efficiency, renyi_efficiency_used;
        changed [{from, to, count}]; unreachable {count, by_reason, pieces {piece: why}, tested,
        untested, exact}; differs {share, unit, words, changed, longer, shorter, examples, ...};
        curve [[one-character pieces added, share of pieces still unknown]].
        """
        found = {"tokenizer": self.tokenizer, "text": self.text, **self.audit.to_json()}
        found |= {"dropped": asdict(self.dropped), "bytes_per_piece": self.bytes_per_piece}
        found |= {"verdict": self.verdict.to_json(), "notes": [*self.notes]}
        found["parity"] = self.parity and self.parity.to_json()
        if details := self.details:
            names = ("vocabulary_size", "pieces_used", "renyi_efficiency", "renyi_efficiency_used")
            found |= {name: getattr(details, name) for name in names}
            found["changed"] = [change.to_json() for change in details.changed]
            found["unreachable"] = details.unreachable.to_json()
            found["differs"] = details.differs and details.differs.to_json()
            found["curve"] = details.curve
        return found


def inspect_texts(
    tokenizers: Sequence[str],
    texts: Sequence[str],
    *,
    parallel: Path | None = None,
    details: bool = False,
    field: str = "text",
) -> Iterator[Finding]:
    """Yield the inspection of each of ``tokenizers`` on each of ``texts``.

    ``parallel``: a translation, for parity: a file aligned with the only text line by line, or a
    .tsv of two columns, the first in the language of the texts. ``details``: with the measures that
    take longer; of two tokenizers, with the words that the second segments differently. ``field``:
    that of JSON rows and parquet files that holds the text.
    """
    pairs = _read_parallel(parallel, texts) if parallel else None
    opened = [_Opened(name) for name in tokenizers]
    corpora = {text: open_text([text], field=field) for text in texts}
    for tokenizer in opened:
        first = opened[0] if len(opened) == 2 and tokenizer is opened[1] else None
        parity = tokenizer.parity(pairs, str(parallel)) if pairs else None
        for name, text in corpora.items():
            yield tokenizer.inspect(name, text, parity, first=first, details=details)


def _read_parallel(parallel: Path, texts: Sequence[str]) -> Pairs:
    if is_table(parallel):
        return read_pairs(parallel)
    files = expand(texts)
    if len(files) != 1:
        raise UsageError(
            f"--parallel {parallel}: expected one text to align with, got {len(files)}; name one "
            "text, or a .tsv of two columns"
        )
    if not is_text(files[0]):
        raise UsageError(
            f"--parallel {parallel}: expected plain text to align with by line, got {files[0]}; "
            "name a .tsv of two columns"
        )
    return read_pairs(parallel, files[0])


class _Opened:
    """A tokenizer, opened once for all texts."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.inspected = open_inspected(tokenizer_path(name))

    def parity(self, pairs: Pairs, file: str) -> Parity:
        ours, theirs = map(self.inspected.audit, (pairs.ours, pairs.theirs))
        return parity_of(pairs, ours, theirs, file)

    def inspect(
        self,
        name: str,
        text: Corpus | TextCounts,
        parity: Parity | None,
        *,
        first: _Opened | None,
        details: bool,
    ) -> Finding:
        found = self.inspected.audit(text)
        needed, curve = self._needed(found, text) if details else (None, [])
        known = figures(found, parity=parity.parity if parity else None, needed=needed)
        return Finding(
            tokenizer=self.name,
            text=name,
            audit=found,
            dropped=text.dropped if isinstance(text, TextCounts) else Dropped(),
            verdict=verdict(known),
            parity=parity,
            details=self._details(found, text, first, curve) if details else None,
            notes=self.inspected.notes,
        )

    def _details(
        self,
        found: Audit,
        text: Corpus | TextCounts,
        first: _Opened | None,
        curve: list[tuple[int, float]],
    ) -> Details:
        size, counts = self.inspected.size, self.inspected.count_pieces(text, found)
        return Details(
            vocabulary_size=size,
            pieces_used=len(counts),
            renyi_efficiency=renyi_efficiency(counts.values(), size),
            renyi_efficiency_used=renyi_efficiency(counts.values(), len(counts)),
            changed=self.inspected.changed_characters(text),
            unreachable=self._unreachable,
            differs=differences(first.inspected, self.inspected, text) if first else None,
            curve=curve,
        )

    def _needed(
        self, found: Audit, text: Corpus | TextCounts
    ) -> tuple[Needed | None, list[tuple[int, float]]]:
        """Return how many one-character pieces remove the unknowns, and the curve on the way."""
        vocabulary = self.inspected.wordpiece
        if vocabulary is None or not found.unknown_words:
            return None, []
        change = char_first(vocabulary, text, pieces=ALL)
        slots, after = vocabulary.slots, _unknown(change.new, text)
        by_slots = None
        if slots and slots < len(change.fresh):
            by_slots = _unknown(vocabulary.place(change.fresh_pieces[:slots]).new, text)
        needed = Needed(len(change.fresh), after, slots, by_slots if slots else None)
        first = vocabulary.place(change.fresh_pieces[:CURVE])
        return needed, coverage(first, vocabulary.count_words(text))

    @cached_property
    def _unreachable(self) -> Unreachable:
        return self.inspected.unreachable()


def _unknown(vocabulary: WordPiece, text: Corpus | TextCounts) -> float:
    found = vocabulary.audit(text)
    return found.unknown_words / found.words if found.words else 0.0
