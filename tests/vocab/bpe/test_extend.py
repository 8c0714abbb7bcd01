"""Continued BPE: by hand, then what it promises, on vocabularies and words of all kinds."""

from collections.abc import Iterable, Mapping
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tokenizers import bpe
from tokenizers_made import (
    SCRIPTS,
    any_text,
    gpt2_like,
    lines_in,
    llama2_like,
    llama3_like,
)

from specialize.native import core
from specialize.vocab.bpe.character_classes import AllowedPairs, character_classes
from specialize.vocab.bpe.extend import continue_merges
from specialize.vocab.bpe.merges import merges_of
from specialize.vocab.bpe.model import BPE
from specialize.vocab.guard import GuardedWords
from specialize.vocab.marks import byte_letters
from specialize.vocab.train.byte_pairs import _merge_further, _merge_natively

BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def cuts(pieces: Iterable[str]) -> set[int]:
    """Return where pieces end, in bytes."""
    return set(accumulate(1 if p in BYTES else len(p.encode()) for p in pieces))


# By hand ------------------------------------------------------------------------------------------


def test_merging_goes_on_where_the_vocabulary_ends():
    """The old merge is ab. ab c stands 5 times, c ab 4 (in cab): then abc d, twice.

    abcd is ab c d: of its pairs ab c has 3 + 2. With abc there is abc d 2; cab is c ab 4.
    """
    old = bpe("abcd", [("a", "b")])
    words = {"abc": 3, "abcd": 2, "cab": 4}
    found = continue_merges(old, words, pieces=9, min_count=2)
    assert found.pieces == ["abc", "cab", "abcd"]
    assert continue_merges(old, words, pieces=9, min_count=5).pieces == ["abc"]
    assert continue_merges(old, words, pieces=2, min_count=1).pieces == ["abc", "cab"]
    change = old.place(found.pieces)
    assert change.new.described["model"]["merges"] == [
        ["a", "b"],
        ["ab", "c"],
        ["c", "ab"],
        ["abc", "d"],
    ]
    assert [change.new.segment(word) for word in words] == [["abc"], ["abcd"], ["cab"]]
    assert change.fresh == (6, 7, 8)
    assert change.kept == {i: i for i in range(6)}


def test_bytes_are_merged_into_letters():
    """U+2D30 is E2 B4 B0, and ten times there: E2 B4, then with B0; the word has its space."""
    letters = byte_letters()
    space, first, second, third = (letters[byte] for byte in b" \xe2\xb4\xb0")
    old = BPE(gpt2_like())
    words = old.count_words(["ⴰ ⴰ ⴰ ⴰ ⴰ"] * 2)
    letter = first + second + third
    assert words == {letter: 2, space + letter: 8}
    found = continue_merges(old, words, pieces=3).pieces
    # of pairs that are as frequent, that of the older pieces: bytes are in the order of Unicode
    assert found == [second + third, letter, space + letter]
    new = old.place(found).new
    assert new.tokenizer.decode(new.encode("ⴰ ⴰ")) == "ⴰ ⴰ"
    assert new.encode("ⴰ ⴰ") == [len(old.pieces) + 1, len(old.pieces) + 2]


def test_ties_go_to_the_older_pieces():
    assert continue_merges(bpe("abc"), {"ab": 2, "bc": 2, "ac": 2}, pieces=3).pieces == [
        "ab",
        "ac",
        "bc",
    ]
    assert continue_merges(bpe("cba"), {"ab": 2, "bc": 2, "ac": 2}, pieces=3).pieces == [
        "bc",
        "ac",
        "ab",
    ]


def test_a_piece_has_all_merges_that_spell_it():
    assert merges_of({"a": 0, "bc": 1, "ab": 2, "c": 3}, ["abc"]) == [["a", "bc"], ["ab", "c"]]
    assert merges_of({"a": 0, "b": 1, "c": 2}, ["abc", "bc"]) == [["b", "c"]]


def test_no_words_or_no_room_give_no_pieces():
    old = bpe("ab")
    assert continue_merges(old, {}, pieces=9).pieces == []
    assert continue_merges(old, {"ab": 9}, pieces=0).pieces == []
    assert continue_merges(old, {"a": 9, "": 3}, pieces=9).pieces == []


