"""A comparison as rows for scripts: JSON and CSV with the same columns."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

from specialize.comparison.values import Cell, Comparison, Test

COLUMNS = (
    "language",
    "arm",
    "baseline",
    "task",
    "metric",
    "mean",
    "sd",
    "n",
    "difference",
    "p",
    "p_holm",
    "p_bonferroni",
    "bootstrap_low",
    "bootstrap_high",
)


def rows(comparison: Comparison) -> list[dict[str, Any]]:
    """Return an object for each test, and one for the baseline before those of its task.

    None for what is not known, never NaN or infinity.
    """
    own = [_baseline(cell) for cell in comparison.cells if cell.arm == comparison.baseline]
    order = list(dict.fromkeys((cell.language, cell.task) for cell in comparison.cells))
    found = sorted([*own, *comparison.tests], key=lambda row: order.index((row.language, row.task)))
    return [{name: _finite(getattr(row, name)) for name in COLUMNS} for row in found]


def _baseline(cell: Cell) -> Test:
    """Return the baseline beside itself: no difference and nothing tested."""
    return Test(
        language=cell.language,
        arm=cell.arm,
        baseline=cell.arm,
        task=cell.task,
        metric=cell.metric,
        mean=cell.mean,
        sd=cell.sd,
        n=cell.n,
        difference=0.0,
        p=None,
        p_bonferroni=None,
        p_holm=None,
        bootstrap_low=None,
        bootstrap_high=None,
    )


def csv_text(comparison: Comparison) -> str:
    """Return the rows as CSV with a header; what is not known is empty."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(comparison))
    return file.getvalue()


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
