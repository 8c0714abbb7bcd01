"""CoNLL-U: one sentence with everything, then every error with its line and its likely cause."""

import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest
from corpora import opened, write

from specialize.corpus.conllu import FORM, HEAD, UPOS, is_conllu, read_blocks
from specialize.corpus.decontaminate import evaluation_keys
from specialize.errors import DataError
from specialize.tasks import dep

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

# newdoc id = b
1\t#\t#\tSYM\t_\t_\t0\troot\t_\t_

"""


def row(number: object, head: object, form: str = "a") -> str:
    return f"{number}\t{form}\t_\tX\t_\t_\t{head}\tdep\t_\t_"


def test_words_are_the_rows_with_whole_numbers(tmp_path: Path) -> None:
    first, second = read_blocks(write(tmp_path / "a.conllu", EVERYTHING))
    assert first.column(FORM) == ("vamos", "nos", "al", "mar muerto")
    assert first.comments == ("# sent_id = 1", "# text = vámonos al mar muerto")
    assert (first.text, second.text) == ("vámonos al mar muerto", "")
    assert (first.opens_document, second.opens_document) == (False, True)
    assert first.line == 3
    assert second.column(FORM) == ("#",)


def test_tokens_are_words_or_the_ranges_over_them(tmp_path: Path) -> None:
    first, _ = read_blocks(write(tmp_path / "a.conllu", EVERYTHING))
    assert list(first.tokens()) == [(0, (1, 2)), (4, (4,)), (5, (5,))]
    assert first.surface() == ("vámonos", "al", "mar muerto")


def test_columns_of_words_are_filled_and_nothing_else_changes(tmp_path: Path) -> None:
    first, _ = read_blocks(write(tmp_path / "a.conllu", EVERYTHING))
    filled = first.filled({UPOS: ["A", "B", "C", "D"], HEAD: ["2", "0", "2", "2"]})
    assert filled.column(UPOS) == ("A", "B", "C", "D")
    assert filled.column(HEAD) == ("2", "0", "2", "2")
    assert filled.column(FORM) == first.column(FORM)
    assert [filled.rows[i] for i in (0, 3)] == [first.rows[i] for i in (0, 3)]
    assert first.column(UPOS) == ("VERB", "PRON", "ADP", "NOUN")


@pytest.mark.parametrize("ending", ["", "\n", "\n\n", "\n \t\n\u3000\n"])
def test_blank_or_missing_lines_at_the_end_are_accepted(tmp_path: Path, ending: str) -> None:
    assert len(list(read_blocks(write(tmp_path / "a.conllu", row(1, 0) + ending)))) == 1


def test_windows_line_ends_and_repeated_blank_lines_are_read(tmp_path: Path) -> None:
    untidy = ("\n\n" + EVERYTHING.replace("\n\n", "\n \n\n")).replace("\n", "\r\n")
    expected = list(read_blocks(write(tmp_path / "a.conllu", EVERYTHING)))
    assert list(read_blocks(write(tmp_path / "b.conllu", untidy))) == expected


@pytest.mark.parametrize(("suffix", "compress"), [(".xz", lzma.compress), (".gz", gzip.compress)])
def test_compressed_files_are_read(
    tmp_path: Path, suffix: str, compress: Callable[[bytes], bytes]
) -> None:
    (tmp_path / f"a.conllu{suffix}").write_bytes(compress(EVERYTHING.encode()))
    expected = list(read_blocks(write(tmp_path / "a.conllu", EVERYTHING)))
    assert list(read_blocks(tmp_path / f"a.conllu{suffix}")) == expected


MISSING_BLANK = "the blank line between two sentences is probably missing"
FAULTS = [
    ("1\ta\tb\n", 1, "expected 10 columns separated by tabs, got 3"),
    (row(1, 0).replace("\t", " "), 1, "the columns are separated by spaces; replace them by tabs"),
    (row(1, 0) + "\n# late\n", 2, f"a comment inside a sentence: {MISSING_BLANK}"),
    (row(1, 0) + "\n" + row(1, 0), 2, f"id 1 after id 1: {MISSING_BLANK}"),
    (row(1, 0) + "\n" + row("1-2", "_"), 2, f"id 1-2 after id 1: {MISSING_BLANK}"),
    (row(1, 0) + "\n\n\ufeff" + row(1, 0), 3, "a byte order mark (U+FEFF) inside the file"),
    (row(1, 0) + "\n\n\ufeff# c", 3, "a byte order mark (U+FEFF) inside the file"),
    (row(1, 0, form=""), 1, "the form (column 2) is empty"),
    (row("x", 0), 1, "expected an id such as 8, 8-9 or 8.1, got 'x'"),
    (row("²", 0), 1, "got '²'"),
    (row("٣", 0), 1, "got '٣'"),
    (row(0, 0), 1, "got '0'"),
    (row(1, 0) + "\n" + row(3, 1), 2, "expected id 2, got 3"),
    (row("1-2", "_") + "\n" + row(1, 0), 2, "range ends at word 2"),
    (row("2-1", "_") + "\n" + row(1, 0), 1, "range 2-1"),
    ("\n".join([row("1-2", "_"), row(1, 0), row("2-3", "_"), row(2, 1), row(3, 1)]), 3, "range"),
    (row("1.1", "_") + "\n" + row(1, 0), 1, "empty node 1.1"),
    (row("0.1", "_"), 1, "without a word"),
]


@pytest.mark.parametrize(("text", "line", "message"), FAULTS)
@pytest.mark.parametrize(
    "read",
    [
        lambda path: list(opened(path)),
        lambda path: dep.task().read(Path(path)),
        lambda path: evaluation_keys([Path(path)]),
    ],
    ids=["corpus", "task", "evaluation sentences"],
)
def test_every_reader_names_a_fault_with_its_line_and_cause(
    tmp_path: Path, read: Callable[[str], object], text: str, line: int, message: str
) -> None:
    path = write(tmp_path / "a.conllu", text)
    with pytest.raises(DataError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message in str(caught.value)


def test_a_corpus_needs_no_heads_relations_or_tags(tmp_path: Path) -> None:
    text = "1\ta\t\t\t\t\t9\t\t\t\n2\tb\t\t\t\t\tx\t\t\t\n"
    assert list(opened(write(tmp_path / "a.conllu", text))) == ["a b"]


@pytest.mark.parametrize("name", ["a.conllu", "A.CONLLU.xz", "a.conll", "a.txt", "a"])
def test_a_file_is_recognised_by_its_name_or_its_content(tmp_path: Path, name: str) -> None:
    text = ("# generator\n\n" + EVERYTHING).encode()
    (tmp_path / name).write_bytes(lzma.compress(text) if name.endswith("xz") else text)
    assert is_conllu(tmp_path / name)
    assert list(opened(str(tmp_path / name))) == ["vámonos al mar muerto", "#"]


@pytest.mark.parametrize(
    "text",
    ["", "# a\n", "a b\n", "1\ta\tO\n", row(1, "x"), row(2, 0), row(1, 0).replace("\t", " ")],
)
def test_other_files_are_not_taken_for_it(tmp_path: Path, text: str) -> None:
    assert not is_conllu(write(tmp_path / "a.conll", text))


def test_text_that_is_not_utf8_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.conllu"
    path.write_bytes((row(1, 0) + "\n").encode() + row(2, 1, form="é").encode("latin-1"))
    with pytest.raises(DataError, match=r"latin\.conllu:2: "):
        list(read_blocks(path))
