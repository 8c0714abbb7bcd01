"""New pieces that change guarded words of a BPE, by hand."""

from small_tokenizers import bpe

from specialize.vocab.bpe.guard import Guard, lacking

OLD = bpe("abcd", [("a", "b")])


def test_a_piece_that_merges_neighbours_changes_a_word():
    """abcd is ab c d, cab is c ab; é is unknown, so its word is not guarded."""
    guard = Guard(OLD, {"abcd": 3, "cab": 2, "éc": 9})
    assert dict(guard.changes) == {"abc": {0}, "cd": {0}, "cab": {1}}
    assert (guard.occurrences, guard.allowed) == (5, 0)


def test_a_whole_word_match_changes_if_the_word_becomes_a_piece():
    guard = Guard(bpe("abc", [("a", "b")], ignore_merges=True), {"abcc": 1})
    assert guard.changes.keys() == {"abc", "cc", "abcc"}


def test_the_budget_goes_to_the_pieces_that_come_first():
    guard = Guard(OLD, {"abcd": 3, "cab": 2}, budget=0.5)
    assert guard.admitted(["cd", "cab", "dd"]) == {"cab", "dd"}
    assert guard.admitted(["dd", "cd", "abc"]) == {"dd"}
    whole = Guard(OLD, {"abcd": 3, "cab": 2}, budget=0.6)
    assert whole.admitted(["cd", "abc", "cab"]) == {"cd", "abc"}  # of one word


def test_characters_without_a_piece_are_lacking_if_unknown_or_bytes():
    assert lacking(OLD, "aéb", OLD.segment("aéb")) == ["é"]
    assert lacking(OLD, "abé", ["ab"]) == []  # as if known
    assert lacking(bpe("ab", byte_fallback=True), "aéb", ["a"]) == ["é"]
