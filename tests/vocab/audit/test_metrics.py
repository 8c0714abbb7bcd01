"""Measures: values by hand, an outside oracle, and exhaustive checks on short texts."""

import itertools
import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tokenizers import byte_level
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from vocab_oracle import hard_text, library_pieces, library_tokenizer

from specialize.errors import DataError
from specialize.vocab.audit.audit import audit, audit_library
from specialize.vocab.audit.compare import Differences, SegmentationChange, differences
from specialize.vocab.audit.inspected import Inspected, InspectedLibrary, InspectedWordPiece
from specialize.vocab.audit.metrics import (
    bytes_per_piece,
    library_counts,
    parity,
    renyi_efficiency,
    wordpiece_counts,
)
from specialize.vocab.audit.normalizer_changes import CharacterChange
from specialize.vocab.audit.parity import Pairs, read_pairs
from specialize.vocab.audit.recommend import (
    FERTILITY_HIGH,
    FERTILITY_LOW,
    PARITY_EVEN,
    PARITY_FAR,
    UNKNOWN_FEW,
    UNKNOWN_PROVEN,
    Figures,
    Needed,
    figures,
    verdict,
)
from specialize.vocab.audit.unreachable import CHANGED, DELETED, LONG, OTHERS, SPLIT, Unreachable
from specialize.vocab.formats.gpt2 import read_gpt2
from specialize.vocab.formats.tokenizer_json import read_wordpiece
from specialize.vocab.piece_text import Speller
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules

UNCASED = BertRules(strip_accents=True, lowercase=True)
RULES = [BertRules(), UNCASED, BertRules(lowercase=True), BertRules(clean=False, ideographs=False)]
SMALL = WordPiece([*SPECIAL, "a", "b", "##b", "##c", ".", "ab"])


def inspected(opened: WordPiece | Tokenizer) -> Inspected:
    return InspectedWordPiece(opened) if isinstance(opened, WordPiece) else InspectedLibrary(opened)


def unreachable(opened: WordPiece | Tokenizer) -> Unreachable:
    return inspected(opened).unreachable()


def changed_characters(opened: WordPiece | Tokenizer, text: list[str]) -> list[CharacterChange]:
    return inspected(opened).changed_characters(text)


def compared(
    first: WordPiece | Tokenizer, second: WordPiece | Tokenizer, text: list[str], **more: int
) -> Differences:
    return differences(inspected(first), inspected(second), text, **more)


def unigram(*pieces: str) -> Tokenizer:
    tokenizer = Tokenizer(
        models.Unigram([("<unk>", 0.0), *((piece, -float(len(piece))) for piece in pieces)], 0)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Replace("\u200c", ""), normalizers.NFKC()]
    )
    tokenizer.add_special_tokens(["<mask>"])
    return tokenizer


# Numbers ------------------------------------------------------------------------------------------


def test_renyi_efficiency_of_three_pieces_by_hand() -> None:
    """Shares 1/2, 1/4, 1/4 at alpha 2: -log(1/4 + 1/16 + 1/16) / log 4."""
    assert renyi_efficiency([2, 1, 1], 4, alpha=2) == pytest.approx(math.log(8 / 3) / math.log(4))


@pytest.mark.parametrize(
    ("text", "alpha", "expected"),
    [
        ("pick @@ed pick @@l @@ed pick @@les", 2.5, 0.8265064834225245),
        ("pick @@e @@d pick @@l @@e @@d pick @@l @@e @@s", 2.5, 0.9204840242168808),
        ("pick @@ed pick @@l @@ed pick @@les", 1, 0.9211854965885544),
    ],
)
def test_renyi_efficiency_is_that_of_its_authors(text: str, alpha: float, expected: float) -> None:
    """The values in tokenization-scorer's tests; its V is the number of pieces that occur."""
    pieces = text.split()
    counts = [pieces.count(piece) for piece in set(pieces)]
    assert renyi_efficiency(counts, len(counts), alpha=alpha) == pytest.approx(expected)


def test_renyi_efficiency_has_its_bounds() -> None:
    assert renyi_efficiency([7] * 50, 50) == pytest.approx(1)
    assert renyi_efficiency([7], 50) == 0
    assert renyi_efficiency([7] * 5 + [0], 50) == renyi_efficiency([1] * 5, 50) < 1
    assert renyi_efficiency([], 50) is None
    assert renyi_efficiency([7], 1) is None


