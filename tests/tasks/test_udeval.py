"""The shared task's metrics: literal files, then all figures of the official script."""

import json
import os
import re
from pathlib import Path

import pytest

from specialize.errors import DataError, SpecializeWarning
from specialize.tasks._udeval import Score, evaluate_conllu

REFERENCE = (
    Path(os.environ.get("SPECIALIZE_DATA", Path(__file__).parents[3] / "shared" / "data"))
    / "eval"
    / "ud"
)


def reference():
    path = REFERENCE / "expected_metrics.json"
    return json.loads(path.read_text()) if path.exists() else {}


@pytest.fixture
def evaluate(tmp_path):
    def run(gold, system):
        for name, text in (("gold", gold), ("system", system)):
            (tmp_path / name).write_text(text, encoding="utf-8")
        return evaluate_conllu(tmp_path / "gold", tmp_path / "system")

    return run


def sentence(*rows):
    """Return rows of id form upos head deprel and optional features."""
    lines = []
    for text in rows:
        number, form, upos, head, deprel, *feats = text.split()
        form = form.replace("·", " ")
        cells = (number, form, form, upos, "_", *(feats or ["_"]), head, deprel, "_", "_")
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n\n"


GOLD = sentence("1 the DET 2 det", "2 dogs NOUN 3 nsubj", "3 bark VERB 0 root", "4 . PUNCT 3 punct")


def test_a_file_against_itself_is_right(evaluate):
    scores = evaluate(GOLD, GOLD)
    assert list(scores) == [
        *("Tokens", "Sentences", "Words", "UPOS", "XPOS", "UFeats", "AllTags", "Lemmas"),
        *("UAS", "LAS", "CLAS", "MLAS", "BLEX"),
    ]
    assert scores["LAS"] == Score(correct=4, gold=4, system=4, aligned=4)
    assert scores["CLAS"] == Score(correct=2, gold=2, system=2, aligned=2)  # dogs, bark
    assert all(score.f1 == 100 for score in scores.values())
    assert scores["Words"].aligned_accuracy is None


def test_a_wrong_head_a_wrong_tag_and_a_wrong_function_word(evaluate):
    # the: wrong relation, so dogs is wrong for MLAS; the full stop has a wrong head
    system = sentence(
        "1 the DET 2 case", "2 dogs NOUN 3 nsubj", "3 bark NOUN 0 root", "4 . PUNCT 2 punct"
    )
    scores = evaluate(GOLD, system)
    correct = {name: score.correct for name, score in scores.items()}
    assert correct["UAS"] == 3
    assert correct["LAS"] == 2
    assert correct["UPOS"] == 3
    assert correct["CLAS"] == 2
    assert correct["MLAS"] == 0  # bark has a wrong tag
    assert correct["BLEX"] == 2
    assert scores["LAS"].aligned_accuracy == 50.0


def test_subtypes_language_specific_features_and_spaces_do_not_count(evaluate):
    gold = sentence("1 a·b NOUN 0 root Case=Nom|Own=Yes")
    system = sentence("1 ab NOUN 0 root:x Own=No|Case=Nom")
    scores = evaluate(gold, system)
    assert scores["Tokens"].f1 == scores["UFeats"].f1 == scores["LAS"].f1 == 100


def test_spaces_stay_in_words_of_multiword_tokens_as_in_the_official_script(evaluate):
    # the official script: LAS 0, as "xin·chào" of a split token is not "xinchào" of a plain one
    gold = sentence("1 xin·chào X 0 root", "2 bạn X 1 obj")
    system = sentence("1-2 xin·chàobạn _ _ _", "1 xin·chào X 0 root", "2 bạn X 1 obj")
    scores = evaluate(gold, system)
    assert scores["Words"].correct == 1
    assert scores["LAS"].f1 == 0
    assert evaluate(system, system)["LAS"].f1 == 100


def test_without_heads_the_tags_are_scored_and_the_metrics_of_trees_left_out(evaluate):
    bare = re.sub(r"\t\d\t[a-z]+\t_\t_\n", "\t_\t_\t_\t_\n", GOLD)
    for gold, system, name in ((bare, GOLD, "gold"), (GOLD, bare, "system"), (bare, bare, "gold")):
        message = rf"{name}: no word has a head .*: UAS, LAS, CLAS, MLAS, BLEX are left out"
        with pytest.warns(SpecializeWarning, match=message):
            scores = evaluate(gold, system.replace("NOUN", "VERB"))
        assert list(scores) == [
            *("Tokens", "Sentences", "Words", "UPOS", "XPOS", "UFeats", "AllTags", "Lemmas")
        ]
        assert scores["UPOS"] == Score(correct=3, gold=4, system=4, aligned=4)


