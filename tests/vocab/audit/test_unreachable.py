"""Pieces that no text yields: by hand, over all short texts, and in real vocabularies."""

import itertools
import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from small_tokenizers import byte_level, folding_unigram, inspected
from tokenizers import Tokenizer
from vocab_oracle import library_pieces, library_tokenizer

from specialize.vocab.audit.unreachable import CHANGED, DELETED, LONG, OTHERS, SPLIT
from specialize.vocab.formats.gpt2 import read_gpt2
from specialize.vocab.formats.tokenizer_json import read_wordpiece
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules

UNCASED = BertRules(strip_accents=True, lowercase=True)
RULES = [BertRules(), UNCASED, BertRules(lowercase=True), BertRules(clean=False, ideographs=False)]


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
    found = inspected(vocabulary).unreachable()
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
    """Pieces have two characters at most, so that one that can be yielded needs a text of four."""
    pieces = [*SPECIAL, *sorted(first), *sorted(f"##{piece}" for piece in later)]
    vocabulary = WordPiece(pieces, rules=rules)
    words = {word for text in TEXTS for word in vocabulary.words(text)}
    yielded = {piece for word in words for piece in vocabulary.segment(word)}
    assert set(inspected(vocabulary).unreachable().pieces) == set(pieces[len(SPECIAL) :]) - yielded


def test_pieces_of_other_families_are_tested_by_their_own_text() -> None:
    """b is not lost, though a text of b alone begins with ▁."""
    tokenizer = folding_unigram("▁", "a", "b", "▁a", "ﬁ", "a\u200cb", "b▁a")
    found = inspected(tokenizer).unreachable()
    assert found.pieces == {"ﬁ": CHANGED, "a\u200cb": DELETED, "b▁a": SPLIT}
    assert not found.exact
    assert found.untested == 2  # <unk> and <mask>


def test_a_byte_level_piece_without_merges_is_unreachable() -> None:
    tokenizer = byte_level(merges=[("a", "b")])
    described = json.loads(tokenizer.to_str())
    described["model"]["vocab"] |= {"Ġba": 257, "<|end|>": 258}
    found = inspected(Tokenizer.from_str(json.dumps(described))).unreachable()
    assert found.pieces == {"Ġba": OTHERS}
    assert found.untested == 128 + 1  # bytes that are no character, and the reserved piece


def test_multilingual_bert_has_pieces_that_no_text_yields(data: Path) -> None:
    """Continuing ideographs and punctuation, and three others; the library agrees on each."""
    vocabulary = read_wordpiece(data / "vocab" / "bert-base-multilingual-cased")
    lost = inspected(vocabulary).unreachable().pieces
    assert len(lost) == 6926
    assert [piece for piece in lost if not piece.startswith("##")] == ["<S>", "<T>", "..."]
    assert all(len(piece) == 3 for piece in lost if piece.startswith("##"))
    tokenizer = library_tokenizer(vocabulary)
    for piece in list(lost)[::50]:
        text = "a" + piece.removeprefix("##")
        assert piece not in library_pieces(tokenizer, text)


def test_all_pieces_of_gpt2_are_reachable(data: Path) -> None:
    assert inspected(read_gpt2(data / "vocab" / "gpt2")).unreachable().pieces == {}
