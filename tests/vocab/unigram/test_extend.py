"""Calibrated scores: by hand, guarantees of strict ones, the guard, and bad input."""

import math
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from itertools import accumulate, pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tokenizers import UNKNOWN, unigram
from tokenizers_made import SCRIPTS, lines_in, xlmr_like

from specialize.errors import UsageError
from specialize.vocab.guard import GuardedWords
from specialize.vocab.unigram.candidates import _EPSILON, candidates, trained_unigram
from specialize.vocab.unigram.extend import calibrate
from specialize.vocab.unigram.model import Unigram


def cuts(pieces: Iterable[str]) -> set[int]:
    return set(accumulate(map(len, pieces)))


def spelt(old: Unigram, pieces: Iterable[str]) -> list[str]:
    """Return ``pieces`` as old ones."""
    return [part for piece in pieces for part in old.segment(piece)]


SMALL = unigram({"▁": -3.0, "a": -2.0, "b": -2.5, "ab": -4.0, "c": -5.0})


# By hand ------------------------------------------------------------------------------------------


def test_strict_scores_are_just_above_those_of_the_old_pieces():
    """▁abab is ▁ ab ab, -3 - 4 - 4; as one piece it saves two."""
    found = calibrate(SMALL, {"▁abab": 50}, pieces=1, strict=True)
    assert found.scores == {"▁abab": pytest.approx(-11.0 + 2 * _EPSILON)}
    new = SMALL.place(found.scores).new
    assert new.segment("▁abab") == ["▁abab"]
    assert new.segment("▁aba") == SMALL.segment("▁aba") == ["▁", "ab", "a"]


def test_mixed_scores_are_of_a_share_of_the_text():
    own = trained_unigram({"▁abab": 50}, 1002)
    found = calibrate(SMALL, {"▁abab": 50}, pieces=1, mixture=0.2)
    assert found.scores == {"▁abab": pytest.approx(math.log(0.2) + own["▁abab"])}


def test_unknown_characters_come_first_and_as_often_as_they_are_asked_for():
    """Of 7 * 3 + 5 * 3 + 4 * 2 characters, ş is 7 and 世 5."""
    words = {"▁aş": 7, "▁世b": 5, "▁é": 4}
    found = calibrate(SMALL, words, pieces=2)
    assert list(found.scores) == ["ş", "世"]
    assert calibrate(SMALL, words, pieces=1).scores.keys() == {"ş"}
    assert [*calibrate(SMALL, words, pieces=9, min_count=1).scores][:3] == ["ş", "世", "é"]
    rare = calibrate(SMALL, {"▁" + "ab" * 9: 9999, "▁é": 5}, pieces=1).scores
    assert rare == {"é": pytest.approx(math.log(0.1 * 5 / (9999 * 19 + 5 * 2)))}


def test_unknown_words_become_known():
    old = Unigram(xlmr_like())
    for script in SCRIPTS:
        words = old.count_words(lines_in(script))
        lacking = {c for word in words for c in word if c not in old.ids}
        found = calibrate(old, words, pieces=len(lacking) + 50, min_count=1)
        new = old.place(found.scores).new
        assert lacking <= found.scores.keys()
        assert not [word for word in words if new.unk in new.segment(word)]


def test_there_may_be_nothing_to_add():
    assert calibrate(SMALL, {"▁ab": 9}, pieces=0) == ({}, [], [])
    assert calibrate(SMALL, {}, pieces=9) == ({}, [], [])
    assert calibrate(SMALL, {"▁": 9, "▁▁": 4, "a\u3000b": 3}, pieces=9).scores == {}
    assert calibrate(SMALL, {"▁" + "ab" * 60_000: 9}, pieces=9).scores == {}  # too long
    assert calibrate(SMALL, {"▁\u3000": 9}, pieces=9).scores.keys() == {"\u3000"}


def test_the_pieces_that_save_the_most_are_chosen():
    """▁ccc replaces four pieces in 30 words, ▁ab three in 40, ▁abx four in 9."""
    old = unigram({"▁": -3.0, "a": -4.0, "b": -4.0, "c": -4.0, "x": -4.0})
    words = {"▁ab": 40, "▁ccc": 30, "▁abx": 9, "▁xab": 3}
    assert {"▁ab", "cc", "▁xab"} <= trained_unigram(words, 1000).keys()
    assert "▁ccc" not in trained_unigram(words, 1000)  # although it is a frequent word
    assert [*calibrate(old, words, pieces=9, strict=True).scores] == ["▁ccc", "▁ab", "▁abx"]
    assert [*calibrate(old, words, pieces=1).scores] == ["▁ccc"]
    rare = calibrate(old, words, pieces=9, min_count=31, strict=True).scores
    assert [*rare] == ["▁ab"]


