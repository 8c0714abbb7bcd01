"""Methods of choosing pieces: each by hand, then common properties, then real Uyghur."""

import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.augment import char_first, greedy, none, tva
from specialize.corpus import CorpusFiles, open_corpus
from specialize.errors import DataError, UsageError
from specialize.vocab.counting.words import count_words
from specialize.vocab.formats.tokenizer_json import read_wordpiece
from specialize.vocab.wordpiece.characters import Spelling, missing_characters
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.wordpiece.safe_extend import place_safely

pytestmark = pytest.mark.usefixtures("both_ways")

LETTERS = "abcd"
CLOSED = WordPiece(
    [SPECIAL[0], "[unused1]", "[unused2]", *SPECIAL[1:], *LETTERS, *(f"##{c}" for c in LETTERS)]
)
OPEN = WordPiece(["[UNK]", "a", "##b", "##cd"])
ALL = [
    partial(tva.change, min_count=1, new_vocabulary=60, pieces=6),
    partial(tva.change, preset="as_released", min_count=1, new_vocabulary=60, pieces=6),
    partial(char_first.change, pieces=6),
    partial(greedy.change, min_count=1, new_vocabulary=60, pieces=6),
]


def unknown_words(vocabulary: WordPiece, lines: list[str]) -> list[str]:
    return [w for w in count_words(lines) if vocabulary.segment(w) == [vocabulary.unk]]


# tva ----------------------------------------------------------------------------------------------


def test_tva_takes_the_pieces_that_replace_the_most_unknowns():
    """şa (6 times) becomes a piece of V, aş (5 times) another; ab is known, so not counted."""
    change = tva.change(CLOSED, ["şa " * 6 + "aş " * 5, "ab " * 9], pieces=3)
    assert change.fresh_pieces == ["şa", "aş"]
    assert change.fresh == (1, 2)


def test_as_released_pads_and_counts_tokens():
    lines = ["şa " * 6, "ab " * 9]
    assert tva.change(CLOSED, lines, pieces=3).fresh_pieces == ["şa"]
    padded = tva.change(CLOSED, lines, pieces=3, preset="as_released")
    assert padded.fresh_pieces == ["şa", "ab", "ş"]  # the last is in V but never needed
    assert tva.change(CLOSED, lines, pieces=2, pad=True).fresh_pieces == ["şa", "ab"]
    assert tva.change(CLOSED, lines, preset="as_released", pad=False).fresh_pieces == ["şa"]


def test_pieces_choose_the_most_credited_only():
    change = tva.change(CLOSED, ["şa " * 6 + "aş " * 7], pieces=1)
    assert change.fresh_pieces == ["aş"]


def test_embert_is_a_setting_of_tva():
    """All new pieces of V, appended."""
    lines = ["şa " * 6, "ab " * 9]
    change = tva.change(
        CLOSED, lines, pieces=5000, new_vocabulary=5000, slots=False, pad=True, min_count=1
    )
    assert set(change.fresh_pieces) == {
        "ş",
        "şa",
        "ab",
    }  # V: forms of letters that occur, and merges
    assert change.new.pieces[: len(CLOSED.pieces)] == CLOSED.pieces


@pytest.mark.parametrize("method", [tva.change, greedy.change])
def test_more_pieces_than_the_new_vocabulary_are_refused(method):
    wrong = r"expected pieces of at most new_vocabulary = 50, got 100"
    with pytest.raises(UsageError, match=wrong):
        method(CLOSED, ["ab"], pieces=100, new_vocabulary=50)


def test_unknown_option_values_are_refused():
    with pytest.raises(UsageError, match="unknown preset 'papers'; known: paper, as_rel"):
        tva.change(CLOSED, ["ab"], preset="papers")
    with pytest.raises(UsageError, match="unknown unit 'line'; known: word, token"):
        tva.change(CLOSED, ["ab"], unit="line")
    with pytest.raises(UsageError, match="expected pieces of 0 or more, got -1"):
        tva.change(CLOSED, ["ab"], pieces=-1)


# char_first ---------------------------------------------------------------------------------------


def test_missing_characters_come_in_the_forms_needed_most_needed_first():
    """5 occurrences lack ##ş, 4 lack ş, 3 lack ##x; aşxş needs both of its forms."""
    change = char_first.change(CLOSED, ["aş aş şa şb", "aşxş axa axb", "şa şa"])
    assert change.fresh_pieces == ["ş", "##ş", "##x"]
    assert unknown_words(change.new, ["aş aş şa şb", "aşxş axa axb", "şa şa"]) == []


def test_counts_exclude_words_already_made_known():
    """With ##ş, its 5 words are known except aşx (2); then 2 lack ##x and 3 lack y."""
    lines = ["aş aş aş aşx aşx", "ya ya ya"]
    assert char_first.change(CLOSED, lines).fresh_pieces == ["##ş", "y", "##x"]
    assert char_first.change(CLOSED, lines, pieces=2).fresh_pieces == ["##ş", "y"]


