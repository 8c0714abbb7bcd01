"""Learning-rate schedules: from a step to its share of the base rate."""

from __future__ import annotations

from collections.abc import Callable

Schedule = Callable[[int], float]  # step, from 0 -> share of the rate


def linear(warmup: int, total: int) -> Schedule:
    """Return linear warm-up over ``warmup`` steps, then linear decay to 0 at ``total``."""

    def share(step: int) -> float:
        rise = (step + 1) / warmup if step < warmup else 1.0
        return min(rise, (total - step) / max(1, total - warmup))

    return share


def inverse_sqrt(freeze: int) -> Schedule:
    """Return UDify's schedule as the paper states it; its released code never left the base rate.

    The base rate in the first ``freeze`` steps, then 5 · min(s^-.5, s · W^-1.5) of it with s steps
    since and W = 2 · ``freeze`` (Kondratyuk & Straka 2019).
    """

    def share(step: int) -> float:
        s = step - freeze + 1
        return 1.0 if s <= 0 else 5 * min(s**-0.5, s * (2 * freeze) ** -1.5)

    return share


def constant() -> Schedule:
    """Return the schedule that the authors' released code really ran."""
    return lambda step: 1.0
