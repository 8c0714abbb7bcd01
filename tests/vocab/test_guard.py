"""The words of files that a vocabulary of any family guards."""

from collections.abc import Callable
from pathlib import Path

import pytest
from small_tokenizers import bpe, unigram

from specialize.corpus import count_lines, write_counts
from specialize.errors import DataError, UsageError
from specialize.vocab.base import Vocabulary
from specialize.vocab.guard import GuardedWords, allowed_changes, read_guard
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

FAMILIES: list[Callable[[], Vocabulary]] = [
    lambda: WordPiece([*SPECIAL, "dan", "##d"]),
    lambda: bpe("dan"),
    lambda: unigram({"▁": -1.0, "d": -1.0, "a": -1.0, "n": -1.0}),
]


@pytest.mark.parametrize("family", FAMILIES)
def test_all_words_of_the_files_are_counted_once(
    family: Callable[[], Vocabulary], tmp_path: Path
) -> None:
    for name, text in (("a.txt", "dand xyz\n"), ("b.txt", "dand\n")):
        (tmp_path / name).write_text(text, "utf-8")
    vocabulary = family()
    found = read_guard(vocabulary, [tmp_path / "a.txt", str(tmp_path / "b.txt")], 0.25)
    assert found is not None
    (dand,) = vocabulary.words("dand")
    assert found.words[dand] == 2
    assert sum(found.words.values()) == 3
    assert found.budget == 0.25


def test_a_guard_may_be_counts(tmp_path: Path) -> None:
    write_counts(count_lines(["dan dan", "dand"]), tmp_path / "en.counts")
    found = read_guard(FAMILIES[0](), [tmp_path / "en.counts"], 0.0)
    assert found is not None
    assert dict(found.words) == {"dan": 2, "dand": 1}


def test_without_files_there_is_no_guard() -> None:
    assert read_guard(FAMILIES[0](), (), 0.0) is None


@pytest.mark.parametrize("family", FAMILIES)
def test_a_guard_without_a_known_word_is_refused(
    family: Callable[[], Vocabulary], tmp_path: Path
) -> None:
    (tmp_path / "other.txt").write_text("ئۇيغۇر\n", "utf-8")
    with pytest.raises(DataError, match=r"other.txt:1: the vocabulary knows no word of the guard"):
        read_guard(family(), [tmp_path / "other.txt"], 0.0)


@pytest.mark.parametrize(
    ("files", "budget", "message"),
    [
        ("en.txt", 0.0, r"expected a list of guard files, got a string; write \['en.txt'\]"),
        ((), 5.0, "expected a guard_budget from 0 to 1, a share of words, got 5"),
        ((), 0.1, r"guard_budget = 0\.1 without a guard"),
    ],
)
def test_meaningless_guard_settings_are_refused(
    files: str | tuple[()], budget: float, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        read_guard(FAMILIES[0](), files, budget)


def test_a_budget_above_one_is_refused() -> None:
    with pytest.raises(UsageError, match="from 0 to 1"):
        GuardedWords({"dan": 1}, 1.5)


def test_allowed_changes_are_exact_and_rounded_down() -> None:
    assert allowed_changes(0.29, 100) == 29  # 0.29 * 100 is 28.999... in binary
    assert allowed_changes(0.25, 7) == 1
