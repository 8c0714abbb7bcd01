"""A weighted sum of the rows of other methods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from specialize.embed._rows import FreshRows, Init, Tables, seed_of
from specialize.errors import UsageError
from specialize.vocab.base import VocabChange, Vocabulary


def init(
    tables: Tables,
    change: VocabChange[Vocabulary],
    corpus: Iterable[str],
    *,
    of: tuple[Init, ...],
    weights: tuple[float, ...] = (),
    seed: int = 0,
) -> FreshRows:
    """Return the mean of the rows of the methods ``of``, by ``weights`` (default: equal).

    ``of``: two methods or more, such as ``["subwords", { method = "script", scale = 0.5 }]``. A
    method that finds nothing for a
    piece, such as ``subwords`` for unknown characters, is left out for that piece, and the others
    share its weight. So ``weights = [1, 0]`` takes the second where the first has nothing. Methods
    that draw every row (``script``, ``moments`` ...) find something for all. Each has a seed of its
    own, unless its table has a ``seed``.
    """
    shares = weights or (1.0,) * len(of)
    if len(of) < 2 or len(shares) != len(of) or min(shares) < 0 or sum(shares) == 0:
        raise UsageError(
            f"embed 'blend': expected two methods or more, with weights of 0 or more that are not "
            f"all 0, got {len(of)} of them and weights {list(shares)}"
        )
    parts = [_rows(part, tables, change, corpus, seed_of(seed, n)) for n, part in enumerate(of)]
    shares_PF = _shares(parts, shares, len(change.fresh))
    output = [part.output for part in parts if part.output is not None]
    bias = [part.bias[:, None] for part in parts if part.bias is not None]
    return FreshRows(
        _mixed([part.input for part in parts], shares_PF),
        _mixed(output, shares_PF) if output else None,
        _mixed(bias, shares_PF)[:, 0] if bias else None,
        _sources(of, parts, shares_PF),
        frozenset.intersection(*(part.unmatched for part in parts)),
    )


def _rows(
    part: Any, tables: Tables, change: VocabChange[Vocabulary], corpus: Iterable[str], seed: int
) -> FreshRows:
    own = part.keywords.get("seed") if isinstance(part, partial) else None
    rows: FreshRows = part(tables, change, corpus, seed=seed if own is None else own)
    return rows


def _shares(parts: Sequence[FreshRows], weights: Sequence[float], count: int) -> Tensor:
    """Return the share of each part [P, F] in each row; those of a row sum to 1."""
    matched_PF = torch.ones(len(parts), count, dtype=torch.float64)
    for n, part in enumerate(parts):
        matched_PF[n, list(part.unmatched)] = 0
    shares_PF = matched_PF * torch.tensor(weights, dtype=torch.float64)[:, None]
    for f in torch.nonzero(shares_PF.sum(dim=0) == 0)[:, 0].tolist():
        shares_PF[int(matched_PF[:, f].argmax()), f] = 1  # the first that matches, if any
    return (shares_PF / shares_PF.sum(dim=0)).float()


def _mixed(rows: Sequence[Tensor], shares_PF: Tensor) -> Tensor:
    mixed = torch.zeros_like(rows[0])
    for rows_FD, shares_F in zip(rows, shares_PF, strict=True):
        mixed += shares_F.to(rows_FD)[:, None] * rows_FD
    return mixed


def _sources(of: Sequence[Any], parts: Sequence[FreshRows], shares_PF: Tensor) -> tuple[str, ...]:
    """Return the sources of the parts with their shares; a part alone has its own."""
    names = [_name(part) for part in of]
    found = []
    for f, shares in enumerate(shares_PF.T.tolist()):
        own = [part.sources[f] if part.sources else "" for part in parts]
        used = [(s, f"{name}: {o}") for s, name, o in zip(shares, names, own, strict=True) if s]
        found.append("; ".join(f"{s:.2f} {text}" if s < 1 else text for s, text in used))
    return tuple(found)


def _name(part: Any) -> str:
    function = part.func if isinstance(part, partial) else part
    return str(function.__module__.rpartition(".")[2])
