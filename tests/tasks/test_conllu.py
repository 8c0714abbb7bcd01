"""Reading and writing treebanks: trees, errors with their line, plain text, real files."""

import gzip
import lzma
import os
import re
from pathlib import Path

import pytest

from specialize.corpus.conllu import HEAD, UPOS
from specialize.errors import DataError
from specialize.tasks._conllu import has_heads, read_treebank, read_words, tree, write_blocks
from specialize.tasks._plain import plain_note

DATA = Path(os.environ.get("SPECIALIZE_DATA", Path(__file__).parents[3] / "shared" / "data"))

# "vámonos al mar": a multiword token, an empty node, a word with a space
EVERYTHING = """\
# sent_id = 1
# text = vámonos al mar muerto
1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tvamos\tir\tVERB\t_\t_\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\tCase=Acc\t1\tobj\t_\t_
2.1\tya\tya\tADV\t_\t_\t_\t_\t1:advmod\t_
3\tal\tal\tADP\t_\t_\t4\tcase\t_\t_
4\tmar muerto\tmar muerto\tNOUN\t_\t_\t1\tobl:arg\t_\tSpaceAfter=No

1\t#\t#\tSYM\t_\t_\t0\troot\t_\t_

"""


def row(number, head, form="a"):
    return f"{number}\t{form}\t_\tX\t_\t_\t{head}\tdep\t_\t_"