def test_rare_characters_get_no_piece():
    assert char_first.change(CLOSED, ["aş aş ax"], min_count=2).fresh_pieces == ["##ş"]


def test_a_character_covered_by_a_longer_piece_is_not_missing():
    """acdş: a ##cd then ##ş; ##c and ##d are not pieces, but not needed either."""
    assert char_first.change(OPEN, ["acdş"]).fresh_pieces == ["##ş"]


def test_the_rest_of_the_pieces_is_filled_as_by_tva():
    lines = ["şa " * 6 + "ab " * 9]
    change = char_first.change(CLOSED, lines, pieces=3, fill=True)
    assert change.fresh_pieces == ["ş", "şa", "ab"]
    assert char_first.change(CLOSED, lines, pieces=1, fill=True).fresh_pieces == ["ş"]


@given(st.lists(st.text("abcdşx", min_size=1, max_size=6), min_size=1, max_size=10))
def test_enough_characters_leave_no_unknown_and_each_is_needed(words):
    for vocabulary in (CLOSED, OPEN):
        change = char_first.change(vocabulary, words)
        assert unknown_words(change.new, words) == []
        for left_out in change.fresh_pieces if vocabulary is CLOSED else ():
            rest = [p for p in change.fresh_pieces if p != left_out]
            assert unknown_words(vocabulary.place(rest).new, words)


# greedy -------------------------------------------------------------------------------------------


def test_greedy_takes_the_piece_that_makes_most_words_known_given_those_before():
    """##ş fixes aş and bş (7); then x or xa fixes xa (4): characters win ties."""
    lines = ["aş " * 4 + "bş " * 3 + "xa " * 4]
    assert greedy.change(CLOSED, lines, min_count=2).fresh_pieces == ["##ş", "x"]


def test_greedy_prefers_one_piece_to_two_characters():
    """şxa lacks ş and ##x: no character fixes it, the merged piece does."""
    lines = ["şxa " * 5]
    assert greedy.change(CLOSED, lines, min_count=1).fresh_pieces in (["şx"], ["şxa"])


def test_greedy_falls_back_to_the_character_that_most_words_lack():
    """No pair is frequent enough to merge, and each word lacks two characters."""
    lines = ["şax", "şay", "şaz"]
    change = greedy.change(CLOSED, lines, min_count=9)
    assert change.fresh_pieces == ["ş", "##x", "##y", "##z"]


def simply_greedy(vocabulary: WordPiece, lines: list[str], candidates: list[str]) -> list[str]:
    """Brute force: try every candidate on every word."""
    counts, chosen = count_words(lines), []

    def unknown(pieces: list[str]) -> dict[str, int]:
        new = vocabulary.place(pieces).new
        return {w: n for w, n in counts.items() if new.segment(w) == ["[UNK]"]}

    while left := unknown(chosen):
        gains = dict.fromkeys((c for c in candidates if c not in chosen), 0)
        for piece in gains:
            gains[piece] = sum(n for w, n in left.items() if w not in unknown([*chosen, piece]))
        best = max(gains, key=gains.__getitem__)
        if not gains[best]:
            best = next(missing_characters(vocabulary.place(chosen).new, counts))
        chosen.append(best)
    return chosen


@settings(max_examples=40)
@given(st.lists(st.text("abşx", min_size=1, max_size=5), min_size=1, max_size=8))
def test_greedy_equals_brute_force(words):
    change = greedy.change(CLOSED, words, min_count=1, new_vocabulary=200)
    spelling = Spelling(CLOSED, count_words(words))
    from specialize.vocab.train.retrain import train_like

    new = train_like(CLOSED, count_words(words), size=200, min_count=1, alphabet=1000)
    merged = [p for p in new.pieces if p not in CLOSED.ids]
    candidates = list(dict.fromkeys([*spelling.needs, *merged]))
    assert change.fresh_pieces == simply_greedy(CLOSED, words, candidates)


# Repair -------------------------------------------------------------------------------------------


def test_a_piece_that_makes_a_known_word_unknown_is_left_out():
    """abcd: a ##b ##cd; with ##bc it is a ##bc, and no piece continues with d."""
    change = place_safely(OPEN, ["##bc", "##e", "##f"], 2, ["abcd"])
    assert change.fresh_pieces == ["##e", "##f"]
    assert change.dropped == ("##bc",)
    assert change.new.segment("abcd") == ["a", "##b", "##cd"]


def test_the_last_new_piece_before_a_dead_end_is_dropped():
    """ab is harmless; ##bc after it is not."""
    vocabulary = WordPiece(["[UNK]", "x", "##a", "##b", "##cd"])
    change = place_safely(vocabulary, ["xa", "##bc"], 2, ["xabcd"])
    assert (change.fresh_pieces, change.dropped) == (["xa"], ("##bc",))


