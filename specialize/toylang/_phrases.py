"""Noun phrases: modifiers before nouns, possessor before possessed, names, postpositions."""

from specialize.toylang import _lexicon as lexicon
from specialize.toylang._language import Chooser
from specialize.toylang._lexicon import Frame
from specialize.toylang._morphology import bare, nominal, nonfinite, pronoun
from specialize.toylang._tree import Node

_DEEPEST = 2  # how deep phrases nest


def noun_phrase(
    chooser: Chooser, classes: str, deprel: str, *, case: str = "NOM", depth: int = 0
) -> Node:
    """Return a noun phrase of one of ``classes``, sometimes a coordination."""
    first = _single(chooser, classes, deprel, case, depth)
    if depth or not chooser.chance(0.07):
        return first
    cc = Node(bare(chooser.word("ve veya"), "CCONJ"), "cc")
    if chooser.chance(0.3):  # a, b ve c
        first.right.append(led_by(comma(), _single(chooser, classes, "conj", case, depth + 1)))
    first.right.append(led_by(cc, _single(chooser, classes, "conj", case, depth + 1)))
    return first


def led_by(word: Node, phrase: Node) -> Node:
    """Return ``phrase`` with ``word`` inserted before all of it."""
    phrase.left.insert(0, word)
    return phrase


def comma() -> Node:
    """Return a comma."""
    return Node(bare(",", "PUNCT"), "punct")


def postpositional(chooser: Chooser) -> Node:
    """Return a noun phrase in the case that its postposition governs: köye doğru."""
    word = chooser.word(" ".join(lexicon.POSTPOSITIONS))
    case = lexicon.POSTPOSITIONS[word]
    phrase = noun_phrase(chooser, "HTPIN", "obl", case=case, depth=1)
    phrase.right.append(Node(bare(word, "ADP"), "case"))
    return phrase


def year(chooser: Chooser) -> Node:
    """Return a date: 1874 yılında."""
    number = Node(bare(str(1000 + int(1000 * chooser.rng.random())), "NUM"), "nummod")
    return Node(nominal("yıl", case="LOC", possessed=True), "obl", [number])


def adjective(chooser: Chooser, deprel: str = "amod") -> Node:
    """Return an adjective, sometimes with an adverb of degree or another adjective."""
    node = Node(bare(chooser.root("ADJ"), "ADJ"), deprel, degree(chooser, 0.12))
    if chooser.chance(0.06):
        cc = Node(bare("ve", "CCONJ"), "cc")
        node.right.append(Node(bare(chooser.root("ADJ"), "ADJ"), "conj", [cc]))
    return node


def degree(chooser: Chooser, probability: float) -> list[Node]:
    """Return an adverb of degree, or nothing."""
    if not chooser.chance(probability):
        return []
    return [Node(bare(chooser.word(lexicon.DEGREES), "ADV"), "advmod")]


def verb_for(chooser: Chooser, kind: str, role: str) -> tuple[str, Frame] | None:
    """Return a verb whose ``role`` (subject, object) takes class ``kind``; None after 4 draws."""
    for _ in range(4):
        root = chooser.root("VERB")
        frame = chooser.language.frames[root]
        if kind in getattr(frame, role):
            return root, frame
    return None


def _single(chooser: Chooser, classes: str, deprel: str, case: str, depth: int) -> Node:
    kind = chooser.one(classes)
    if kind == "O":
        return _organisation(chooser, deprel, case)
    if kind == "H" and chooser.chance(0.25 * chooser.names):
        return _person(chooser, deprel, case)
    if kind == "P" and chooser.chance(0.25 * chooser.names):
        return _place(chooser, deprel, case)
    if chooser.chance(0.06):
        return _pronoun(chooser, kind, deprel, case)
    return _common(chooser, kind, deprel, case, depth)


def _pronoun(chooser: Chooser, kind: str, deprel: str, case: str) -> Node:
    if kind != "H" or case == "NOM":  # a nominative "ben" would need its own verb ending
        return Node(pronoun(chooser.word("o bu şu"), case=case), deprel)
    root = chooser.word(" ".join(lexicon.PRONOUNS))
    return Node(pronoun(root, lexicon.PRONOUNS[root], case=case), deprel)


