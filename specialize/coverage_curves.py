"""Coverage curves: unknown pieces and pieces per word by the number of new pieces, by method.

Chau et al. (2020) add 99 pieces because multilingual BERT has 99 unused rows. The curves show what
other numbers and other selections would do to a text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from specialize.augment import char_first, extend, greedy, tva
from specialize.augment._words import words_in
from specialize.errors import UsageError
from specialize.vocab.base import VocabChange
from specialize.vocab.counting.words import Text, counted
from specialize.vocab.wordpiece.model import WordPiece, require_wordpiece
from specialize.vocab.wordpiece.safe_extend import place_safely

STEPS = (0, 10, 25, 50, 99, 200, 500, 1000, 2000)
_RANKED: Mapping[str, Callable[..., VocabChange[WordPiece]]] = {  # each piece given those before it
    "tva": tva.change,
    "char_first": char_first.change,
    "greedy": greedy.change,
}


@dataclass(frozen=True)
class Point:
    """A text under a vocabulary with ``pieces`` more; shares of a text without words are None."""

    pieces: int
    unknown_pieces: float | None  # share of all pieces
    pieces_per_word: float | None


@dataclass(frozen=True)
class Curve:
    """The points of one method, up to the number where it has no more pieces to add."""

    tokenizer: str
    text: str
    method: str
    points: tuple[Point, ...]

    @property
    def ends(self) -> bool:
        """Return whether the method has no more pieces."""
        return self.points[-1].pieces not in STEPS

    def at(self, pieces: int) -> Point:
        """Return the point of at most ``pieces``."""
        return max((p for p in self.points if p.pieces <= pieces), key=lambda p: p.pieces)

    def to_json(self) -> dict[str, Any]:
        """Return the curve as JSON values."""
        return asdict(self)


def coverage_curves(
    name: str, vocabulary: Any, source: Text, texts: Mapping[str, Text]
) -> Iterator[Curve]:
    """Yield the curve of each method and text; the pieces are chosen on ``source``.

    ``vocabulary``: called ``name``. A WordPiece has tva, char_first, greedy and extend, others
    have extend alone. DataError if ``source`` has no words.
    """
    ranked = _ranked(vocabulary)
    if ranked:  # others need the lines, too
        source = counted(source)
    for method, change in {**ranked, "extend": extend.change}.items():
        points: dict[str, list[Point]] = {text: [] for text in texts}
        for found in selections(vocabulary, source, change, ranked=method in ranked):
            for text, lines in texts.items():
                points[text].append(_point(found, lines))
        for text in texts:
            yield Curve(name, text, method, tuple(points[text]))


def _ranked(vocabulary: Any) -> Mapping[str, Callable[..., VocabChange[Any]]]:
    try:
        require_wordpiece(vocabulary)
    except UsageError:
        return {}
    return _RANKED


def selections(
    vocabulary: Any,
    source: Text,
    change: Callable[..., VocabChange[Any]],
    *,
    ranked: bool,
    steps: Sequence[int] = STEPS,
) -> Iterator[VocabChange[Any]]:
    """Yield what ``change`` selects with ``pieces`` of each step, ascending, until it has no more.

    ``ranked``: it ranks pieces whatever their number, so that all selections are prefixes of the
    largest: except where pieces were dropped as unsafe, which depends on the others.
    """
    largest = change(vocabulary, source, pieces=steps[-1]) if ranked else None
    words = words_in(vocabulary, source) if largest else {}
    for step in steps:
        if largest is None or largest.dropped:
            found = change(vocabulary, source, pieces=step)
        else:
            found = place_safely(vocabulary, largest.fresh_pieces, step, words)
        yield found
        if len(found.fresh) < step:
            return


def _point(change: VocabChange[Any], text: Text) -> Point:
    audit = change.new.audit(text)
    unknown = audit.unknown_pieces / audit.pieces if audit.pieces else None
    return Point(len(change.fresh), unknown, audit.fertility if audit.words else None)
