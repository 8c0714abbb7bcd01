"""Rows by a table of probabilities p(old piece | new piece), from aligned text or vectors."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from specialize.corpus.files import read_lines
from specialize.embed._rows import FreshRows, Tables, Weights, fresh_rows, weighted
from specialize.errors import DataError
from specialize.vocab.base import VocabChange, Vocabulary

_ABOVE = 1.001  # what probabilities may sum to, rounded as they are


def init(
    tables: Tables,
    change: VocabChange[Vocabulary],
    corpus: Iterable[str],
    *,
    file: Path,
    seed: int = 0,
) -> FreshRows:
    """Return the mean of the old rows by p(old | new) of the table in ``file``.

    RAMEN (Tran 2020) and Trans-Tokenization (Remy et al. 2024). ``file``: lines
    NEW<TAB>OLD<TAB>PROBABILITY, pieces with their marks (``##ab``, ``Ġab``, ``▁ab``), such as from
    word alignments of parallel text (fast_align, eflomal) or similar aligned word vectors. There
    are no comments, as ``#`` may begin a piece. Probabilities of each new piece are scaled to sum
    to 1. Pieces that are not fresh are ignored; one without a line is drawn around the mean, and
    equal probabilities make equal rows. DataError, with the line, for what is no such line, and
    where no line is of a fresh piece.
    """
    parts = _read(file, change)
    if change.fresh and not parts:
        first = ", ".join(map(repr, change.fresh_pieces[:3]))
        raise DataError(f"{file}:1: no line is of a fresh piece; expected lines of {first} ...")
    weights: list[Weights] = [weighted(parts.get(piece, [])) for piece in change.fresh_pieces]
    return fresh_rows(tables, change, weights, seed=seed)


def _read(file: Path, change: VocabChange[Vocabulary]) -> dict[str, list[tuple[int, float]]]:
    """Return (old id, probability) of each fresh piece."""
    fresh, found = set(change.fresh_pieces), dict[str, dict[int, float]]()
    for number, line in read_lines(file):
        where = f"{file}:{number}"
        new, old, share = _columns(line, where)
        if old not in change.old.ids:
            raise DataError(f"{where}: {old!r} is not a piece of the old vocabulary; correct it")
        given = found.setdefault(new, {})
        if change.old.ids[old] in given:
            raise DataError(f"{where}: a second line of {new!r} and {old!r}; expected one")
        given[change.old.ids[old]] = share
        if sum(given.values()) > _ABOVE:
            raise DataError(
                f"{where}: probabilities of {new!r} sum to {sum(given.values()):.3f}; expected at "
                "most 1: p(old | new), not counts"
            )
    return {new: list(given.items()) for new, given in found.items() if new in fresh}


def _columns(line: str, where: str) -> tuple[str, str, float]:
    columns = line.split("\t")
    if len(columns) != 3:
        raise DataError(f"{where}: expected NEW<TAB>OLD<TAB>PROBABILITY, got {line[:60]!r}")
    try:
        share = float(columns[2])
    except ValueError:
        share = -1.0
    if not 0 < share <= 1:
        raise DataError(f"{where}: expected a probability above 0, at most 1, got {columns[2]!r}")
    return columns[0], columns[1], share
