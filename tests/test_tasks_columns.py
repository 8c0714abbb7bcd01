"""NER files in and out: literal ones, every fault with its line, real ones."""

import lzma
import os
from pathlib import Path

import pytest

from specialize.errors import DataError
from specialize.tasks._columns import read_columns, write_columns

DATA = Path(os.environ.get("SPECIALIZE_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture
def ner(tmp_path):
    def write(text):
        path = tmp_path / "a.txt"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def words_and_tags(sentences):
    return [list(zip(s.words, s.gold, strict=True)) for s in sentences]


def test_a_tab_or_a_space_parts_word_and_tag(ner):
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


def test_a_prefix_that_not_all_words_have_stays(ner):
    (sentence,) = read_columns(ner("re:Malta\tB-LOC\nis\tO\n"))
    assert sentence.words == ("re:Malta", "is")


def test_all_but_the_tags_is_written_back_as_it_was(ner, tmp_path):
    text = "ug:a\tB-LOC\nug:b c\tO\n\nug:d\tO\n\n"
    (first, second) = read_columns(ner(text))
    write_columns([first, second], tmp_path / "b.txt")
    assert (tmp_path / "b.txt").read_text(encoding="utf-8") == text
    conll = "Malta NNP B-NP O\nis VBZ B-VP O\n\n"
    (sentence,) = read_columns(ner(conll))
    assert sentence.words == ("Malta", "is")
    write_columns([sentence], tmp_path / "b.txt")
    assert (tmp_path / "b.txt").read_text(encoding="utf-8") == conll


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "no sentence"),
        ("\n\n", 1, "no sentence"),
        ("a\tO\nb\n", 2, "one column"),
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


def test_real_files_are_read_and_written_back_as_they_were(tmp_path):
    if not (DATA / "ner").is_dir():
        pytest.skip(f"no NER files in {DATA / 'ner'}; set SPECIALIZE_DATA")
    files = sorted((DATA / "ner").glob("*/*/test*"))
    assert files
    for path in files[::4]:
        sentences = read_columns(path)
        write_columns(sentences, tmp_path / "copy.txt")
        opener = lzma.open if path.suffix == ".xz" else open
        with opener(path, "rt", encoding="utf-8", newline="\n") as file:
            written = (tmp_path / "copy.txt").read_text(encoding="utf-8")
            assert written.rstrip("\n") == file.read().rstrip("\n")
        if path.parts[-3].startswith("wikiann"):
            assert not any(s.words[0].startswith(f"{path.parts[-2]}:") for s in sentences)
