"""Trees built by the grammar, and sentences made from them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from specialize.toylang._morphology import Word

_OPEN = {"NOUN", "PROPN", "VERB", "ADJ", "ADV"}
_CLOSED = {"PRON", "ADP", "CCONJ", "SCONJ", "NUM", "DET", "PUNCT"}
UPOS = frozenset(_OPEN | _CLOSED)
_CORE = {"root", "nsubj", "obj", "obl", "advcl", "acl", "conj"}
_MODIFIERS = {"amod", "nmod", "nummod", "advmod", "det", "flat"}
_FUNCTION = {"case", "cc", "mark", "punct"}
DEPRELS = frozenset(_CORE | _MODIFIERS | _FUNCTION)
ENTITIES = frozenset({"PER", "LOC", "ORG"})


@dataclass
class Node:
    """A word with its ordered dependents and its IOB2 tag; the grammar modifies it."""

    word: Word
    deprel: str
    left: list["Node"] = field(default_factory=list)
    right: list["Node"] = field(default_factory=list)
    tag: str = "O"


@dataclass(frozen=True)
class Token:
    """A word in a sentence; ``head`` counts from 1, 0 is the root."""

    word: Word
    head: int
    deprel: str
    tag: str


@dataclass(frozen=True)
class Sentence:
    """A parsed sentence in Latin letters."""

    tokens: tuple[Token, ...]

    @property
    def text(self) -> str:
        """The sentence as text, with punctuation attached to the previous word."""
        written = "".join(" " * self.spaced(i) + t.word.form for i, t in enumerate(self.tokens))
        return written.lstrip()

    def spaced(self, index: int) -> bool:
        """Return whether token ``index`` (from 0) follows a space."""
        return index > 0 and self.tokens[index].word.upos != "PUNCT"


def linearise(root: Node) -> Sentence:
    """Return the tree under ``root`` as a sentence: left dependents, word, right dependents."""
    placed = list(_in_order(root, None))
    position = {id(node): place for place, (node, _) in enumerate(placed, 1)}
    return Sentence(
        tuple(
            Token(node.word, position[id(head)] if head else 0, node.deprel, node.tag)
            for node, head in placed
        )
    )


def _in_order(node: Node, head: Node | None) -> Iterator[tuple[Node, Node | None]]:
    for child in node.left:
        yield from _in_order(child, node)
    yield node, head
    for child in node.right:
        yield from _in_order(child, node)