def with_dead_ends(*texts: str) -> tuple[Unigram, dict[str, int]]:
    """Return a vocabulary with b x y z and Bb but no B, and words that contain ``texts``."""
    scores, words = {"▁": -3.0}, dict[str, int]()
    for text in texts:
        first, second = text[:2]
        scores |= {first.upper() + first: -20.0} | dict.fromkeys(text, -20.0)
        words |= {f"▁{text}": 50, f"▁{text}{first}": 20, f"▁{second}{text}": 20}
        words[f"▁{second * 2}{text}"] = 20
        words[f"▁{first.upper()}{text}"] = 1
    return unigram(scores), words


def test_a_piece_that_makes_a_known_word_unknown_is_dropped():
    """▁Bbxyz is ▁ Bb x y z at -83. B alone is unknown at -30, but bxyz after it compensates."""
    old, words = with_dead_ends("bxyz")
    assert old.place({"bxyz": -1.0}).new.segment("▁Bbxyz") == ["▁", UNKNOWN, "bxyz"]
    found = calibrate(old, words, pieces=9, mixture=1.0, min_count=30)
    assert (list(found.scores), found.dropped) == (["▁bxyz", "▁x"], ["bxyz"])
    assert old.place(found.scores).new.segment("▁Bbxyz") == ["▁", "Bb", "x", "y", "z"]


# Strict scores ------------------------------------------------------------------------------------

LETTERS = "abc"
words_of_letters = st.text(LETTERS, min_size=1, max_size=8).map("▁".__add__)


@st.composite
def vocabularies(draw: st.DrawFn) -> Unigram:
    """A Unigram over a few letters with scores on a coarse or a fine grid."""
    grid = draw(st.sampled_from([1, 4, 1000, 10**6]))
    score = st.integers(1, 10 * grid).map(lambda n: -n / grid)
    longer = draw(st.sets(st.text(LETTERS, min_size=2, max_size=4), max_size=6))
    return unigram({piece: draw(score) for piece in ("▁", *LETTERS, *sorted(longer))})


def strict(old: Unigram, pieces: Iterable[str]) -> dict[str, float]:
    """The formula of strict scores."""
    found = {piece: old.segment(piece) for piece in pieces}
    return {piece: old.score(parts) + _EPSILON * (len(parts) - 1) for piece, parts in found.items()}


@settings(max_examples=300)
@given(
    vocabularies(),
    st.sets(st.text(LETTERS, min_size=2, max_size=5), max_size=5),
    st.lists(words_of_letters, max_size=9),
)
def test_strict_pieces_only_join_old_ones(old, pieces, words):
    """Joined pieces score like the old ones plus an epsilon, which decides ties."""
    new = old.place(strict(old, [p for p in sorted(pieces) if p not in old.ids])).new
    for word in words:
        before, after = old.segment(word), new.segment(word)
        assert new.unk not in after
        joined = spelt(old, after)
        least = old.score(before) - _EPSILON * (len(joined) - len(after))
        assert old.score(joined) >= least - 1e-9
        if cuts(joined) == cuts(before):
            assert cuts(after) <= cuts(before)


def test_strict_pieces_may_break_ties_either_way():
    """▁aab is ▁ a ab or ▁ aa b, at -9 either way: the epsilon decides."""
    old = unigram({"▁": -1.0, "a": -4.0, "b": -4.0, "aa": -4.0, "ab": -4.0})
    joined = {"▁a": ["▁a", "ab"], "▁aa": ["▁aa", "b"]}
    for piece, expected in joined.items():
        assert old.place(strict(old, [piece])).new.segment("▁aab") == expected
    assert old.segment("▁aab") in (["▁", "a", "ab"], ["▁", "aa", "b"])


@pytest.fixture(scope="module")
def old() -> Unigram:
    return Unigram(xlmr_like())


@pytest.mark.parametrize("script", [*SCRIPTS])
def test_strict_pieces_join_the_old_ones_of_every_known_word(old, script):
    """Ties are rare in trained vocabularies: none of 9,539 known words is split elsewhere."""
    words = old.count_words(lines_in(script, seed=9))
    new = old.place(calibrate(old, words, pieces=300, strict=True).scores).new
    for other in SCRIPTS:
        for word in old.count_words(lines_in(other, seed=9)) | old.count_words(lines_in(other)):
            if old.parts(word):
                assert cuts(new.segment(word)) <= cuts(old.segment(word)), word