@pytest.fixture
def conllu(tmp_path):
    def write(text, name="a.conllu"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_sentences_are_trees(conllu):
    first, second = read_treebank(conllu(EVERYTHING))
    assert tree(first) == (0, 1, 4, 1)
    assert tree(second) == (0,)
    assert has_heads([first, second])


def test_filled_columns_are_written_and_all_else_stays(conllu, tmp_path):
    first, second = read_treebank(conllu(EVERYTHING))
    filled = first.filled({UPOS: ["A", "B", "C", "D"], HEAD: ["2", "0", "2", "2"]})
    write_blocks([filled, second], tmp_path / "b.conllu")
    expected = (
        EVERYTHING.replace("VERB\t_\t_\t0", "A\t_\t_\t2")
        .replace("PRON\t_\tCase=Acc\t1", "B\t_\tCase=Acc\t0")
        .replace("ADP\t_\t_\t4", "C\t_\t_\t2")
        .replace("NOUN\t_\t_\t1", "D\t_\t_\t2")
    )
    assert (tmp_path / "b.conllu").read_text(encoding="utf-8") == expected


FAULTS = [
    ("", 1, "no sentence"),
    ("# only a comment\n", 1, "no sentence"),
    (row(1, 0).replace("\tX", "\t"), 1, "column 4 is empty"),
    (row(1, "a"), 1, "expected the number of a word as head, got 'a'"),
    (row(1, "9" * 5000), 1, f"as head, got '{'9' * 20}'…"),
    (row("9" * 5000, 0), 1, f"expected an id such as 8, 8-9 or 8.1, got '{'9' * 20}'"),
    (
        row(f"1-{'9' * 5000}", "_") + "\n" + row(1, 0),
        1,
        "expected an id such as 8, 8-9 or 8.1, got '1-9",
    ),
    (row(1, "-1"), 1, "got '-1'"),
    (row(1, "٣"), 1, "got '٣'"),
    ("# c\n\n" + row(1, 0) + "\n\n" + row(1, 0) + "\n" + row(2, 3), 6, "head 3 in a sentence of 2"),
]


@pytest.mark.parametrize(("text", "line", "message"), FAULTS)
def test_a_fault_is_named_with_its_line(conllu, text, line, message):
    path = conllu(text)
    with pytest.raises(DataError) as caught:
        read_treebank(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message in str(caught.value)


BAD_TREES = [
    ([0, 0], 2, "second root"),
    ([2, 1], 1, "no word has head 0"),
    ([0, 3, 2], 2, "cycle"),
    ([1], 1, "cycle"),
    ([0, 1, "_"], 3, "no head"),
]


@pytest.mark.parametrize(("heads", "line", "message"), BAD_TREES)
def test_a_graph_that_is_not_a_tree_is_refused_with_its_line(conllu, heads, line, message):
    path = conllu("\n".join(row(word, head) for word, head in enumerate(heads, 1)))
    (block,) = read_treebank(path)
    with pytest.raises(DataError) as caught:
        tree(block)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["a.conllu", "a.txt", "a"])
def test_a_treebank_to_annotate_is_recognised_whatever_its_name(conllu, name):
    text = "\n".join(re.sub(r"(\t[^\t]*){8}$", "\t_" * 8, line) for line in EVERYTHING.split("\n"))
    assert "1-2\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_\n1\tvamos\t_\t_\t_\t_\t_\t_\t_\t_\n" in text
    for annotated in (EVERYTHING, text):
        path = conllu("# generator\n\n" + annotated, name)
        assert read_words(path) == read_treebank(path)


PLAIN = "vámonos  al\tmar\u3000.\r\n\n \n# _\n"
MADE = """\
# sent_id = 1
# text = vámonos al mar .
1\tvámonos\t_\t_\t_\t_\t_\t_\t_\t_
2\tal\t_\t_\t_\t_\t_\t_\t_\t_
3\tmar\t_\t_\t_\t_\t_\t_\t_\t_
4\t.\t_\t_\t_\t_\t_\t_\t_\t_

# sent_id = 2
# text = # _
1\t#\t_\t_\t_\t_\t_\t_\t_\t_
2\t_\t_\t_\t_\t_\t_\t_\t_\t_

"""


@pytest.mark.parametrize(("suffix", "opener"), [("", open), (".xz", lzma.open), (".gz", gzip.open)])
def test_plain_text_becomes_conllu(tmp_path, suffix, opener):
    path = tmp_path / f"a.txt{suffix}"
    with opener(path, "wt", encoding="utf-8", newline="") as file:
        file.write(PLAIN)
    blocks = read_words(path)
    assert [block.line for block in blocks] == [1, 4]
    write_blocks(blocks, tmp_path / "b.conllu")
    assert (tmp_path / "b.conllu").read_text(encoding="utf-8") == MADE
    assert read_treebank(tmp_path / "b.conllu") == blocks


GLUED = """\
# sent_id = 1
# text = Vámonos, (al) mar!
1\tVámonos\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
2\t,\t_\t_\t_\t_\t_\t_\t_\t_
3\t(\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
4\tal\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
5\t)\t_\t_\t_\t_\t_\t_\t_\t_
6\tmar\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
7\t!\t_\t_\t_\t_\t_\t_\t_\t_

"""


def test_punctuation_is_separated_where_the_training_data_does_so(conllu, tmp_path):
    path = conllu("Vámonos, (al)\tmar!\n", "a.txt")
    write_blocks(read_words(path, "punctuation"), tmp_path / "b.conllu")
    assert (tmp_path / "b.conllu").read_text(encoding="utf-8") == GLUED
    assert read_words(path)[0].surface() == ("Vámonos,", "(al)", "mar!")
    assert plain_note(path, "punctuation") == (
        "plain text: punctuation was separated from words in 4 places, as in the training data"
    )
    assert plain_note(path, "spaces").startswith("plain text: words are separated by white space")
    assert plain_note(conllu(GLUED, "b.txt"), "punctuation") == ""


NO_WORDS = [
    ("a.conllu", b"", 1, "no sentence"),
    ("a.conllu", b"# c\n\n", 1, "no sentence"),
    ("a.conllu", b"# c\n\nvamos al mar\n", 3, "expected 10 columns separated by tabs, got 1"),
    ("a.conllu", row(1, 0).encode() + b"\n2\ta\n", 2, "expected 10 columns .* got 2"),
    ("a.conllu", b"a\tO\n", 1, "expected 10 columns .* got 2; correct the row; .* the task ner"),
    ("a", b"# c\n\nvamos al mar\n", 3, r"expected CoNLL-U .* 10 columns .* \.txt$"),
    ("a", b"# c\n", 1, "no sentence"),
    ("a.txt", b"", 1, "no sentence"),
    ("a.txt", b" \n\t\n", 1, "no sentence"),
    ("a.txt", b"a\n\xe9\n", 2, "not UTF-8"),
]


@pytest.mark.parametrize(("name", "raw", "line", "message"), NO_WORDS)
def test_a_file_without_words_to_annotate_is_refused_with_its_line(
    tmp_path, name, raw, line, message
):
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(DataError, match=rf"{name}:{line}: {message}"):
        read_words(tmp_path / name)


def test_every_real_treebank_is_read_and_written_back_as_it_was(tmp_path):
    if not (DATA / "ud").is_dir():
        pytest.skip(f"no treebanks in {DATA / 'ud'}; set SPECIALIZE_DATA")
    files = sorted((DATA / "ud").glob("*/*dev*.conllu*"))
    assert files
    for path in files[::4]:
        blocks = read_treebank(path)
        for block in blocks:
            tree(block)
        write_blocks(blocks, tmp_path / "copy.conllu")
        assert read_treebank(tmp_path / "copy.conllu") == blocks
        opener = lzma.open if path.suffix == ".xz" else open
        with opener(path, "rt", encoding="utf-8") as file:
            assert (tmp_path / "copy.conllu").read_text(encoding="utf-8") == file.read()
