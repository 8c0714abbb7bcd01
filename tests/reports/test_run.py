"""The page of a run, and the files of a report."""

import copy
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from html_page import Page
from run_facts import (
    CORPUS,
    PIECES,
    arm,
    audit,
    audited,
    lapt,
    losses,
    run,
    scored,
    stage,
    tva,
    unadapted,
)

from specialize.reports.run import write_html, write_report

Facts = dict[str, Any]


@pytest.fixture
def facts() -> Facts:
    """Three arms: without LAPT, without NER scores, the result."""
    return run(unadapted(), lapt(), tva())


def page(facts: Facts, folder: Path) -> str:
    write_html(facts, folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


def shown(text: str) -> str:
    """Return a page's text without tags, white space as single spaces."""
    body = re.sub(r"(?s)<(script|style|svg)\b.*?</\1>", " ", text)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


SHARED = scored("ner", 80.0, 82.0) | {
    "test_unseen": [{"f1": 60.0}, {"f1": 62.0}],
    "test_sentences": 1000,
    "shared": [290, 290],
    "by_epoch": [[0.0, 50.0, 81.0], [0.0, 60.0, None, 83.0]],
}
RUNS = {
    "one arm": run(unadapted()),
    "two arms": run(unadapted(), tva()),
    "mix-ins": run(unadapted(), lapt(), lapt(name="latin", mixin=["latin"]), tva()),
    "only mix-ins": run(tva(name="latin-tva", mixin=["lower", "latin (upper = true)"])),
    "six arms": run(unadapted(), lapt(), *(tva(name=f"tva-{n}") for n in range(4))),
    "seven arms": run(*(lapt(name=f"lapt-{n}") for n in range(7))),
    "no tasks": run(lapt(scores={}), tva(scores={})),
    "no corpus": run(unadapted(audit={}), corpus={}),
    "nothing": run(arm("x", stages=[]), corpus={}, cautions=[], command=""),
    "odd names": run(
        arm("a.b-c_" + "long-" * 9),
        tva(name='"<b>&', scores={"news": scored("dep", 3.0), "x<y": scored("my_pkg.mod:fn", 5.0)}),
    ),
    "LAPT repeated": run(lapt(bits_per_byte=[1.6, 1.7]), tva(bits_per_byte=[1.2, 1.3])),
    "learning curves": run(unadapted(), tva(scores={"ner": SHARED})),
    "more facts": run(unadapted(), machine={"gpus": ["a", "b"], "cuda": None, "free_gb": 1.5}),
}


@pytest.mark.parametrize("facts", RUNS.values(), ids=RUNS)
def test_every_page_is_well_formed_and_fetches_nothing(facts: Facts, tmp_path: Path) -> None:
    text = page(facts, tmp_path)
    parsed = Page(text)
    assert parsed.open == []
    assert not {"link", "img", "iframe", "object"} & {tag for tag, _ in parsed.tags}
    assert not [attrs for _, attrs in parsed.tags if {"src", "href"} & attrs.keys()]
    assert not re.search(r"https?:|@import|url\(", text)
    assert not re.search(r"\b(nan|inf)\b", text)
    assert "prefers-color-scheme: dark" in text


def test_the_page_has_the_headlines_of_all_arms_and_the_cautions(
    facts: Facts, tmp_path: Path
) -> None:
    text = shown(page(facts, tmp_path))
    assert "tva 2 new pieces, LAPT Unknown pieces fall from 25.0 % to 1.2 %" in text
    assert "Other arms lapt LAPT alone LAPT takes bits per byte from 2.10 to 1.60." in text
    assert "Differences without a remark are larger than both" in text
    assert "Cautions pos: only 100 test sentences" in text


def test_tiles_name_the_baseline_that_they_start_from(facts: Facts, tmp_path: Path) -> None:
    text = shown(page(facts, tmp_path))
    assert (
        "from lapt to tva 25.0 % → 1.2 % unknown pieces in corpus (held out) 2.00 → 2.50 pieces "
        "per word 1.60 → 1.20 bits per byte 69.5 → 90.5 XPOS 80.0 NER F1"
    ) in text


def test_every_text_is_shown_for_the_base_and_for_each_changed_arm(tmp_path: Path) -> None:
    rewritten = {CORPUS: audited(audit(8, 220), audit(1, 230), 1)}
    arms = [unadapted(), tva(), tva(name="latin-tva", mixin=["latin"], audit=rewritten)]
    text = shown(page(run(*arms), tmp_path))
    assert (
        "corpus (held out) base 100 25.0 % 50.0 % 2.00 50.0 % – "
        "tva 100 1.2 % 3.0 % 2.50 50.0 % 2 of 2 "
        "latin-tva 100 0.4 % 1.0 % 2.30 50.0 % 1 of 2 "
        "pos dev base 100 30.0 % 60.0 % 2.00 50.0 % – "
        "tva 100 0.0 % 0.0 % 2.60 50.0 % 1 of 2"
    ) in text


def test_scores_without_sentences_of_train_are_a_column_of_their_own(tmp_path: Path) -> None:
    scores = {"pos": scored("pos", 9.0), "ner": SHARED}
    text = page(run(unadapted(), tva(scores=scores)), tmp_path)
    assert text.count("test, not<br>in train") == 1
    assert 'title="the 710 of 1,000 test sentences that are not in train"' in text
    assert "dev test dev test test, not in train" in shown(text)
    assert "tva 10.0 9.0 82.0 ± 1.4 81.0 ± 1.4 61.0 ± 1.4 1–2" in shown(text)


def test_how_tasks_are_trained_together_is_a_column_where_an_arm_does(tmp_path: Path) -> None:
    arms = unadapted(), unadapted(name="ups", multitask="upsample (joint)")
    assert "no – upsample (joint)" in shown(page(run(*arms), tmp_path))
    assert "Tasks together" not in page(run(unadapted(), tva()), tmp_path)


def test_modules_are_a_column_where_an_arm_trains_some(tmp_path: Path) -> None:
    text = shown(page(run(unadapted(), tva(modules="madx (reduction = 4)")), tmp_path))
    assert "Modules" in text
    assert "3 madx (reduction = 4)" in text
    assert "Modules" not in page(run(unadapted(), tva()), tmp_path)


def test_learning_curves_are_drawn_of_every_seed(tmp_path: Path) -> None:
    text = page(run(unadapted(), tva(scores={"ner": SHARED})), tmp_path)
    assert "NER F1 on dev by epoch" in shown(text)
    assert "XPOS on dev by epoch" not in shown(text)
    learning = text[text.index("Learning curves") : text.index("Seed by seed")]
    assert learning.count("<svg") == 1
    assert learning.count("<polyline") == 3  # the mean and two seeds


def test_bits_per_byte_are_drawn_of_every_arm_and_of_every_repeated_lapt(tmp_path: Path) -> None:
    repeated = {"bits_per_byte": [1.2, 1.3], "bits_by_epoch": [[2.4, 1.2, 1.3], [2.4, 1.3]]}
    text = page(run(lapt(), tva(**repeated)), tmp_path)
    chart = text[text.index("Bits per byte by epoch (0") :].partition("</svg>")[0]
    assert chart.count("<polyline") == 4  # lapt, the mean of tva, its two seeds
    assert chart.count('class="thin') == 2
    assert chart.count("ring s") == 1  # of lapt
    assert "tva: 2.40 to 1.25" in chart


def test_the_best_mean_of_a_column_is_bold(facts: Facts, tmp_path: Path) -> None:
    table = page(facts, tmp_path).partition("Seed by seed")[0]
    bold = re.findall(r"<strong>([\d.± ]+)</strong>", table)
    assert bold == ["91.5 ± 0.7", "90.5 ± 0.7", "81.0", "80.0"]


def test_scores_are_shown_seed_by_seed_the_kept_one_bold(tmp_path: Path) -> None:
    scores = {"pos": scored("pos", 90.0, 91.0, seeds=(3, 7)) | {"best_seed": 7}}
    text = page(run(lapt(), tva(scores=scores)), tmp_path)
    table = text[text.index("Seed by seed") :]
    assert shown(table).startswith(
        "Seed by seed Scores on test; the seed with the best dev score, whose model is kept, is "
        "bold Task Arm Seed 1 Seed 2 Seed 3 Seed 7 XPOS lapt 69.0 70.0 – – "
        "tva – – 90.0 91.0"
    )
    assert "<strong>91.0</strong>" in table
    assert "<strong>90.0</strong>" not in table


def test_bits_per_original_byte_are_explained_and_repeated_lapt_has_a_deviation(
    tmp_path: Path,
) -> None:
    text = shown(page(run(lapt(), tva(bits_per_byte=[1.2, 1.3])), tmp_path))
    assert "bits per original byte" in text
    assert "lapt 2.10 1.60 1 10 1 tva 2.40 1.25 ± 0.07 1 20 2" in text


def test_stages_are_shown_by_arm_and_one_by_one(facts: Facts, tmp_path: Path) -> None:
    text = shown(page(facts, tmp_path))
    assert "tva vocabulary 1.2 s, LAPT 3 min 05 s, pos 2 × 40.0 s, short stages 0.4 s" in text
    assert "4 min 27 s 1.9 GB in all 6 min 09 s 1.9 GB" in text
    assert "pos, seed 1 39.0 s 400 MB pos, seed 2 41.0 s 400 MB" in text


def test_the_corpus_is_described_file_by_file(facts: Facts, tmp_path: Path) -> None:
    text = shown(page(facts, tmp_path))
    assert "Files ug.txt, 9 documents, 90 lines, 900 bytes" in text
    assert "Removed lines 1 Train 8 documents, 80 lines" in text


def test_words_are_escaped(facts: Facts, tmp_path: Path) -> None:
    text = page(facts, tmp_path)
    assert text.count("<script") == 1  # the page's own
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "a&amp;b" in text


def test_names_are_escaped_in_charts(tmp_path: Path) -> None:
    assert '"<b>' not in page(run(unadapted(), tva(name='"<b>')), tmp_path)


def test_words_are_isolated_for_either_direction(facts: Facts, tmp_path: Path) -> None:
    text = page(facts, tmp_path)
    assert '<bdi dir="auto" lang="ug" class="big">مەن</bdi>' in text
    assert '<span class="piece new">##ە</span>' in text


def test_only_thirty_pieces_are_shown_at_first(tmp_path: Path) -> None:
    text = page(run(tva(pieces=[PIECES[0]] * 31)), tmp_path)
    assert "show all 31" in text
    rest = text.partition('<tbody class="rest">')[2].partition("</tbody>")[0]
    assert rest.count("<tr>") == 1
    assert "show all" not in page(run(tva(pieces=[PIECES[0]] * 30)), tmp_path)


def test_pieces_that_replace_no_unknowns_show_how_many_pieces_they_save(tmp_path: Path) -> None:
    pieces = [piece | {"replaced_unknowns": 0, "saved": 4321} for piece in PIECES]
    text = shown(page(run(tva(pieces=pieces)), tmp_path))
    assert "Pieces saved" in text
    assert "4,321" in text
    assert "Unknowns replaced" not in text


def test_pieces_show_what_their_initial_rows_are_made_from(tmp_path: Path) -> None:
    pieces = [piece | {"initial_row": "mean of <b>, c"} for piece in PIECES]
    text = page(run(tva(pieces=pieces)), tmp_path)
    assert text.count("<bdi>mean of &lt;b&gt;, c</bdi>") == len(PIECES)
    assert "Initial row<" in text
    assert "Initial row<" not in page(run(tva(pieces=PIECES)), tmp_path)


def test_charts_have_titles_and_descriptions(facts: Facts, tmp_path: Path) -> None:
    charts = re.findall(r"<svg.*?</svg>", page(facts, tmp_path), flags=re.DOTALL)
    assert len(charts) == 6  # unknown, pieces per word, POS, NER, losses, coverage
    assert all("<title>" in chart and "<desc>" in chart for chart in charts)
    assert "corpus (held out): 25.0 % before, 1.2 % after" in charts[0]


def test_a_synthetic_language_is_announced(facts: Facts, tmp_path: Path) -> None:
    assert "Synthetic language" not in page(facts, tmp_path)
    assert "Synthetic language" in page(facts | {"synthetic": True}, tmp_path)


def test_an_empty_run_has_a_page_that_says_so(tmp_path: Path) -> None:
    text = page(RUNS["nothing"] | {"note": "a first look"}, tmp_path)
    assert "<svg" not in text
    for missing in ("Nothing was measured.", "No text was audited.", "No task was trained"):
        assert missing in text
    for missing in ("No arm of this run has LAPT.", "has no corpus", "has new pieces"):
        assert missing in text
    assert "a first look" in text


def test_equal_and_infinite_numbers_are_drawn(tmp_path: Path) -> None:
    same = audited(audit(50, 200), audit(50, 200))
    odd = tva(
        audit={CORPUS: same},
        losses=losses(math.nan, 1.5, None, 1.5),
        bits_per_byte=[math.nan],
        coverage=[[0, 0.0]],
        scores={"pos": scored("pos", 0.0, 0.0)},
        stages=[stage("LAPT", 0.0)],
    )
    assert not re.search(r"\b(nan|inf)\b", page(run(odd), tmp_path))


def test_a_report_holds_the_facts_and_leaves_nothing_else(facts: Facts, tmp_path: Path) -> None:
    before = copy.deepcopy(facts)
    write_report(facts, tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"report.json", "report.html"}
    text = (tmp_path / "run/report.json").read_text(encoding="utf-8")
    assert json.loads(text) == before == facts
    assert "##ە" in text
    assert text.startswith('{\n  "title"')


def test_facts_read_back_from_json_give_the_same_page(facts: Facts, tmp_path: Path) -> None:
    assert page(json.loads(json.dumps(facts)), tmp_path) == page(facts, tmp_path)


def test_a_failed_write_keeps_the_old_report(facts: Facts, tmp_path: Path) -> None:
    write_report(facts, tmp_path)
    old = (tmp_path / "report.json").read_text(encoding="utf-8")
    with pytest.raises(TypeError):
        write_report(facts | {"date": object()}, tmp_path)
    assert (tmp_path / "report.json").read_text(encoding="utf-8") == old