def test_a_single_missing_head_is_refused(evaluate):
    with pytest.raises(DataError, match=r"system:2: the word has no head"):
        evaluate(GOLD, GOLD.replace("\t3\tnsubj", "\t_\tnsubj"))


def test_an_underscore_as_gold_lemma_matches_any_lemma(evaluate):
    gold = GOLD.replace("dogs\tdogs", "dogs\t_")
    assert evaluate(gold, GOLD)["Lemmas"].correct == 4
    assert evaluate(GOLD, gold)["Lemmas"].correct == 3


def test_words_are_aligned_by_their_characters(evaluate):
    # thedogs is one word, so only bark and the full stop are aligned
    system = sentence("1 thedogs NOUN 2 nsubj", "2 bark VERB 0 root", "3 . PUNCT 2 punct")
    scores = evaluate(GOLD, system)
    assert scores["Words"] == Score(correct=2, gold=4, system=3)
    assert scores["LAS"] == Score(correct=2, gold=4, system=3, aligned=2)
    assert scores["LAS"].precision == pytest.approx(200 / 3)
    assert scores["LAS"].recall == 50
    assert scores["LAS"].f1 == pytest.approx(400 / 7)


def test_words_of_multiword_tokens_are_aligned_by_their_forms(evaluate):
    gold = sentence("1-2 zum _ _ _", "1 zu ADP 3 case", "2 dem DET 3 det", "3 Tor NOUN 0 root")
    system = sentence("1-2 zum _ _ _", "1 Zu ADP 3 case", "2 das DET 3 det", "3 Tor NOUN 0 root")
    scores = evaluate(gold, system)
    assert scores["Tokens"] == Score(correct=2, gold=2, system=2)
    assert scores["Words"] == Score(correct=2, gold=3, system=3)  # zu, whatever its case; Tor
    assert scores["MLAS"].correct == 0  # Tor lacks its article
    split = sentence("1 zu ADP 3 case", "2 m DET 3 det", "3 Tor NOUN 0 root")
    assert evaluate(gold, split)["Words"] == Score(correct=2, gold=3, system=3)


def test_sentences_must_begin_and_end_alike(evaluate):
    system = (
        GOLD.replace("3\tbark", "\n1\tbark")
        .replace("4\t.", "2\t.")
        .replace("\t3\tpunct", "\t1\tpunct")
    )
    system = system.replace("\t3\tnsubj", "\t0\troot")
    assert evaluate(GOLD, system)["Sentences"] == Score(correct=0, gold=1, system=2)


def test_different_text_is_refused_with_its_line(evaluate):
    with pytest.raises(DataError, match=r"system:2: the text differs.*'cats.*' for 'dogs"):
        evaluate(GOLD, GOLD.replace("dogs", "cats"))
    with pytest.raises(DataError, match=r"system:3: the text differs"):
        evaluate(GOLD, sentence("1 the DET 2 det", "2 dogs NOUN 3 nsubj", "3 bark VERB 0 root"))


def test_two_roots_are_refused_with_their_line(evaluate):
    with pytest.raises(DataError, match=r"system:3: a second root"):
        evaluate(GOLD, GOLD.replace("\t3\tnsubj", "\t0\troot"))


@pytest.mark.skipif(not reference(), reason=f"no reference in {REFERENCE}; set SPECIALIZE_DATA")
@pytest.mark.parametrize("case", list(reference()))
def test_all_figures_equal_those_of_the_official_script(case):
    treebank, system = case.split("/")
    gold = REFERENCE / treebank / "gold.conllu.xz"
    other = gold if system == "same" else gold.with_name(f"system_{system}.conllu.xz")
    scores = evaluate_conllu(gold, other)
    expected = reference()[case]
    assert list(scores) == list(expected)
    for name, figures in expected.items():
        ours = {key: getattr(scores[name], key) for key in figures}
        assert ours == pytest.approx(figures, abs=6e-7), name
