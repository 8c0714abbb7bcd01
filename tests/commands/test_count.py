"""``specialize count``: count files can replace their texts."""

from pathlib import Path

import cli_calls
from cli_calls import Call

from specialize.toylang import ToyFiles

call = cli_calls.call  # fixture


def test_count_files_can_replace_their_texts(
    call: Call, base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    (tmp_path / "more.txt").write_text("a ab\na é\n", "utf-8")
    done = call("count", tmp_path / "more.txt", "--out", tmp_path / "more.counts")
    line = f"4 tokens, 3 types, 7 characters, 8 bytes: {tmp_path / 'more.counts'}\n"
    assert (done.code, done.out, done.err) == (0, line, "")
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


def test_columns_counted_as_words_are_named(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("Yoff\tB-LOC\nla\tO\n", "utf-8")
    done = call("count", tmp_path / "a.tsv", "--out", tmp_path / "a.counts")
    assert (done.code, done.err) == (0, f"columns read as words: {tmp_path / 'a.tsv'}\n")
    assert done.out.startswith("2 tokens, 2 types, ")


def test_the_field_of_json_is_an_option(call: Call, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('[{"body": "a b"}]', "utf-8")
    words = ["count", tmp_path / "a.json", "--out", tmp_path / "a.counts"]
    refused = call(*words)
    assert (refused.code, "name another: --field" in refused.err) == (3, True)
    assert call(*words, "--field", "body").out.startswith("2 tokens, 2 types, ")