def test_with_byte_fallback_a_character_saves_its_bytes_less_one():
    """ⴰ is three bytes 4 times: saves 8; é two, 5 times: saves 5; ab 6 times, ⴰa 4 times."""
    old = bpe([*BYTES, *"ab"], byte_fallback=True)
    words = {"ⴰa": 4, "é": 5, "ab": 6}
    assert old.segment("ⴰa") == ["<0xE2>", "<0xB4>", "<0xB0>", "a"]
    assert continue_merges(old, words, pieces=9).pieces == ["ⴰ", "ab", "é", "ⴰa"]
    assert continue_merges(old, words, pieces=9, min_count=6).pieces == ["ⴰ", "ab"]
    assert old.place(["ⴰ"]).new.segment("ⴰéa") == ["ⴰ", "<0xC3>", "<0xA9>", "a"]
    assert continue_merges(old, {"éa": 5}, pieces=9, guard=GuardedWords({"é": 1})) == (
        [],
        ["é"],
    )  # none of bytes


def test_without_bytes_unknown_characters_become_pieces_and_words_known():
    old = bpe("ab")
    words = {"aşb": 4, "xa": 2, "ab": 1}
    found = continue_merges(old, words, pieces=9).pieces
    assert found == ["ş", "aş", "aşb", "x", "xa"]
    new = old.place(found).new
    assert [new.segment(word) for word in ("aşb", "xa")] == [["aşb"], ["xa"]]
    assert "<unk>" in new.segment("y")
    assert (
        continue_merges(old, words, pieces=9, guard=GuardedWords(words)).refused == []
    )  # unknown words may change


def test_a_word_that_is_a_piece_stays_whole_with_ignore_merges():
    """abc is a piece without a merge that leads to it, as in Llama 3."""
    old = bpe(["a", "b", "c", "abc"], [("b", "c")], ignore_merges=True)
    assert old.segment("abc") == ["abc"]
    assert old.segment("abca") == ["a", "bc", "a"]
    assert continue_merges(old, {"abc": 9}, pieces=9).pieces == []  # there is nothing to merge
    assert continue_merges(old, {"abcb": 5}, pieces=9).pieces == [
        "bcb",
        "abcb",
    ]  # a bc is one already
    new = old.place(["bcb", "abcb"]).new
    assert [new.segment(word) for word in ("abc", "abcb")] == [["abc"], ["abcb"]]
    assert continue_merges(old, {"abcb": 5}, pieces=9, guard=GuardedWords({"bcb": 1})) == (
        [],
        ["bcb"],
    )


# The extension ------------------------------------------------------------------------------------

SPELT = ("a", "b", "ab", "ba", "é", "▁", "▁a", "ş", "世", "\u0301", "😀")
ages = st.integers(0, 250_000) | st.integers(0xD7F0, 0xE010) | st.integers(0, 12)


@pytest.mark.skipif(not core(), reason="the native extension is not installed")
@settings(max_examples=300)
@given(
    words=st.dictionaries(
        st.lists(st.sampled_from(SPELT), max_size=9).map(tuple), st.integers(1, 6)
    ),
    old=st.lists(ages, min_size=len(SPELT), max_size=len(SPELT), unique=True),
    pieces=st.integers(0, 30),
    min_count=st.integers(1, 4),
    avoid=st.frozensets(st.lists(st.sampled_from(SPELT), min_size=2, max_size=4).map("".join)),
)
def test_the_extension_merges_the_same_pieces(words, old, pieces, min_count, avoid):
    known = dict(zip(SPELT, old, strict=True))
    defined = _merge_further(words, known, pieces, min_count, avoid)
    assert _merge_natively(words, known, pieces, min_count, avoid) == defined
    assert avoid.isdisjoint(piece for piece, _ in defined)


# What it promises ---------------------------------------------------------------------------------

LETTERS = "abc"
spelling = st.text(LETTERS, max_size=8)
counts = st.dictionaries(spelling, st.integers(1, 5), max_size=6)


@st.composite
def vocabularies(draw: st.DrawFn, letters: str = LETTERS) -> BPE:
    """A BPE with a few merges of what is there."""
    pieces, merges = list(letters), dict[tuple[str, str], None]()
    for i, k in draw(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=6)):
        pair = pieces[i % len(pieces)], pieces[k % len(pieces)]
        merges[pair] = None
        pieces.append("".join(pair))
    whole = draw(st.booleans())
    others = draw(st.lists(st.text(letters, min_size=2, max_size=4), max_size=2)) if whole else []
    by_bytes = draw(st.booleans())
    settings = {"ignore_merges": whole, "byte_fallback": by_bytes, "fuse_unk": draw(st.booleans())}
    return bpe([*(BYTES if by_bytes else ()), *letters, *others], merges, **settings)


def joined(old: BPE, new: BPE, words: Iterable[str]) -> None:
    """Check that ``new`` only joins pieces of ``old`` in each word that is known."""
    for word in words:
        before, after = cuts(old.segment(word)), cuts(new.segment(word))
        if len(word.encode()) in {0, *before} and old.unk not in old.segment(word):
            assert len(word.encode()) in {0, *after}
            assert after <= before, (word, old.segment(word), new.segment(word))


