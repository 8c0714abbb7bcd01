"""``specialize inspect``: counts, names of tokenizers, JSON."""

import json
from pathlib import Path

import cli_calls
from cli_calls import Call

from specialize.toylang import ToyFiles

call = cli_calls.call  # fixture


def test_inspect_counts_what_can_be_counted_by_hand(call: Call, tmp_path: Path) -> None:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##b", "Z"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces) + "\n", "utf-8")
    (tmp_path / "text.txt").write_text("a ab\nabc é\n", "utf-8")  # a | a ##b | [UNK] | [UNK]
    done = call("inspect", tmp_path / "vocab.txt", "--text", tmp_path / "text.txt", "--json")
    assert done.code == 0
    found = json.loads(done.out)
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
    done = call("inspect", *ways, "--text", toy.corpus, toy.ner_dev, "--json")
    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [(row.pop("tokenizer"), row.pop("text")) for row in rows] == [
        (str(way), str(text)) for way in ways for text in (toy.corpus, toy.ner_dev)
    ]
    assert rows[0] == rows[2] == rows[4] != rows[1] == rows[3] == rows[5]
