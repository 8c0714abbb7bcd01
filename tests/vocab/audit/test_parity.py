"""Parallel text."""

from pathlib import Path

import pytest

from specialize.errors import DataError
from specialize.vocab.audit.parity import Pairs, read_pairs


def test_pairs_are_lines_beside_lines_or_two_columns(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n\nthree\n", "utf-8")
    (tmp_path / "b.txt").write_text("eins\nzwei\ndrei\n", "utf-8")
    expected = Pairs(["one", "three"], ["eins", "drei"], skipped=1)
    assert read_pairs(tmp_path / "b.txt", tmp_path / "a.txt") == expected
    (tmp_path / "c.tsv").write_text("one\teins\n\tzwei\nthree\tdrei\n", "utf-8")
    assert read_pairs(tmp_path / "c.tsv") == expected
    (tmp_path / "d.tsv").write_text("one\teins\n\nthree\tdrei\n", "utf-8")
    assert read_pairs(tmp_path / "d.tsv") == expected


def test_pairs_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n", "utf-8")
    (tmp_path / "b.txt").write_text("eins\n", "utf-8")
    with pytest.raises(DataError, match=r"b\.txt:2: 1 lines, where .*a\.txt has 2"):
        read_pairs(tmp_path / "b.txt", tmp_path / "a.txt")
    (tmp_path / "c.tsv").write_text("one\teins\ntwo\n", "utf-8")
    with pytest.raises(DataError, match=r"c\.tsv:2: 1 column"):
        read_pairs(tmp_path / "c.tsv")
