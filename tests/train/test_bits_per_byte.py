"""Bits per byte: the same tokens for every arm, unknown text charged by its bytes."""

import math
from pathlib import Path

import pytest
import torch
from framings import bert, xlmr
from tiny_models import SHAPES, framing_of, write_tokenizer
from tokenizers_made import lines_in, xlmr_like
from torch import nn
from transformers import BertConfig

from specialize.model.load import load_checkpoint
from specialize.toylang import to_latin
from specialize.train.bits_per_byte import HeldOut, Token, bits_per_byte, encode, held_out
from specialize.vocab.open import read_vocabulary
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

AB = WordPiece([*SPECIAL, "a", "b", "##b"])  # eight pieces
PRICE = tuple([1.5] * 256)


class Uniform(nn.Module):
    """A masked model for which every piece is equally likely."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.zeros(1))
        self.pieces, self.config = pieces, BertConfig()

    def forward(self, *, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> object:
        assert attention_mask.shape == input_ids.shape
        return type("Output", (), {"logits": torch.zeros(*input_ids.shape, self.pieces)})()


def text(*tokens: tuple[str, str, bool]) -> HeldOut:
    return HeldOut((tuple(Token(*token) for token in tokens),), PRICE)


def uniform_bits(vocabulary: WordPiece, measured: HeldOut, length: int = 16) -> float:
    framing = bert(vocabulary)
    return bits_per_byte(Uniform(8), vocabulary, framing, measured, length=length)


def test_a_uniform_model_pays_the_logarithm_of_its_pieces() -> None:
    measured = text(("ab", "ab", True), ("a", "a", False))
    assert uniform_bits(AB, measured) == pytest.approx(2 * math.log2(8) / 2)  # 2 pieces, 2 bytes


def test_an_unknown_word_pays_for_its_bytes_too() -> None:
    measured = text(("zz,a", "zz,a", True), ("a", "a", False))  # [UNK] [UNK] a: zz and the comma
    assert uniform_bits(AB, measured) == pytest.approx((3 * math.log2(8) + 3 * 1.5) / 4)


@pytest.mark.parametrize("name", ["bert", "roberta", "xlm-r"])
def test_a_token_that_a_mix_in_empties_has_bytes_but_no_pieces(name: str, tmp_path: Path) -> None:
    write_tokenizer(SHAPES[name], tmp_path)
    vocabulary = read_vocabulary(tmp_path)
    measured = text(("ab", "ab", False), ("x", "", True), ("c", "c", False))
    (row,) = encode(measured, vocabulary, framing_of(vocabulary, SHAPES[name].names), length=16)
    assert (row.size, row.escape, set(row.targets)) == (1, 0.0, {-1})


def test_tokens_are_measured_by_their_original_bytes() -> None:
    measured = text(("ав", "ab", True))  # Cyrillic: four bytes, two pieces
    assert uniform_bits(AB, measured) == pytest.approx(2 * math.log2(8) / 4)


def test_a_rewritten_token_with_an_unknown_part_pays_for_all_its_original_bytes() -> None:
    measured = text(("авя", "ab,zz", True))  # a ##b [UNK] [UNK]
    assert uniform_bits(AB, measured) == pytest.approx((4 * math.log2(8) + 6 * 1.5) / 6)


def test_a_token_that_the_normaliser_deletes_has_bytes_but_no_pieces() -> None:
    measured = text(("\u200f", "\u200f", True), ("a", "a", True))  # a right-to-left mark
    assert uniform_bits(AB, measured) == pytest.approx(math.log2(8) / 4)


def test_only_the_unknown_characters_of_a_unigram_pay() -> None:
    unigram = Unigram(xlmr_like())
    word = lines_in("Latin")[0].split()[0]
    measured = text((word + "世", word + "世", True))
    (row,) = encode(measured, unigram, xlmr(unigram), length=64)
    assert row.escape == pytest.approx(3 * 1.5)
    assert row.size == len(word) + 3
    assert row.ids[0] == unigram.ids["<s>"]
    assert row.ids[-1] == unigram.ids["</s>"]
    assert set(row.ids[1:-1]) == {unigram.ids["<mask>"]}
    assert [i for i in row.targets if i >= 0] == unigram.encode(word + "世")


def test_masks_depend_neither_on_vocabulary_nor_on_mix_ins() -> None:
    lines = list(lines_in("toy")[:40])
    plain = held_out(lines, lines, seed=1)
    mixed = held_out(lines, lines, seed=1, mix=to_latin)
    tokens = [token for chunk in plain.chunks for token in chunk]
    assert [t.original for t in tokens] == [t.shown for t in tokens]
    rewritten = [token for chunk in mixed.chunks for token in chunk]
    assert [t.shown for t in rewritten] == [to_latin(t.original) for t in tokens]
    assert [(t.original, t.masked) for t in tokens] == [(t.original, t.masked) for t in rewritten]
    assert plain.byte_bits == mixed.byte_bits


def test_masked_tokens_are_a_share_and_bytes_are_all_priced() -> None:
    lines = ["one two three four five six seven eight"] * 40
    measured = held_out(lines, lines, seed=1)
    masked = [token for chunk in measured.chunks for token in chunk if token.masked]
    assert 0.1 < len(masked) / 320 < 0.2
    assert measured == held_out(lines, lines, seed=1) != held_out(lines, lines, seed=2)
    assert sum(2**-bits for bits in measured.byte_bits) == pytest.approx(1)


def test_long_stretches_are_split_not_cut() -> None:
    measured = text(*[("ab", "ab", True)] * 20)
    short, long = (
        uniform_bits(WordPiece([*SPECIAL, "a", "##b"]), measured, length) for length in (10, 100)
    )
    assert short == pytest.approx(long)


def test_rows_fit_the_length() -> None:
    measured = text(*[("abbbbbbbb", "abbbbbbbb", i % 2 == 0) for i in range(9)])
    rows = encode(measured, AB, bert(AB), length=7)
    assert max(len(row.ids) for row in rows) == 7
    assert all(len(row.ids) == len(row.targets) for row in rows)
    assert sum(row.size for row in rows) == 5 * 9


def test_measuring_leaves_a_real_model_as_it_was(base_folder: Path) -> None:
    base = load_checkpoint(base_folder)
    base.model.train()
    measured = held_out(["ev kitap su yol"] * 9, ["ev"], seed=0)
    first, second = (
        bits_per_byte(base.model, base.vocabulary, base.framing, measured, length=32)
        for _ in range(2)
    )
    assert base.model.training
    assert first == second


@pytest.mark.parametrize("length", [5, 16, 64])
def test_a_token_longer_than_a_row_pays_for_all_its_pieces(length: int) -> None:
    word = "a" + 39 * "b"
    measured = text((word, word, True))
    assert uniform_bits(AB, measured, length) == pytest.approx(math.log2(8))  # 40 pieces, 40 bytes
