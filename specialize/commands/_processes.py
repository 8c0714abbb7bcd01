"""Commands that torchrun may start in several processes."""

from __future__ import annotations

from collections.abc import Callable

from specialize.environment import place


def in_first(work: Callable[[], None]) -> None:
    """Do ``work``, under torchrun in the first process only; the others train with it."""
    if place().world == 1:
        work()
        return
    from specialize.train.distributed import follow, joined

    with joined() as first:
        if first:
            work()
        else:
            follow()
