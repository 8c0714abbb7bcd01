"""A comparison as rows for scripts: JSON and CSV with the same columns."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

from specialize.comparison.values import Comparison

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
    """Return an object for each test; None for what is not known, never NaN or infinity."""
    return [{name: _finite(getattr(test, name)) for name in COLUMNS} for test in comparison.tests]


def csv_text(comparison: Comparison) -> str:
    """Return the rows as CSV with a header; what is not known is empty."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(comparison))
    return file.getvalue()


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
