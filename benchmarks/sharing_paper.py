"""Main effects of sharing in de Lhoneux et al. 2018, Tables 5 and 6, beside those of our runs.

    python benchmarks/sharing_paper.py ../shared/papers/delhoneux-2018-sharing-tables.txt \\
        runs/sharing/results.json

The tables are read from the text of the paper: in rows of cells, ✗ is no sharing, ID soft sharing
and ✓ hard sharing, or U+FFFD, which it becomes where text is extracted; columns stand in pairs.
They have one score a language and cell, so that intervals are over pairs alone. Beside the main
effects: what sharing W does in the cells that share S and in those that do not, and rank
correlations of the cells' averages (Spearman).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import mean

from specialize.studies.sharing.effects import Estimate, Pair, Scores, estimate, gains, main_effects
from specialize.studies.sharing.run import scores_of
from specialize.studies.sharing.sharing import GRID, MODES, NOTHING, Mode, Sharing
from specialize.studies.sharing.tables import MARKS, between, name_of
from specialize.studies.transfer.measures import spearman

_MODES: dict[str, Mode] = {"✗": "none", "ID": "soft", "✓": "hard", "\ufffd": "hard"}


def tables(text: str) -> Iterator[Scores]:
    """Yield the tables of the paper's text; ValueError for one without its 27 cells."""
    for table in text.split("C W S ")[1:]:
        head, mono, *lines = [line.split() for line in table.splitlines() if line.strip()]
        languages = head[:-1]
        pairs = tuple(zip(languages[::2], languages[1::2], strict=True))
        alone = {(name, 0): float(value) for name, value in zip(languages, mono[1:-1], strict=True)}
        rows = [line for line in lines if len(line) == len(languages) + 4 and _is_cell(line)]
        cells = {
            Sharing(*(_MODES[mark] for mark in row[:3])): dict(
                zip(languages, map(float, row[3:-1]), strict=True)
            )
            for row in rows
        }
        if set(cells) != set(GRID) or len(rows) != len(GRID):
            raise ValueError(f"expected a table of {len(GRID)} cells, got {len(rows)}: {head}")
        shared = {
            (pair, 0, cell): {name: own[name] for name in pair}
            for pair in pairs
            for cell, own in cells.items()
        }
        yield Scores("", pairs, (0,), shared, alone)


def _is_cell(words: list[str]) -> bool:
    return set(words[:3]) <= set(_MODES) and all(
        word.replace(".", "", 1).isdigit() for word in words[3:]
    )


def of_pairs(scores: Scores, pairs: tuple[Pair, ...]) -> Scores:
    """Return the scores of some pairs alone."""
    shared = {key: own for key, own in scores.shared.items() if key[0] in pairs}
    return Scores(scores.title, pairs, scores.seeds, shared, scores.alone)


def table(columns: dict[str, Scores]) -> Iterator[str]:
    """Yield the rows of main effects, points and intervals over pairs, as Markdown."""
    yield f"| effect | {' | '.join(columns)} |"
    yield f"|---|{'---|' * len(columns)}"
    for effects in zip(*map(main_effects, columns.values()), strict=True):
        yield f"| {name_of(effects[0])} | {' | '.join(_shown(e.estimate) for e in effects)} |"
    for what, values in (("S shared", _given(True)), ("S ✗", _given(False)), ("difference", _both)):
        found = (_shown(estimate(values(scores))) for scores in columns.values())
        yield f"| W  ID or ✓ − ✗, {what} | {' | '.join(found)} |"
    nothing = (_signed(gains(scores)[NOTHING].value) for scores in columns.values())
    yield f"| ✗✗✗ less MONO | {' | '.join(nothing)} |"


def _given(score_shared: bool) -> Callable[[Scores], dict[Pair, list[float]]]:
    """Return what sharing W does in cells that share S, or that do not, by pair and seed."""
    cells = [cell for cell in GRID if (cell.score != "none") == score_shared]

    def values(scores: Scores) -> dict[Pair, list[float]]:
        return {p: [_words(scores, p, seed, cells) for seed in scores.seeds] for p in scores.pairs}

    return values


def _words(scores: Scores, pair: Pair, seed: int, cells: Sequence[Sharing]) -> float:
    """Return the mean LAS of the cells that share W less that of those that do not."""
    las = {cell: mean(scores.shared[pair, seed, cell].values()) for cell in cells}
    own = mean(value for cell, value in las.items() if cell.word == "none")
    return mean(value for cell, value in las.items() if cell.word != "none") - own


def _both(scores: Scores) -> dict[Pair, list[float]]:
    """Return by how much sharing W does more where S is shared."""
    first, second = _given(True)(scores), _given(False)(scores)
    return {
        pair: [a - b for a, b in zip(own, second[pair], strict=True)] for pair, own in first.items()
    }


def _shown(found: Estimate) -> str:
    return f"{_signed(found.value)} ({between(found.pairs)})"


def _signed(points: float) -> str:
    return f"{round(points, 2) + 0.0:+.2f}".replace("-", "−")


def correlations(first: Scores, second: Scores) -> str:
    """Return Spearman's rho of the averages of all cells, and of the nine of each S.

    A p would take cells as independent. Averages are rounded, so that equal ones are ties.
    """
    ours, theirs = (
        {cell: round(own.value, 6) for cell, own in gains(scores).items()}
        for scores in (first, second)
    )
    found = []
    for name, modes in (("all", MODES), *((f"S {MARKS[mode]}", (mode,)) for mode in MODES)):
        cells = [cell for cell in GRID if cell.score in modes]
        rho = spearman([ours[cell] for cell in cells], [theirs[cell] for cell in cells])
        found.append(f"{name} {'–' if rho is None else f'{rho[0]:.2f}'}")
    return ", ".join(found)


def main() -> None:
    """Print a table for each study; an error message for one whose pairs are in no table."""
    paper, results = map(Path, sys.argv[1:])
    published = list(tables(paper.read_text("utf-8")))
    for facts in json.loads(results.read_text("utf-8"))["studies"]:
        ours = scores_of(facts)
        whole = next((own for own in published if set(ours.pairs) <= set(own.pairs)), None)
        if whole is None:
            sys.exit(f"{ours.title}: expected pairs of one table, in its order, got {ours.pairs}")
        same = of_pairs(whole, ours.pairs)
        columns = {ours.title: ours, "paper, the same pairs": same, "paper, all": whole}
        print(*table(columns), sep="\n")
        print(f"\nrho of our cells with the paper's same pairs: {correlations(ours, same)}\n")


if __name__ == "__main__":
    main()
