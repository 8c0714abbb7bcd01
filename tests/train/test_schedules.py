"""Learning-rate schedules have the values of their formulas."""

from specialize.train.schedules import constant, inverse_sqrt, linear


def test_linear_warms_up_then_decays_to_zero() -> None:
    share = linear(10, 110)
    assert [share(s) for s in (0, 9, 60, 110)] == [0.1, 1.0, 0.5, 0.0]


def test_linear_without_warm_up_begins_at_the_base_rate() -> None:
    assert [linear(0, 4)(s) for s in range(4)] == [1.0, 0.75, 0.5, 0.25]


def test_inverse_sqrt_is_that_of_udify() -> None:
    udify = inverse_sqrt(50)  # steps from 1: batch 51 -> .005, 150 -> .5, 500 -> .2357
    assert [round(udify(s - 1), 4) for s in (50, 51, 150, 500)] == [1.0, 0.005, 0.5, 0.2357]


def test_constant_is_the_base_rate() -> None:
    assert {constant()(s) for s in (0, 1, 10**6)} == {1.0}