@given(vocabularies(), counts, st.lists(st.text("abcéş"), max_size=5), st.integers(0, 9))
def test_old_pieces_are_only_joined(old, words, others, pieces):
    found = continue_merges(old, words, pieces=pieces, min_count=1).pieces
    assert len(found) <= pieces
    joined(old, old.place(found).new, [*words, *others])


@given(vocabularies(), st.lists(st.text("abcé", min_size=1, max_size=4), unique=True))
def test_old_pieces_are_only_joined_for_any_new_pieces(old, pieces):
    """A character that was unknown may lead to more pieces, but its word was not known."""
    new = old.place([piece for piece in pieces if piece not in old.ids]).new
    texts = ["".join((a, b)) for a in ("", "a", "bc", "é") for b in pieces]
    joined(old, new, [*texts, "abcabc", "aabbcc", "cabé"])


MADE = {"GPT-2": gpt2_like, "Llama 3": llama3_like, "Llama 2": llama2_like}


@pytest.fixture(scope="module", params=[*MADE])
def extended(request: pytest.FixtureRequest) -> tuple[BPE, BPE]:
    """A vocabulary before and after it was continued on the toy language in two scripts."""
    old = BPE(MADE[request.param]())
    words = old.count_words([*lines_in("toy"), *lines_in("Latin")])
    return old, old.place(continue_merges(old, words, pieces=300).pieces).new


@given(line=any_text())
def test_no_text_gets_longer_in_any_script(extended, line):
    old, new = extended
    before, after = ([each.pieces[i] for i in each.encode(line)] for each in extended)
    assert len(after) <= len(before)
    assert cuts(after) <= cuts(before)
    assert new.tokenizer.decode(new.encode(line)) == old.tokenizer.decode(old.encode(line))


def test_text_of_the_new_language_gets_shorter(extended):
    old, new = extended
    for script in SCRIPTS:
        text = "\n".join(lines_in(script, seed=9))
        assert len(new.encode(text)) <= len(old.encode(text))
    toy = "\n".join(lines_in("toy", seed=9))
    assert len(new.encode(toy)) < 0.4 * len(old.encode(toy))


# What is kept apart -------------------------------------------------------------------------------


def test_classes_that_no_old_piece_joins_stay_apart():
    """▁l and .. are pieces: so letters follow the mark and points points, but no digit does."""
    old = bpe("▁al'.12", [("▁", "l"), (".", ".")])
    words = {"▁l'al": 9, "▁12": 9, "a1": 9, "..'": 9, "▁al": 9}
    assert continue_merges(old, words, pieces=9).pieces == ["al", "▁al", "..'"]
    more = bpe("▁al'.12", [("▁", "l"), (".", "."), ("1", "2"), ("▁", "1"), ("a", "1"), ("l", "'")])
    found = continue_merges(more, words, pieces=9).pieces
    assert found == ["al", "▁12", "▁al", "▁l'", "..'"]  # not '▁l'a: no piece joins ' and a letter


def test_single_characters_and_special_pieces_are_no_evidence_of_joins():
    old = bpe("a1")
    assert continue_merges(old, {"a1": 9, "11": 9}, pieces=9).pieces == ["a1", "11"]
    old = bpe(["a", "1", "2", "<1a>"], [("1", "2")])
    assert continue_merges(old, {"a1": 9, "aa": 9, "22": 9}, pieces=9).pieces == ["aa", "22"]


def test_bytes_are_classified_by_the_text_they_encode():
    """« is C2 AB and ë is C3 AB: a letter may follow ë, by the last byte of which « ends too."""
    letters = dict(zip(b"\xc2\xc3\xab", "ÂÃ«", strict=True))
    assert [byte_letters()[byte] for byte in letters] == [*letters.values()]
    old = BPE(gpt2_like())
    assert continue_merges(old, {"Ã«a": 9}, pieces=9).pieces == ["«a", "Ã«a"]
    assert continue_merges(old, {"Â«a": 9}, pieces=9).pieces == ["Â«"]
    assert continue_merges(old, {"ĠÂ«": 9}, pieces=9).pieces == ["Â«"]  # no old piece has Ġ so


ODD = "ab1▁.'é"


@settings(max_examples=300)
@given(vocabularies(ODD), st.dictionaries(st.text(ODD, max_size=8), st.integers(1, 5), max_size=6))
def test_new_pieces_join_only_what_old_ones_do(old, words):
    """The definition, by pieces."""
    known = {pair for p in old.pieces if p[0] != "<" for pair in pairwise(character_classes(p))}
    for piece in continue_merges(old, words, pieces=20, min_count=1).pieces:
        assert not known or {*pairwise(character_classes(piece))} <= known | {("L", "L")}


