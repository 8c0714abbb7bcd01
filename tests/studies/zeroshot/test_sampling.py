"""Which pair each update is of."""

from collections import Counter

from specialize.modules.scope import Scope
from specialize.studies.zeroshot.sampling import draws

SIZES = {Scope("aa", "pos"): 32, Scope("bb", "dep"): 1}
TEXT = {Scope("aa", "mlm"): 32, Scope("bb", "mlm"): 32}


def test_a_pair_of_n_batches_is_drawn_with_weight_n_to_one_over_t() -> None:
    found = draws(SIZES, {}, 3000, temperature=5.0, multiple=1, seed=1)
    drawn = Counter(scope for scope, _ in found)
    assert len(found) == 3000
    assert abs(drawn[Scope("aa", "pos")] - 2000) < 80  # 32^(1/5) = 2, of 3; deviation 26


def test_each_draw_is_the_next_batch_of_its_pair() -> None:
    turns: Counter[Scope] = Counter()
    for scope, turn in draws(SIZES, TEXT, 50, temperature=2.0, multiple=5, seed=1):
        assert turn == turns[scope]
        turns[scope] += 1


def test_text_adds_updates_and_moves_none_of_annotated_pairs() -> None:
    plain = draws(SIZES, {}, 60, temperature=5.0, multiple=4, seed=3)
    mixed = draws(SIZES, TEXT, 60, temperature=5.0, multiple=4, seed=3)
    assert [draw for draw in mixed if draw[0].task != "mlm"] == plain
    assert len(mixed) == 60 + 80  # weights of text: 2 + 2, of annotated pairs: 2 + 1
    assert len({scope.task for scope, _ in mixed[:30]}) == 3


def test_a_low_temperature_draws_the_largest_pair_alone() -> None:
    found = draws(SIZES, TEXT, 10, temperature=0.001, multiple=1, seed=1)
    assert {scope for scope, _ in found} == {Scope("aa", "pos"), *TEXT}
