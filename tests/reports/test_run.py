import copy
import json
import math
import re
from pathlib import Path

import pytest
from html_page import Page

from specialize.reports.run import summary, verdict, write_html, write_report


def audit(unknown: int, pieces: int, *, words: int = 100) -> dict:
    return {
        "words": words,
        "pieces": pieces,
        "unknown_words": unknown,
        "unknown_pieces": unknown,
        "continued_words": words // 2,
        "characters": 6 * words,
        "bytes": 12 * words,
        "fertility": pieces / words,
    }


def losses(*bits: float | None) -> list[dict]:
    return [
        {"epoch": e, "steps": 10 * e, "train_nats": None, "dev_nats": 5.0, "bits_per_byte": b}
        for e, b in enumerate(bits)
    ]


def scored(metric: str, *test: float) -> dict:
    rows = [{metric: score} for score in test]
    return {"metric": metric, "seeds": [*range(1, len(test) + 1)], "test": rows, "dev": rows}


def arm(name: str, after: dict, **changes: object) -> dict:
    audits = {"corpus": {"before": audit(50, 200), "after": after}}
    return {
        "name": name,
        "augment": "none",
        "pieces_added": 0,
        "embed": "mean",
        "fresh_rate": 1.0,
        "audit": audits,
        "losses": [],
        "pieces": [],
        "scores": {},
        "seconds": {"pos": 61.0},
    } | changes


PIECES = [
    {
        "piece": "##ە",
        "id": 17,
        "replaced_unknowns": 1234,
        "words": [{"word": "مەن", "count": 12, "before": ["[UNK]"], "after": ["م", "##ە", "##ن"]}],
    },
    {
        "piece": "##<script>",
        "id": 18,
        "replaced_unknowns": 7,
        "words": [
            {"word": "<script>alert(1)</script>", "count": 1, "before": ["[UNK]"], "after": ["a&b"]}
        ],
    },
]


@pytest.fixture
def facts() -> dict:
    """Three arms: one without LAPT, one without NER scores, the result."""
    return {
        "title": "Uyghur on mini",
        "language": "ug",
        "base": "mini",
        "synthetic": False,
        "command": "specialize run recipes/uyghur.toml --out runs/ug",
        "date": "2026-11-20",
        "machine": {"processor": "a processor", "cores": 2, "memory_gb": 23.4, "device": "cpu"},
        "result": "tva",
        "corpus": {"documents": 9, "lines": 90, "bytes": 900, "removed": 1, "files": ["ug.txt"]},
        "arms": [
            arm("unadapted", audit(50, 200), scores={"pos": scored("accuracy", 54.0, 54.2)}),
            arm(
                "lapt",
                audit(50, 200),
                losses=losses(2.1, 1.6),
                scores={"pos": scored("accuracy", 69.0, 70.0)},
            ),
            arm(
                "tva",
                audit(3, 250),
                augment="tva",
                pieces_added=2,
                losses=losses(2.4, 1.2, 1.3),
                best_epoch=1,
                pieces=PIECES,
                coverage=[[0, 0.25], [1, 0.02], [2, 0.012]],
                scores={
                    "pos": scored("accuracy", 90.0, 91.0),
                    "ner": scored("f1", 80.0),
                },
            ),
        ],
        "cautions": ["Scores on a test set of 100 sentences vary by several points."],
    }


def test_summary_is_an_aligned_table_with_the_verdict_below(facts):
    assert summary(facts).splitlines() == [
        "            unknown pieces  pieces/word  bits/byte  POS accuracy  NER F1",
        " unadapted          25.0 %         2.00          –    54.1 ± 0.1       –",
        " lapt               25.0 %         2.00       1.60    69.5 ± 0.7       –",
        " tva                 1.2 %         2.50       1.20    90.5 ± 0.7    80.0",
        "",
        "Adding 2 pieces takes unknown pieces from 25.0 % to 1.2 % (corpus); "
        "with LAPT, POS accuracy rises from 54.1 to 90.5 and NER F1 is 80.0 (mean of 1–2 seeds).",
    ]


def test_verdict_says_when_another_arm_is_better(facts):
    facts["arms"][1]["scores"]["pos"] = scored("accuracy", 95.0, 95.2)
    assert "on POS accuracy tva is not the best arm: lapt has 95.1" in verdict(facts)


def test_verdict_says_when_the_seeds_cannot_tell(facts):
    facts["arms"][1]["scores"]["pos"] = scored("accuracy", 89.9, 90.5)
    assert "on POS accuracy the seeds do not tell tva from lapt (90.2)" in verdict(facts)


