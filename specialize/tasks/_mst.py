"""The best dependency trees with exactly one child of the root.

Chu and Liu 1965, Edmonds 1967, in the order of Gabow et al. 1986 (section 3), where n words take
O(n²). The scores enforce that only one word depends on the root: they are pairs of a tier and a
score, compared by tier first. An edge from the root costs a tier, so the best tree has the fewest
possible, one. Pairs add and compare exactly; a large constant subtracted from the scores would cost
precision (cf. Zmigrod et al. 2020, which restarts from the unconstrained tree instead).

`single_root_tree` is the Python reference of cpp_ext/include/specialize/mst.hpp, which takes the
same steps on the same numbers: trees are equal even where several are best.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from specialize import native

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Pairs = NDArray[np.complex128]  # of a tier and a score: numpy compares the real part first


def single_root_trees(scores_BHH: Floats, lengths: Sequence[int]) -> list[list[int]]:
    """Return `single_root_tree` of every sentence, natively if the extension is installed.

    ``scores_BHH`` [B, n + 1, n + 1]: those of a shorter sentence come first in rows and columns,
    the rest is ignored. ``lengths`` [B]: the words of each sentence.
    """
    core = native.core()
    if core is not None:
        scores_BHH = np.ascontiguousarray(scores_BHH, dtype=np.float64)
        return core.single_root_trees(scores_BHH, lengths)  # type: ignore[no-any-return]
    return [
        single_root_tree(scores_HH[: length + 1, : length + 1])
        for scores_HH, length in zip(scores_BHH, lengths, strict=True)
    ]


def single_root_tree(scores: Floats) -> list[int]:
    """Return the heads of words 1..n (0: the root) in the tree with the greatest sum of scores.

    ``scores[d, h]`` [n + 1, n + 1] is that of word d (row) having the head h (column); row 0 and
    the diagonal are ignored. Edges of score -inf are used only if every tree has one.

    >>> single_root_tree(np.array([[0, 0, 0], [5, 0, 1], [4, 2, 0]]))
    [0, 1]
    """
    edges = np.array(scores, dtype=np.float64)
    edges[0] = -np.inf
    np.fill_diagonal(edges, -np.inf)
    if not (edges < np.inf).all():  # nan is less than nothing
        raise ValueError("the scores of a tree are not numbers (nan); has the training diverged?")
    heads: list[int] = edges.argmax(axis=1).tolist()[1:]
    if heads.count(0) != 1 or not _lead_to_root(heads):
        heads = _Components(_with_tiers(edges)).heads()
    return heads


def _lead_to_root(heads: Sequence[int]) -> bool:
    """Return whether there is no cycle."""
    walks = [0] * (len(heads) + 1)  # the walk that passed each node; the root belongs to walk 0
    for start in range(1, len(walks)):
        node = start
        while node and not walks[node]:
            walks[node] = start
            node = heads[node - 1]
        if node and walks[node] == start:
            return False
    return True


def _with_tiers(edges: Floats) -> Pairs:
    """Rank edges: first no loop, then few children of the root, then few edges of score -inf."""
    size = len(edges)
    pairs: Pairs = np.empty(edges.shape, dtype=np.complex128)
    pairs.imag = np.where(np.isneginf(edges), 0.0, edges)
    pairs.real = -np.isneginf(edges).astype(np.float64)
    pairs.real[:, 0] -= size  # more than all edges of score -inf together
    np.fill_diagonal(pairs, -np.inf)
    return pairs


class _Components:
    """Nodes, and cycles contracted to one node each, which takes the row of one member.

    ``edges[r, c]`` [m, m] is what the best edge from row c's component into row r's adds to the
    tree, given the edges chosen so far; ``ends[r, c]`` its dependent * m + head in the full graph.
    """

    def __init__(self, edges: Pairs) -> None:
        self.edges = edges
        self.size = len(edges)
        self.ends: Ints = np.arange(edges.size).reshape(edges.shape)
        self.nodes = list(range(self.size))  # the component in each row
        self.best = [0j] * self.size  # the pair of the edge chosen for each row
        self.chosen = [0] * self.size  # the edge chosen for each component
        self.parents = [0] * self.size  # the component that each component became part of

    def heads(self) -> list[int]:
        """Return the heads in the best tree: walk from each node to the root, contract cycles."""
        reached = {0}
        for start in range(1, self.size):
            path: list[int] = []
            row = start
            while row not in reached:
                reached.add(row)
                path.append(row)
                row = self._choose(path[-1])
                while row in path:
                    at = path.index(row)
                    self._contract(path[at:])
                    del path[at + 1 :]
                    row = self._choose(row)
        return self._expanded()

    def _choose(self, row: int) -> int:
        """Choose the best edge into a row's component; return the row it comes from."""
        head = int(self.edges[row].argmax())
        self.best[row] = self.edges[row, head]
        self.chosen[self.nodes[row]] = int(self.ends[row, head])
        return head

    def _contract(self, cycle: list[int]) -> None:
        """Contract a cycle: an edge that enters it at a member replaces the member's edge."""
        row, every = cycle[0], np.arange(self.size)
        into = self.edges[cycle] - np.array([self.best[member] for member in cycle])[:, None]
        entered, left = into.argmax(axis=0), self.edges[:, cycle].argmax(axis=1)
        members = np.array(cycle)
        self.ends[row] = self.ends[members[entered], every]
        self.ends[:, row] = self.ends[every, members[left]]
        self.edges[:, row] = self.edges[every, members[left]]
        self.edges[row] = into[entered, every]
        self.edges[row, row] = self.edges[:, cycle[1:]] = -np.inf
        for member in cycle:
            self.parents[self.nodes[member]] = len(self.parents)
        self.nodes[row] = len(self.parents)
        self.parents.append(0)
        self.chosen.append(0)

    def _expanded(self) -> list[int]:
        """Return the heads of words: the edge into a cycle replaces that of the member entered."""
        for cycle in range(len(self.parents) - 1, self.size - 1, -1):
            member = self.chosen[cycle] // self.size
            while self.parents[member] != cycle:
                member = self.parents[member]
            self.chosen[member] = self.chosen[cycle]
        return [edge % self.size for edge in self.chosen[1 : self.size]]
