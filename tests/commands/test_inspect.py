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


def test_curves_choose_pieces_on_one_text_and_measure_them_on_another(
    call: Call, tmp_path: Path
) -> None:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##a", "##b"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces) + "\n", "utf-8")
    (tmp_path / "train.txt").write_text("şa şa ba\n" * 9, "utf-8")
    (tmp_path / "dev.txt").write_text("şa ça\n", "utf-8")
    files = [tmp_path / "vocab.txt", "--text", tmp_path / "dev.txt"]
    curve = ["--curve", tmp_path / "train.txt"]
    done = call("inspect", *files, *curve, "--html", tmp_path / "page.html")
    rows = [line.split() for line in done.out.splitlines()]
    start = rows.index(["tva", "char_first", "greedy", "extend"])
    assert rows[start + 1] == ["0", *("100.00", "%", "1.00") * 4]
    # şa | ça: tva's piece is the whole word, char_first's its first character
    assert "tva has no more after 1; char_first has no more after 1;" in done.out
    assert "How many pieces, chosen how" in (tmp_path / "page.html").read_text("utf-8")
    _, *curves = map(json.loads, call("inspect", *files, *curve, "--json").out.splitlines())
    assert [one["method"] for one in curves] == ["tva", "char_first", "greedy", "extend"]
    assert [point["pieces"] for point in curves[0]["points"]] == [0, 1]
    assert curves[1]["points"][1] == {
        "pieces": 1,
        "unknown_pieces": 1 / 3,
        "pieces_per_word": 1.5,
    }
