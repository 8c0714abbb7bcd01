"""How fast are dependency trees decoded, beside networkx? And what share of a parser's decoding?

    python benchmarks/mst.py [--width 100] [--relations 40]

Sentences of random log scores, whose best heads nearly always form cycles, and of scores that
favour a tree as a trained parser's do. Each tool decodes the same sentences on one thread; CPU
seconds, the best of five rounds. First all trees are compared: ours must be equal, those of
networkx as good (a large constant on root edges makes it choose one root, the faster way: the
other decodes once per word; building its graphs is not timed). Then the whole `decode` of the task
`dep` is timed with either of ours.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from importlib.metadata import version

import networkx
import numpy as np
import torch

from specialize.environment import machine_facts
from specialize.native import core
from specialize.tasks import dep
from specialize.tasks._mst import Floats, single_root_tree, single_root_trees

LENGTHS = (10, 20, 40)
SENTENCES = 64
Trees = list[list[int]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=100, help="of the parser's representations")
    parser.add_argument("--relations", type=int, default=40)
    options = parser.parse_args()
    torch.set_num_threads(1)
    facts = machine_facts()
    print(f"{facts['processor']}, {facts['system']}, Python {facts['python']}, one thread;")
    print(f"load {os.getloadavg()[0]:.1f}; {time.strftime('%Y-%m-%d')}; networkx", end=" ")
    print(f"{version('networkx')}, numpy {version('numpy')}, torch {torch.__version__}\n")
    print("| scores | words | native, µs | Python, µs | networkx, µs | networkx / native |")
    print("|---|---:|---:|---:|---:|---:|")
    for kind, make in (("random", random_scores), ("favouring a tree", sharp_scores)):
        for words in LENGTHS:
            compare(kind, make(words, np.random.default_rng(words)))
    print("\n| `dep` decode | words | native, ms | Python, ms | native / Python |")
    print("|---|---:|---:|---:|---:|")
    for words in LENGTHS:
        whole(words, options.width, options.relations)


def random_scores(words: int, generator: np.random.Generator) -> Floats:
    """Return log scores [B, n + 1, n + 1] of independent heads."""
    return log_softmax(generator.normal(size=(SENTENCES, words + 1, words + 1)))


def sharp_scores(words: int, generator: np.random.Generator) -> Floats:
    """Return random scores to which one tree's edges add 6."""
    scores = generator.normal(size=(SENTENCES, words + 1, words + 1))
    for b, tree in enumerate(
        single_root_trees(random_scores(words, generator), [words] * SENTENCES)
    ):
        scores[b, range(1, words + 1), tree] += 6
    return log_softmax(scores)


def log_softmax(scores: Floats) -> Floats:
    return torch.from_numpy(scores).log_softmax(-1).numpy()


def compare(kind: str, scores: Floats) -> None:
    """Print a line; fail where trees differ."""
    words = scores.shape[1] - 1
    lengths = [words] * len(scores)

    def native() -> Trees:
        return core().single_root_trees(scores, lengths)

    def reference() -> Trees:
        return [single_root_tree(one) for one in scores]

    few = scores[: 160 // words]
    graphs = [graph_of(one) for one in few]

    def peer() -> Trees:
        return [with_networkx(graph) for graph in graphs]

    ours = native()
    assert ours == reference()
    for one, tree, other in zip(few, ours, peer(), strict=False):
        assert abs(total(one, tree) - total(one, other)) < 1e-6
        assert other.count(0) == 1
    times = [
        1e6 * seconds(native, repeat=20) / len(scores),
        1e6 * seconds(reference) / len(scores),
        1e6 * seconds(peer, rounds=3) / len(few),
    ]
    print(f"| {kind} | {words} | {times[0]:.1f} | {times[1]:,.0f} | {times[2]:,.0f} |", end="")
    print(f" {times[2] / times[0]:,.0f} |", flush=True)


def total(scores: Floats, heads: list[int]) -> float:
    return float(scores[range(1, len(scores)), heads].sum())


def graph_of(scores: Floats) -> networkx.DiGraph:
    """Return a graph where each root edge costs more than all other differences together."""
    size = len(scores)
    cost = 2 * size * (scores.max() - scores.min() + 1)
    graph = networkx.DiGraph()
    for word in range(1, size):
        for head in range(size):
            if head != word:
                graph.add_edge(head, word, weight=scores[word, head] - cost * (head == 0))
    return graph


def with_networkx(graph: networkx.DiGraph) -> list[int]:
    tree = networkx.maximum_spanning_arborescence(graph)
    return [next(iter(tree.predecessors(word))) for word in range(1, len(graph))]


def whole(words: int, width: int, relations: int) -> None:
    """Print the time of `decode` on a batch, a sentence, with an untrained head."""
    task = dep.task(width=width)
    labels = {"deprels": [str(i) for i in range(relations)]}
    torch.manual_seed(0)
    head = task.head(256, labels).eval()
    mask = torch.ones(SENTENCES, words, dtype=torch.bool)
    with torch.no_grad():
        scores = head(torch.randn(SENTENCES, words, 256), mask)
    times = {}
    for wanted in "10":
        os.environ["SPECIALIZE_NATIVE"] = wanted
        times[wanted] = 1e3 / SENTENCES * seconds(lambda: task.decode(head, scores, labels, mask))
    print(f"| untrained | {words} | {times['1']:.2f} | {times['0']:.2f} |", end="")
    print(f" {times['1'] / times['0']:.0%} |", flush=True)


def seconds(work: Callable[[], object], *, rounds: int = 5, repeat: int = 1) -> float:
    """Return the CPU seconds of one call, the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(repeat):
            work()
        best = min(best, time.process_time() - began)
    return best / repeat


if __name__ == "__main__":
    main()
