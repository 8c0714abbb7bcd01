"""New pieces dropped for guarded words of a Unigram."""

from hypothesis import given
from hypothesis import strategies as st
from small_tokenizers import unigram

from specialize.vocab.unigram.candidates import _EPSILON
from specialize.vocab.unigram.guard import Guard, least_worth


def test_of_the_pieces_in_a_changed_word_the_least_useful_for_its_cost_goes():
    """c is worth 1 for 2 occurrences, b 9 for 8, a 10 for 5."""
    changed = [(5, ["a", "b"]), (3, ["b"]), (2, ["c"])]
    worth = {"a": 10.0, "b": 9.0, "c": 1.0}
    assert least_worth(changed, 2, worth) == ["c"]
    assert least_worth(changed, 3, worth) == least_worth(changed, 10, worth) == ["c", "b"]
    assert least_worth(changed, 7, worth | {"b": 99.0}) == ["c", "a"]
    assert least_worth(changed, 8, worth | {"b": 99.0}) == ["c", "a", "b"]  # alone in 3
    assert least_worth(changed, 99, worth) == ["c", "b"]  # no more can be undone


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.sets(st.sampled_from("abcd"), min_size=1).map(sorted))
    ),
    st.integers(0, 50),
    st.fixed_dictionaries(dict.fromkeys("abcd", st.integers(1, 20))),
)
def test_no_more_go_than_have_to(changed, excess, worth):
    gone = least_worth(changed, excess, worth)
    freed = [
        sum(n for n, pieces in changed if {*pieces} & {*gone[:i]}) for i in range(len(gone) + 1)
    ]
    assert freed[-1] >= min(excess, sum(n for n, _ in changed))
    assert all(some < excess for some in freed[:-1])
    assert len({*gone}) == len(gone)


def test_a_piece_that_changes_too_much_gets_its_lower_score_before_being_dropped():
    """bac beats ▁aba c; at the score of b a c plus epsilon it does not, but still joins them."""
    old = unigram({"▁": -3.0, "a": -3.0, "b": -3.0, "c": -3.0, "▁ab": -4.0, "▁aba": -5.0})
    low = {"bac": old.score(["b", "a", "c"]) + 2 * _EPSILON}
    kept = Guard(old, {"▁abac": 1, "▁é": 1})
    assert kept.admitted({"bac": -0.5}, low, {"bac": 1.0}) == low
    assert kept.refused == {}
    assert Guard(old, {"▁abac": 1}).admitted(low, low, {"bac": 1.0}) == low
    both = Guard(old, {"▁abac": 1, "▁bac": 1}, budget=0.5)
    assert both.admitted({"bac": -0.5}, low, {"bac": 1.0}) == low  # one of the two may change
    assert both.admitted(low, {}, {"bac": 1.0}) == low
    none = Guard(old, {"▁abac": 1, "▁bac": 1})
    assert none.admitted({"bac": -0.5}, low, {"bac": 1.0}) == {}
    assert [*none.refused] == ["bac"]
