"""Clauses, sentences and documents; word order is subject, object, verb.

Many forms are ambiguous without context. A bare noun is the subject, or an indefinite object next
to the verb (``kitap okumin``, I read a book); ``kitabı`` is an accusative, or a possessed noun
after its genitive; an adjective before a verb is its adverb; verbs mark a dropped subject only in
the first and second person. Some sentences stay ambiguous (``bu kitap okudı``), as in real
languages.
"""

from collections.abc import Mapping
from random import Random

from specialize.toylang import _lexicon as lexicon
from specialize.toylang._language import Chooser, Language, make_topic
from specialize.toylang._lexicon import Frame
from specialize.toylang._morphology import bare, finite, nominal, nonfinite, predicate, pronoun
from specialize.toylang._phrases import (
    adjective,
    comma,
    degree,
    led_by,
    noun_phrase,
    postpositional,
    verb_for,
    year,
)
from specialize.toylang._tree import Node, Sentence, linearise

_SHORTEST, _LONGEST = 5, 20  # sentences of a document


def document(rng: Random, language: Language) -> list[Sentence]:
    """Return 5 to 20 sentences that share a few frequent roots."""
    topic = make_topic(rng, language)
    length = _SHORTEST + int((_LONGEST - _SHORTEST + 1) * rng.random())
    return [sentence(rng, language, topic=topic) for _ in range(length)]


def sentence(
    rng: Random,
    language: Language,
    *,
    topic: Mapping[str, tuple[str, ...]] | None = None,
    names: float = 1.0,
) -> Sentence:
    """Return one sentence; all randomness comes from ``rng``.

    ``topic``: roots that are drawn more often; ``names`` scales the frequency of names.
    """
    chooser = Chooser(rng, language, topic or {}, names)
    kind = rng.random()
    end = "."
    if kind < 0.12:
        root = _nominal_clause(chooser)
    elif kind < 0.18:
        root = _existential(chooser)
    elif kind < 0.22:
        root, end = _imperative(chooser), "!"
    elif kind < 0.30:
        root, end = _clause(chooser, first=lexicon.QUESTIONS), "?"
    else:
        root = _statement(chooser)
    root.right.append(Node(bare(end, "PUNCT"), "punct"))
    return linearise(root)


def _statement(chooser: Chooser) -> Node:
    """Return a clause, sometimes with a subordinate or coordinate clause."""
    root = _clause(chooser)
    kind = chooser.rng.random()
    if kind < 0.12:
        led_by(_converb(chooser), root)
    elif kind < 0.17:
        led_by(_condition(chooser), root)
    elif kind < 0.23:
        reason = led_by(_mark(chooser, "çünkü zira"), _clause(chooser, "advcl", depth=1))
        root.right.append(led_by(comma(), reason))
    elif kind < 0.31:
        other = led_by(_coordinator(chooser), _clause(chooser, "conj", depth=1))
        root.right.append(led_by(comma(), other))
    elif kind < 0.38:
        _share_subject(chooser, root)
    return root


def _share_subject(chooser: Chooser, root: Node) -> None:
    """Add to ``root`` a second verb with the same subject; a bare noun before it is an object."""
    *_, tense, person = root.word.xpos.split(".")
    other = _predicate(chooser, "conj", tense, person, chooser.root("VERB"), depth=1)
    root.right.append(led_by(_coordinator(chooser), other))


def _clause(
    chooser: Chooser, deprel: str = "root", *, tense: str = "", first: str = "", depth: int = 0
) -> Node:
    """Return a finite clause; with ``first``, it begins with one of these adverbs."""
    root = chooser.root("VERB")
    frame = chooser.language.frames[root]
    subject, person = _subject(chooser, frame, depth)
    tense = tense or chooser.word("PAST PRES FUT")
    verb = _predicate(chooser, deprel, tense, person, root, depth=depth)
    if subject:
        # A definite object may be fronted: its case marks it.
        fronted = verb.left and ".ACC" in verb.left[0].word.xpos and chooser.chance(0.2)
        verb.left.insert(1 if fronted else 0, subject)
    if first or chooser.chance(0.2):
        adverb = bare(chooser.word(first or lexicon.ADVERBS), "ADV")
        led_by(Node(adverb, "advmod"), verb)
    return verb


