"""The page and tables of invented results."""

import csv
import io
import re

import pytest
from html_page import Page
from small_zeroshot import invented_facts

from specialize.studies.zeroshot import report, tables


@pytest.mark.parametrize("seeds", [(1, 2), (1,)])
def test_the_page_is_whole_escaped_and_without_network(seeds: tuple[int, ...]) -> None:
    text = report.page(invented_facts(seeds=seeds))
    page = Page(text)
    assert not page.open
    assert "Invented &lt;scores&gt;" in text
    assert "<scores>" not in text
    assert not re.search(r"\b(nan|None)\b", text)
    assert not [attrs for tag, attrs in page.tags if {"src", "href"} & attrs.keys()]
    charts = [attrs["aria-label"] for tag, attrs in page.tags if tag == "svg"]
    assert len(charts) == 4  # tasks, seen and unseen
    assert all("Difference to full" in chart for chart in charts)


def test_a_page_of_one_system_has_no_differences() -> None:
    facts = invented_facts()
    del facts["systems"]["madx"]
    assert "Difference" not in report.page(facts)


def test_averages_are_of_the_halves_by_what_the_base_knows() -> None:
    unseen, seen, *_ = tables.blocks(invented_facts())
    assert (unseen.seen, seen.seen) == (False, True)
    assert unseen.languages == {"tr": "a", "ug": "a", "el": "b", "mt": "b"}
    assert seen.languages == {"en": "ab", **unseen.languages}
    assert unseen.columns[-3:] == seen.columns[-3:] == ["KNOWN", "NEW", "ALL"]
    values = [mean.value for mean in unseen.rows["full"]]
    assert values[4] == pytest.approx((values[0] + values[2]) / 2)
    assert values[6] == pytest.approx(sum(values[:4]) / 4)
    gap = [s.value - u.value for s, u in zip(seen.rows["full"][1:], unseen.rows["full"])]  # noqa: B905
    assert all(value == pytest.approx(10) for value in gap)


def test_differences_are_paired_by_language_and_seed() -> None:
    (found,) = tables.comparisons(invented_facts(), "dep", seen=False)
    assert (found.system, found.better, found.worse) == ("madx", 4, 0)
    assert found.difference.value == pytest.approx(2)
    assert found.difference.pairs == pytest.approx((2, 2))  # noise is common to both systems
    (single,) = tables.comparisons(invented_facts(seeds=(1,)), "dep", seen=False)
    assert single.difference.seeds is None


def test_languages_that_one_model_scores_are_one_run_in_the_interval_over_seeds() -> None:
    """Models' errors of ± 1 and ± 3 by seed: pooled variance (2 + 18) / 2, of a mean of 4 runs."""
    facts = invented_facts()
    error = {("a", 1): 1.0, ("a", 2): -1.0, ("b", 1): 3.0, ("b", 2): -3.0}
    for row in facts["rows"]:
        row["score"] = error[row["model"], row["seed"]] * (row["system"] == "madx")
    (found,) = tables.comparisons(facts, "dep", seen=False)
    assert found.difference.value == 0
    half = 4.303 * (10 / 4) ** 0.5  # t(0.975, 2)
    assert found.difference.seeds == pytest.approx((-half, half), abs=1e-3)


def test_one_language_is_no_languages() -> None:
    facts = invented_facts()
    for row in facts["rows"]:
        row["score"] -= 9.0 * (row["system"] == "madx" and row["language"] != "tr")
    assert "better on 1 language, worse on 3." in " ".join(tables.findings(facts))


def test_tables_have_a_row_for_each_system_and_each_score() -> None:
    facts = invented_facts()
    rows = list(csv.DictReader(io.StringIO(tables.csv_text(facts))))
    assert len(rows) == len(facts["rows"]) == 2 * 2 * 2 * (2 * 5 + 2 * 4)
    assert {row["metric"] for row in rows} == {"UPOS", "LAS"}
    assert {row["known"] for row in rows if row["language"] == "ug"} == {"False"}
    text = tables.text(facts)
    assert text.count("unseen pairs") == 2
    assert "madx less full    +2.0" in text
    assert "after 1 min 39 s for languages" in text


def test_a_row_tells_what_few_sentences_add() -> None:
    facts = invented_facts()
    (pos, _) = tables.few_blocks(facts)
    assert list(pos.rows) == [f"{name}, {few}" for name in ("full", "madx") for few in (0, 5, 20)]
    gains = [b.value - a.value for a, b in zip(*list(pos.rows.values())[:2], strict=True)]
    assert gains == pytest.approx([5] * 7)
    assert "pos (UPOS), after n sentences" in tables.text(facts)
    assert "after a few sentences" in report.page(facts)
    assert not tables.few_blocks({**facts, "few": []})
