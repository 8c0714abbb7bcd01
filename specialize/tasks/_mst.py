"""The best dependency tree with exactly one child of the root.

Chu and Liu 1965, Edmonds 1967. The scores enforce that only one word depends on the root: they are
pairs of a tier and a score, compared by tier first. An edge from the root costs a tier, so the best
tree has the fewest possible, one. Pairs add and compare exactly; a large constant subtracted from
the scores would cost precision (cf. Zmigrod et al. 2020, which restarts from the unconstrained tree
instead).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LOOP = -(1 << 40)  # the tier of a word on itself; no other sums to it


@dataclass(frozen=True)
class _Edges:
    """Tiers and scores [m, m] of the edges between nodes; row: dependent, column: head."""

    tiers: Ints
    scores: Floats

    def at(self, dependents: Ints, heads: Ints) -> "_Edges":
        """Return the edges between some dependents (rows) and heads (columns)."""
        grid = np.ix_(dependents, heads)
        return _Edges(self.tiers[grid], self.scores[grid])

    def best(self, axis: int) -> Ints:
        """Return where the best edge is, along an axis."""
        top = self.tiers == self.tiers.max(axis=axis, keepdims=True)
        best: Ints = np.where(top, self.scores, -np.inf).argmax(axis=axis)
        return best


@dataclass(frozen=True)
class _Contraction:
    """A cycle contracted to one node, the last of the smaller graph."""

    outside: Ints  # the nodes that stay
    cycle: Ints
    heads: Ints  # of the cycle's nodes, within the cycle
    entered: Ints  # for each outside node as the head of the cycle: the dependent in it
    left: Ints  # for each outside node as a dependent of the cycle: the head in it


def single_root_tree(scores: Floats) -> list[int]:
    """Return the heads of words 1..n (0: the root) in the tree with the greatest sum of scores.

    ``scores[d, h]`` [n + 1, n + 1] is that of word d (row) having the head h (column); row 0 and
    the diagonal are ignored. Edges of score -inf are used only if every tree has one.

    >>> single_root_tree(np.array([[0, 0, 0], [5, 0, 1], [4, 2, 0]]))
    [0, 1]
    """
    edges = np.array(scores, dtype=np.float64)
    if np.isnan(edges).any():
        raise ValueError("the scores of a tree are not numbers (nan); has the training diverged?")
    np.fill_diagonal(edges, -np.inf)
    heads = edges.argmax(axis=1)
    heads[0] = 0
    if np.count_nonzero(heads[1:] == 0) != 1 or _cycle(heads) is not None:
        heads = _best_heads(_with_tiers(edges))
    return [int(head) for head in heads[1:]]


def _with_tiers(edges: Floats) -> _Edges:
    """Rank edges: first no loop, then few children of the root, then few edges of score -inf."""
    size = len(edges)
    tiers = -np.isneginf(edges).astype(np.int64)
    tiers[1:, 0] -= size  # more than all edges of score -inf together
    np.fill_diagonal(tiers, _LOOP)
    return _Edges(tiers, np.where(np.isneginf(edges), 0.0, edges))


def _best_heads(edges: _Edges) -> Ints:
    """Return the head of every node in the best tree; that of node 0, the root, is 0."""
    undone: list[_Contraction] = []
    while True:
        heads = edges.best(axis=1)
        heads[0] = 0
        cycle = _cycle(heads)
        if cycle is None:
            break
        edges, contraction = _contract(edges, heads, cycle)
        undone.append(contraction)
    for contraction in reversed(undone):
        heads = _expand(heads, contraction)
    return heads


def _contract(edges: _Edges, heads: Ints, cycle: Ints) -> tuple[_Edges, _Contraction]:
    """Contract a cycle: an edge that enters it at a word replaces that word's edge in the cycle."""
    size = len(heads)
    outside = np.setdiff1d(np.arange(size), cycle)
    own = heads[cycle]
    into, out = edges.at(cycle, outside), edges.at(outside, cycle)
    into = _Edges(
        into.tiers - edges.tiers[cycle, own][:, None],
        into.scores - edges.scores[cycle, own][:, None],
    )
    entered, left = into.best(axis=0), out.best(axis=1)
    among = edges.at(outside, outside)
    each = np.arange(len(outside))
    smaller = _Edges(
        _bordered(among.tiers, out.tiers[each, left], into.tiers[entered, each], _LOOP),
        _bordered(among.scores, out.scores[each, left], into.scores[entered, each], 0),
    )
    return smaller, _Contraction(outside, cycle, own, cycle[entered], cycle[left])


def _bordered(inner: NDArray, column: NDArray, row: NDArray, corner: float) -> NDArray:
    """Return a matrix with another last column and row."""
    return np.block(
        [[inner, column[:, None]], [row[None, :], np.full((1, 1), corner, inner.dtype)]]
    )


def _expand(heads: Ints, step: _Contraction) -> Ints:
    """Return the heads in the larger graph, given those where the cycle is one node."""
    node = len(step.outside)
    full = np.zeros(node + len(step.cycle), dtype=np.int64)
    inner = heads[:node]
    known = step.outside[np.minimum(inner, node - 1)]
    full[step.outside] = np.where(inner == node, step.left, known)
    full[step.cycle] = step.heads
    full[step.entered[heads[node]]] = step.outside[heads[node]]
    full[0] = 0
    return full


def _cycle(heads: Ints) -> Ints | None:
    """Return the nodes of a cycle, or None where all heads lead to node 0."""
    following = heads.tolist()
    seen = [0] * len(following)  # the walk that passed each node; node 0 belongs to walk 0
    for start in range(1, len(following)):
        node = start
        while node and not seen[node]:
            seen[node] = start
            node = following[node]
        if node and seen[node] == start:
            cycle = [node]
            while following[cycle[-1]] != node:
                cycle.append(following[cycle[-1]])
            return np.array(cycle)
    return None