def _subject(chooser: Chooser, frame: Frame, depth: int) -> tuple[Node | None, str]:
    """Return a subject (None if dropped) and the person that the verb marks."""
    if "H" in frame.subject and chooser.chance(0.22):
        root = chooser.one(("ben", "sen", "biz", "siz"))
        person = lexicon.PRONOUNS[root]
        shown = chooser.chance(0.3)
        return (Node(pronoun(root, person), "nsubj") if shown else None), person
    subject = noun_phrase(chooser, frame.subject, "nsubj", depth=depth)
    several = "Number=Plur" in subject.word.feats or any(
        node.deprel == "conj" for node in subject.right
    )
    return subject, "3PL" if several and chooser.chance(0.6) else "3SG"


def _predicate(
    chooser: Chooser, deprel: str, tense: str, person: str, root: str, *, depth: int
) -> Node:
    """Return a finite verb after its object, goal, adjuncts and manner, without subject."""
    negative = chooser.chance(0.12)
    left = _complements(chooser, chooser.language.frames[root], depth)
    return Node(finite(root, tense, person, negative=negative), deprel, left)


def _complements(chooser: Chooser, frame: Frame, depth: int) -> list[Node]:
    """Return the nodes between subject and verb; a bare object is next to the verb."""
    around = []
    if depth == 0 and chooser.chance(0.12):
        around.append(postpositional(chooser))
    elif depth == 0 and chooser.chance(0.03):
        around.append(year(chooser))
    if frame.goal and chooser.chance(0.7):
        around.append(noun_phrase(chooser, frame.goal, "obl", case=frame.case, depth=depth + 1))
    elif chooser.chance(0.12):
        case = chooser.word("LOC ABL")
        around.append(noun_phrase(chooser, "P", "obl", case=case, depth=depth + 1))
    manner = _manner(chooser)
    if not frame.object or chooser.chance(0.08):
        return around + manner
    definite = chooser.chance(0.55)
    case = "ACC" if definite else "NOM"
    thing = noun_phrase(chooser, frame.object, "obj", case=case, depth=depth)
    if definite and chooser.chance(0.4):
        return [thing, *around, *manner]
    return [*around, thing, *manner] if definite else [*around, *manner, thing]


def _manner(chooser: Chooser) -> list[Node]:
    """Return an adverb of manner, identical to an adjective, or nothing."""
    if not chooser.chance(0.15):
        return []
    return [Node(bare(chooser.word(lexicon.MANNER), "ADV"), "advmod", degree(chooser, 0.15))]


def _converb(chooser: Chooser) -> Node:
    """Return a converb clause, without subject or person: köye gidip."""
    found = verb_for(chooser, "H", "subject")
    root = found[0] if found else "git"
    left = _complements(chooser, chooser.language.frames[root], 1)
    right = [comma()] if chooser.chance(0.4) else []
    return Node(nonfinite(root, "CVB", negative=chooser.chance(0.1)), "advcl", left, right)


def _condition(chooser: Chooser) -> Node:
    """Return a conditional clause, often after a marker: eğer yağmur yağsa."""
    clause = _clause(chooser, "advcl", tense="COND", depth=1)
    clause.right.append(comma())
    return led_by(_mark(chooser, "eğer şayet"), clause) if chooser.chance(0.6) else clause


def _nominal_clause(chooser: Chooser) -> Node:
    """Return a subject and its nominal predicate: ev çok büyük."""
    if chooser.chance(0.35):
        kinds = chooser.one(("H", "P", "I"))
        modifiers = [adjective(chooser)] if chooser.chance(0.3) else []
        root = Node(nominal(chooser.root(kinds)), "root", modifiers)
    else:
        kinds = chooser.one("HATPNI")
        past = chooser.chance(0.4)
        root = Node(predicate(chooser.root("ADJ"), past=past), "root", degree(chooser, 0.3))
    return led_by(noun_phrase(chooser, kinds, "nsubj"), root)


def _existential(chooser: Chooser) -> Node:
    """Return an existential clause: masada kitap var."""
    where = noun_phrase(chooser, "PT", "obl", case="LOC", depth=1)
    what = noun_phrase(chooser, "HATFNI", "nsubj", depth=1)
    return Node(predicate(chooser.word("var yok"), past=chooser.chance(0.3)), "root", [where, what])


def _imperative(chooser: Chooser) -> Node:
    found = verb_for(chooser, "H", "subject")
    return _predicate(chooser, "root", "IMP", "2SG", found[0] if found else "git", depth=0)


def _mark(chooser: Chooser, words: str) -> Node:
    return Node(bare(chooser.word(words), "SCONJ"), "mark")


def _coordinator(chooser: Chooser) -> Node:
    return Node(bare(chooser.word(lexicon.COORDINATORS), "CCONJ"), "cc")
