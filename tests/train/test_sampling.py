"""The order of items: shuffled by seed and epoch, grouped by length, mixed from sources."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specialize.train.sampling import (
    alike_turns,
    batches_by_length,
    batches_within,
    mixed_batches,
    mixed_order,
    one_source_batches,
    order,
    order_of_part,
    weighted_turns,
)


def test_order_is_a_permutation_that_depends_on_seed_and_epoch_only() -> None:
    np.random.seed(1)
    first = order(50, seed=1, epoch=0)
    np.random.seed(2)
    assert (first == order(50, seed=1, epoch=0)).all()
    assert sorted(first) == list(range(50))
    assert (first != order(50, seed=1, epoch=1)).any()


@given(st.integers(1, 30), st.integers(1, 70), st.integers(0, 5))
def test_parts_follow_each_other_through_the_epochs(count: int, size: int, parts: int) -> None:
    found = [order_of_part(count, size, seed=1, part=part) for part in range(parts + 1)]
    assert {len(part) for part in found} == {size}
    epochs = range(-(-size * len(found) // count))
    whole = np.concatenate([order(count, seed=1, epoch=epoch) for epoch in epochs])
    assert np.concatenate(found).tolist() == whole[: size * len(found)].tolist()


def test_batches_hold_items_of_similar_length_and_every_item_once() -> None:
    lengths = [i % 40 for i in range(1000)]
    batches = batches_by_length(lengths, 16, seed=1, epoch=0)
    assert sorted(i for batch in batches for i in batch) == list(range(1000))
    assert len(batches) == 63
    padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches)
    assert padded < 1.15 * sum(lengths)
    again = batches_by_length(lengths, 16, seed=1, epoch=0)
    assert all((a == b).all() for a, b in zip(batches, again, strict=True))


def test_batches_within_a_budget_hold_every_item_once_shortest_first() -> None:
    lengths = [30, 4, 50, 4, 8, 1000, 31]
    batches = batches_within(lengths, 100)
    assert batches == [[1, 3, 4], [0, 6], [2], [5]]
    assert batches_within([], 100) == []


def test_sampling_lifts_small_sources_and_repeats_none_before_all_came() -> None:
    drawn = mixed_order([1000, 10], 500, alpha=0.5, seed=0)
    small = drawn[drawn >= 1000]
    assert len(small) == 45  # 500 * sqrt(10) / (sqrt(1000) + sqrt(10)), rounded down
    counts = np.bincount(small - 1000, minlength=10)
    assert set(counts) <= {4, 5}


LENGTHS = [[3] * 6, [3] * 2]  # of 6 and 2 items: 3 batches and 1 of 2 items


@pytest.mark.parametrize(
    ("sampling", "sources"),
    [
        ("interleave", [0, 1, 0, 0]),
        ("upsample", [0, 1, 0, 1, 0, 1]),
    ],
)
def test_sources_take_turns(sampling: str, sources: list[int]) -> None:
    found = mixed_batches(LENGTHS, 2, sampling, seed=1, epoch=0)
    assert [source for source, _ in found] == sources
    assert sorted(i for source, items in found if source == 0 for i in items) == [*range(6)]
    small = [sorted(items) for source, items in found if source == 1]
    assert small == [[0, 1]] * len(small)


def test_shuffled_batches_are_all_batches_in_another_order_each_epoch() -> None:
    lengths = [[3] * 40, [3] * 20]
    epochs = [mixed_batches(lengths, 2, "shuffled", seed=1, epoch=epoch) for epoch in (0, 1)]
    for found in epochs:
        for source, part in enumerate(lengths):
            seen = sorted(i for own, items in found if own == source for i in items)
            assert seen == [*range(len(part))]
    assert [source for source, _ in epochs[0]] != [source for source, _ in epochs[1]]


@pytest.mark.parametrize(
    ("sampling", "temperature", "share"),
    [("proportional", 9.0, 1 / 10), ("temperature", 1.0, 1 / 10), ("temperature", 2.0, 1 / 4)],
)
def test_sources_are_drawn_by_a_power_of_their_sizes(
    sampling: str, temperature: float, share: float
) -> None:
    found = mixed_batches(
        [[3] * 9000, [3] * 1000], 1, sampling, temperature=temperature, seed=1, epoch=0
    )
    assert len(found) == 10_000
    small = sum(source for source, _ in found) / len(found)
    assert small == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize(("temperature", "sources"), [(1e-4, {0}), (1e9, {0, 1})])
def test_extreme_temperatures_draw_the_largest_source_or_all_alike(
    temperature: float, sources: set[int]
) -> None:
    lengths = [[3] * 600, [3] * 200]
    found = mixed_batches(lengths, 2, "temperature", temperature=temperature, seed=1, epoch=0)
    assert {source for source, _ in found} == sources
    small = sum(source for source, _ in found) / len(found)
    assert small == pytest.approx(len(sources) / 2 - 0.5, abs=0.05)


def test_batches_of_one_source_visit_all_items_before_one_again() -> None:
    turns = np.array([0, 1, 0, 1, 1])
    items = one_source_batches([4, 3], turns, 2, seed=1).reshape(-1, 2)
    assert sorted(items[turns == 0].flatten()) == [0, 1, 2, 3]
    of_second = items[turns == 1].flatten()
    assert sorted(of_second[:3]) == sorted(of_second[3:]) == [4, 5, 6]
    again = one_source_batches([4, 3], turns, 2, seed=1)
    assert items.flatten().tolist() == again.tolist()
    assert items.flatten().tolist() != one_source_batches([4, 3], turns, 2, seed=2).tolist()


def test_turns_are_alike_in_every_part_or_weighted_by_size() -> None:
    turns = alike_turns(3, 2, parts=4, seed=1).reshape(4, 6)
    assert all(sorted(part) == [0, 0, 1, 1, 2, 2] for part in turns.tolist())
    assert len({tuple(part) for part in turns.tolist()}) > 1
    weighted = weighted_turns([100, 400], 300, alpha=0.5, seed=1)
    assert np.bincount(weighted).tolist() == [100, 200]
    assert len(weighted_turns([1, 1, 1], 4, alpha=1.0, seed=1)) == 4


def test_each_source_has_a_turn_however_small_it_is() -> None:
    counts = [10_000, 8_000, *[1] * 20]
    for seed in range(5):
        turns = np.bincount(weighted_turns(counts, 60, alpha=0.7, seed=seed), minlength=22)
        assert turns.sum() == 60
        assert turns[2:].tolist() == [1] * 20
        assert turns[0] > turns[1] > 1
    assert sorted(weighted_turns([1, 900, 1], 3, alpha=1.0, seed=1)) == [0, 1, 2]
