"""``specialize augment``: writes a tokenizer, the same one every time."""

import json
from pathlib import Path

import cli_calls
from cli_calls import Call

from specialize.toylang import ToyFiles

call = cli_calls.call  # fixture


def test_augment_writes_a_tokenizer_that_knows_more(
    call: Call, base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    words = ["augment", base_folder, "--text", toy.corpus, "--set", "new_vocabulary=300"]
    for name in ("one", "two"):
        done = call(*words, "--out", tmp_path / name)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("99 pieces added by tva: ")
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    assert len((tmp_path / "one" / "pieces.tsv").read_text("utf-8").splitlines()) == 100
    both = call("inspect", base_folder, tmp_path / "one", "--text", toy.corpus, "--json").out
    before, after = (json.loads(line)["unknown_pieces"] for line in both.splitlines())
    assert after < before / 4
    plain = AutoTokenizer.from_pretrained(tmp_path / "one")
    lines = toy.corpus.read_text("utf-8").splitlines()
    assert sum(plain.tokenize(line).count("[UNK]") for line in lines) == after


def test_a_method_is_a_function_of_a_file(
    call: Call, base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(
        "def change(vocabulary, corpus, *, piece: str):\n    return vocabulary.place([piece])\n",
        "utf-8",
    )
    words = ["augment", base_folder, "--text", toy.corpus, "--method"]
    words += [f"{tmp_path / 'mine.py'}:change", "--out"]
    done = call(*words, tmp_path / "new", "--set", "piece=quux")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("1 piece added by ")
    missing = call(*words, tmp_path / "other")
    assert (missing.code, "lacks 'piece': expected text" in missing.err) == (2, True)
