"""Dependency trees as SVG."""

import re

from html_page import Page

from specialize.reports.trees import right_to_left, two_trees
from specialize.tasks._base import Tree

GOLD = Tree((2, 0, 2), ("nsubj", "root", "obj"))
WRONG = Tree((2, 0, 1), ("nsubj:pass", "root", "obj"))


def xs(svg: str, words: str) -> list[float]:
    """Return the position of each word."""
    return [float(re.search(f'x="(\\d+)" y="\\d+">{word}<', svg)[1]) for word in words.split()]


def test_words_go_in_the_direction_of_their_script() -> None:
    assert right_to_left(["ئۇيغۇر", "2021"])
    assert not right_to_left(["Muller", "2021", "ئ"])
    left = xs(two_trees(["a", "b", "c"], GOLD, GOLD, GOLD, title=""), "a b c")
    right = xs(two_trees(["ئ", "ب", "ت"], GOLD, GOLD, GOLD, title=""), "ئ ب ت")
    assert left == sorted(left)
    assert right == sorted(right, reverse=True)


def test_only_wrong_arcs_are_marked() -> None:
    words = ["he", "sees", "it"]
    assert "wrong" not in two_trees(words, GOLD, GOLD, GOLD, title="")
    svg = two_trees(words, GOLD, GOLD, WRONG, title="")
    marked = re.search('<g class="wrong">(.*?)</g>', svg)
    assert marked is not None
    assert re.findall(">(\\w+)<", marked[1]) == ["obj"]
    assert svg.count('class="gold"') == 1


def test_words_and_relations_are_escaped() -> None:
    words = ["<script>", "&", "b"]
    tree = Tree((2, 0, 2), ("<b>", "root", "x"))
    svg = two_trees(words, tree, tree, tree, title='"><script>')
    page = Page(f"<div>{svg}</div>")
    assert "script" not in {tag for tag, _ in page.tags}
    assert "&lt;script&gt;" in svg


def test_every_arc_is_inside_the_figure() -> None:
    chain = Tree((0, 1, 2, 3, 1), ("root", *"abcd"))
    other = Tree((5, 5, 5, 5, 0), (*"abcd", "root"))
    svg = two_trees([*"vwxyz"], chain, other, chain, title="")
    width, height = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)"', svg).groups())
    for x, y in re.findall(r'<text x="([-\d]+)" y="([-\d]+)"', svg):
        assert 0 <= float(x) <= width
        assert 0 <= float(y) <= height