def test_bytes_per_piece_and_parity_by_hand() -> None:
    """A ab c, unknown: a | ab | [UNK] of 6 bytes; ab. ab."""
    ours, theirs = audit(SMALL, ["a ab c"]), audit(SMALL, ["ab"])
    assert bytes_per_piece(ours) == 2
    assert parity(ours, theirs) == 3
    nothing = audit(SMALL, [])
    assert bytes_per_piece(nothing) is parity(ours, nothing) is parity(nothing, ours) is None


# Counts of pieces ---------------------------------------------------------------------------------


@given(st.lists(hard_text(), max_size=4), st.sampled_from(RULES))
def test_pieces_are_counted_as_the_library_yields_them(lines: list[str], rules: BertRules) -> None:
    vocabulary = WordPiece(SMALL.pieces, rules=rules)
    tokenizer = library_tokenizer(vocabulary)
    expected = [piece for line in lines for piece in library_pieces(tokenizer, line)]
    found = wordpiece_counts(vocabulary, lines)
    assert found == {piece: expected.count(piece) for piece in expected}
    assert sum(found.values()) == audit(vocabulary, lines).pieces


@settings(max_examples=15)
@given(st.lists(st.text("ab ۋ.\u0301", max_size=12), max_size=4))
def test_pieces_are_counted_by_types_as_by_lines(lines: list[str]) -> None:
    tokenizer = byte_level(merges=[("a", "b"), ("Ġ", "ab")])
    by_lines = library_counts(tokenizer, lines, by_types=False)
    assert library_counts(tokenizer, lines, by_types=True) == by_lines
    assert sum(by_lines.values()) == audit_library(tokenizer, lines).pieces


# Unreachable pieces -------------------------------------------------------------------------------


def test_each_reason_for_an_unreachable_piece_is_found() -> None:
    bad = {
        "a.": SPLIT,
        "##.": SPLIT,
        "##世": SPLIT,
        "ab\u200c": DELETED,
        "É": CHANGED,
        "##é": CHANGED,
        "a" * 101: LONG,
        "##" + "a" * 100: LONG,
    }
    good = ["a", "ab", "世", ".", "##a", "##" + "a" * 98]
    vocabulary = WordPiece([*SPECIAL, "[unused1]", *good, *bad], rules=UNCASED)
    found = unreachable(vocabulary)
    assert found.pieces == bad
    assert (found.tested, found.untested, found.exact) == (len(good) + len(bad), 6, True)
    assert found.by_reason() == {SPLIT: 3, CHANGED: 2, LONG: 2, DELETED: 1}
    assert json.loads(json.dumps(found.to_json()))["count"] == len(bad)


TEXTS = ["".join(t) for n in range(1, 5) for t in itertools.product("abÉé.世", repeat=n)]


@settings(max_examples=60)
@given(
    st.sets(st.text("abÉé.世", min_size=1, max_size=2), min_size=1),
    st.sets(st.text("abÉé.世", min_size=1, max_size=2)),
    st.sampled_from(RULES),
)
def test_no_short_text_yields_an_unreachable_piece(
    first: set[str], later: set[str], rules: BertRules
) -> None:
    """Pieces have at most two characters, so texts of four reach every reachable piece."""
    pieces = [*SPECIAL, *sorted(first), *sorted(f"##{piece}" for piece in later)]
    vocabulary = WordPiece(pieces, rules=rules)
    words = {word for text in TEXTS for word in vocabulary.words(text)}
    yielded = {piece for word in words for piece in vocabulary.segment(word)}
    assert set(unreachable(vocabulary).pieces) == set(pieces[len(SPECIAL) :]) - yielded


def test_pieces_of_other_families_are_tested_by_their_own_text() -> None:
    """b is reachable, although a text of b alone begins with ▁."""
    tokenizer = unigram("▁", "a", "b", "▁a", "ﬁ", "a\u200cb", "b▁a")
    found = unreachable(tokenizer)
    assert found.pieces == {"ﬁ": CHANGED, "a\u200cb": DELETED, "b▁a": SPLIT}
    assert not found.exact
    assert found.untested == 2  # <unk> and <mask>