def test_no_known_word_becomes_unknown(old):
    for mixture in (0.001, 0.1, 1.0):
        words = old.count_words([*lines_in("toy"), *lines_in("Latin")])
        new = old.place(calibrate(old, words, pieces=300, mixture=mixture).scores).new
        for script in SCRIPTS:
            for word in old.count_words(lines_in(script, seed=9)):
                assert not old.parts(word) or new.parts(word), word


def share_changed(old: Unigram, new: Unigram, words: Mapping[str, int]) -> float:
    known = {word: n for word, n in words.items() if old.parts(word)}
    changed = sum(n for word, n in known.items() if new.segment(word) != old.segment(word))
    return changed / sum(known.values())


def pieces_in(vocabulary: Unigram, words: Mapping[str, int]) -> int:
    return sum(n * len(vocabulary.segment(word)) for word, n in words.items())


def test_a_larger_mixture_shortens_text_and_changes_more_words(old):
    """The same pieces with rising scores, on words of another language and of the new one.

    Strict scores change the least; scores of 0, as published scripts have them, the most, and they
    make words longer.
    """
    words = old.count_words(lines_in("Latin", seed=4))
    others = old.count_words(lines_in("Latin", seed=5))  # text like the vocabulary's training text
    chosen = calibrate(old, words, pieces=200).scores
    scored = {
        lam: {p: s + math.log(lam / 0.1) for p, s in chosen.items()} for lam in (1e-3, 0.1, 1)
    }
    made = [old.place(scores).new for scores in scored.values()]
    made.append(old.place(dict.fromkeys(chosen, 0.0)).new)
    changes = [share_changed(old, new, others) for new in made]
    lengths = [pieces_in(new, words) for new in made]
    assert changes == sorted(changes)
    assert changes[0] < changes[-1]
    assert lengths[0] > lengths[1] >= lengths[2]
    assert share_changed(old, old.place(strict(old, chosen)).new, others) <= changes[-1]


def test_a_piece_with_score_0_displaces_old_pieces():
    """▁abac is ▁aba c; bac at 0 makes it three pieces, but at its own share it does not."""
    old = unigram({"▁": -3.0, "a": -3.0, "b": -3.0, "c": -3.0, "▁ab": -4.0, "▁aba": -5.0})
    assert old.segment("▁abac") == ["▁aba", "c"]
    assert old.place({"bac": 0.0}).new.segment("▁abac") == ["▁", "a", "bac"]  # longer
    assert old.place({"bac": math.log(0.1) - 2}).new.segment("▁abac") == ["▁aba", "c"]
    assert old.place(strict(old, ["bac"])).new.segment("▁abac") == ["▁aba", "c"]


def test_the_mixture_must_be_a_share():
    for wrong in (0.0, -1.0, 1.5):
        with pytest.raises(UsageError, match=f"mixture is a share above 0, up to 1, not {wrong}"):
            calibrate(SMALL, {"▁ab": 9}, pieces=1, mixture=wrong)


# The guard ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_strict", [False, True])
def test_nothing_of_the_guard_changes(old, is_strict):
    words = old.count_words([*lines_in("toy"), *lines_in("Latin", seed=4)])
    guard = old.count_words(lines_in("Latin", seed=5))
    found = calibrate(
        old, words, pieces=200, guard=GuardedWords(guard), strict=is_strict, mixture=1.0
    )
    assert found.refused
    assert len(found.scores) > 50
    assert share_changed(old, old.place(found.scores).new, guard) == 0


def test_a_character_refused_by_the_guard_is_replaced_by_another_candidate():
    """ş is not a piece, but xş is: as a guarded word it would become x ş."""
    old = unigram({"▁": -3.0, "a": -3.0, "b": -3.0, "x": -3.0, "xş": -30.0})
    words = {"▁aş": 50, "▁ab": 40, "▁ba": 30}
    assert next(iter(calibrate(old, words, pieces=2).scores)) == "ş"
    found = calibrate(old, words, pieces=2, guard=GuardedWords({"▁xş": 1}))
    assert len(found.scores) == 2
    assert "ş" in found.refused


