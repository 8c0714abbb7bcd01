"""The page and tables of invented results."""

import csv
import io
import re
from pathlib import Path

import pytest
from browser import run_in_browser
from html_page import Page
from small_transfer import invented_facts, invented_interference

from specialize.studies.transfer import report, tables

LAYOUT = """
const wide = [...document.querySelectorAll("body *")].filter(e => {
  if (e.closest(".scroll, figure")) return false;
  return e.getBoundingClientRect().right > innerWidth + 1;
});
return {wide: wide.map(e => e.tagName), overflow: document.documentElement.scrollWidth - innerWidth,
        charts: document.querySelectorAll("svg").length};
"""


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {
        "transfer": report.page(invented_facts()),
        "interference": report.interference_page(invented_interference()),
    }


@pytest.mark.parametrize("name", ["transfer", "interference"])
def test_a_page_is_whole_escaped_and_without_network(pages: dict[str, str], name: str) -> None:
    page = Page(pages[name])
    assert not page.open
    assert "Invented &lt;scores&gt;" in pages[name]
    assert "<scores>" not in pages[name]
    assert not re.search(r"\b(nan|None)\b", pages[name])
    assert not [attrs for tag, attrs in page.tags if {"src", "href"} & attrs.keys()]


def test_the_page_has_every_picture_of_the_paper(pages: dict[str, str]) -> None:
    charts = [attrs["aria-label"] for tag, attrs in Page(pages["transfer"]).tags if tag == "svg"]
    assert len(charts) == 2 * (5 + 6) + 1  # each task: five charts and six progressions; the ranks
    for title in ("Mean transfer score by donor", "Recipients", "Transfer scores over targets"):
        assert sum(title in chart for chart in charts) == 2
    assert sum("seen and unseen" in chart for chart in charts) == 2
    charts = [a["aria-label"] for tag, a in Page(pages["interference"]).tags if tag == "svg"]
    assert len(charts) == 2 * 2 * 3  # tasks, sizes, fusions


@pytest.mark.parametrize("name", ["transfer", "interference"])
def test_a_page_fits_a_phone(pages: dict[str, str], name: str, tmp_path: Path) -> None:
    allowed = pages[name].replace("default-src 'none'", "script-src 'unsafe-inline'")
    found = run_in_browser(allowed, LAYOUT, tmp_path, width=500)
    assert found["wide"] == []
    assert found["overflow"] <= 0
    assert found["charts"] > 10


def test_tables_have_a_row_for_each_pair_and_language() -> None:
    facts = invented_facts()
    rows = list(csv.DictReader(io.StringIO(tables.csv_text(facts))))
    assert len(rows) == 2 * 3 * 6 * 8
    first = rows[0]
    change = 100 * (float(first["score"]) - float(first["base"])) / float(first["base"])
    assert float(first["ts"]) == pytest.approx(change)
    text = tables.text(facts)
    assert "pos, accuracy, after 100 steps" in text
    assert "0 steps change no score" in text


def test_tables_of_interference_count_all_combinations() -> None:
    facts = invented_interference()
    rows = list(csv.DictReader(io.StringIO(tables.interference_csv(facts))))
    assert len(rows) == 2 * 3 * (10 * 2 + 10 * 3)
    assert all(
        sum(row["counts"]) + row["ties"] == (4 if own["size"] == 2 else 6)
        for own in facts["found"]
        for row in own["rows"]
    )
    assert "pos, 3 languages, fusion untrained" in tables.interference_text(facts)


def test_results_without_any_score_still_make_a_page() -> None:
    facts = invented_facts()
    for own in facts["tasks"]["dep"]["steps"].values():
        own["ts"] = [[None] * 8 for _ in range(6)]
        own["noise_by_target"] = None
        for row in (*own["donors"], *own["recipients"]):
            row |= dict.fromkeys(("mean", "positive", "negative", "variance", "noise"))
            row["interval"] = [None, None]
    assert not Page(report.page(facts)).open
    assert "the base scores 0 on all targets" in tables.text(facts)
