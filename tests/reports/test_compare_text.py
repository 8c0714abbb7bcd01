"""A comparison as plain text."""

from dataclasses import replace
from pathlib import Path

from compared_runs import arm, write_run
from run_facts import scored

from specialize.comparison import Comparison, compare
from specialize.reports.compare_cells import probability
from specialize.reports.compare_latex import latex
from specialize.reports.compare_matrix import matrices
from specialize.reports.compare_text import text


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
    assert lines[:10] == [
        "LAS             lapt            tva",
        "mt      61.00 ± 0.71              –",
        "mt dev         62.00              –",
        "ug      12.00 ± 2.65   14.00 ± 2.00*",
        "ug dev         13.00          15.00",
        "Best arm, chosen on dev: mt lapt, ug tva.",
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


def test_languages_tagged_in_different_columns_are_told_apart(tmp_path: Path) -> None:
    for language, column, score in (("be", "upos", 90), ("ug", "xpos", 88)):
        tags = {"pos": scored("pos", score, metric=column)}
        write_run(tmp_path / language, arm("tva", scores=tags), language=language)
    comparison = compare([tmp_path])
    assert text(comparison).splitlines()[:5] == [
        "UPOS / XPOS    tva",
        "be UPOS      90.00",
        "be dev       91.00",
        "ug XPOS      88.00",
        "ug dev       89.00",
    ]
    assert r"\emph{UPOS / XPOS (UPOS: be; XPOS: ug)}" in latex(comparison)
    titles = {table.title: table.columns[0].heading for table in matrices(comparison)}
    assert titles == {"XPOS": "ug", "UPOS": "be"}


def test_legends_missing_stages_and_cautions_follow(tmp_path: Path) -> None:
    found = " ".join(text(compared(tmp_path)).split())
    assert "* best mean on test. ~ not significantly worse than it" in found
    assert "Each arm beside lapt. p: one-sided paired t test by seed" in found
    assert "correct for 1 comparisons" not in found
    assert "Missing: - mt: tva, dep: seed 1 is not finished" in found
    assert "Cautions: - bits per byte: LAPT ran once" in found


def test_the_arm_chosen_on_dev_is_named_where_another_is_best_on_test(tmp_path: Path) -> None:
    """And an arm not significantly worse has a mark that does not read as equal."""
    other = scored("dep", 30, 31.9) | {"dev": [{"las": 60.0}, {"las": 62.0}]}
    arms = [arm("lapt", 32, 32.5), arm("tva", scores={"dep": other}), arm("x", 32.1, 32.3)]
    lines = text(compare([write_run(tmp_path / "ug", *arms)])).splitlines()
    assert lines[1:4] == [
        "ug      32.25 ± 0.35*  30.95 ± 1.34~  32.20 ± 0.14~",
        "ug dev         33.25          61.00          33.20",
        "Best arm, chosen on dev: tva.",
    ]


def test_with_few_seeds_the_legend_says_what_an_interval_shows(tmp_path: Path) -> None:
    found = compared(tmp_path)
    few = "With few seeds, an interval that excludes 0"
    assert few not in text(found)
    tests = tuple(replace(test, bootstrap_low=1.0, bootstrap_high=2.0) for test in found.tests)
    assert few in " ".join(text(replace(found, tests=tests)).split())
    many = tuple(replace(test, n=5) for test in tests)
    assert few not in " ".join(text(replace(found, tests=many)).split())


def test_many_arms_are_shown_in_parts_of_a_lines_width(tmp_path: Path) -> None:
    arms = [arm(f"a_long_name_of_an_arm_{n}", 10 + n, 11, 12) for n in range(9)]
    shown = text(compare([write_run(tmp_path / "ug", *arms)])).partition("* best")[0]
    assert max(map(len, shown.splitlines())) <= 100
    heads = [line.split() for line in shown.splitlines() if line.startswith("LAS")]
    assert [len(head) - 1 for head in heads] == [3, 3, 3]
    assert [name for head in heads for name in head[1:]] == [one["name"] for one in arms]


def test_small_probabilities_are_not_zero() -> None:
    assert [*map(probability, (None, 0.0004, 0.001, 1.0))] == ["–", "< 0.001", "0.001", "1.000"]
