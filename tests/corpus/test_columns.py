"""NER columns given as text: recognised by their content, and their tokens read."""

import bz2
from collections.abc import Iterator
from pathlib import Path

import pytest
from corpora import CONLLU, opened, write

from specialize.corpus import columns
from specialize.corpus.columns import is_columns, read_tokens, token_column
from specialize.corpus.columns import read_groups as groups
from specialize.corpus.files import read_lines
from specialize.corpus.formats import columns_note, is_text
from specialize.errors import DataError

PLAIN = "Dakar\tB-LOC\nla\tO\n.\tO\n\nYoff\tB-LOC\nit\tO\n"


@pytest.mark.parametrize("name", ["a.tsv", "a.txt", "train.conll", "a"])
@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.replace("\t", " "),
        PLAIN.replace("\t", " NNP I-NP "),
        "".join(f"wo:{line}\n" if line else "\n" for line in PLAIN.split("\n")[:-1]),
        "".join(f"simple:{line}\n" if line else "\n" for line in PLAIN.split("\n")[:-1]),
        "# id 1\n1\tDakar\tB-LOC\tO\n2\tla\tO\tO\n3\t.\tO\tO\n\n1\tYoff\tB-LOC\tO\n2\tit\tO\tO\n",
        PLAIN.replace("B-LOC", "U-LOC"),
    ],
)
def test_the_tokens_of_tagged_columns_are_the_text(tmp_path: Path, name: str, text: str) -> None:
    path = write(tmp_path / name, text)
    assert not is_text(Path(path))
    assert list(opened(path).documents()) == [["Dakar la ."], ["Yoff it"]]
    assert list(opened(path).counts().tokens) == ["Dakar", "la", ".", "Yoff", "it"]


def test_documents_begin_at_their_marks(tmp_path: Path) -> None:
    mark = "-DOCSTART- -X- O\n\n"
    text = "a\tO\nb\tO\n\n" + mark + "c\tO\n\nd\tO\n\n" + mark + "e\tO\n"
    for form in (text, text.replace("\n\n-DOC", "\n-DOC")):
        path = write(tmp_path / "a.tsv", form)
        assert list(opened(path).documents()) == [["a b"], ["c", "d"], ["e"]]


@pytest.mark.parametrize(
    "text",
    [
        "Take vitamin B-12\n",
        "Take vitamin B-12\nand vitamin B-6\n",
        "one line\nO\nB-12\n",
        "a\tb\nc\td\n",
        "a\tO\n",
        "O brother O\nwhere art thou\nnobody knows\n",
        "x " * 20_000 + "O\n" + "y " * 20_000 + "B-12\n",
    ],
)
def test_text_with_tag_like_line_ends_stays_text(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "a.txt", text)
    assert not is_columns(path)
    assert list(opened(path)) == [line.strip() for line in text.split("\n")[:-1]]


def test_few_lines_of_a_text_without_blank_lines_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.txt", "a line of text\n" * 5_000)
    read = 0

    def counted(path: Path) -> Iterator[tuple[int, str]]:
        nonlocal read
        for numbered in read_lines(path):
            read += 1
            yield numbered

    monkeypatch.setattr(columns, "read_lines", counted)
    assert not is_columns(Path(path))
    assert read <= 1_000


def test_an_untagged_line_among_columns_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", PLAIN + "lost\n")
    with pytest.raises(DataError, match=r"a\.tsv:7: expected a token and a tag .* got 'lost'"):
        list(opened(path))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("New York B-LOC", "separated by spaces, by tabs in the first row"),
        ("\ufeffDakar\tB-LOC", r"a byte order mark \(U\+FEFF\) inside the file"),
        ("# id 3", "the blank line between two sentences is probably missing"),
    ],
)
def test_the_likely_cause_of_a_fault_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = write(tmp_path / "a.tsv", f"{PLAIN}{line}\n")
    with pytest.raises(DataError, match=rf"a\.tsv:7: .*{message}"):
        list(opened(path))