def test_a_byte_level_piece_without_merges_is_unreachable() -> None:
    tokenizer = byte_level(merges=[("a", "b")])
    described = json.loads(tokenizer.to_str())
    described["model"]["vocab"] |= {"Ġba": 257, "<|end|>": 258}
    found = unreachable(Tokenizer.from_str(json.dumps(described)))
    assert found.pieces == {"Ġba": OTHERS}
    assert found.untested == 128 + 1  # bytes that are not characters, and the reserved piece


def test_multilingual_bert_has_pieces_that_no_text_yields(data: Path) -> None:
    """Continuing ideographs and punctuation, and three more; the library agrees on each."""
    vocabulary = read_wordpiece(data / "vocab" / "bert-base-multilingual-cased")
    lost = unreachable(vocabulary).pieces
    assert len(lost) == 6926
    assert [piece for piece in lost if not piece.startswith("##")] == ["<S>", "<T>", "..."]
    assert all(len(piece) == 3 for piece in lost if piece.startswith("##"))
    tokenizer = library_tokenizer(vocabulary)
    for piece in list(lost)[::50]:
        text = "a" + piece.removeprefix("##")
        assert piece not in library_pieces(tokenizer, text)


def test_all_pieces_of_gpt2_are_reachable(data: Path) -> None:
    assert unreachable(read_gpt2(data / "vocab" / "gpt2")).pieces == {}


# Changed characters -------------------------------------------------------------------------------


def test_stripping_accents_changes_letters() -> None:
    """Not deleted (the joiner), white space, nor a special piece."""
    vocabulary = WordPiece(SMALL.pieces, rules=UNCASED)
    found = changed_characters(vocabulary, ["ӱнжӱ Aa\u200c [MASK]", "e\u0301\u3000ӱ"])
    assert found == [
        CharacterChange("ӱ", "у", 3),
        CharacterChange("A", "a", 1),
        CharacterChange("\u0301", "", 1),
    ]
    assert found[0].to_json() == {"from": "ӱ", "to": "у", "count": 3}
    assert changed_characters(SMALL, ["ӱA"]) == []


def test_a_library_normaliser_is_asked_for_each_character() -> None:
    tokenizer = unigram("a")
    assert changed_characters(tokenizer, ["ﬁ a\u200cﬁ"]) == [CharacterChange("ﬁ", "fi", 2)]
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.NFKC()])
    assert changed_characters(tokenizer, ["ﬁ a"]) == [CharacterChange("ﬁ", "fi", 1)]
    assert changed_characters(byte_level(merges=[]), ["ﬁ"]) == []


# Two tokenizers -----------------------------------------------------------------------------------


def test_words_segmented_differently_by_hand() -> None:
    """Same: a. Longer: abc, ab ##c -> a ##b ##c, two occurrences. Shorter: none."""
    other = WordPiece([piece for piece in SMALL.pieces if piece != "ab"])
    found = compared(SMALL, other, ["a abc abc.", "ۋ"])
    assert (found.unit, found.words, found.types) == ("word", 5, 4)
    assert (found.changed, found.longer, found.shorter, found.changed_types) == (2, 2, 0, 1)
    assert found.examples == [SegmentationChange("abc", 2, ["ab", "##c"], ["a", "##b", "##c"])]
    assert found.share == found.to_json()["share"] == 2 / 5
    assert compared(SMALL, SMALL, ["a abc"]).share == 0


def test_families_are_compared_by_the_letters_of_their_pieces() -> None:
    """ab is one piece in both, b. are two; abۋ is unknown in one, bytes in the other."""
    found = compared(SMALL, byte_level(merges=[("a", "b"), ("Ġ", "ab")]), ["ab ab abۋ b."])
    assert (found.unit, found.words, found.covered) == ("token", 4, 1)
    assert found.examples == [SegmentationChange("abۋ", 1, ["[UNK]"], ["ab", "<DB>", "<8B>"])]
    known = WordPiece([*SMALL.pieces, "##a"])
    assert compared(known, unigram("▁", "a", "b", "▁a", "."), ["a b."]).changed == 0


def test_the_most_frequent_tokens_are_compared() -> None:
    found = compared(SMALL, byte_level(merges=[]), ["a a a b"], tokens=1)
    assert (found.words, found.types, found.covered) == (3, 1, 0.75)