def test_a_guard_that_refuses_many_pieces_gets_more_candidates(monkeypatch):
    """All pieces of the first, smaller training occur in ▁abab, which the guard protects."""
    sizes = []

    def some(vocabulary, words, size, **options):
        sizes.append(size)
        few = {"▁abab": 50} if size < 2000 else words
        found = candidates(vocabulary, few, size, **options)
        return found._replace(all_there=size > 2000)

    monkeypatch.setattr("specialize.vocab.unigram.extend.candidates", some)
    found = calibrate(SMALL, {"▁abab": 50, "▁cc": 9}, pieces=1, guard=GuardedWords({"▁abab": 1}))
    assert [*found.scores] == ["▁cc"]
    assert "▁abab" in found.refused
    assert sizes == [1002, 2004]


def test_a_budget_is_used_up(old):
    words = old.count_words(lines_in("Latin", seed=4))
    guard = old.count_words(lines_in("Latin", seed=5))
    lengths = []
    for budget in (0.01, 0.02):
        found = calibrate(old, words, pieces=20, guard=GuardedWords(guard, budget))
        new = old.place(found.scores).new
        assert len(found.scores) == 20
        assert 0.8 * budget <= share_changed(old, new, guard) <= budget
        lengths.append(pieces_in(new, words))
    assert lengths == sorted(lengths, reverse=True)


def test_a_piece_that_costs_exactly_the_budget_is_admitted():
    """▁abab is 3 of the 10 guarded occurrences; ▁é is unknown, so it is not guarded."""
    words, guard = {"▁abab": 50}, {"▁abab": 3, "▁b": 7, "▁é": 9}
    found = calibrate(SMALL, words, pieces=1, guard=GuardedWords(guard, 0.3), strict=True)
    assert (list(found.scores), found.refused) == (["▁abab"], [])
    found = calibrate(SMALL, words, pieces=1, guard=GuardedWords(guard, 0.29), strict=True)
    assert "▁abab" in found.refused
    assert share_changed(SMALL, SMALL.place(found.scores).new, guard) == 0


@settings(max_examples=25)
@given(
    vocabularies(),
    st.dictionaries(words_of_letters, st.integers(1, 9), min_size=1, max_size=5),
    st.dictionaries(words_of_letters, st.integers(1, 9), min_size=1, max_size=5),
    st.sampled_from([0.0, 0.1, 0.3, 0.6, 1.0]),
    st.booleans(),
)
def test_no_more_of_the_guard_changes_than_the_budget(old, words, guard, budget, is_strict):
    found = calibrate(
        old, words, pieces=9, guard=GuardedWords(guard, budget), mixture=1.0, strict=is_strict
    )
    new = old.place(found.scores).new
    assert share_changed(old, new, guard) <= budget + 1e-9
    assert {*found.refused}.isdisjoint(found.scores)
    if budget == 1.0:
        assert found.refused == []


# Reproducibility ----------------------------------------------------------------------------------

SCRIPT = """
import json
from test_extend import GuardedWords, Unigram, calibrate, lines_in, with_dead_ends, xlmr_like
old = Unigram(xlmr_like())
words = old.count_words([*lines_in("toy"), *lines_in("Latin", seed=4)])
guard = old.count_words(lines_in("Latin", seed=5))
for strict in (False, True):
    kept = GuardedWords(guard, 0.01)
    found = calibrate(old, words, pieces=150, guard=kept, strict=strict, mixture=1.0)
    print(json.dumps([[*found.scores.items()], found.dropped, found.refused]))
old, words = with_dead_ends("bxyz", "mnop", "qrst", "uvwd")
print(*calibrate(old, words, pieces=40, mixture=1.0, min_count=30).dropped)
"""


def test_two_processes_choose_the_same():
    outputs = []
    for seed in ("1", "2"):
        paths = [str(Path(__file__).parent), *sys.path]
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(paths)}
        ran = subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, check=True
        )
        outputs.append(ran.stdout)
    assert outputs[0] == outputs[1]
    assert {*outputs[0].splitlines()[-1].split()} == {b"bxyz", b"mnop", b"qrst", b"uvwd"}


def test_dropped_pieces_are_in_the_order_of_selection(old):
    found = calibrate(
        old,
        old.count_words(lines_in("Latin", seed=4)),
        pieces=100,
        guard=GuardedWords(old.count_words(lines_in("Latin", seed=5))),
    )
    assert len(found.refused) == len({*found.refused})
    assert all(left != right for left, right in pairwise(found.refused))
