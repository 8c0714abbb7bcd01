"""The guard: by hand, then against brute force over every subset."""

from collections.abc import Iterable, Mapping
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specialize.augment import char_first, greedy, tva
from specialize.vocab.guard import GuardedWords
from specialize.vocab.wordpiece.guard import Guard
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.wordpiece.safe_extend import place_safely

OLD = WordPiece([*SPECIAL, "dan", "c", "##c", "##i", "##ing", "##n", "##g", "a", "##d"])
WORDS = {"dancing": 3, "dand": 2, "unknown": 5, "a": 9, "[MASK]": 4}


def admitted(guard: Guard, candidates: Iterable[str]) -> list[str]:
    return list(guard.admit(candidates, {}))


def test_a_piece_that_shadows_a_shorter_old_piece_is_refused():
    """dan ##c ##ing and dan ##d: no piece begins at n, and ##cin would match after dan."""
    guard, refused = Guard(OLD, WORDS), {}
    candidates = ["danc", "##nc", "##cin", "cin", "##ingx", "unk", "da"]
    kept = list(guard.admit(candidates, refused))
    assert kept == ["##nc", "cin", "##ingx", "unk", "da"]
    assert list(refused) == ["danc", "##cin"]
    new = OLD.place(kept).new
    assert new.segment("dancing") == ["dan", "##c", "##ing"]
    assert new.segment("unknown") == ["[UNK]"]  # unknown words may change


def test_the_guard_counts_occurrences_of_known_words():
    """3 + 2 + 9: unknown words and special pieces are not guarded."""
    assert Guard(OLD, WORDS).occurrences == 14
    assert Guard(OLD, WORDS, budget=0.2).allowed == 2


def test_the_budget_goes_to_the_candidates_that_come_first():
    """danc changes 3 of 14 occurrences, dand 2; one beyond the budget blocks none after it."""
    assert admitted(Guard(OLD, WORDS, budget=0.2), ["danc", "dand", "##xy"]) == ["dand", "##xy"]
    assert admitted(Guard(OLD, WORDS, budget=0.25), ["danc", "dand"]) == ["danc"]
    assert admitted(Guard(OLD, WORDS, budget=0.25), ["danc", "danci"]) == ["danc", "danci"]
    assert admitted(Guard(OLD, WORDS, budget=1.0), ["danc", "dand"]) == ["danc", "dand"]


def test_refused_candidates_are_replaced_by_the_next_ones():
    change = place_safely(OLD, ["danc", "x", "##cin", "y", "z"], 2, [], guard=GuardedWords(WORDS))
    assert (change.fresh_pieces, change.refused) == (["x", "y"], ("danc", "##cin"))
    assert change.dropped == ()


# Against brute force ------------------------------------------------------------------------------

spelling = st.text("abc", min_size=1, max_size=4)
piece = st.builds("{}{}".format, st.sampled_from(["", "##"]), spelling)
vocabularies = st.builds(
    lambda pieces, closed: WordPiece(
        list(dict.fromkeys(["[UNK]", *(["a", "b", "##a", "##b"] if closed else []), *pieces]))
    ),
    st.lists(piece, max_size=8),
    st.booleans(),
)
guards = st.dictionaries(st.text("abcd", min_size=1, max_size=7), st.integers(1, 9), max_size=8)
pieces = st.lists(piece, max_size=6, unique=True)


def changed(old: WordPiece, chosen: Iterable[str], words: Mapping[str, int]) -> int:
    """Brute force: the occurrences of known words that are segmented differently."""
    new = old.place(chosen).new
    known = {w: n for w, n in words.items() if old.segment(w) != [old.unk]}
    return sum(n for w, n in known.items() if old.segment(w) != new.segment(w))


@given(vocabularies, pieces, guards)
def test_without_a_budget_the_largest_set_is_kept_that_changes_nothing(old, candidates, words):
    candidates = [p for p in candidates if p not in old.ids]
    kept = admitted(Guard(old, words), candidates)
    assert changed(old, kept, words) == 0
    subsets = (s for n in range(len(candidates) + 1) for s in combinations(candidates, n))
    for subset in subsets:
        if changed(old, subset, words) == 0:
            assert set(subset) <= set(kept)  # so nothing is dropped if nothing changes words


@given(vocabularies, pieces, guards, st.sampled_from([0.0, 0.1, 0.3, 0.7, 1.0]))
def test_no_more_changes_than_the_budget_allows(old, candidates, words, budget):
    candidates = [p for p in candidates if p not in old.ids]
    guard, refused = Guard(old, words, budget=budget), {}
    kept = list(guard.admit(candidates, refused))
    assert changed(old, kept, words) <= guard.allowed
    assert [p for p in candidates if p in {*kept, *refused}] == candidates
    for one in refused:  # none would have fitted in its place
        before = [p for p in kept if candidates.index(p) < candidates.index(one)]
        assert changed(old, [*before, one], words) > guard.allowed


@given(vocabularies, pieces, guards, st.lists(spelling, max_size=4))
def test_the_guard_holds_together_with_the_repair_of_unknowns(old, candidates, words, texts):
    candidates = [p for p in candidates if p not in old.ids]
    change = place_safely(old, candidates, 3, texts, guard=GuardedWords(words))
    assert changed(old, change.fresh_pieces, words) == 0
    for word in texts:
        assert old.segment(word) == ["[UNK]"] or change.new.segment(word) != ["[UNK]"]


@given(vocabularies, pieces)
def test_a_word_that_is_a_piece_guards_itself(old, candidates):
    new = old.place([p for p in candidates if p not in old.ids]).new
    for own in old.pieces[1:]:
        if not own.startswith("##"):
            assert new.segment(own) == old.segment(own) == [own]


# As an option -------------------------------------------------------------------------------------


@pytest.fixture
def english(tmp_path: Path) -> Path:
    file = tmp_path / "en.txt"
    file.write_text("dancing dancing dand\na unknown\n", "utf-8")
    return file


@pytest.mark.parametrize("method", [tva.change, char_first.change, greedy.change])
def test_methods_take_files_to_guard(method, english):
    lines = ["danco dancin " * 9]
    options = {"new_vocabulary": 40, "pieces": 20}
    if method is not greedy.change:  # chooses for unknown words only; the others choose danc
        options |= {"fill": True} if method is char_first.change else {"pad": True}
        free = method(OLD, lines, **options)
        assert changed(OLD, free.fresh_pieces, {"dancing": 1}) == 1
        assert free.refused == ()
    kept = method(OLD, lines, **options, guard=(str(english),))
    assert changed(OLD, kept.fresh_pieces, {"dancing": 1, "dand": 1}) == 0
    everything = method(OLD, lines, **options, guard=(str(english),), guard_budget=1.0)
    assert everything.refused == ()
