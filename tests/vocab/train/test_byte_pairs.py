"""Training a WordPiece vocabulary: by hand, reproducible, and equal to the library's trainer."""

import subprocess
import sys
from collections import Counter
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from specialize.errors import UsageError
from specialize.vocab.train.byte_pairs import most_frequent_letters, train_wordpiece

pytestmark = pytest.mark.usefixtures("both_ways")


def test_the_most_frequent_pair_is_merged_first():
    """ab 5, abc 3: (a, ##b) occurs 8 times, then (ab, ##c) 3 times; no pair remains."""
    counts = {"abc": 3, "ab": 5}
    assert train_wordpiece(counts, size=99, min_count=1) == [
        *("a", "b", "c", "##b", "##c"),  # every letter alone, continuing forms as they occur
        *("ab", "abc"),
    ]


def test_special_pieces_come_first_and_size_counts_them():
    pieces = train_wordpiece({"ab": 9}, size=5, special=["[PAD]", "[UNK]"], min_count=1)
    assert pieces == ["[PAD]", "[UNK]", "a", "b", "##b"]


def test_rare_pairs_are_not_merged():
    assert "ab" in train_wordpiece({"ab": 5}, size=99)
    assert "ab" not in train_wordpiece({"ab": 4}, size=99)


def test_ties_go_to_the_older_pieces():
    """cd, ab and ##xy occur twice each; a is older than c, and both are older than ##x."""
    pieces = train_wordpiece({"cd": 2, "ab": 2, "qxy": 2}, size=99, min_count=2)
    assert pieces[-4:] == ["ab", "cd", "qx", "qxy"]


def test_a_closed_alphabet_has_initial_and_continuing_forms_of_each_character():
    pieces = train_wordpiece({"ab": 1}, size=99, closed=True)
    assert pieces == ["a", "b", "##a", "##b"]


def test_words_with_a_rare_character_are_left_out():
    pieces = train_wordpiece({"ab": 5, "xb": 1}, size=99, min_count=1, alphabet=2)
    assert pieces == ["a", "b", "##b", "ab"]
    assert most_frequent_letters({"ab": 5, "xyb": 1}, 3) == {"a", "b", "x"}


def test_overlapping_pairs_are_merged_from_the_left():
    """aaaa: a ##a ##a ##a -> a ##aa ##a."""
    assert train_wordpiece({"aaaa": 9}, size=3, min_count=1) == ["a", "##a", "##aa"]


def test_a_size_below_the_alphabet_is_refused():
    with pytest.raises(UsageError, match="of 3 pieces cannot hold 4"):
        train_wordpiece({"ab": 1}, size=3, special=["[UNK]"])


PROGRAM = """
from specialize.vocab.train.byte_pairs import train_wordpiece
words = [a + b + c for a in "abcde" for b in "abcde" for c in "xyz"]
print(train_wordpiece({w: 1 + i % 3 for i, w in enumerate(words)}, size=200, min_count=2))
"""


def test_training_is_the_same_under_any_hash_seed():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1


def of_library(counts: dict[str, int], *, size: int, min_count: int) -> set[str]:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, min_frequency=min_count, special_tokens=["[UNK]"], show_progress=False
    )
    tokenizer.train_from_iterator([f"{word} " * n for word, n in counts.items()], trainer)
    return set(tokenizer.get_vocab())


def test_pieces_equal_the_library_where_no_counts_tie():
    random = Random(7)
    words = ["".join(random.choices("abcdef", k=random.randint(2, 7))) for _ in range(150)]
    counts = {word: random.randrange(1, 2000) for word in words}
    ours = train_wordpiece(counts, size=90, special=["[UNK]"], min_count=1)
    assert set(ours) == of_library(counts, size=90, min_count=1)


def by_definition(counts: dict[str, int], size: int, min_count: int) -> list[str]:
    """Recount all pairs before each merge."""
    words = {w: [w[0], *(f"##{c}" for c in w[1:])] for w in counts}
    letters = sorted({c for w in counts for c in w})
    continuing = {piece for pieces in words.values() for piece in pieces[1:]}
    vocabulary = letters + sorted(continuing)
    while len(vocabulary) < size:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, pieces in words.items():
            for pair in pairwise(pieces):
                pairs[pair] += counts[word]
        if not pairs or max(pairs.values()) < min_count:
            break
        ages = {piece: i for i, piece in enumerate(vocabulary)}
        left, right = min(pairs, key=lambda p: (-pairs[p], ages[p[0]], ages[p[1]]))
        merged = left + right[2:]
        for pieces in words.values():
            i = 0
            while i < len(pieces):
                if pieces[i : i + 2] == [left, right]:
                    pieces[i : i + 2] = [merged]
                i += 1
        if merged not in vocabulary:
            vocabulary.append(merged)
    return vocabulary


@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=7), st.integers(1, 9), min_size=1, max_size=8
    ),
    st.integers(6, 30),
    st.integers(1, 9),
)
def test_pieces_equal_the_reference(counts, size, min_count):
    assert train_wordpiece(counts, size=size, min_count=min_count) == by_definition(
        counts, size, min_count
    )