@given(vocabularies(ODD), st.text(ODD, min_size=1, max_size=8))
def test_nothing_else_is_kept_apart(old, word):
    known = {pair for p in old.pieces if p[0] != "<" for pair in pairwise(character_classes(p))}
    runs = ["".join(run) for run in AllowedPairs(old).runs([*word])]
    assert "".join(runs) == word
    for left, right in pairwise(runs):
        assert (character_classes(left)[-1], character_classes(right)[0]) not in known | {
            ("L", "L")
        }
    if not known or {*pairwise(character_classes(word))} <= known:
        assert runs == [word]


# Every new piece can be had -----------------------------------------------------------------------


def yields_all(old: BPE, found: list[str], words: Iterable[str]) -> None:
    """Check that each piece stands in a word once the pieces before it are there, and alone.

    Later pieces may take its place in every word, but nothing in its own spelling: no merge
    crossed its ends where it stood, so the merges inside are those of its spelling by itself.
    """
    for i, piece in enumerate(found):
        new = old.place(found[: i + 1]).new
        assert any(piece in new.segment(word) for word in words), piece
    new = old.place(found).new
    assert [new.segment(piece) for piece in found] == [[piece] for piece in found]


@given(vocabularies(), counts, st.integers(0, 9))
def test_every_new_piece_is_used_in_some_word(old, words, pieces):
    words = {word + tail: n for word, n in words.items() for tail in ("", "é")}
    yields_all(old, continue_merges(old, words, pieces=pieces, min_count=1).pieces, words)


@given(vocabularies(), counts, counts, st.integers(0, 9))
def test_every_new_piece_is_used_in_some_word_with_a_guard(old, words, guard, pieces):
    found = continue_merges(
        old, words, pieces=pieces, min_count=1, guard=GuardedWords(guard)
    ).pieces
    yields_all(old, found, words)


def test_all_new_pieces_of_a_trained_tokenizer_are_reachable(extended):
    old, new = extended
    fresh = new.pieces[len(old.pieces) :]
    assert [new.segment(piece) for piece in fresh] == [[piece] for piece in fresh]


# The guard ----------------------------------------------------------------------------------------


def changed(old: BPE, pieces: Iterable[str], guard: Mapping[str, int]) -> int:
    """The definition: occurrences of words whose pieces are others, of those that were known."""
    new = old.place(pieces).new
    known = {word: n for word, n in guard.items() if old.unk not in old.segment(word)}
    return sum(n for word, n in known.items() if new.segment(word) != old.segment(word))


guards = st.dictionaries(st.text("abcé", max_size=6), st.integers(1, 5), max_size=4)


@settings(max_examples=200)
@given(vocabularies(), guards, guards)
def test_nothing_of_the_guard_changes_and_no_piece_is_refused_in_vain(old, words, guard):
    found = continue_merges(old, words, pieces=6, min_count=1, guard=GuardedWords(guard))
    assert changed(old, found.pieces, guard) == 0
    free = continue_merges(old, words, pieces=6, min_count=1).pieces
    assert {*found.refused} <= {*free}
    for piece in free:
        if piece in found.refused:
            assert changed(old, [piece], guard) > 0


@settings(max_examples=200)
@given(vocabularies(), guards, guards, st.sampled_from([0.1, 0.3, 0.6, 1.0]))
def test_no_more_of_the_guard_changes_than_the_budget_allows(old, words, guard, budget):
    found = continue_merges(old, words, pieces=6, min_count=1, guard=GuardedWords(guard, budget))
    known = sum(n for word, n in guard.items() if old.unk not in old.segment(word))
    assert changed(old, found.pieces, guard) <= budget * known + 1e-9
    if budget == 1.0:
        assert found.refused == []
        assert found.pieces == continue_merges(old, words, pieces=6, min_count=1).pieces


def test_a_piece_beyond_the_budget_does_not_block_cheaper_ones():
    """ab changes 9 of 12 guarded occurrences, cd 3: a budget of a third is for cd."""
    old, words, guard = bpe("abcd"), {"ab": 9, "cd": 5}, {"ab": 9, "cd": 3}
    found = continue_merges(old, words, pieces=2, guard=GuardedWords(guard, 1 / 3))
    assert (found.pieces, found.refused) == (["cd"], ["ab"])


def test_a_guard_protects_its_language_in_a_trained_tokenizer(extended):
    old, _ = extended
    guard = old.count_words(lines_in("Latin", seed=9))
    words = old.count_words([*lines_in("toy"), *lines_in("Latin")])
    found = continue_merges(old, words, pieces=200, guard=GuardedWords(guard))
    new = old.place(found.pieces).new
    assert found.refused
    assert all(new.segment(word) == old.segment(word) for word in guard)
    assert len(found.pieces) > 100
