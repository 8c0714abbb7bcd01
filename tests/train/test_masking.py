"""Masks: no special pieces, whole words, BERT's proportions."""

from dataclasses import replace

import pytest
import torch
from framings import bert, xlmr
from tokenizers_made import gpt2_like, xlmr_like

from specialize.errors import UsageError
from specialize.train.masking import mask, mask_pieces
from specialize.vocab.bpe.model import BPE
from specialize.vocab.framing import Framing
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

TINY = WordPiece([*SPECIAL, "a", "b", "c", "##a", "##b", "##c", "[unused1]"])
PAD, UNK, CLS, SEP, MASK, A, B, C = range(8)
PIECES = mask_pieces(TINY, bert(TINY))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_masking_spares_special_pieces_and_keeps_the_proportions() -> None:
    ids = torch.tensor([[CLS, *[A, B, C] * 2000, SEP, PAD]])
    inputs, chosen = mask(ids, PIECES, rate=0.15, generator=seeded())
    assert not chosen[0, [0, -2, -1]].any()
    assert torch.equal(inputs[~chosen], ids[~chosen])
    assert abs(float(chosen.float().mean()) - 0.15) < 0.02
    masked = float((inputs[chosen] == MASK).float().mean())
    assert abs(masked - 0.8) < 0.05
    assert set(inputs[chosen].tolist()) == {MASK, *range(A, A + 6)}


def test_unknown_pieces_are_masked_as_any_word_but_never_drawn() -> None:
    ids = torch.full((1, 1000), UNK)
    inputs, chosen = mask(ids, PIECES, rate=0.5, generator=seeded())
    assert 400 < int(chosen.sum()) < 600
    assert UNK not in PIECES.drawn
    assert set(inputs[chosen].tolist()) == {UNK, MASK, *range(A, A + 6)}


def test_slots_are_never_drawn() -> None:
    assert PIECES.drawn.tolist() == list(range(A, A + 6))


def test_whole_words_are_masked_with_all_their_pieces_at_the_same_rate() -> None:
    word = torch.tensor([A, *[B + 3] * 3])  # a ##b ##b ##b
    ids = torch.cat([torch.tensor([CLS]), word.repeat(3000), torch.tensor([SEP, PAD])])[None]
    _, chosen = mask(ids, PIECES, rate=0.2, generator=seeded(), words=True)
    of_words = chosen[0, 1:-2].view(-1, 4)
    assert torch.equal(of_words.any(1), of_words.all(1))
    assert abs(float(of_words.float().mean()) - 0.2) < 0.02
    assert not chosen[0, [0, -2, -1]].any()


def test_words_of_a_unigram_begin_at_the_mark() -> None:
    unigram = Unigram(xlmr_like())
    pieces = mask_pieces(unigram, xlmr(unigram))
    words = unigram.encode_words(["zzkab", "qqmel", "xxtor"] * 300)
    assert all(len(word) > 1 for word in words)
    ids = torch.tensor([[unigram.ids["<s>"], *(i for word in words for i in word)]])
    _, chosen = mask(ids, pieces, rate=0.3, generator=seeded(), words=True)
    spans = chosen[0, 1:].split([len(word) for word in words])
    assert {bool(span.any()) for span in spans} == {True, False}
    assert all(bool(span.any()) == bool(span.all()) for span in spans)


def test_a_batch_always_has_something_to_learn() -> None:
    ids = torch.tensor([[CLS, A, SEP]])
    _, chosen = mask(ids, PIECES, rate=0.0, generator=torch.Generator())
    assert chosen.tolist() == [[False, True, False]]


def test_a_tokenizer_without_a_mask_piece_is_refused() -> None:
    with pytest.raises(UsageError, match="mask piece"):
        mask_pieces(TINY, replace(bert(TINY), mask=None))


def test_special_pieces_of_any_framing_are_spared() -> None:
    bpe = BPE(gpt2_like())
    end = bpe.ids["<|endoftext|>"]
    pieces = mask_pieces(bpe, Framing((), (end,), end, 5, frozenset({end}), 512))
    assert not pieces.maskable_V[[end, 5]].any()
    assert pieces.maskable_V.sum() == len(bpe.pieces) - 2 == len(pieces.drawn)
