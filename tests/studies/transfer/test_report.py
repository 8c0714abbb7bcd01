"""The page and tables of invented results."""

import csv
import io
import re
from pathlib import Path

import pytest
from browser import run_in_browser
from html_page import Page
from small_transfer import Ran, invented_facts, invented_interference

from specialize.studies.transfer import charts, report, tables
from specialize.studies.transfer.interference import cautions_of

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
    assert "pos, UPOS, after 100 steps" in text
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


def test_the_mean_gain_is_over_the_combinations_that_are_counted() -> None:
    """The second is a tie: cc scores as alone."""
    alone = {"aa": 50.0, "bb": 60.0, "cc": 70.0}
    scores = [{"aa": 51.0, "bb": 58.0}, {"aa": 59.0, "cc": 70.0}, {"bb": 61.0, "cc": 72.0}]
    runs = [{"members": [*own], "fusion": "mean", "scores": {"pos": own}} for own in scores]
    facts = {"alone": {"pos": alone}, "combinations": runs}
    found = tables.mean_gains(facts, {"task": "pos", "size": 2, "fusion": "mean"})
    assert found == {"aa": (1.0, None), "bb": (1.0, -2.0), "cc": (2.0, None)}


def test_gains_stand_beside_the_counts_with_one_sign_for_minus() -> None:
    facts = invented_interference()
    for text in (tables.interference_text(facts), report.interference_page(facts)):
        assert "Mean gain" in text
        assert not re.search(r"[ >][+-]0\.00\b|[ >]-\d", text)


def test_targets_below_the_least_score_count_nowhere() -> None:
    facts = invented_facts()
    scores = facts["tasks"]["pos"]["base"]
    lowest = min(scores, key=scores.get)
    least = sorted(scores.values())[1]
    found = invented_facts(least=least)["tasks"]["pos"]
    assert found["left_out"] == [lowest]
    place = found["targets"].index(lowest)
    at, before = found["steps"]["100"], facts["tasks"]["pos"]["steps"]["100"]
    assert {row[place] for row in at["ts"]} == {None}
    assert at["recipients"][place]["interval"] == [None, None]
    for donor, row in zip(at["donors"], before["ts"], strict=True):
        others = [value for i, value in enumerate(row) if i != place]
        assert donor["mean"] == pytest.approx(sum(others) / len(others))
    whole = invented_facts(least=least)
    assert re.search(rf"\n{lowest} .* –  +–  +–  +–  +–  +–\n", tables.text(whole))
    assert Page(report.page(whole)).open == []


def test_controls_tell_distance_from_language() -> None:
    found = " ".join(tables.controls(invented_facts()))
    assert "pos: the order of donors by their mean and by how far they move the weights" in found
    assert re.search(r"text helps its own language more .* for \d of 6 languages", found)
    assert "unseen, zero-shot +" in found
    assert "seen, in the adapter −" in found
    assert re.search(r"after 1 step −?0\.\d\d over pairs and −?0\.\d\d within targets", found)


def test_clear_gains_are_those_whose_interval_excludes_zero() -> None:
    facts = invented_interference()
    pairs = next(own for own in facts["found"] if own["size"] == 2)
    assert tables.clear_gains(facts, pairs) == {
        "en": (0, 0),
        **dict.fromkeys(["tr", "el", "ug", "mt"], (4, 0)),
    }
    text = tables.interference_text(facts)
    assert re.search(r"\nug .* \+4 −0 ", text)
    assert "en              49.0     50.0        50.5     50.2" in text


def test_few_sentences_one_seed_and_equal_scores_are_cautions(ran: Ran) -> None:
    alone = {task: {"aa": 50.0, "bb": 60.0} for task in ("pos", "dep")}
    scores = {"pos": {"aa": 50.0, "bb": 60.0}, "dep": {"aa": 50.0, "bb": 61.0}}
    found = cautions_of(ran.study, alone, [{"scores": scores}])
    assert found[0].startswith("one seed")
    assert found[1] == "aa: 6 test sentences, fewer than 100; small gains may be chance"
    assert found[3:] == ["pos: every score is equal: raise interference.steps"]


@pytest.mark.parametrize(
    ("shares", "finding"),
    [
        ([50, 50, 40], "none helps more than half of the targets: aa and bb (equal) 50 %."),
        ([75, 50, 40], "no universal donor; the largest share of targets helped: aa 75 %."),
        ([100, 100, 100], "3 universal donors, helping every target: aa, bb and cc."),
        ([0, 0, None], "no donor helps any target."),
    ],
)
def test_a_donor_helps_most_targets_only_above_half(
    shares: list[float | None], finding: str
) -> None:
    donors = [
        {"language": n, "positive": s} for n, s in zip(("aa", "bb", "cc"), shares, strict=True)
    ]
    assert finding in report.universal(donors)


def test_findings_tell_targets_that_gain_and_lose_from_those_not_shown() -> None:
    facts = invented_facts()
    rows = facts["tasks"]["pos"]["steps"]["100"]["recipients"]
    ends = {"ug": [0.1, 1.0], "mt": [0.2, 1.0], "wo": [-0.1, 1.0], "yo": [None, None]}
    for row in rows:
        row["interval"] = ends.get(row["target"], [-1.0, 1.0])
    _, seen, unseen = report.findings(facts, "pos", facts["tasks"]["pos"])
    assert seen == (
        "On average over donors, of 4 seen targets none gains or loses: "
        "every 95 % interval includes 0."
    )
    assert unseen == (
        "On average over donors, of 3 unseen targets 2 gain (ug, mt) and none loses; "
        "the 95 % interval of the other one includes 0."
    )


def test_names_and_numbers_read_as_english(pages: dict[str, str]) -> None:
    assert "from seen to unseen:" in pages["transfer"]
    assert "to to" not in pages["transfer"]
    assert "Gain (%)  Variance  Best, worst of" in tables.text(invented_facts())
    assert charts.counted(1, "pair") == "1 pair"
    assert [charts.signed(v, 2) for v in (-1.0, 0.001, 0.5)] == ["−1.00", "0.00", "+0.50"]


def test_results_without_any_score_still_make_a_page() -> None:
    facts = invented_facts()
    for own in facts["tasks"]["dep"]["steps"].values():
        own["ts"] = [[None] * 8 for _ in range(6)]
        own["noise_by_target"] = None
        for row in (*own["donors"], *own["recipients"]):
            row |= dict.fromkeys(("mean", "positive", "negative", "variance", "noise"))
            row["interval"] = [None, None]
    assert not Page(report.page(facts)).open
    assert "dep: all targets score 0 or below `least`" in tables.text(facts)
