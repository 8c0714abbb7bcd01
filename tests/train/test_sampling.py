"""The order of items: shuffled by seed and epoch, grouped by length, mixed from sources."""

import numpy as np

from specialize.train.sampling import batches_by_length, mixed_order, order


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