def test_columns_of_other_treebanks_are_refused(tmp_path: Path) -> None:
    rows = (f"{i}\tw\tl\tN\tN\t_\t0\tx\t_\t_\tA\tB\tC\tD\n" for i in (1, 2))
    path = write(tmp_path / "a.txt", "".join(rows))
    with pytest.raises(DataError, match=r"a\.txt:1: numbered words in 14 columns .* CoNLL-2009"):
        opened(path)
    named = write(tmp_path / "a.conllu", Path(path).read_text("utf-8"))
    with pytest.raises(DataError, match=r"a\.conllu:1: expected 10 .* got 14; CoNLL-2009 has"):
        opened(named)


def test_texts_read_as_their_words_are_named(tmp_path: Path) -> None:
    names = ("a.tsv", "b.conllu", "c.txt", "d.counts")
    texts = (PLAIN, CONLLU, "plain\n", "# specialize counts 1\n")
    paths = [Path(write(tmp_path / n, text)) for n, text in zip(names, texts, strict=True)]
    assert columns_note(paths) == f"columns read as words: {paths[0]} and 1 more"
    assert columns_note(paths[1:]) == f"columns read as words: {paths[1]}"
    assert columns_note(paths[2:]) == ""


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("1\ta\tO\n2\tb\tO\n", 1),
        ("0 a O\n1 b O\n\n0 c O\n", 1),
        ("1\ta\tO\n1\tb\tO\n", 0),
        ("2\ta\tO\n3\tb\tO\n", 0),
        ("1\tO\n2\tO\n", 0),
        ("1\ta\tO\n", 0),
    ],
)
def test_an_index_counts_the_rows_of_each_sentence(tmp_path: Path, text: str, column: int) -> None:
    assert token_column(groups(write(tmp_path / "a.tsv", text))) == column


def test_a_prefix_is_kept_unless_all_sentences_have_it(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", "re:Malta\tB-LOC\n\nis\tO\n")
    assert list(read_tokens(path)) == [(False, ["re:Malta"]), (False, ["is"])]


@pytest.mark.parametrize("code", ["simple", "zh-min-nan", "be-x-old"])
def test_sentences_of_wikiann_are_removed_whatever_their_code(tmp_path: Path, code: str) -> None:
    other = "ug:a\tO\n\n"
    tagged = f"{code}:Brantford\tB-LOC\n{code}:,\tO\n{code}:Ontario\tB-LOC\n\n"
    path = write(tmp_path / "a.txt", "Brantford , Ontario\nstays\n")
    for text in (tagged, other + tagged):
        evaluation = write(tmp_path / "test.txt", text)
        assert list(opened(path, remove=(evaluation,))) == ["stays"]


DUMP = (
    "<mediawiki>\n<page><ns>0</ns><revision><text>'''Dakar''' is [[city|big]].</text></revision>"
    "</page></mediawiki>"
)


@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0"?>\n'])
@pytest.mark.parametrize(
    "name", ["a.xml", "a.xml.bz2", "viwiki-20230501-articles1.xml-p1p60.bz2", "dump.txt", "dump"]
)
def test_a_dump_is_recognised_whatever_its_name(
    tmp_path: Path, name: str, declaration: str
) -> None:
    text = (declaration + DUMP).encode()
    (tmp_path / name).write_bytes(bz2.compress(text) if name.endswith("bz2") else text)
    assert list(opened(str(tmp_path / name))) == ["Dakar is big."]


@pytest.mark.parametrize("name", ["a.xml", "a.txt"])
@pytest.mark.parametrize(
    "text",
    [
        '<?xml version="1.0"?>\n<tmx>\n<body/>\n</tmx>\n',
        "<!DOCTYPE html>\n<html><p>a</p></html>\n",
        "\n<TEI>\n",
        "<s>a b</s>\n<s>c</s>\n",
        '<text id="1"\n',
    ],
)
def test_other_xml_is_refused_whatever_its_name(tmp_path: Path, name: str, text: str) -> None:
    path = write(tmp_path / name, text)
    with pytest.raises(DataError, match=rf"{name}:1: expected plain text, a MediaWiki dump"):
        opened(path)
