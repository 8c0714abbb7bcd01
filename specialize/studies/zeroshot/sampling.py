"""Which pair each update is of: drawn by temperature, in batches of one language and task."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from specialize.modules.scope import Scope

Draw = tuple[Scope, int]  # and how often the same was drawn before


def draws(
    annotated: Mapping[Scope, int],
    text: Mapping[Scope, int],
    steps: int,
    *,
    temperature: float,
    multiple: int,
    seed: int,
) -> list[Draw]:
    """Return the updates of a model: ``steps`` of annotated pairs, and others of text among them.

    Given: how many batches each has. One of n batches has the weight n^(1/temperature) (Ustun et
    al. 2022, §B.1); there are as many updates of text as its share of all weights gives, rounded up
    so that all are a ``multiple``. Which annotated pairs are drawn does not depend on text, so that
    systems with and without it see the same.
    """
    largest = max([*annotated.values(), *text.values()])
    shares = [_weights(part, largest, temperature) for part in (annotated, text)]
    more = round(steps * shares[1].sum() / shares[0].sum()) if text else 0
    more += -(steps + more) % multiple if text else 0
    random = np.random.default_rng(seed)
    drawn = _drawn(annotated, steps, temperature, random)
    drawn += _drawn(text, more, temperature, random)
    if text:
        drawn = [drawn[i] for i in _spread(steps, more, random)]
    found, turns = [], dict.fromkeys([*annotated, *text], 0)
    for scope in drawn:
        found.append((scope, turns[scope]))
        turns[scope] += 1
    return found


def _weights(sizes: Mapping[Scope, int], largest: int, temperature: float) -> np.ndarray:
    """Return the weights as shares of that of the ``largest``: low temperatures overflow."""
    found: np.ndarray = (np.array([*sizes.values()], float) / largest) ** (1 / temperature)
    return found


def _drawn(
    sizes: Mapping[Scope, int], count: int, temperature: float, random: np.random.Generator
) -> list[Scope]:
    scopes = list(sizes)
    if not scopes:
        return []
    weights = _weights(sizes, max(sizes.values()), temperature)
    places = random.choice(len(scopes), size=count, p=weights / weights.sum())
    return [scopes[i] for i in places]


def _spread(steps: int, more: int, random: np.random.Generator) -> list[int]:
    """Return the places of ``steps`` and ``more`` items at random, each kind in its order."""
    kinds = random.permutation(np.repeat([0, 1], [steps, more]))
    nexts = [iter(range(steps)), iter(range(steps, steps + more))]
    return [next(nexts[kind]) for kind in kinds]
