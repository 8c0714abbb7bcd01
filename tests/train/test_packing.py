"""Packing, masking, order and sampling."""

import numpy as np
import torch

from specialize.train.packing import batches_by_length, frame_of, mask, mixed_order, order, pack
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

TINY = WordPiece([*SPECIAL, "a", "b", "c", "##a", "##b", "##c"])
PAD, _, CLS, SEP, MASK, A, B, C = range(8)


def test_documents_are_packed_in_order_with_a_separator_after_each() -> None:
    packed = pack(TINY, [["a b", "c"], ["b"]], 4)
    assert packed.tolist() == [[CLS, A, B, C], [CLS, SEP, B, SEP]]


def test_only_the_last_sequence_is_padded() -> None:
    assert pack(TINY, [["a b c"]], 4).tolist() == [[CLS, A, B, C], [CLS, SEP, PAD, PAD]]
    assert pack(TINY, [], 4).shape == (0, 4)


def test_masking_spares_special_pieces_and_keeps_the_proportions() -> None:
    ids = torch.tensor([[CLS, *[A, B, C] * 2000, SEP, PAD]])
    frame = frame_of(TINY)
    inputs, chosen = mask(ids, frame, rate=0.15, generator=torch.Generator().manual_seed(0))
    assert not chosen[0, [0, -2, -1]].any()
    assert torch.equal(inputs[~chosen], ids[~chosen])
    assert abs(float(chosen.float().mean()) - 0.15) < 0.02
    masked = float((inputs[chosen] == MASK).float().mean())
    assert abs(masked - 0.8) < 0.05
    assert set(inputs[chosen].tolist()) <= {MASK, *frame.ordinary.tolist()}


def test_whole_words_are_masked_with_all_their_pieces_at_the_same_rate() -> None:
    word = torch.tensor([A, *[B + 3] * 3])  # a ##b ##b ##b
    ids = torch.cat([torch.tensor([CLS]), word.repeat(3000), torch.tensor([SEP, PAD])])[None]
    generator = torch.Generator().manual_seed(0)
    _, chosen = mask(ids, frame_of(TINY), rate=0.2, generator=generator, words=True)
    of_words = chosen[0, 1:-2].view(-1, 4)
    assert torch.equal(of_words.any(1), of_words.all(1))
    assert abs(float(of_words.float().mean()) - 0.2) < 0.02
    assert not chosen[0, [0, -2, -1]].any()


def test_a_batch_always_has_something_to_learn() -> None:
    ids = torch.tensor([[CLS, A, SEP]])
    _, chosen = mask(ids, frame_of(TINY), rate=0.0, generator=torch.Generator())
    assert chosen.tolist() == [[False, True, False]]


def test_order_is_a_permutation_that_depends_on_seed_and_epoch_only() -> None:
    np.random.seed(1)
    first = order(50, seed=1, epoch=0)
    np.random.seed(2)
    assert (first == order(50, seed=1, epoch=0)).all()
    assert sorted(first) == list(range(50))
    assert (first != order(50, seed=1, epoch=1)).any()


def test_batches_hold_items_of_similar_length_and_every_item_once() -> None:
    lengths = [i % 40 for i in range(1000)]
    batches = batches_by_length(lengths, 16, seed=1, epoch=0)
    assert sorted(i for batch in batches for i in batch) == list(range(1000))
    assert len(batches) == 63
    padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
    assert padded < 1.15 * sum(lengths)
    again = batches_by_length(lengths, 16, seed=1, epoch=0)
    assert all((a == b).all() for a, b in zip(batches, again, strict=True))


def test_sampling_lifts_small_sources_and_repeats_none_before_all_came() -> None:
    drawn = mixed_order([1000, 10], 500, alpha=0.5, seed=0)
    small = drawn[drawn >= 1000]
    assert len(small) == 45  # 500 * sqrt(10) / (sqrt(1000) + sqrt(10)), rounded down
    counts = np.bincount(small - 1000, minlength=10)
    assert set(counts) <= {4, 5}
