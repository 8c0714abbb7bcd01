"""A table of probabilities: rows by hand, and lines that are refused."""

from pathlib import Path

import pytest
import torch

from specialize.embed import alignment
from specialize.embed._rows import FreshRows, Tables
from specialize.errors import DataError, UsageError
from specialize.recipe.methods import bind
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

OLD = WordPiece([*SPECIAL, "a", "b", "##a"])
CHANGE = OLD.place(["ab", "##ba", "ba"])
TABLES = Tables(torch.arange(16.0).reshape(8, 2), None, torch.arange(8.0))


def rows_of(text: str, tmp_path: Path) -> FreshRows:
    (tmp_path / "table.tsv").write_text(text, "utf-8")
    return alignment.init(TABLES, CHANGE, [], file=tmp_path / "table.tsv")


def test_rows_are_means_by_the_probabilities_of_the_table(tmp_path: Path) -> None:
    text = "ab\ta\t0.75\nab\tb\t0.25\n##ba\t##a\t0.2\nother\ta\t1\n"
    rows = rows_of(text, tmp_path)
    assert rows.sources == ("mixed from a 0.75, b 0.25", "copied from ##a", "drawn around the mean")
    assert rows.input[:2].tolist() == [[10.5, 11.5], [14.0, 15.0]]
    assert rows.bias[:2].tolist() == [5.25, 7.0]
    assert rows.unmatched == {2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ab\ta\t1\nab b\n", r"table\.tsv:2: expected NEW<TAB>OLD<TAB>PROBABILITY, got 'ab b'"),
        ("ab\ta\tone\n", r"table\.tsv:1: expected a probability above 0, at most 1, got 'one'"),
        ("ab\ta\tnan\n", r"table\.tsv:1: expected a probability"),
        ("ab\ta\t0\n", r"table\.tsv:1: expected a probability"),
        ("ab\ta\t1.5\n", r"table\.tsv:1: expected a probability"),
        ("ab\tc\t1\n", r"table\.tsv:1: 'c' is not a piece of the old vocabulary"),
        ("ab\ta\t0.1\nab\ta\t0.1\n", r"table\.tsv:2: a second line of 'ab' and 'a'"),
        ("ab\ta\t0.6\nab\tb\t0.6\n", r"table\.tsv:2: probabilities of 'ab' sum to 1\.200"),
        ("c\ta\t1\n", r"table\.tsv:1: no line is of a fresh piece; expected lines of 'ab', '##ba'"),
        ("", r"table\.tsv:1: no line is of a fresh piece"),
    ],
)
def test_a_malformed_table_is_refused_with_its_line(
    text: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        rows_of(text, tmp_path)


def test_a_missing_table_is_explained() -> None:
    with pytest.raises(UsageError, match=r"add file = \.\.\. \(lines NEW<TAB>.*eflomal"):
        bind("embed", "alignment", {})
