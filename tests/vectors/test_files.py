"""Files of vectors in fastText's text format: read, or refused with the line."""

import gzip
from pathlib import Path

import pytest

from specialize.errors import DataError
from specialize.vectors.files import read_vectors

FILE = "4 2\nla 1 2\ndon't 3 4\ncasa 5 6 \nla 7 8\n"


def test_the_first_vector_of_each_wanted_word_is_read(tmp_path: Path) -> None:
    file = tmp_path / "it.vec"
    file.write_text(FILE, "utf-8")
    words, vectors = read_vectors(file, limit=10, wanted=str.isalpha)
    assert words == ["la", "casa"]
    assert vectors.tolist() == [[1, 2], [5, 6]]
    packed = file.with_name("it.vec.gz")
    packed.write_bytes(gzip.compress(FILE.encode()))
    assert read_vectors(packed, limit=1)[0] == ["la"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("la 1 2\n", "vec:1: expected the number of words"),
        ("", "vec:1: expected the number of words"),
        ("2 2\nla 1 2\ncasa 1\n", "vec:3: expected a word and 2 numbers, got 'casa 1'"),
        ("1 2\nla 1 x\n", "vec:2: expected a word and 2 numbers"),
        ("1 2\nla 1 nan\n", "vec:2: expected a word and 2 numbers"),
        ("3 2\nla 1 2\ncasa 1 2\n", "vec:3: expected 3 words, as the first line says, got 2"),
        ("1 2\nla 1 2\ncasa 1 2\n", "vec:3: expected 1 words"),
        ("1 2\ndon't 1 2\n", "vec:1: expected words that are one piece each, got none"),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.vec"
    path.write_text(text, "utf-8")
    with pytest.raises(DataError, match=message):
        read_vectors(path, limit=10, wanted=str.isalpha)
