"""A comparison as plain text."""

from pathlib import Path

from compared_runs import arm, write_run

from specialize.comparison import Comparison, compare
from specialize.reports.compare_text import probability, text


def compared(folder: Path) -> Comparison:
    """Two languages; in ug, tva beats lapt by 2, 3, 1 points, as in test_significance."""
    write_run(
        folder / "ug",
        arm("lapt", 10, 11, 15, lapt=True, bits_per_byte=[1.25]),
        arm("tva", 12, 14, 16, lapt=True, bits_per_byte=[1.2]),
    )
    write_run(folder / "mt", arm("lapt", 60.5, 61.5), language="mt", missing=["tva: dep, seed 1"])
    return compare([folder])


def test_the_tables_of_a_comparison(tmp_path: Path) -> None:
    lines = text(compared(tmp_path)).splitlines()
    assert lines[:7] == [
        "LAS          lapt            tva",
        "mt   61.00 ± 0.71              –",
        "ug   12.00 ± 2.65   14.00 ± 2.00*",
        "",
        "bits per byte (lower is better)   lapt     tva",
        "ug                               1.250   1.200*",
        "",
    ]
    begin = next(i for i, line in enumerate(lines) if "95 % interval" in line)
    assert [" ".join(line.split()) for line in lines[begin : begin + 3]] == [
        "arm mean n difference 95 % interval p Holm Bonferroni",
        "ug LAS tva 14.00 ± 2.00 3 +2.00 – 0.037 0.037 0.037",
        "ug bits per byte tva 1.200 1 -0.050 – – – –",
    ]


def test_legends_missing_stages_and_cautions_follow(tmp_path: Path) -> None:
    found = " ".join(text(compared(tmp_path)).split())
    assert "* best mean. = not significantly worse than the best" in found
    assert "Each arm beside lapt. p: one-sided paired t test by seed" in found
    assert "correct for 1 comparisons" not in found
    assert "Missing: - mt: tva, dep: seed 1 is not finished" in found
    assert "Cautions: - bits per byte: LAPT ran once" in found


def test_many_arms_are_shown_in_parts_of_a_lines_width(tmp_path: Path) -> None:
    arms = [arm(f"a_long_name_of_an_arm_{n}", 10 + n, 11, 12) for n in range(9)]
    shown = text(compare([write_run(tmp_path / "ug", *arms)])).partition("* best")[0]
    assert max(map(len, shown.splitlines())) <= 100
    heads = [line.split() for line in shown.splitlines() if line.startswith("LAS")]
    assert [len(head) - 1 for head in heads] == [3, 3, 3]
    assert [name for head in heads for name in head[1:]] == [one["name"] for one in arms]


def test_small_probabilities_are_not_zero() -> None:
    assert [*map(probability, (None, 0.0004, 0.001, 1.0))] == ["–", "< 0.001", "0.001", "1.000"]
