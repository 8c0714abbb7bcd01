"""Bits per byte: the same words for every vocabulary, unknown words charged by their bytes."""

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from specialize.model.load import load_checkpoint
from specialize.train.bits_per_byte import HeldOut, bits_per_byte, held_out
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece


class Uniform(nn.Module):
    """A masked model that finds every piece equally likely."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.zeros(1))
        self.pieces = pieces
        self.lm_head = lambda states: torch.zeros(len(states), pieces)

    def base_model(self, *, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> object:
        assert attention_mask.shape == input_ids.shape
        return type("Output", (), {"last_hidden_state": torch.zeros(*input_ids.shape, 2)})()


def test_a_uniform_model_pays_the_logarithm_of_its_pieces() -> None:
    pieces = [*SPECIAL, "a", "b", "##b"]
    text = HeldOut(((("ab", True), ("a", False)),), tuple([1.5] * 256))
    bits = bits_per_byte(Uniform(8), WordPiece(pieces), text, length=16)
    assert bits == pytest.approx(2 * math.log2(8) / 2)  # two pieces, two bytes


def test_an_unknown_word_pays_for_its_bytes_too() -> None:
    text = HeldOut(((("zz", True), ("a", False)),), tuple([1.5] * 256))
    bits = bits_per_byte(Uniform(8), WordPiece([*SPECIAL, "a", "b", "##b"]), text, length=16)
    assert bits == pytest.approx((math.log2(8) + 2 * 1.5) / 2)


def test_masked_tokens_do_not_depend_on_the_vocabulary_and_bytes_are_all_counted() -> None:
    lines = ["one two three four five six seven eight"] * 40
    text = held_out(lines, lines, seed=1)
    masked = [token for chunk in text.chunks for token, chosen in chunk if chosen]
    assert 0.1 < len(masked) / 320 < 0.2
    assert text == held_out(lines, lines, seed=1) != held_out(lines, lines, seed=2)
    assert sum(2**-bits for bits in text.byte_bits) == pytest.approx(1)


def test_long_stretches_are_parted_not_cut() -> None:
    text = HeldOut((tuple(("ab", True) for _ in range(20)),), tuple([1.5] * 256))
    short, long = (
        bits_per_byte(Uniform(8), WordPiece([*SPECIAL, "a", "##b"]), text, length=length)
        for length in (10, 100)
    )
    assert short == pytest.approx(long)


def test_measuring_leaves_a_real_model_as_it_was(base_folder: Path) -> None:
    base = load_checkpoint(base_folder)
    base.model.train()
    text = held_out(["ev kitap su yol"] * 9, ["ev"], seed=0)
    first = bits_per_byte(base.model, base.vocabulary, text, length=32)
    assert base.model.training
    assert first == bits_per_byte(base.model, base.vocabulary, text, length=32)
