"""The split: by documents if there are many, else by blocks of lines."""

from pathlib import Path

import pytest
from corpora import opened, write
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.corpus.source import BLOCKS, FEW, LONGEST
from specialize.errors import DataError


def numbered(path: Path, sizes: list[int]) -> str:
    """Write documents of the given lengths: "0.0", "0.1", ..., with blank lines between them."""
    documents = ("".join(f"{n}.{i}\n" for i in range(size)) for n, size in enumerate(sizes))
    return write(path, "\n".join(documents))


def test_four_documents_of_400_lines_are_split_by_blocks_of_8_lines(tmp_path: Path) -> None:
    corpus = opened(numbered(tmp_path / "a.txt", [400] * 4))
    held_out = list(corpus.dev().documents())
    assert sum(map(len, held_out)) == 80  # 5 % of 1,600 lines
    for lines in held_out:
        document, first = (int(part) for part in lines[0].split("."))
        assert first % 8 == 0
        assert len(lines) % 8 == 0
        assert lines == [f"{document}.{i}" for i in range(first, first + len(lines))]
    assert sorted([*corpus.dev(), *corpus.train()]) == sorted(corpus)


def test_lines_between_two_held_out_blocks_stay_one_document(tmp_path: Path) -> None:
    corpus = opened(numbered(tmp_path / "a.txt", [400, 400]))
    assert list(map(len, corpus.documents())) == [400, 400]
    boundaries = {lines[0] for lines in corpus.train().documents()}
    dev = set(corpus.dev())
    for lines in corpus.train().documents():
        document, first = (int(part) for part in lines[0].split("."))
        assert first == 0 or f"{document}.{first - 1}" in dev
    assert len(boundaries) > 2


def test_blocks_of_a_large_text_have_at_most_the_longest_length(tmp_path: Path) -> None:
    corpus = opened(numbered(tmp_path / "a.txt", [2 * BLOCKS * LONGEST] * 2), dev=0.01)
    assert {len(lines) % LONGEST for lines in corpus.dev().documents()} == {0}


@pytest.mark.parametrize("documents", [FEW, FEW + 1, 40])
def test_whole_documents_are_held_out_from_twenty_documents_on(
    tmp_path: Path, documents: int
) -> None:
    corpus = opened(numbered(tmp_path / "a.txt", [3] * documents), dev=0.01)
    whole = list(corpus.documents())
    held_out = list(corpus.dev().documents())
    assert held_out
    assert all(document in whole for document in held_out)


def test_a_line_without_blank_lines_around_it_is_a_unit(tmp_path: Path) -> None:
    corpus = opened(write(tmp_path / "a.txt", "a\nb\nc\n"))
    assert len(list(corpus.dev())) == 1
    assert len(list(corpus.train())) == 2


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=30),
    seed=st.integers(0, 99),
    shares=st.tuples(st.floats(0.001, 0.999), st.floats(0.001, 0.999)),
    lines=st.integers(0, 300),
)
@settings(max_examples=60)
def test_no_side_is_empty_sides_are_disjoint_and_larger_shares_hold_out_more(
    tmp_path_factory: pytest.TempPathFactory,
    sizes: list[int],
    seed: int,
    shares: tuple[float, float],
    lines: int,
) -> None:
    path = numbered(tmp_path_factory.getbasetemp() / "split.txt", sizes)
    less, more = (opened(path, seed=seed, lines=lines, dev=dev) for dev in sorted(shares))
    for corpus in (less, more):
        train, dev = list(corpus.train()), list(corpus.dev())
        assert sorted(train + dev) == sorted(corpus)
        if lines == 0 and len(list(corpus)) > 1:
            assert train
            assert dev
    if less.facts().lines > 1:
        assert set(less.dev()) - set(more.dev()) == set()


@pytest.mark.parametrize("text", ["one line\n", "\n\none line\n\n"])
def test_one_line_cannot_be_split(tmp_path: Path, text: str) -> None:
    corpus = opened(write(tmp_path / "a.txt", text))
    assert list(corpus.train()) == ["one line"]
    with pytest.raises(
        DataError, match=r"a\.txt:1: no line is held out: expected at least 2 lines"
    ):
        corpus.check_split()
    opened(write(tmp_path / "a.txt", text), dev=0).check_split()
    opened(write(tmp_path / "a.txt", "two\nlines\n")).check_split()


def test_a_sample_of_one_document_says_to_raise_the_sample(tmp_path: Path) -> None:
    corpus = opened(numbered(tmp_path / "a.txt", [5] * 30), lines=5)
    with pytest.raises(DataError, match=r"raise corpus\.lines, give more text, or"):
        corpus.check_split()


def test_a_split_that_removal_empties_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "first\nsecond\n")
    gone = write(tmp_path / "test.txt", "first\n")
    with pytest.raises(DataError, match="at least 2 lines of text, evaluation sentences removed"):
        opened(path, remove=(gone,)).check_split()