def test_text_of_old_pieces_must_stay_known():
    """No word of the corpus becomes unknown, but the text of the piece ##abcd does."""
    vocabulary = WordPiece([*OPEN.pieces, "##abcd"])
    assert place_safely(vocabulary, ["##bc"], 1, []).dropped == ("##bc",)


def test_with_a_closed_alphabet_nothing_needs_repair():
    vocabulary = WordPiece([*CLOSED.pieces, "##cd"])
    change = place_safely(vocabulary, ["##bc"], 1, ["abcd"])
    assert (change.fresh_pieces, change.dropped) == (["##bc"], ())


def test_no_more_candidates_are_computed_than_needed():
    def candidates():
        yield from ["##x", "##x", "##y"]
        raise AssertionError("one too many")

    assert place_safely(OPEN, candidates(), 2, []).fresh_pieces == ["##x", "##y"]


# All methods --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ALL)
@given(
    pieces=st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=6, unique=True),
    marked=st.lists(st.booleans(), min_size=6, max_size=6),
    words=st.lists(st.text("abcdx", min_size=1, max_size=6), min_size=1, max_size=8),
)
@settings(max_examples=40)
def test_known_words_stay_known_and_old_pieces_keep_their_ids(method, pieces, marked, words):
    marked_pieces = [f"##{p}" if m else p for p, m in zip(pieces, marked, strict=False)]
    vocabulary = WordPiece(list(dict.fromkeys([*SPECIAL, "[unused1]", *marked_pieces])))
    change = method(vocabulary, words)
    assert set(unknown_words(change.new, words)) <= set(unknown_words(vocabulary, words))
    for new, old in change.kept.items():
        assert change.new.pieces[new] == vocabulary.pieces[old]
    assert len(change.fresh) <= 6
    assert not set(change.fresh_pieces) & set(vocabulary.pieces)
    assert len(change.kept) + len(change.fresh) == len(change.new.pieces)


@pytest.mark.parametrize("method", ALL)
def test_an_empty_corpus_is_refused(method):
    for lines in ([], ["", " \u200c\n"]):
        with pytest.raises(DataError, match="expected a corpus with words, got none"):
            method(CLOSED, lines)


def test_none_adds_nothing():
    change = none.change(CLOSED, [])
    assert (change.new, change.fresh, change.dropped) == (CLOSED, (), ())


PROGRAM = """
from test_wordpiece_methods import ALL, CLOSED, some_text
print([method(CLOSED, some_text()).fresh_pieces for method in ALL])
"""


def some_text() -> list[str]:
    random = Random(3)
    types = ["".join(random.choices("abcdşxyz", k=random.randint(1, 7))) for _ in range(80)]
    return [" ".join(random.choices(types, k=9)) for _ in range(40)]


def test_the_selection_does_not_depend_on_the_hash_seed():
    paths = ":".join([str(Path(__file__).parent), *sys.path])
    outputs = Counter(
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    )
    assert len(outputs) == 1


# Uyghur -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def uyghur(data):
    """Multilingual BERT's vocabulary, and the UD treebank's train and dev sentences."""
    folder = data / "ud" / "UD_Uyghur-UDT"
    vocabulary = read_wordpiece(data / "vocab" / "bert-base-multilingual-cased" / "vocab.txt")
    train, dev = (
        list(open_corpus(CorpusFiles((str(folder / f"{part}.conllu.xz"),), dev=0)))
        for part in ("train", "dev")
    )
    return vocabulary, train, count_words(dev)


def unknown_share(vocabulary: WordPiece, counts: Counter[str]) -> float:
    unknown = sum(n for w, n in counts.items() if vocabulary.segment(w) == ["[UNK]"])
    return unknown / counts.total()


@pytest.mark.parametrize("preset", ["paper", "as_released"])
def test_tva_reproduces_the_released_selection_for_uyghur(uyghur, preset):
    """38.7 % of the words of UD dev are unknown; 1.55 % after the authors' selection."""
    vocabulary, train, dev = uyghur
    change = tva.change(vocabulary, train, preset=preset)
    assert len(change.fresh) == 99
    assert change.fresh == tuple(range(1, 100))
    assert unknown_share(vocabulary, dev) == pytest.approx(0.387, abs=0.001)
    assert unknown_share(change.new, dev) == pytest.approx(0.0155, abs=0.001)


def test_nine_characters_do_more_for_uyghur_than_99_pieces(uyghur):
    """One word remains, with a character that the training sentences lack."""
    vocabulary, train, dev = uyghur
    change = char_first.change(vocabulary, train)
    assert change.fresh_pieces[:5] == ["##ە", "##ې", "##ۈ", "##ۋ", "ۋ"]
    assert len(change.fresh) == 9
    assert unknown_share(change.new, dev) <= 1 / dev.total()


def test_greedy_also_leaves_no_unknown_in_uyghur(uyghur):
    vocabulary, train, dev = uyghur
    assert unknown_share(greedy.change(vocabulary, train).new, dev) <= 1 / dev.total()
