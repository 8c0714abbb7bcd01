"""``specialize evaluate``: treebanks and entity files."""

import json
from pathlib import Path

import cli_calls
from cli_calls import GOLD, Call

call = cli_calls.call  # fixture


def test_evaluate_scores_a_pair_of_treebanks(call: Call, tmp_path: Path) -> None:
    (tmp_path / "gold.conllu").write_text(GOLD, "utf-8")
    wrong = GOLD.replace("\tN\t_\t2\tnsubj", "\tV\t_\t3\tnsubj")
    (tmp_path / "system.conllu").write_text(wrong, "utf-8")
    files = (tmp_path / "gold.conllu", tmp_path / "system.conllu")
    scores = json.loads(call("evaluate", *files, "--json").out)
    assert scores["Words"]["f1"] == scores["UPOS"]["f1"] == 100
    assert scores["XPOS"]["f1"] == scores["UAS"]["f1"] == scores["LAS"]["f1"] == 200 / 3
    table = call("evaluate", *files)
    assert table.code == 0
    assert "LAS             66.67    66.67    66.67    66.67" in table.out.splitlines()


def test_evaluate_scores_a_pair_of_entity_files(call: Call, tmp_path: Path) -> None:
    (tmp_path / "gold.tsv").write_text("Ogüt\tB-PER\nkeldi\tO\nIliga\tB-LOC\n\n", "utf-8")
    (tmp_path / "system.tsv").write_text("Ogüt\tB-PER\nkeldi\tO\nIliga\tB-ORG\n\n", "utf-8")
    files = (tmp_path / "gold.tsv", tmp_path / "system.tsv")
    scores = json.loads(call("evaluate", *files, "--json").out)
    assert scores["conlleval"]["f1"] == 50
    assert "all                    50.00    50.00    50.00" in call("evaluate", *files).out


def test_the_column_of_the_tags_can_be_given(call: Call, tmp_path: Path) -> None:
    text = "Ogüt\tB-PER\tO\nkeldi\tO\tO\nIliga\tO\tB-LOC\n\n"
    (tmp_path / "gold.tsv").write_text(text, "utf-8")
    files = [tmp_path / "gold.tsv"] * 2
    refused = call("evaluate", *files)
    assert (refused.code, "columns 2 and 3 hold tags; choose one" in refused.err) == (3, True)
    scores = json.loads(call("evaluate", *files, "--column", "3", "--json").out)
    assert list(scores["conlleval"]["types"]) == ["LOC"]
    assert call("evaluate", *files, "--column", "-1").code == 2
