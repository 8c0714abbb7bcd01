"""Work on rows in blocks, one thread each: the same bits for any number of threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor

from specialize.embed._rows import one_thread

# shapes: Q queries, B of them in a block, O rows to compare with, D width, K chosen

T = TypeVar("T")
_ROWS = 256  # of a block, at most
_ENTRIES = 2**25  # entries of a block's largest matrix, at most: 128 MiB in float32


def in_blocks(rows_QD: Tensor, entries: int, work: Callable[[Tensor], T]) -> list[T]:
    """Return ``work`` of each block of rows; a row of the largest matrix has ``entries``."""
    blocks = rows_QD.split(max(1, min(_ROWS, _ENTRIES // max(1, entries))))
    threads = torch.get_num_threads()
    with one_thread(), ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, blocks))


def nearest(queries_QD: Tensor, rows_OD: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the highest cosines [Q, K] of each query with rows, and their places [Q, K].

    K is ``count``, or O where there are fewer; the highest come first.
    """
    unit_DO, most = unit(rows_OD).T, min(count, len(rows_OD))
    found = in_blocks(
        unit(queries_QD), len(rows_OD), lambda block_BD: (block_BD @ unit_DO).topk(most)
    )
    if not found:
        return torch.zeros(0, most), torch.zeros(0, most, dtype=torch.long)
    return torch.cat([f.values for f in found]), torch.cat([f.indices for f in found])


def unit(rows_QD: Tensor) -> Tensor:
    """Return the rows at length 1."""
    return torch.nn.functional.normalize(rows_QD, dim=1)
