"""The command line: every command once."""

import json
import re
from pathlib import Path

import cli_calls
import pytest
import torch
from cli_calls import GOLD, Call, contents

from specialize import cli
from specialize.toylang import ToyFiles

call, recipe = cli_calls.call, cli_calls.recipe  # fixtures
KINDS = {"mixin": "mixins", "augment": "augment", "embed": "embed", "task": "tasks"}
PACKAGE = Path(cli.__file__).parent
COMMANDS = next(a.choices for a in cli._parser()._actions if isinstance(a.choices, dict))


def test_inspect_counts_what_can_be_counted_by_hand(call: Call, tmp_path: Path) -> None:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##b"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces) + "\n", "utf-8")
    (tmp_path / "text.txt").write_text("a ab\nabc é\n", "utf-8")  # a | a ##b | [UNK] | [UNK]
    said = call("inspect", tmp_path / "vocab.txt", "--text", tmp_path / "text.txt", "--json")
    assert said.code == 0
    found = json.loads(said.out)
    expected = {
        "words": 4,
        "pieces": 5,
        "unknown_words": 2,
        "unknown_pieces": 2,
        "continued_words": 1,
        "characters": 9,
        "bytes": 10,
        "fertility": 1.25,
    }
    assert {key: found[key] for key in expected} == expected
    shown = call("inspect", tmp_path / "vocab.txt", "--text", tmp_path / "text.txt").out
    assert "40.00 %" in shown
    assert "c(U+0063) 1" in shown
    assert "é(U+00E9) 1" in shown


def test_a_tokenizer_is_a_directory_or_one_of_its_files(
    call: Call, base_folder: Path, toy: ToyFiles
) -> None:
    ways = [base_folder, base_folder / "vocab.txt", base_folder / "tokenizer.json"]
    said = call("inspect", *ways, "--text", toy.corpus, toy.ner_dev, "--json")
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert [(row.pop("tokenizer"), row.pop("text")) for row in rows] == [
        (str(way), str(text)) for way in ways for text in (toy.corpus, toy.ner_dev)
    ]
    assert rows[0] == rows[2] == rows[4] != rows[1] == rows[3] == rows[5]


def test_augment_writes_a_tokenizer_that_knows_more(
    call: Call, base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    words = ["augment", base_folder, "--text", toy.corpus, "--set", "new_vocabulary=300"]
    for name in ("one", "two"):
        said = call(*words, "--out", tmp_path / name)
        assert (said.code, said.err) == (0, "")
        assert said.out.startswith("99 pieces added by tva: ")
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    assert len((tmp_path / "one" / "pieces.tsv").read_text("utf-8").splitlines()) == 100
    both = call("inspect", base_folder, tmp_path / "one", "--text", toy.corpus, "--json").out
    before, after = (json.loads(line)["unknown_pieces"] for line in both.splitlines())
    assert after < before / 4
    plain = AutoTokenizer.from_pretrained(tmp_path / "one")
    lines = toy.corpus.read_text("utf-8").splitlines()
    assert sum(plain.tokenize(line).count("[UNK]") for line in lines) == after


def test_counts_stand_for_their_texts(
    call: Call, base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    (tmp_path / "more.txt").write_text("a ab\na é\n", "utf-8")
    said = call("count", tmp_path / "more.txt", "--out", tmp_path / "more.counts")
    line = f"4 tokens, 3 types, 7 characters, 8 bytes: {tmp_path / 'more.counts'}\n"
    assert (said.code, said.out, said.err) == (0, line, "")
    merged = tmp_path / "all.counts.xz"
    assert call("count", toy.corpus, tmp_path / "more.counts", "--out", merged).code == 0
    texts = [[toy.corpus, tmp_path / "more.txt"], [merged], [toy.corpus, tmp_path / "more.counts"]]
    shown = []
    for i, text in enumerate(texts):
        out = tmp_path / f"new{i}"
        words = ["augment", base_folder, "--set", "new_vocabulary=300", "--out", out, "--text"]
        shown.append(call(*words, *text).out.replace(str(out), ""))
        assert (out / "vocab.txt").read_bytes() == (tmp_path / "new0/vocab.txt").read_bytes()
    assert shown[0].startswith("99 pieces added by tva: ")
    assert shown[0] == shown[1] == shown[2]
    audited = call("inspect", base_folder, "--text", tmp_path / "more.txt", "--json").out
    counted = call("inspect", base_folder, "--text", tmp_path / "more.counts", "--json").out
    assert counted == audited.replace("more.txt", "more.counts")


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


def test_methods_lists_every_file_of_the_folders(call: Call) -> None:
    shown = call("methods").out
    for kind, folder in KINDS.items():
        names = [file.stem for file in sorted((PACKAGE / folder).glob("[!_]*.py"))]
        listed = call("methods", kind).out
        assert re.findall(r"^ {0,2}(\w+)", listed, re.MULTILINE) == [kind, *names]
        assert listed in shown
    assert "pieces = 99" in call("methods", "augment").out


def test_doctor_says_what_is_there(call: Call) -> None:
    said = call("doctor")
    assert said.code == 0
    assert torch.__version__.split("+")[0] in said.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_every_argument_has_help(name: str, call: Call) -> None:
    said = call(name, "--help")
    assert said.code == 0
    assert said.out.startswith(f"usage: specialize {name}")
    assert all(argument.help for argument in COMMANDS[name]._actions)
    assert name in call("--help").out


# Runs


def test_run_predict_and_evaluate_make_a_circle(
    call: Call, recipe: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    said = call("run", recipe, "--out", tmp_path / "run")
    assert said.code == 0
    assert "POS accuracy" in said.out  # results
    assert "pos seed 1" in said.err  # progress
    predicted = tmp_path / "system.conllu"
    assert call("predict", tmp_path / "run", "pos", toy.test, "--out", predicted).code == 0
    assert predicted.read_bytes() == (tmp_path / "run/predictions/pos-1.conllu").read_bytes()
    scores = json.loads(call("evaluate", toy.test, predicted, "--json").out)
    reported = json.loads((tmp_path / "run/scores.json").read_text("utf-8"))
    accuracy = reported["only"]["pos"]["test"][0]["accuracy"]
    assert scores["XPOS"]["f1"] == pytest.approx(accuracy)
    onto = call("predict", tmp_path / "run", "pos", toy.test, "--out", tmp_path)
    assert (onto.code, "is a folder; name a file to write" in onto.err) == (2, True)
    unknown = call("predict", tmp_path / "run", "dep", toy.test, "--out", predicted)
    assert (unknown.code, "no head for 'dep'; it has: pos" in unknown.err) == (4, True)


def test_a_folder_with_another_run_is_refused(call: Call, recipe: Path, tmp_path: Path) -> None:
    assert call("run", recipe, "--out", tmp_path / "run").code == 0
    before = contents(tmp_path)
    said = call("run", recipe, "--set", "finetune.epochs=2", "--out", tmp_path / "run")
    assert said.code == 2
    assert said.err.endswith("run holds the run of another recipe; name another --out\n")
    assert contents(tmp_path) == before


def test_a_refused_recipe_does_not_claim_the_folder(
    call: Call, recipe: Path, tmp_path: Path
) -> None:
    words = ["run", recipe, "--out", tmp_path / "run", "--set", "arm.only.augment.method=tva"]
    many = call(*words, "--set", "arm.only.augment.pieces=6000")
    assert (many.code, "n = 6000" in many.err, "V = 5000" in many.err) == (2, True, True)
    assert not (tmp_path / "run").exists()
    assert call(*words, "--set", "arm.only.augment.pieces=9").code == 0
