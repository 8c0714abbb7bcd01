"""The protocol of every family: text and words to ids, and pieces within words."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentencepiece import SentencePieceTrainer
from tokenizers import Tokenizer
from tokenizers_made import any_text, gpt2_like, latin, llama2_like, llama3_like, xlmr_like
from vocab_oracle import LETTERS, hard_text

from specialize.vocab.base import VocabChange, Vocabulary
from specialize.vocab.bpe.model import BPE
from specialize.vocab.formats.sentencepiece import read_sentencepiece
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

LIBRARY: dict[str, Callable[[], Any]] = {
    "gpt2": gpt2_like,
    "llama3": llama3_like,
    "llama2": llama2_like,
    "xlmr": xlmr_like,
}
FAMILIES = ["wordpiece", *LIBRARY]


@cache
def vocabulary(name: str) -> BPE | Unigram | WordPiece:
    if name == "wordpiece":
        letters = [*LETTERS, *"defghijklmnoprstuvyz", "ab", "."]
        return WordPiece([*SPECIAL, *letters, *(f"##{c}" for c in letters[:-1])])
    described = LIBRARY[name]()
    return Unigram(described) if name == "xlmr" else BPE(described)


def spelt(name: str, words: list[str]) -> list[str]:
    found = vocabulary(name)
    return [" ".join(found.pieces[i] for i in ids) for ids in found.encode_words(words)]


# A text and its lines -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
@given(lines=st.lists(any_text() | hard_text(), max_size=4))
def test_lines_are_encoded_together_as_alone(name: str, lines: list[str]) -> None:
    family: Vocabulary = vocabulary(name)
    assert family.encode_lines(lines) == [family.encode(line) for line in lines]


def test_more_lines_than_a_block_keep_their_order() -> None:
    family = vocabulary("wordpiece")
    lines = [f"{'ab ' * (i % 7)}a" for i in range(2500)]
    assert family.encode_lines(lines) == [family.encode(line) for line in lines]


# Words in their sentence --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("wordpiece", ["ab", "b", "ab", "[UNK]"]),
        ("gpt2", ["a b", "Ġb", "Ġa b", "Ġ ä ¸ ĸ"]),
        ("llama2", ["▁a b", "▁b", "▁a b", "▁ <0xE4> <0xB8> <0x96>"]),
        ("xlmr", ["▁ a b", "▁b", "▁ a b", "▁ <unk>"]),
    ],
)
def test_the_space_before_a_word_is_part_of_it(name: str, pieces: list[str]) -> None:
    assert spelt(name, ["ab", "b", "ab", "世"]) == pieces


@pytest.mark.parametrize("name", list(LIBRARY))
def test_a_word_may_have_spaces_within(name: str) -> None:
    two = spelt(name, ["ab b", "a"])
    assert [two[0], two[1]] == [
        " ".join(spelt(name, ["ab", "b"])),
        spelt(name, ["ab", "b", "a"])[2],
    ]


def plain_words() -> st.SearchStrategy[list[str]]:
    """Words with a letter at either end and any characters between."""
    odd = any_text().map(lambda text: f"a{text}k")
    return st.lists(st.text("abkı世ﬁ,.", min_size=1, max_size=5) | odd, min_size=1, max_size=6)


@pytest.mark.parametrize("name", FAMILIES)
@given(words=plain_words())
def test_words_have_the_pieces_of_their_sentence(name: str, words: list[str]) -> None:
    family = vocabulary(name)
    found = family.encode_words(words)
    assert len(found) == len(words)
    assert all(found)
    assert [i for ids in found for i in ids] == family.encode(" ".join(words))


@pytest.mark.parametrize("name", FAMILIES)
@given(words=st.lists(any_text() | hard_text(), max_size=5))
def test_every_word_gets_at_least_one_piece(name: str, words: list[str]) -> None:
    family = vocabulary(name)
    found = family.encode_words(words)
    assert len(found) == len(words)
    assert all(found)
    nothing = [family.ids[family.unk]] if family.unk else family.encode(" ")
    whole, left = family.encode(" ".join(words)), [i for ids in found for i in ids]
    assert len(left) - len(whole) <= len(nothing) * len(words)


@pytest.mark.parametrize("name", list(LIBRARY))
def test_in_a_sentence_of_letters_each_piece_spells_its_word(name: str) -> None:
    words = ["abkı", "k", "ﬁﬁ", "ıb", "ab.", "b"] + ["世界", "가나"] * (name != "xlmr")
    family = vocabulary(name)
    decode = Tokenizer.from_str(json.dumps(family.described)).decode  # type: ignore[union-attr]
    found = [decode(ids).strip() for ids in family.encode_words(words)]
    assert found == [word.replace("ﬁ", "fi") if name == "xlmr" else word for word in words]


def test_deleted_leading_characters_do_not_shift_pieces(tmp_path: Path) -> None:
    file = tmp_path / "spm.model"
    with file.open("wb") as out:
        SentencePieceTrainer.train(  # with nmt_nfkc, which deletes U+0007
            sentence_iterator=iter(latin()), model_writer=out, vocab_size=200, minloglevel=2
        )
    family = Unigram(read_sentencepiece(file))
    plain = family.encode_words(["ab", "kı", "mi"])
    assert family.encode_words(["\a\aab", "k\aı", "mi"]) == plain
    offsets = family.tokenizer.encode("\a\aab kı mi").offsets
    assert offsets[-1][1] < len("\a\aab kı mi")  # the library's offsets are wrong


@pytest.mark.parametrize(
    ("name", "pieces"),
    [("wordpiece", "[UNK]"), ("gpt2", "Ġ"), ("xlmr", "<unk>"), ("llama2", "▁")],
)
def test_an_empty_word_gets_the_unknown_piece_or_a_space(name: str, pieces: str) -> None:
    assert spelt(name, ["ab", "", "b"])[1] == pieces


def test_returned_lists_can_be_modified() -> None:
    for name in FAMILIES:
        family = vocabulary(name)
        before = family.encode_words(["ab", "b"])
        before[0].clear()
        assert family.encode_words(["ab", "b"])[0]


# Pieces in words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "inside", "first"),
    [
        ("wordpiece", ["##a", "##\u0301"], ["a", "ab", "[CLS]", "[UNK]", "."]),
        ("gpt2", ["ar", "k", "Ä±k", "ķ", "ä", "1"], ["Ġb", "Ġ", ",", "Ċ", "<|endoftext|>"]),
        ("llama2", ["ar", "<0xE4>", "<0x96>", "<0x41>"], ["▁b", "▁", ",", "<0x0A>", "<s>"]),
        ("xlmr", ["ar", "k", "ı"], ["▁b", "▁", ",", "<s>", "<unk>", "<mask>"]),
    ],
)
def test_pieces_that_continue_words_are_recognised(
    name: str, inside: list[str], first: list[str]
) -> None:
    family = vocabulary(name)
    assert [p for p in inside if not family.continues(family.ids[p])] == []
    assert [p for p in first if family.continues(family.ids[p])] == []


def test_without_marks_every_piece_begins_a_word() -> None:
    described = xlmr_like()
    described["model"]["vocab"] = [["<unk>", 0.0], ["a", -1.0], ["b", -1.0]]
    described |= {"added_tokens": [], "post_processor": None}
    described["model"]["unk_id"] = 0
    assert not any(map(Unigram(described).continues, range(3)))


@pytest.mark.parametrize("name", FAMILIES)
@given(words=st.lists(st.text("abkı", min_size=1, max_size=6), min_size=2, max_size=6))
def test_only_the_first_piece_of_a_word_of_letters_begins_it(name: str, words: list[str]) -> None:
    family = vocabulary(name)
    for ids in family.encode_words(words)[1:]:
        known = family.unk not in [family.pieces[i] for i in ids]
        goes_on = [family.continues(i) for i in ids]
        if known and family.pieces[ids[0]] not in ("Ġ", "▁"):
            assert goes_on == [False] + [True] * (len(ids) - 1)


# Unknown text -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "hidden"),
    [
        ("wordpiece", "ab 世a ak, 界", "世,界"),
        ("gpt2", "ab 世a 界", ""),
        ("llama2", "ab 世a 界", ""),
        ("xlmr", "ab 가a\u200c 나", "가나"),
    ],
)
def test_the_text_under_unknown_pieces_is_returned(name: str, text: str, hidden: str) -> None:
    assert vocabulary(name).unknown_text(text) == hidden


@given(text=any_text())
def test_unknown_text_is_what_the_offsets_of_unknown_pieces_show(text: str) -> None:
    described = xlmr_like() | {"normalizer": None}
    family = Unigram(described)
    encoding = family.tokenizer.encode(text, add_special_tokens=False)
    shown = zip(encoding.tokens, encoding.ids, encoding.offsets, strict=True)
    unknown = family.ids[family.unk]
    parts = [text[start:end] for _, id, (start, end) in shown if id == unknown]
    assert family.unknown_text(text) == "".join(parts).replace("▁", "").replace(" ", "")


# Changes


def test_an_old_piece_cannot_be_fresh() -> None:
    old = WordPiece([*SPECIAL, "a", "b"])
    new = WordPiece([*SPECIAL, "b", "c"])
    kept = {i: i for i in range(5)}
    assert VocabChange(old, new, kept | {5: 6}, (6,)).fresh_pieces == ["c"]
    with pytest.raises(ValueError, match=r"fresh pieces that the old vocabulary has: \['b'\]"):
        VocabChange(old, new, kept, (5, 6))
