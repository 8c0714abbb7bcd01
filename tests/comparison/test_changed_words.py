"""Words that an arm annotates better or worse than the baseline."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from compared_runs import arm, treebank, write_parsed, write_run
from run_facts import scored

from specialize.comparison.changed_words import Changes, WordType, changed_words
from specialize.comparison.read import open_runs


def tagged(*sentences: str) -> str:
    """Return CoNLL-U of sentences such as ``"the/D cat/N"``."""
    blocks = []
    for sentence in sentences:
        rows = [word.rsplit("/", 1) for word in sentence.split()]
        blocks.append(
            "".join(
                f"{n}\t{word}\t_\t_\t{tag}\t_\t{n - 1}\tdep\t_\t_\n"
                for n, (word, tag) in enumerate(rows, 1)
            )
        )
    return "\n".join(blocks) + "\n"


GOLD = tagged("a/N b/V c/N d/V", "a/N c/N", "b/V d/V a/N c/N")
LAPT = tagged("a/V b/V c/V d/V", "a/V c/N", "b/V d/V a/N c/N")
TVA = tagged("a/N b/N c/N d/V", "a/N c/N", "b/V d/V a/N c/N")


@pytest.fixture
def tagger(tmp_path: Path) -> Path:
    """A run of three seeds; of tva two are TVA and one is LAPT."""
    gold = tmp_path / "test.conllu"
    gold.write_text(GOLD, "utf-8")
    scores = {"pos": scored("pos", 70.0, 70.0, 70.0)}
    arms = [arm("lapt", scores=scores), arm("tva", scores=scores)]
    recipe = {"task": {"pos": {"method": "pos", "column": "xpos", "test": str(gold)}}}
    hashes = {str(gold): hashlib.sha256(gold.read_bytes()).hexdigest()}
    folder = write_run(tmp_path / "ug", *arms, recipe=recipe, hashes=hashes)
    systems = {"lapt": [LAPT, LAPT, LAPT], "tva": [TVA, LAPT, TVA]}
    for name, texts in systems.items():
        predictions = folder / "arms" / name / "predictions"
        predictions.mkdir(parents=True)
        for seed, text in enumerate(texts, 1):
            (predictions / f"pos-{seed}.conllu").write_text(text, "utf-8")
    return folder


def found(folder: Path) -> Changes:
    (opened,), _ = open_runs([folder])
    changes, missing = vars(changed_words(opened.run, "lapt", examples={})).values()
    assert missing == ()
    (only,) = changes
    return only


def test_words_count_that_most_seeds_change(tagger: Path) -> None:
    changes = found(tagger)
    assert (changes.arm, changes.baseline, changes.seeds, changes.words) == ("tva", "lapt", 3, 10)
    assert (changes.fixed, changes.broken) == (3, 1)
    assert changes.better == (WordType("a", 2, 0), WordType("c", 1, 0))
    assert changes.worse == (WordType("b", 0, 1),)


def test_one_word_that_makes_the_difference_is_named(tagger: Path) -> None:
    changes = found(tagger)
    assert changes.caution == ""  # of 2 words
    dash, other = WordType("―", 150, 0), WordType("b", 3, 13)
    many = replace(changes, fixed=153, broken=13, better=(dash,), worse=(other,))
    assert many.caution == (
        "ug, pos: tva has 140 words more right than lapt, and ― alone 150 of them: look at the "
        "other words before choosing"
    )
    assert replace(many, better=(WordType("―", 60, 0),)).caution == ""
    fewer = replace(many, fixed=13, broken=153, worse=(WordType("b", 0, 100),))
    assert "tva has 140 words fewer right than lapt, and b alone 100 of them" in fewer.caution


def test_an_example_is_a_sentence_of_the_first_seed_that_gains(tagger: Path) -> None:
    (example,) = found(tagger).improved
    assert example.words == ("a", "b", "c", "d")
    assert example.gold == ("N", "V", "N", "V")
    assert example.before == ("V", "V", "V", "V")
    assert example.after == ("N", "N", "N", "V")
    assert (example.seed, found(tagger).worsened) == (1, ())


def test_half_of_the_seeds_is_not_most(tagger: Path) -> None:
    (tagger / "arms" / "tva" / "predictions" / "pos-3.conllu").write_text(LAPT, "utf-8")
    changes = found(tagger)
    assert (changes.fixed, changes.broken) == (0, 0)


def test_seeds_without_predictions_are_left_out(tagger: Path) -> None:
    (tagger / "arms" / "tva" / "predictions" / "pos-3.conllu").unlink()
    assert found(tagger).seeds == 2


def test_subtypes_of_relations_do_not_count(tmp_path: Path) -> None:
    gold = tmp_path / "gold.conllu"
    gold.write_text(treebank("nsubj", "obj"), "utf-8")
    systems = {"lapt": [treebank("obl", "obj")], "tva": [treebank("nsubj:pass", "obl")]}
    changes = found(write_parsed(tmp_path / "ug", gold, systems))
    assert changes.better == changes.worse == ()
    assert (changes.fixed, changes.broken) == (1, 1)


def test_a_changed_test_file_is_missing_not_compared(tagger: Path) -> None:
    (tagger.parent / "test.conllu").write_text(GOLD + GOLD, "utf-8")
    (opened,), _ = open_runs([tagger])
    result = changed_words(opened.run, "lapt", examples={})
    assert result.changes == ()
    assert "ug: changed words of pos:" in result.missing[0]
    assert "has changed since it was scored" in result.missing[0]


def test_a_users_own_task_is_left_out(tmp_path: Path) -> None:
    own = {"news": scored("my.py:task", 3.0)}
    folder = write_run(tmp_path / "ug", arm("lapt", scores=own), arm("tva", scores=own))
    (opened,), _ = open_runs([folder])
    assert changed_words(opened.run, "lapt", examples={}).changes == ()
