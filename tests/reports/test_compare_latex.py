"""A comparison as LaTeX and as rows."""

import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from compared_runs import arm, write_run

from specialize.comparison import compare
from specialize.reports.compare_latex import escape, latex
from specialize.reports.compare_rows import COLUMNS, csv_text, rows

TABLE = r"""\begin{tabular}{lccc}
\toprule
Arm & mt & ug & Avg. \\
\midrule
\multicolumn{4}{l}{\emph{LAS}} \\
lapt & \best{60.00 $\pm$ 0.10} & 12.00 $\pm$ 2.65 & 36.00 \\
tva\_99 & \level{59.90 $\pm$ 0.36} & \best{14.00 $\pm$ 2.00}\better & \best{36.95} \\
other & 20.00 & -- & -- \\
\bottomrule
\end{tabular}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """In ug, tva_99 beats lapt by 2, 3, 1 points: p = 0.037; mt is not compared with lapt."""
    mt = [arm("lapt", 59.9, 60, 60.1), arm("tva_99", 59.5, 60.2, 60, seeds=(1, 2, 3))]
    write_run(tmp_path / "mt", *mt, arm("other", 20), language="mt")
    write_run(tmp_path / "ug", arm("lapt", 10, 11, 15), arm("tva_99", 12, 14, 16))
    return tmp_path


def test_languages_are_columns_and_arms_are_rows(folder: Path) -> None:
    found = compare([folder])
    tests = tuple(replace(t, p_holm=0.04 if t.language == "ug" else 0.5) for t in found.tests)
    shown = latex(replace(found, tests=tests))
    assert TABLE in shown
    assert r"\usepackage{booktabs}" in shown.partition("\\begin")[0]
    notes = shown.partition("\\end{tabular}\n")[2].splitlines()
    assert all(line.startswith("% ") for line in notes)
    assert any("one seed is no test: mt dep (other)" in line for line in notes)


def test_a_line_break_in_a_name_does_not_break_a_row() -> None:
    assert escape("Meadow\n  Mari") == "Meadow Mari"


def test_special_characters_are_escaped() -> None:
    assert escape(r"a_b & 50 % of {c} #1 $x ^ ~ \y") == (
        r"a\_b \& 50 \% of \{c\} \#1 \$x \textasciicircum{} \textasciitilde{} \textbackslash{}y"
    )


def test_rows_have_the_columns_and_csv_has_the_same(folder: Path) -> None:
    found = compare([folder])
    objects = rows(found)
    assert [[*row] for row in objects] == [list(COLUMNS)] * 5
    read = [*csv.DictReader(io.StringIO(csv_text(found)))]
    assert [[*row] for row in read] == [list(COLUMNS)] * 5
    for row, same in zip(objects, read, strict=True):
        assert {k: "" if v is None else str(v) for k, v in row.items()} == same


def test_the_baseline_has_a_row_in_each_task_before_the_others(folder: Path) -> None:
    found = rows(compare([folder]))
    assert [(row["language"], row["arm"]) for row in found] == [
        ("mt", "lapt"),
        ("mt", "tva_99"),
        ("mt", "other"),
        ("ug", "lapt"),
        ("ug", "tva_99"),
    ]
    own = found[3]
    assert (own["baseline"], own["mean"], own["n"], own["difference"]) == ("lapt", 12, 3, 0)
    unknown = ("p", "p_holm", "p_bonferroni", "bootstrap_low", "bootstrap_high")
    assert [own[name] for name in unknown] == [None] * 5


def test_rows_are_json_without_nan(folder: Path) -> None:
    found = compare([folder])
    broken = replace(found.tests[0], difference=math.nan, p=math.inf)
    row = rows(replace(found, tests=(broken,)))[1]
    assert (row["difference"], row["p"]) == (None, None)
    json.dumps(row, allow_nan=False)
