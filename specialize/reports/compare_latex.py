"""A comparison as a LaTeX table in the layout of Chau & Smith 2021, Table 2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean

from specialize.comparison.significance import better, marks
from specialize.comparison.values import BITS, TEXT, Cell, Comparison, label
from specialize.reports.compare_text import arms, tasks

_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    **{c: f"\\{c}" for c in "&%$#_{}"},
}
_HEAD = r"""% needs \usepackage{booktabs} and \usepackage{xcolor}
\providecommand{\best}[1]{\textbf{#1}}
\providecommand{\level}[1]{\textcolor{gray}{#1}}
\providecommand{\better}{\textsuperscript{$\ast$}}
"""


def latex(comparison: Comparison) -> str:
    """Return the table: languages are columns, arms are rows, tasks are blocks.

    As in the paper, the best of a column is bold and what is not significantly worse is gray. A
    star marks arms better than the baseline after Holm's correction. The means over languages
    leave out arms that lack one.
    """
    languages = list(dict.fromkeys(cell.language for cell in comparison.cells))
    several = len(languages) > 1
    lines = [_HEAD + r"\begin{tabular}{l" + "c" * (len(languages) + several) + "}", r"\toprule"]
    heads = ["Arm", *map(escape, languages), *(["Avg."] if several else [])]
    lines += [_row(heads)]
    for task in tasks(comparison):
        cells = {(c.language, c.arm): c for c in comparison.cells if c.task == task}
        title = escape(_title(task, cells.values()))
        lines += [r"\midrule", rf"\multicolumn{{{len(heads)}}}{{l}}{{\emph{{{title}}}}} \\"]
        lines += _block(comparison, task, languages, cells)
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", *_notes(comparison)]) + "\n"


def escape(text: str) -> str:
    """Return ``text`` on one line, with LaTeX's special characters escaped."""
    return "".join(_ESCAPES.get(c, c) for c in " ".join(text.split()))


def _title(task: str, cells: Iterable[Cell]) -> str:
    """Return the heading of a task; where its metrics differ, with the languages of each."""
    users: dict[str, dict[str, None]] = {}  # languages by metric
    for cell in cells:
        users.setdefault(cell.metric, {})[cell.language] = None
    where = "; ".join(f"{metric}: {', '.join(names)}" for metric, names in users.items())
    return f"{label(task, users)} ({where})" if len(users) > 1 else label(task, users)


def _block(
    comparison: Comparison,
    task: str,
    languages: Sequence[str],
    cells: Mapping[tuple[str, str], Cell],
) -> list[str]:
    """Return the rows of a task's arms."""
    known = marks(comparison.cells)
    above = {
        (t.language, t.arm)
        for t in comparison.tests
        if t.task == task and t.p_holm is not None and t.p_holm < 0.05
    }
    present = [language for language in languages if any(key[0] == language for key in cells)]
    names = arms(comparison, task)
    means = {
        arm: mean(cells[language, arm].mean for language in present)
        for arm in names
        if all((language, arm) in cells for language in present)
    }
    places = 3 if task == TEXT else 2
    rows = []
    for arm in names:
        row = [escape(arm)]
        for language in languages:
            cell = cells.get((language, arm))
            mark = known.get((language, task, arm), "")
            row.append(_cell(cell, mark, above=(language, arm) in above) if cell else "--")
        if len(languages) > 1:
            row.append(_average(arm, means, task, places))
        rows.append(_row(row))
    return rows


def _cell(cell: Cell, mark: str, *, above: bool) -> str:
    places = 3 if cell.metric == BITS else 2
    deviation = "" if cell.sd is None else rf" $\pm$ {cell.sd:.{places}f}"
    shown = f"{cell.mean:.{places}f}{deviation}"
    return (rf"\{mark}{{{shown}}}" if mark else shown) + (r"\better" if above else "")


def _average(arm: str, means: Mapping[str, float], task: str, places: int) -> str:
    if arm not in means:
        return "--"
    best = not any(better(other, means[arm], task) for other in means.values())
    shown = f"{means[arm]:.{places}f}"
    return rf"\best{{{shown}}}" if best else shown


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _notes(comparison: Comparison) -> list[str]:
    """Return the legend, and what may not be claimed, as comments."""
    count = sum(test.p is not None for test in comparison.tests)
    notes = [
        "mean and sample standard deviation over seeds; bold: best; gray: not significantly worse",
        "than the best (one-sided paired t test, 0.05 / number of the language's tasks); star:",
        f"better than {comparison.baseline} (the same test, p < 0.05 by Holm over {count} tests)",
        *comparison.missing,
        *comparison.cautions,
    ]
    return [f"% {' '.join(note.split())}" for note in notes]