def test_verdict_says_when_a_score_falls(facts):
    facts["arms"][0]["scores"]["pos"] = scored("accuracy", 97.0, 97.0)
    assert "POS accuracy falls from 97.0 to 90.5" in verdict(facts)


def test_verdict_of_a_single_arm_without_scores(facts):
    facts["arms"] = [arm("lapt", audit(50, 200), losses=losses(2.1, 1.6))]
    facts["result"] = "lapt"
    assert verdict(facts) == (
        "No pieces were added: 25.0 % of all pieces are unknown (corpus); "
        "LAPT takes bits per byte from 2.10 to 1.60."
    )


def page(facts: dict, folder: Path) -> str:
    write_html(facts, folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


def test_page_is_well_formed_and_fetches_nothing(facts, tmp_path):
    text = page(facts, tmp_path)
    parsed = Page(text)
    assert parsed.open == []
    assert not {"link", "img", "iframe", "object"} & {tag for tag, _ in parsed.tags}
    assert not [attrs for _, attrs in parsed.tags if {"src", "href"} & attrs.keys()]
    assert not re.search(r"https?:|@import|url\(", text)


def test_words_are_escaped(facts, tmp_path):
    text = page(facts, tmp_path)
    assert text.count("<script") == 1  # the page's own
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "a&amp;b" in text


def test_names_are_escaped_in_charts(facts, tmp_path):
    facts["arms"][2]["name"] = facts["result"] = '"<b>'
    assert '"<b>' not in page(facts, tmp_path)


def test_words_are_isolated_for_either_direction(facts, tmp_path):
    text = page(facts, tmp_path)
    assert '<bdi dir="auto" lang="ug" class="big">مەن</bdi>' in text
    assert '<span class="piece new">##ە</span>' in text


def test_best_mean_is_bold(facts, tmp_path):
    bold = re.findall(r"<strong>([\d.± ]+)</strong>", page(facts, tmp_path))
    assert bold == ["90.5 ± 0.7", "90.5 ± 0.7", "80.0", "80.0"]


def test_pieces_beyond_thirty_wait_for_show_all(facts, tmp_path):
    facts["arms"][2]["pieces"] = [PIECES[0]] * 31
    text = page(facts, tmp_path)
    assert "show all 31" in text
    assert text.count("<tr><td", text.index('<tbody class="rest">')) == 1
    facts["arms"][2]["pieces"] = [PIECES[0]] * 30
    assert "show all" not in page(facts, tmp_path)


def test_charts_have_titles_and_descriptions(facts, tmp_path):
    charts = re.findall(r"<svg.*?</svg>", page(facts, tmp_path), flags=re.DOTALL)
    assert len(charts) == 6  # unknown, pieces per word, POS, NER, losses, coverage
    assert all("<title>" in chart and "<desc>" in chart for chart in charts)
    assert "corpus: 25.0 % before, 1.2 % after" in charts[0]


def test_synthetic_language_is_announced(facts, tmp_path):
    assert "Synthetic language" not in page(facts, tmp_path)
    assert "Synthetic language" in page(facts | {"synthetic": True}, tmp_path)


def test_empty_run_still_makes_a_page(facts, tmp_path):
    facts["arms"] = [arm("unadapted", {}, audit={}, seconds={})]
    facts |= {"result": "unadapted", "cautions": [], "corpus": {}, "note": "a first look"}
    text = page(facts, tmp_path)
    assert "<svg" not in text
    assert "No task was trained" in text
    assert verdict(facts) == "No pieces were added."


def test_equal_and_unfinite_numbers_are_drawn(facts, tmp_path):
    tva = facts["arms"][2]
    tva["audit"]["corpus"]["after"] = tva["audit"]["corpus"]["before"]
    tva["losses"] = losses(math.nan, 1.5, None, 1.5)
    tva["coverage"] = [[0, 0.0]]
    tva["scores"]["pos"] = scored("accuracy", 0.0, 0.0)
    assert not re.search(r"\b(nan|inf)\b", page(facts, tmp_path))


def test_report_holds_the_facts_and_leaves_nothing_else(facts, tmp_path):
    before = copy.deepcopy(facts)
    write_report(facts, tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"report.json", "report.html"}
    text = (tmp_path / "run/report.json").read_text(encoding="utf-8")
    assert json.loads(text) == before == facts
    assert "##ە" in text
    assert text.startswith('{\n  "title"')


def test_failed_write_keeps_the_old_report(facts, tmp_path):
    write_report(facts, tmp_path)
    old = (tmp_path / "report.json").read_text(encoding="utf-8")
    with pytest.raises(TypeError):
        write_report(facts | {"date": object()}, tmp_path)
    assert (tmp_path / "report.json").read_text(encoding="utf-8") == old
