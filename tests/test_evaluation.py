"""Scoring two files: the evaluator chosen for a file, and the table of scores."""

from pathlib import Path

import pytest
from corpora import write

from specialize.errors import DataError, SpecializeWarning
from specialize.evaluation import evaluate_files, scores_table

TREE = "1\tla\tla\tDET\t_\t_\t2\tdet\t_\t_\n2\tcasa\tcasa\tNOUN\t_\t_\t0\troot\t_\t_\n\n"
TAGS = TREE.replace("\t2\tdet", "\t_\t_").replace("\t0\troot", "\t_\t_")
ENTITIES = "Dakar\tB-LOC\nla\tO\n\nYoff\tB-LOC\n\n"


@pytest.mark.parametrize("name", ["gold.conllu", "GOLD.CONLLU", "gold.conll", "gold.txt", "gold"])
def test_treebanks_are_recognised_by_name_or_content(tmp_path: Path, name: str) -> None:
    path = Path(write(tmp_path / name, TREE))
    scores = evaluate_files(path, path)
    assert scores["LAS"] == {
        "precision": 100,
        "recall": 100,
        "f1": 100,
        "aligned_accuracy": 100,
    }
    table = scores_table(scores).split("\n")
    assert table[0] == "metric      precision   recall       F1  aligned"
    assert table[1] == "Tokens         100.00   100.00   100.00        –"
    assert len(table) == 14


def test_a_file_with_tags_only_gets_tag_scores(tmp_path: Path) -> None:
    gold = Path(write(tmp_path / "gold.conllu", TAGS))
    system = Path(write(tmp_path / "system.conllu", TAGS.replace("DET", "NOUN")))
    with pytest.warns(SpecializeWarning, match="UAS, LAS, CLAS, MLAS, BLEX are left out"):
        scores = evaluate_files(gold, system)
    assert scores["UPOS"]["f1"] == 50
    assert "UPOS            50.00    50.00    50.00    50.00" in scores_table(scores)
    assert "LAS" not in scores_table(scores)


def test_entities_are_scored_by_conlleval(tmp_path: Path) -> None:
    gold = Path(write(tmp_path / "gold.conll", ENTITIES))
    system = Path(write(tmp_path / "system.tsv", ENTITIES.replace("Yoff\tB-LOC", "Yoff\tO")))
    scores = evaluate_files(gold, system)
    assert scores["conlleval"]["f1"] == pytest.approx(200 / 3)
    assert scores_table(scores).split("\n")[1] == "all                   100.00    50.00    66.67"


def test_files_of_two_kinds_or_other_sentences_are_refused(tmp_path: Path) -> None:
    tree = Path(write(tmp_path / "a.conllu", TREE))
    entities = Path(write(tmp_path / "a.tsv", ENTITIES))
    fewer = Path(write(tmp_path / "b.tsv", "Dakar\tB-LOC\nla\tO\n"))
    for gold, system in ((tree, entities), (entities, tree)):
        with pytest.raises(DataError, match=r"a\.tsv:1: expected CoNLL-U as in the other file"):
            evaluate_files(gold, system)
    with pytest.raises(DataError, match=r"b\.tsv:1: expected 2 sentences as in .*a\.tsv, got 1"):
        evaluate_files(entities, fewer)


SCHEMES = {
    "iob2": "Ivan\tB-PER\nBo\tI-PER\nAn\tB-PER\nin\tO\nYoff\tB-LOC\n\n",
    "iob1": "Ivan\tI-PER\nBo\tI-PER\nAn\tB-PER\nin\tO\nYoff\tI-LOC\n\n",
    "bioes": "Ivan\tB-PER\nBo\tE-PER\nAn\tS-PER\nin\tO\nYoff\tS-LOC\n\n",
    "bilou": "Ivan\tB-PER\nBo\tL-PER\nAn\tU-PER\nin\tO\nYoff\tU-LOC\n\n",
}


@pytest.mark.parametrize("gold", SCHEMES)
@pytest.mark.parametrize("system", SCHEMES)
@pytest.mark.filterwarnings("ignore::specialize.errors.SpecializeWarning")
def test_entities_count_alike_in_every_scheme(tmp_path: Path, gold: str, system: str) -> None:
    files = [write(tmp_path / f"{name}.tsv", SCHEMES[name]) for name in (gold, system)]
    wrong = write(tmp_path / "wrong.tsv", SCHEMES[system].replace("-LOC", "-ORG"))
    if gold == "iob1" or system != "iob1":  # else it is IOB2 with errors, alike for conlleval
        assert evaluate_files(*files)["strict"]["f1"] == 100
    assert evaluate_files(*files)["conlleval"]["f1"] == 100
    assert evaluate_files(files[0], wrong)["conlleval"]["f1"] == pytest.approx(200 / 3)
    if gold == system:
        assert evaluate_files(*files, scheme=gold)["strict"]["f1"] == 100


def test_a_conversion_is_announced(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{name}.tsv", SCHEMES[name]) for name in ("iob1", "bilou")]
    with pytest.warns(SpecializeWarning) as caught:
        evaluate_files(*files)
    said = [str(warning.message).partition(":")[2] for warning in caught]
    assert said[0] == " the tags are IOB1 (entities begin with I-); they are read as IOB2"
    assert said[1] == " the tags are BILOU; they are read as IOB2"
