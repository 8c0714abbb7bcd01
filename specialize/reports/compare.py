"""A comparison of runs as one HTML page: the best arm of each language, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import jinja2

from specialize.atomic import write_text
from specialize.comparison.changed_words import Changes, Example, changed_words
from specialize.comparison.values import Comparison
from specialize.progress import duration
from specialize.reports import numbers
from specialize.reports.charts import STYLES
from specialize.reports.compare_answers import answers
from specialize.reports.compare_cells import arms, chosen, groups, languages
from specialize.reports.compare_charts import by_pieces, learning, styles
from specialize.reports.compare_matrix import against, heading, matrices
from specialize.reports.compare_mixture import squares
from specialize.reports.numbers import decimal, percent, signed
from specialize.reports.page import environment
from specialize.reports.trees import right_to_left, two_trees

SENTENCES = 2  # shown of the best arm, improved and worsened; of others one


def write_page(comparison: Comparison, path: Path, *, command: str = "") -> None:
    """Write the page of ``comparison`` to ``path``; ``command`` is the command line behind it."""
    write_text(path, page(comparison, command=command))


def page(comparison: Comparison, *, command: str = "") -> str:
    """Return the page of ``comparison`` as HTML."""
    best = {
        (code, chosen(c).arm, task): SENTENCES for (code, task), c in groups(comparison).items()
    }
    changes: list[Changes] = []
    missing = [*comparison.missing]
    for run in comparison.runs:
        own = {(arm, task): n for (code, arm, task), n in best.items() if code == run.language}
        found = changed_words(run, comparison.baseline, examples=own)
        changes += found.changes
        missing += found.missing
    return _template().render(
        comparison=comparison,
        languages=languages(comparison),
        arms=arms(comparison),
        answers=answers(comparison),
        matrices=matrices(comparison),
        squares=squares(comparison),
        pieces=by_pieces(comparison),
        learning=learning(comparison),
        changes=changes,
        cautions=[*filter(None, (c.caution for c in changes)), *comparison.cautions],
        best=best,
        missing=missing,
        styles=styles(comparison),
        command=command,
    )


def _template() -> jinja2.Template:
    page = environment()
    page.filters.update(percent=percent, decimal=decimal, duration=duration, gain=_gain)
    page.filters.update(memory=numbers.memory, unknown=numbers.unknown, signed=signed)
    page.globals.update(STYLES=STYLES, numbers=numbers, whole="{:,}".format, against=against)
    page.globals.update(signed=signed, tree=_tree, rtl=right_to_left, heading=heading, marks=_marks)
    return page.get_template("compare.html.j2")


def _gain(values: Sequence[float], digits: int) -> str:
    """Return ``"+1.2 ± 0.3"``."""
    deviation = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{signed(mean(values), digits)}{deviation}"


def _tree(example: Example, changes: Changes) -> Any:
    title = f"Tree by {changes.arm} above the words, by {changes.baseline} below"
    trees = example.gold, example.after, example.before
    return two_trees(example.words, *trees, title=title)


def _marks(example: Example) -> list[tuple[str, str, str, str]]:
    """Return (word, gold, baseline's tag, arm's tag) of each word."""
    rows = zip(example.words, example.gold, example.before, example.after, strict=True)
    return [*rows]
