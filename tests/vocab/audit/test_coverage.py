"""Effects of new pieces on words, by hand and by brute force."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specialize.vocab.audit.coverage import (
    PieceFacts,
    WordFix,
    coverage,
    explain,
    with_sources,
    write_pieces,
)
from specialize.vocab.base import unchanged
from specialize.vocab.wordpiece.model import WordPiece

pytestmark = pytest.mark.usefixtures("both_ways")

OLD = WordPiece(["[UNK]", "[unused1]", "a", "##a", "b", "##b", "##cd"])
WORDS = {"aş": 3, "aşa": 5, "ab": 9, "şşş": 2, "bş": 3, "abcd": 1}


def test_pieces_are_explained_in_order_of_selection():
    change = OLD.place(["##ş", "ab"])
    assert explain(change, WORDS) == [
        PieceFacts(
            "##ş",
            1,
            11,
            [
                WordFix("aşa", 5, ["[UNK]"], ["a", "##ş", "##a"]),
                WordFix("aş", 3, ["[UNK]"], ["a", "##ş"]),
                WordFix("bş", 3, ["[UNK]"], ["b", "##ş"]),
            ],
        ),
        PieceFacts(
            "ab",
            7,
            0,  # it replaces no unknown, but its words are shown
            [
                WordFix("ab", 9, ["a", "##b"], ["ab"]),
                WordFix("abcd", 1, ["a", "##b", "##cd"], ["ab", "##cd"]),
            ],
            saved=10,  # a ##b each time
        ),
    ]


def test_coverage_counts_unknown_pieces_among_all_after_each_piece():
    """Without new pieces, 13 words are unknown, and ab and abcd have 18 + 3 pieces."""
    change = OLD.place(["##ş", "ab", "ş"])
    assert coverage(change, WORDS) == [
        (0, 13 / (13 + 18 + 3)),
        (1, 2 / (6 + 15 + 18 + 2 + 6 + 3)),
        (2, 2 / (6 + 15 + 9 + 2 + 6 + 2)),
        (3, 0.0),
    ]


def test_coverage_sees_a_piece_that_makes_a_word_unknown():
    """abcd: a ##b ##cd; with ##bc, a ##bc is a dead end."""
    assert coverage(OLD.place(["##bc"]), {"abcd": 1}) == [(0, 0.0), (1, 1.0)]


def test_without_pieces_there_is_one_point():
    assert coverage(unchanged(OLD), {"ab": 1, "x": 1}) == [(0, 1 / 3)]
    assert coverage(unchanged(OLD), {}) == [(0, 0.0)]


def test_no_more_points_than_asked_for_and_both_ends():
    change = OLD.place([f"##{chr(0x400 + i)}" for i in range(99)])
    points = [k for k, _ in coverage(change, WORDS, steps=10)]
    assert points == [0, 10, 20, 30, 40, 50, 59, 69, 79, 89, 99]


def test_facts_are_json_and_tables(tmp_path):
    facts = [asdict(piece) for piece in explain(OLD.place(["##ş"]), WORDS)]
    assert json.loads(json.dumps(facts)) == facts
    write_pieces(facts, tmp_path / "vocab")
    table = (tmp_path / "vocab" / "pieces.tsv").read_text("utf-8")
    assert table == (
        "rank\tid\tpiece\treplaced_unknowns\tsaved_pieces\ttext\tinitial_row\n"
        "1\t1\t##ş\t11\t0\t##ş\t\n"
    )
    fixes = (tmp_path / "vocab" / "words_fixed.tsv").read_text("utf-8").splitlines()
    assert fixes[1] == "##ş\taşa\t5\t[UNK]\ta ##ş ##a"


def test_pieces_are_given_the_sources_of_their_rows():
    assert with_sources([{"piece": "a"}], ("mean of b",)) == [
        {"piece": "a", "initial_row": "mean of b"}
    ]
    assert with_sources([{"piece": "a"}], ()) == [{"piece": "a"}]


@given(
    st.lists(st.text("abc", min_size=1, max_size=3), max_size=6, unique=True),
    st.lists(st.text("abc", min_size=2, max_size=3), max_size=6, unique=True),
    st.dictionaries(st.text("abcd", min_size=1, max_size=8), st.integers(1, 9), max_size=6),
    st.integers(1, 8),
)
def test_coverage_is_exact_for_any_vocabulary(initial, continuing, words, steps):
    fresh = [p for p in [*initial, *(f"##{c}" for c in continuing)] if p not in OLD.ids]
    for k, share in coverage(OLD.place(fresh), words, steps=steps):
        vocabulary = OLD.place(fresh[:k]).new
        pieces = {word: vocabulary.segment(word) for word in words}
        unknown = sum(n for word, n in words.items() if pieces[word] == ["[UNK]"])
        total = sum(n * len(pieces[word]) for word, n in words.items())
        assert share == (unknown / total if total else 0.0)


def test_tabs_and_line_ends_stay_in_their_cell(tmp_path):
    fix = asdict(WordFix("\ta", 2, ["\t", "a"], ["\ta\n"]))
    facts = {"piece": "\ta\n", "id": 7, "replaced_unknowns": 0, "saved": 2, "words": [fix]}
    write_pieces([facts | {"text": "\u2028", "initial_row": "mean of \t"}], tmp_path)
    assert (tmp_path / "pieces.tsv").read_text("utf-8").splitlines()[1:] == [
        "1\t7\t\\ta\\n\t0\t2\t\\u2028\tmean of \\t"
    ]
    assert (tmp_path / "words_fixed.tsv").read_text("utf-8").splitlines()[1:] == [
        "\\ta\\n\t\\ta\t2\t\\t a\t\\ta\\n"
    ]
