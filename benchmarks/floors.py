"""What test treebanks score without any model: the most frequent tag, and each word's neighbour.

    python benchmarks/floors.py ../shared/data/ud/UD_Turkish-IMST/test.conllu.xz ...

UPOS: the share of the file's most frequent tag. LAS: of trees in which each word depends on the one
before it, or on the one after it, whichever is more, by the file's most frequent relation of such
words. Both know the labels of the file, so that a model may well be below them.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from specialize.pipeline.task_data import read_file
from specialize.studies.zeroshot.recipe import choice_of
from specialize.tasks._base import Tree


def upos(tags: Counter[str]) -> float:
    """Return the share of the most frequent tag, in percent."""
    return 100 * max(tags.values()) / tags.total()


def las(trees: list[Tree]) -> float:
    """Return the best score of trees in which all words depend on a neighbour, in percent."""
    words = sum(map(len, trees))
    best = 0.0
    for step in (-1, 1):
        right = Counter[str]()
        for tree in trees:
            for word, (head, relation) in enumerate(zip(tree.heads, tree.deprels, strict=True), 1):
                neighbour = word + step if word + step <= len(tree) else 0
                right[relation.partition(":")[0]] += head == neighbour
        root = right.pop("root", 0)  # of the first or the last words
        best = max(best, 100 * (max(right.values()) + root) / words)
    return best


def main() -> None:
    """Print a row for each file."""
    print(f"{'file':40} words  UPOS   LAS")
    for name in sys.argv[1:]:
        path = Path(name)
        tagged, parsed = (read_file(choice_of(task), path) for task in ("pos", "dep"))
        tags = Counter(tag for sentence in tagged for tag in sentence.gold)
        trees = [sentence.gold for sentence in parsed]
        shown = f"{path.parent.name}/{path.name}"
        print(f"{shown:40} {tags.total():5} {upos(tags):5.1f} {las(trees):5.1f}")


if __name__ == "__main__":
    main()
