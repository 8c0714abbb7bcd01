"""Schemes of tags: recognised, and converted to IOB2."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specialize.errors import DataError, UsageError
from specialize.tasks._base import Sentence
from specialize.tasks._columns import Lines
from specialize.tasks._schemes import as_iob2, check_scheme, end_scheme, in_iob2, scheme_of

# three entities, two of them side by side and of one type
IOB2 = "B-PER I-PER B-PER O B-LOC I-LOC I-LOC"
SCHEMES = {
    "iob2": IOB2,
    "iob1": "I-PER I-PER B-PER O I-LOC I-LOC I-LOC",
    "bioes": "B-PER E-PER S-PER O B-LOC I-LOC E-LOC",
    "bilou": "B-PER L-PER U-PER O B-LOC I-LOC L-LOC",
}


def sentence(tags: Sequence[str], line: int = 1) -> Sentence:
    rows = tuple(("w\t", "") for _ in tags)
    return Sentence(("w",) * len(tags), tuple(tags), Lines(rows, (), "a.tsv", line))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_is_recognised_and_converted(scheme: str) -> None:
    sentences = [sentence(["O"]), sentence(SCHEMES[scheme].split())]
    assert scheme_of(sentences) == scheme
    assert [s.gold for s in in_iob2(sentences, scheme)] == [("O",), tuple(IOB2.split())]


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [("O O", "iob2"), ("O I-LOC O B-LOC", "iob2"), ("I-LOC I-PER", "iob1"), ("M-PER", "bioes")],
)
def test_few_tags_decide_too(tags: str, scheme: str) -> None:
    assert scheme_of([sentence(tags.split())]) == scheme


def test_bmes_ends_entities_too() -> None:
    assert as_iob2(sentence(["B-X", "M-X", "E-X", "S-X"])).gold == ("B-X", "I-X", "I-X", "B-X")
    assert as_iob2(sentence(["I-X", "E-X", "I-X"])).gold == ("B-X", "I-X", "B-X")


def test_a_mixture_of_schemes_is_refused() -> None:
    mixed = [sentence(["I-X", "O", "I-X"]), sentence(["B-X", "O", "I-X"], line=5)]
    with pytest.raises(DataError, match=r'a\.tsv:5: 3 entities begin with I-.* scheme = "iob1"'):
        scheme_of(mixed)


def test_tags_of_another_scheme_are_named_with_their_line() -> None:
    with pytest.raises(DataError, match=r"a\.tsv:6: expected a tag of IOB2, got 'S-X'"):
        in_iob2([sentence(["O", "S-X"], line=5)], "iob2")


def test_unknown_schemes_are_refused() -> None:
    assert check_scheme("") == ""
    with pytest.raises(UsageError, match="unknown scheme 'iobes'; known: iob1, iob2, bioes, bilou"):
        check_scheme("iobes")


@given(st.lists(st.sampled_from(["O", *(f"{p}-{t}" for p in "BI" for t in "XY")]), max_size=9))
def test_converted_tags_stay_as_they_are(tags: list[str]) -> None:
    once = as_iob2(sentence(tags))
    assert as_iob2(once) == once
    assert end_scheme([once]) == ""