def _common(chooser: Chooser, kind: str, deprel: str, case: str, depth: int) -> Node:
    """Return a common noun after clause, possessor, determiner, adjective, noun, in this order."""
    nests = depth < _DEEPEST
    clause = _relative(chooser, kind, depth + 1) if nests and chooser.chance(0.07) else None
    owner = _owner(chooser, depth + 1) if nests and not clause and chooser.chance(0.2) else None
    left = [node for node in (clause, owner) if node]
    plural = chooser.chance(0.2)
    if not owner and chooser.chance(0.15):
        left.append(Node(bare(chooser.word(lexicon.DETERMINERS), "DET"), "det"))
    elif chooser.chance(0.1):
        left.append(_number(chooser))
        plural = False  # numbers take the singular
    if chooser.chance(0.25):
        left.append(adjective(chooser))
    compound = not owner and chooser.chance(0.06)
    if compound:  # a bare noun before a noun with possessive ending: okul kapısı
        left.append(Node(nominal(chooser.root(chooser.one("TPFN"))), "nmod"))
    possessed = compound or (owner is not None and ".GEN" in _last(owner).word.xpos)
    word = nominal(chooser.root(kind), case=case, plural=plural, possessed=possessed)
    return Node(word, deprel, left)


def _last(node: Node) -> Node:
    """Return the last word of a name, which carries the case."""
    return node.right[-1] if node.right else node


def _owner(chooser: Chooser, depth: int) -> Node:
    """Return a possessor in the genitive, or a locative attribute: adamın, masadaki."""
    if chooser.chance(0.25):
        where = nominal(chooser.root(chooser.one("TP")), case="LOC", attribute=True)
        return Node(where, "nmod")
    return _single(chooser, "HHAPO", "nmod", "GEN", depth)


def _number(chooser: Chooser) -> Node:
    number = str(2 + int(98 * chooser.rng.random()))
    word = number if chooser.chance(0.3) else chooser.word(lexicon.NUMBERS)
    return Node(bare(word, "NUM"), "nummod")


def _relative(chooser: Chooser, kind: str, depth: int) -> Node | None:
    """Return a relative clause for a noun of class ``kind``: kitabı okuyan, adamın okuduğu."""
    of_object = chooser.chance(0.4)
    found = verb_for(chooser, kind, "object" if of_object else "subject")
    if found is None:
        return None
    root, frame = found
    if of_object:
        subject = noun_phrase(chooser, frame.subject, "nsubj", case="GEN", depth=depth)
        return Node(nonfinite(root, "PTCP.OBJ"), "acl", [subject])
    verb = Node(nonfinite(root, "PTCP", negative=chooser.chance(0.1)), "acl")
    if frame.object:
        case = "ACC" if chooser.chance(0.6) else "NOM"
        verb.left.append(noun_phrase(chooser, frame.object, "obj", case=case, depth=depth))
    elif frame.goal:
        verb.left.append(noun_phrase(chooser, frame.goal, "obl", case=frame.case, depth=depth))
    return verb


def _person(chooser: Chooser, deprel: str, case: str) -> Node:
    """Return a given name, sometimes with a family name, which then carries the case."""
    given = chooser.root("given")
    if chooser.chance(0.45):
        return Node(nominal(given, "PROPN", case=case), deprel, tag="B-PER")
    family = nominal(chooser.root("family"), "PROPN", case=case)
    return Node(
        nominal(given, "PROPN"), deprel, right=[Node(family, "flat", tag="I-PER")], tag="B-PER"
    )


def _place(chooser: Chooser, deprel: str, case: str) -> Node:
    """Return a place, or a feature named after one: akdağ, akdağ gölü."""
    name = chooser.root("place")
    if chooser.chance(0.75):
        return Node(nominal(name, "PROPN", case=case), deprel, tag="B-LOC")
    return _named_after(name, chooser.word(lexicon.PLACE_HEADS), "LOC", deprel, case)


def _organisation(chooser: Chooser, deprel: str, case: str) -> Node:
    """Return a club, or an institution named after a place or family: akdağ bankası."""
    if chooser.chance(0.3):
        club = nominal(chooser.root("club"), "PROPN", case=case)
        return Node(club, deprel, tag="B-ORG")
    name = chooser.root("place" if chooser.chance(0.6) else "family")
    return _named_after(name, chooser.word(lexicon.ORG_HEADS), "ORG", deprel, case)


def _named_after(name: str, head: str, entity: str, deprel: str, case: str) -> Node:
    namesake = Node(nominal(name, "PROPN"), "nmod", tag=f"B-{entity}")
    possessed = nominal(head, case=case, possessed=True)
    return Node(possessed, deprel, [namesake], tag=f"I-{entity}")