def test_markers_of_each_family_are_removed_from_pieces() -> None:
    speller = Speller(byte_level(merges=[]))
    assert speller.bytes("Ġab") == b" ab"
    assert speller.text("Û") is None
    assert speller.readable("Û") == "<DB>"
    speller = Speller(unigram("▁a", "<0xDB>"))
    assert (speller.bytes("▁a"), speller.bytes("<0xDB>")) == (b" a", b"\xdb")
    assert (speller.bytes("<unk>"), speller.text("<mask>")) == (None, None)


# Parallel text ------------------------------------------------------------------------------------


def test_pairs_are_lines_beside_lines_or_two_columns(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\n\nthree\n", "utf-8")
    (tmp_path / "b.txt").write_text("eins\nzwei\ndrei\n", "utf-8")
    expected = Pairs(["one", "three"], ["eins", "drei"], skipped=1)
    assert read_pairs(tmp_path / "b.txt", tmp_path / "a.txt") == expected
    (tmp_path / "c.tsv").write_text("one\teins\n\tzwei\nthree\tdrei\n", "utf-8")
    assert read_pairs(tmp_path / "c.tsv") == expected
    (tmp_path / "d.tsv").write_text("one\teins\n\nthree\tdrei\n", "utf-8")
    assert read_pairs(tmp_path / "d.tsv") == expected


def test_pairs_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n", "utf-8")
    (tmp_path / "b.txt").write_text("eins\n", "utf-8")
    with pytest.raises(DataError, match=r"b\.txt:2: 1 lines, where .*a\.txt has 2"):
        read_pairs(tmp_path / "b.txt", tmp_path / "a.txt")
    (tmp_path / "c.tsv").write_text("one\teins\ntwo\n", "utf-8")
    with pytest.raises(DataError, match=r"c\.tsv:2: 1 column"):
        read_pairs(tmp_path / "c.tsv")


# Verdicts -----------------------------------------------------------------------------------------


def known(**changes: object) -> Figures:
    plain = {"words": 100, "unknown_words": 0.0, "fertility": 1.8}
    return Figures(**plain | {"missing": 0, "missing_letters": 0.0} | changes)  # type: ignore[arg-type]


LETTERS = {"missing": 3, "missing_letters": 1.0}


@pytest.mark.parametrize(
    ("changes", "pays"),
    [
        ({"words": 0}, "not known"),
        ({"unknown_words": UNKNOWN_PROVEN, **LETTERS}, "yes"),
        ({"unknown_words": UNKNOWN_PROVEN - 0.01, **LETTERS}, "likely"),
        ({"unknown_words": UNKNOWN_FEW, **LETTERS}, "likely"),
        ({"unknown_words": 0.05, "missing": 3, "missing_letters": 0.01}, "no"),
        ({"unknown_words": 0.05}, "not known"),  # words too long
        ({"unknown_words": UNKNOWN_FEW / 2, **LETTERS}, "not known"),
        ({"fertility": FERTILITY_LOW}, "no"),
        ({"fertility": 1.8}, "not known"),
        ({"fertility": FERTILITY_HIGH}, "perhaps"),
        ({"fertility": 9.0, "parity": PARITY_EVEN}, "no"),
        ({"parity": 1.4}, "not known"),
        ({"fertility": 1.0, "parity": PARITY_FAR}, "perhaps"),
    ],
)
def test_verdicts_follow_what_was_measured(changes: dict[str, object], pays: str) -> None:
    found = verdict(known(**changes))
    assert found.pays == pays
    assert found.sentence.endswith(".")
    assert "nan" not in found.sentence
    assert json.loads(json.dumps(found.to_json()))["figures"]["words"] == changes.get("words", 100)


def test_a_verdict_says_how_many_pieces_are_needed() -> None:
    needed = Needed(pieces=425, left=0.0, slots=99, left_by_slots=0.0037)
    reason = verdict(known(unknown_words=0.355, needed=needed, **LETTERS)).reason
    assert "425 one-character pieces leave none, the first 99 (its free slots) 0.37 %" in reason
    reason = verdict(known(unknown_words=0.355, **LETTERS)).reason
    assert "they lack 3 characters" in reason


def test_figures_distinguish_letters_from_symbols() -> None:
    found = figures(audit(SMALL, ["a – – ۋ"]), parity=1.5)
    assert (found.words, found.unknown_words, found.missing) == (4, 0.75, 2)
    assert (found.missing_letters, found.parity) == (1 / 3, 1.5)
