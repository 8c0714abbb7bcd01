"""A comparison as plain text of 100 columns: scores, tests, what is missing, cautions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from specialize.comparison.significance import marks
from specialize.comparison.values import BITS, TEXT, Cell, Comparison, Test, label
from specialize.reports.compare_cells import chosen, dev_mean, probability
from specialize.reports.tables import WIDTH, wrapped

_SIGNS = {"best": "*", "level": "~"}
_FEW = 5  # seeds, below which the legend warns
LEGEND = (
    "* best mean on test. ~ not significantly worse than it, though not shown to be equal: "
    "one-sided paired t test by seed, p ≥ 0.05 / number of the language's tasks, as in Chau & "
    "Smith 2021. ± sample standard deviation over seeds. dev: mean on dev, by which an arm is "
    "chosen."
)


def text(comparison: Comparison) -> str:
    """Return the comparison, – where nothing was measured."""
    known = marks(comparison.cells)
    parts = [_score_table(comparison, task, known) for task in tasks(comparison)]
    parts.append(wrapped([LEGEND], hanging=""))
    parts += [_test_table(comparison.tests), _tests_legend(comparison)]
    for title, lines in (("Missing", comparison.missing), ("Cautions", comparison.cautions)):
        if lines:
            parts.append(f"{title}:\n{wrapped(f'- {line}' for line in lines)}")
    return "\n\n".join(filter(None, parts))


def tasks(comparison: Comparison) -> list[str]:
    """Return the tasks with a score, bits per byte last."""
    found = dict.fromkeys(cell.task for cell in comparison.cells)
    return sorted(found, key=lambda task: task == TEXT)


def arms(comparison: Comparison, task: str = "") -> list[str]:
    """Return the arms, those with a score in ``task``, in the order of the runs."""
    scored = {cell.arm for cell in comparison.cells if not task or cell.task == task}
    order = dict.fromkeys(arm["name"] for run in comparison.runs for arm in run.facts["arms"])
    return [arm for arm in order if arm in scored]


def score(cell: Cell | Test) -> str:
    """Return mean ± deviation: scores with two decimals, bits per byte with three."""
    places = 3 if cell.metric == BITS else 2
    deviation = "" if cell.sd is None else f" ± {cell.sd:.{places}f}"
    return f"{cell.mean:.{places}f}{deviation}"


# Scores -------------------------------------------------------------------------------------------


def _score_table(
    comparison: Comparison, task: str, known: Mapping[tuple[str, str, str], str]
) -> str:
    """Return a table of languages by arms, in as many parts as its width needs.

    Below each language's scores on test are the means on dev.
    """
    cells = {(c.language, c.arm): c for c in comparison.cells if c.task == task}
    languages = list(dict.fromkeys(language for language, _ in cells))
    metrics = {language: cell.metric for (language, _), cell in cells.items()}
    title = label(task, metrics.values())
    best = _best_on_dev(cells.values())
    first = [title if task != TEXT else f"{title} (lower is better)"]
    several = len(set(metrics.values())) > 1
    for language in languages:
        name = f"{language} {metrics[language]}" if several else language
        first += [name, f"{language} dev"] if language in best else [name]
    columns = []
    for arm in arms(comparison, task):
        column = [f"{arm} "]
        for language in languages:
            cell = cells.get((language, arm))
            sign = _SIGNS.get(known.get((language, task, arm), ""), " ")
            column.append(f"{score(cell)}{sign}" if cell else "– ")
            if language in best:
                dev = dev_mean(cell) if cell else None
                column.append("– " if dev is None else f"{dev:.2f} ")
        columns.append(column)
    tables = [_aligned([first, *part], left=1) for part in _parts(first, columns)]
    return "\n\n".join(tables) + _chosen(best)


def _best_on_dev(cells: Iterable[Cell]) -> dict[str, str]:
    """Return the arm with the best mean on dev of each language that has scores on dev."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.language, []).append(cell)
    return {
        language: chosen(group).arm
        for language, group in groups.items()
        if any(dev_mean(cell) is not None for cell in group)
    }


def _chosen(best: Mapping[str, str]) -> str:
    """Return the line that names the arm chosen on dev, of each language if there are several."""
    if not best:
        return ""
    arms = ", ".join(
        f"{language} {arm}" if len(best) > 1 else arm for language, arm in best.items()
    )
    return f"\n{wrapped([f'Best arm, chosen on dev: {arms}.'])}"


def _parts(first: Sequence[str], columns: Sequence[list[str]]) -> Iterator[list[list[str]]]:
    """Yield columns that fit into a line beside the first."""
    part: list[list[str]] = []
    width = start = max(map(len, first))
    for column in columns:
        size = 2 + max(map(len, column))
        if part and width + size > WIDTH:
            yield part
            part, width = [], start
        part.append(column)
        width += size
    yield part


# Tests --------------------------------------------------------------------------------------------


def _test_table(tests: Sequence[Test]) -> str:
    if not tests:
        return ""
    head = ["", "", "arm", "mean", "n", "difference", "95 % interval", "p", "Holm", "Bonferroni"]
    lines = [head]
    where = ("", "")
    for test in tests:
        here = (test.language, label(test.task, [test.metric]))
        lines.append([*(("", "") if here == where else here), test.arm, *_figures(test)])
        where = here
    return _aligned(list(zip(*lines, strict=True)), left=3)


def _figures(test: Test) -> list[str]:
    places = 3 if test.task == TEXT else 2
    low, high = test.bootstrap_low, test.bootstrap_high
    interval = "–" if low is None or high is None else f"{low:+.{places}f} … {high:+.{places}f}"
    ps = (test.p, test.p_holm, test.p_bonferroni)
    return [
        score(test),
        str(test.n),
        f"{test.difference:+.{places}f}",
        interval,
        *map(probability, ps),
    ]


def _tests_legend(comparison: Comparison) -> str:
    if not comparison.tests:
        return ""
    count = sum(test.p is not None for test in comparison.tests)
    lower = " (bits per byte: a lower one)" if any(t.task == TEXT for t in comparison.tests) else ""
    sentences = [
        f"Each arm beside {comparison.baseline}.",
        "p: one-sided paired t test by seed, whether the arm has a higher score" + lower + ".",
        f"Holm and Bonferroni correct for {count} comparisons: all arms, tasks and languages above "
        "that have a p."
        if count > 1
        else "",
        "95 % interval: of the difference, by paired bootstrap over test sentences, seeds kept "
        "together; it does not cover the variation of training.",
        "With few seeds, an interval that excludes 0 says that these trained models would differ "
        "on other test sentences too, not that training with other seeds would give the same."
        if any(test.n < _FEW and test.bootstrap_low is not None for test in comparison.tests)
        else "",
    ]
    return wrapped([" ".join(filter(None, sentences))], hanging="")


# Layout -------------------------------------------------------------------------------------------


def _aligned(columns: Sequence[Sequence[str]], *, left: int) -> str:
    """Return columns as lines, the first ``left`` to the left, the others to the right."""
    padded = []
    for i, column in enumerate(columns):
        width = max(map(len, column))
        padded.append([c.ljust(width) if i < left else c.rjust(width) for c in column])
    return "\n".join("  ".join(row).rstrip() for row in zip(*padded, strict=True))
