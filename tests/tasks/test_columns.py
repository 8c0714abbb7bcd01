"""Reading and writing NER files: literal files, errors with their line, real files."""

import gzip
import lzma
import os
from dataclasses import replace
from pathlib import Path

import pytest

from specialize.errors import DataError
from specialize.tasks._columns import read_columns, read_words, write_columns

DATA = Path(os.environ.get("SPECIALIZE_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.fixture
def ner(tmp_path):
    def write(text, name="a.txt"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def words_and_tags(sentences):
    return [list(zip(s.words, s.gold, strict=True)) for s in sentences]


def test_a_tab_or_a_space_separates_word_and_tag(ner):
    tabs = read_columns(ner("Valletta\tB-LOC\nhi\tO\n\nsabiħa\tO\n"))
    spaces = read_columns(ner("Valletta B-LOC\nhi  O\n\nsabiħa O"))
    assert words_and_tags(tabs) == [[("Valletta", "B-LOC"), ("hi", "O")], [("sabiħa", "O")]]
    assert words_and_tags(spaces) == words_and_tags(tabs)
    assert [s.source.line for s in tabs] == [1, 4]


def test_a_word_before_a_tab_may_hold_spaces(ner):
    (sentence,) = read_columns(ner("Hà Nội\tB-LOC\n"))
    assert sentence.words == ("Hà Nội",)


def test_the_language_prefix_of_wikiann_is_no_part_of_the_word(ner):
    (sentence,) = read_columns(ner("mt:Malta\tB-LOC\nmt::\tO\n"))
    assert sentence.words == ("Malta", ":")
    (sentence,) = read_columns(ner("zh-yue:香\tB-LOC\nzh-yue:港\tI-LOC\n"))
    assert sentence.words == ("香", "港")


@pytest.mark.parametrize("code", ["simple", "zh-min-nan", "be-x-old", "fiu-vro", "roa_rup"])
def test_any_language_code_of_wikiann_is_a_prefix(ner, code):
    (sentence,) = read_columns(ner(f"{code}:Malta\tB-LOC\n{code}::\tO\n"))
    assert sentence.words == ("Malta", ":")


def test_a_prefix_is_kept_unless_all_words_have_it(ner):
    (sentence,) = read_columns(ner("re:Malta\tB-LOC\nis\tO\n"))
    assert sentence.words == ("re:Malta", "is")


def test_everything_except_tags_is_written_back_unchanged(ner, tmp_path):
    text = "ug:a\tB-LOC\nug:b c\tO\n\nug:d\tO\n\n"
    (first, second) = read_columns(ner(text))
    write_columns([first, second], tmp_path / "b.txt")
    assert (tmp_path / "b.txt").read_text(encoding="utf-8") == text
    conll = "Malta NNP B-NP O\nis VBZ B-VP O\n\n"
    (sentence,) = read_columns(ner(conll))
    assert sentence.words == ("Malta", "is")
    write_columns([sentence], tmp_path / "b.txt")
    assert (tmp_path / "b.txt").read_text(encoding="utf-8") == conll


INDEXED = "# id\t1\n1\tMalta\tB-LOC\tO\n2\thi\tO\tO\n\n1\t1986\tO\tO\n2\tMalta\tB-ORG\tB-LOC\n\n"


def test_an_index_is_not_a_token_and_two_tag_columns_need_a_choice(ner, tmp_path):
    path = ner(INDEXED)
    with pytest.raises(DataError, match=r"a\.txt:2: columns 3 and 4 hold tags; .* column = 3"):
        read_columns(path)
    outer, inner = (read_columns(path, column) for column in (3, 4))
    assert words_and_tags(outer) == [
        [("Malta", "B-LOC"), ("hi", "O")],
        [("1986", "O"), ("Malta", "B-ORG")],
    ]
    assert [s.gold for s in inner] == [("O", "O"), ("O", "B-LOC")]
    for sentences in (outer, inner):
        write_columns(sentences, tmp_path / "b.txt")
        assert (tmp_path / "b.txt").read_text() == INDEXED
    with pytest.raises(DataError, match=r"a\.txt:2: no tags in column 2 of 4"):
        read_columns(path, 2)
    with pytest.raises(DataError, match=r"a\.txt:2: no tags in column 5 of 4"):
        read_columns(path, 5)


def test_numbers_that_do_not_count_are_tokens(ner):
    (sentence,) = read_columns(ner("1\tX\tO\n3\tX\tO\n"))
    assert sentence.words == ("1", "3")


def test_the_tags_need_not_be_the_last_column(ner, tmp_path):
    text = "# sent_id = 1\n# text = Malta hi\n1\tMalta\tB-LOC\t-\tx\n2\thi\tO\t-\tx\n\n"
    path = ner(text)
    (sentence,) = read_columns(path)
    assert (sentence.words, sentence.gold) == (("Malta", "hi"), ("B-LOC", "O"))
    assert sentence.where == f"{path}:3"
    assert read_words(path)[0].words == sentence.words
    write_columns([replace(sentence, gold=("O", "B-X"))], tmp_path / "b.txt")
    expected = text.replace("\tO\t", "\tB-X\t").replace("B-LOC", "O")
    assert (tmp_path / "b.txt").read_text() == expected


def test_document_marks_and_comments_are_written_back(ner, tmp_path):
    text = "-DOCSTART- -X- O O\n\n# O\nMalta B-LOC\n\n# id 2\nhi O\n\n"
    sentences = read_columns(ner(text))
    assert [s.words for s in sentences] == [("#", "Malta"), ("hi",)]
    write_columns(sentences, tmp_path / "b.txt")
    assert (tmp_path / "b.txt").read_text() == text


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a\tO\nb\tLOC\n", 2, "expected a tag such as O, B-LOC or I-LOC, got 'LOC'"),
        ("1\ta\ta\tX\t_\t_\t0\troot\t_\t_\n", 1, "the file is CoNLL-U, but the task ner reads"),
        ("a\tO\nb\t0\n", 2, "got '0'; 0 is the digit zero: replace it by the letter O"),
        ("a\tO\nb c B-X\n", 2, "separated by spaces, by tabs in the first row"),
        ("a\tO\n\n\ufeffb\tO\n", 3, "a byte order mark (U+FEFF) inside the file"),
        ("a\tO\n# id 2\nb\tO\n", 2, "the blank line between two sentences is probably"),
        ("1\ta\tO\t-\n2\tb\tX\t-\n", 2, "got 'X'"),
        ("", 1, "no sentence"),
        ("\n\n", 1, "no sentence"),
        ("a\tO\nb\n", 2, "got one column"),
        ("a\tO\n\nb\tX-LOC\n", 3, "'X-LOC'"),
        ("a\tB-\n", 1, "'B-'"),
        ("a\tB\n", 1, "'B'"),
    ],
)
def test_a_fault_is_named_with_its_line(ner, text, line, message):
    path = ner(text)
    with pytest.raises(DataError) as caught:
        read_columns(path)
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert message in str(caught.value)


def annotated(sentences, path):
    """Write every word with the tag O and return the file."""
    filled = [replace(s, gold=("O",) * len(s.words)) for s in sentences]
    write_columns(filled, path)
    return path.read_text(encoding="utf-8")


WORDS_TO_ANNOTATE = [
    ("Malta\nhi\n\n sabiħa\n", "Malta\tO\nhi\tO\n\nsabiħa\tO\n\n"),
    ("Malta\tB-LOC\nhi\n", "Malta\tO\nhi\tO\n\n"),
    ("Malta NNP B-LOC\nhi VBZ O\n", "Malta NNP O\nhi VBZ O\n\n"),
    ("Malta\tNNP\t\nhi\tVBZ\t\n", "Malta\tNNP\tO\nhi\tVBZ\tO\n\n"),
    ("Hà Nội\t\nMalta \n", "Hà Nội\tO\nMalta\tO\n\n"),
    ("mt:Malta\nmt:hi\n", "mt:Malta\tO\nmt:hi\tO\n\n"),
]


@pytest.mark.parametrize(("text", "expected"), WORDS_TO_ANNOTATE)
def test_words_to_annotate_need_no_tag(ner, tmp_path, text, expected):
    sentences = read_words(ner(text, "a.tsv"))
    assert all(s.gold == () for s in sentences)
    assert annotated(sentences, tmp_path / "b.tsv") == expected
    assert [s.words for s in read_columns(tmp_path / "b.tsv")] == [s.words for s in sentences]


def test_plain_text_becomes_columns(ner, tmp_path):
    text = "# Malta  hi\tsabiħa .\n\n \nIva: B-12\n"
    first, second = read_words(ner(text))
    assert (first.words, second.words) == (("#", "Malta", "hi", "sabiħa", "."), ("Iva:", "B-12"))
    assert (first.where, second.where) == (f"{tmp_path / 'a.txt'}:1", f"{tmp_path / 'a.txt'}:4")
    expected = "#\tO\nMalta\tO\nhi\tO\nsabiħa\tO\n.\tO\n\nIva:\tO\nB-12\tO\n\n"
    assert annotated([first, second], tmp_path / "b.tsv") == expected
    (tmp_path / "a.TXT.gz").write_bytes(gzip.compress(text.encode()))
    assert read_words(tmp_path / "a.TXT.gz") == [first, second]


def test_punctuation_is_separated_where_the_training_data_does_so(ner, tmp_path):
    path = ner("Malta, hi.\n")
    (sentence,) = read_words(path, pretokenize="punctuation")
    assert sentence.words == ("Malta", ",", "hi", ".")
    assert annotated([sentence], tmp_path / "b.tsv") == "Malta\tO\n,\tO\nhi\tO\n.\tO\n\n"


def test_a_txt_file_of_tagged_words_is_not_read_as_plain_text(ner):
    text = "Malta B-LOC\nhi O\n\n" + "sabiħa O\n" * 8
    assert [s.words for s in read_words(ner(text))] == [("Malta", "hi"), ("sabiħa",) * 8]
    with pytest.raises(DataError, match=r"a\.txt:12: expected a token, or a token and its tag"):
        read_words(ner(text + "sabiħa X\n"))


@pytest.mark.parametrize("name", ["a.txt", "a.tsv"])
@pytest.mark.parametrize(
    ("raw", "line", "message"),
    [(b"", 1, "no sentence"), (b" \n\n", 1, "no sentence"), (b"a\n\xe9\n", 2, "not UTF-8")],
)
def test_a_file_without_words_is_refused_with_its_name(tmp_path, name, raw, line, message):
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(DataError, match=rf"{name}:{line}: {message}"):
        read_words(tmp_path / name)


def test_a_line_of_several_words_without_tags_is_refused(ner):
    with pytest.raises(DataError, match=r"a\.tsv:2: expected a token.* tab .* \.txt$"):
        read_words(ner("Malta\nMalta hi sabiħa\n", "a.tsv"))


def test_real_files_are_read_and_written_back_as_they_were(tmp_path):
    if not (DATA / "ner").is_dir():
        pytest.skip(f"no NER files in {DATA / 'ner'}; set SPECIALIZE_DATA")
    files = sorted((DATA / "ner").glob("*/*/test*"))
    assert files
    for path in files[::4]:
        sentences = read_columns(path)
        assert [s.words for s in read_words(path)] == [s.words for s in sentences]
        write_columns(sentences, tmp_path / "copy.txt")
        opener = lzma.open if path.suffix == ".xz" else open
        with opener(path, "rt", encoding="utf-8", newline="\n") as file:
            written = (tmp_path / "copy.txt").read_text(encoding="utf-8")
            assert written.rstrip("\n") == file.read().rstrip("\n")
        if path.parts[-3].startswith("wikiann"):
            assert not any(s.words[0].startswith(f"{path.parts[-2]}:") for s in sentences)
