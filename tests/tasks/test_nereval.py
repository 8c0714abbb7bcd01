"""Entity scores: literal sentences, then the figures of conlleval and seqeval."""

import json
import lzma
import os
from pathlib import Path

import pytest

from specialize.errors import DataError
from specialize.tasks._nereval import evaluate_ner, spans

REFERENCE = (
    Path(os.environ.get("SPECIALIZE_DATA", Path(__file__).parents[3] / "shared" / "data"))
    / "eval"
    / "ner"
)


def reference():
    path = REFERENCE / "expected_metrics.json"
    return json.loads(path.read_text()) if path.exists() else {}


@pytest.mark.parametrize(
    ("tags", "lenient", "strict"),
    [
        ("O O", [], []),
        ("B-A I-A O", [(0, 2, "A")], [(0, 2, "A")]),
        ("B-A B-A", [(0, 1, "A"), (1, 2, "A")], [(0, 1, "A"), (1, 2, "A")]),
        ("I-A I-A O", [(0, 2, "A")], []),
        ("B-A I-B I-B", [(0, 1, "A"), (1, 3, "B")], [(0, 1, "A")]),
        ("O I-A B-A", [(1, 2, "A"), (2, 3, "A")], [(2, 3, "A")]),
        ("B-A O I-A", [(0, 1, "A"), (2, 3, "A")], [(0, 1, "A")]),
        ("B-A-B I-A-B", [(0, 2, "A-B")], [(0, 2, "A-B")]),
    ],
)
def test_entities_of_a_tag_sequence(tags, lenient, strict):
    assert sorted(spans(tags.split())) == lenient
    assert sorted(spans(tags.split(), strict=True)) == strict


def test_scores_of_four_words():
    # gold: A at 0-2, B at 3; predicted: A at 0-2, A at 3. One of two right.
    gold, predicted = ["B-A", "I-A", "O", "B-B"], ["B-A", "I-A", "O", "B-A"]
    scores = evaluate_ner([gold], [predicted])
    assert (scores["tokens"], scores["accuracy"]) == (4, 75.0)
    overall = scores["conlleval"]
    assert (overall["precision"], overall["recall"], overall["f1"]) == (50.0, 50.0, 50.0)
    assert overall["types"]["A"]["f1"] == pytest.approx(200 / 3)
    assert overall["types"]["B"]["f1"] == 0.0
    assert overall["macro_f1"] == pytest.approx(100 / 3)


def test_an_entity_ends_with_its_sentence():
    scores = evaluate_ner([["B-A"], ["I-A"]], [["B-A"], ["I-A"]])
    assert scores["conlleval"]["gold"] == 2


def test_nothing_found_and_nothing_to_find_score_zero():
    assert evaluate_ner([["O"]], [["O"]])["conlleval"]["f1"] == 0.0


def test_sentences_of_other_lengths_are_refused():
    with pytest.raises(DataError, match="differ in number"):
        evaluate_ner([["O", "O"]], [["O"]])


@pytest.mark.skipif(not reference(), reason=f"no reference in {REFERENCE}; set SPECIALIZE_DATA")
@pytest.mark.parametrize("name", list(reference()))
def test_all_figures_equal_those_of_conlleval_and_seqeval(name):
    expected = reference()[name]
    with lzma.open(REFERENCE / f"{name}.txt.xz", "rt", encoding="utf-8") as file:
        sentences = [part.split("\n") for part in file.read().strip("\n").split("\n\n")]
    gold = [[line.split(" ")[-2] for line in lines] for lines in sentences]
    predicted = [[line.split(" ")[-1] for line in lines] for lines in sentences]
    scores = evaluate_ner(gold, predicted)

    script, ours = expected["conlleval"], scores["conlleval"]
    assert scores["tokens"] == script["tokens"]
    counts = {"gold": "gold_phrases", "found": "found", "correct": "correct"}
    assert {key: ours[key] for key in counts} == {key: script[at] for key, at in counts.items()}
    assert round(scores["accuracy"], 2) == script["accuracy"]
    assert_rounded(ours, script)
    assert ours["types"].keys() == script["types"].keys()
    for kind, figures in script["types"].items():
        assert_rounded(ours["types"][kind], figures)
        assert ours["types"][kind]["found"] == figures["found"]

    for other in ("seqeval_default", "published"):
        for key, value in expected.get(other, {}).items():
            mine = scores if key == "accuracy" else ours
            assert mine[key] == pytest.approx(100 * value, abs=1e-9)
    for key, value in expected["seqeval_strict_iob2"].items():
        assert scores["strict"][key] == pytest.approx(100 * value, abs=1e-9)


def assert_rounded(ours, script):
    for key, at in {"precision": "precision", "recall": "recall", "f1": "fb1"}.items():
        assert round(ours[key], 2) == script[at]
