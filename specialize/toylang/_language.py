"""The language of a seed: the frequency of each root, invented roots, and random choices.

Only ``Random.random()`` is called: its numbers for a seed are the same in every Python version.
"""

from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import TypeVar

from specialize.toylang import _lexicon as lexicon
from specialize.toylang._lexicon import Frame
from specialize.toylang._morphology import inflect

T = TypeVar("T")

_ONSETS = "bcçdfghklmnprsştvyzqwx"
_CODAS = ("", "", "", "n", "r", "l", "k", "ş", "m", "z")
_HARMONY = ("aıou", "eiöü")
# Invented roots of each kind: the tail of the distribution.
_NOVEL = dict(H=40, A=25, T=70, F=25, P=45, N=40, I=60, ADJ=60, VERB=70)
_NOVEL_NAMES = dict(given=40, family=60, place=60, club=20)
# Topic roots of each kind in a document.
_TOPIC = dict(H=2, A=1, T=2, F=1, P=2, N=1, I=1, ADJ=3, VERB=5, given=2, family=2, place=2, club=1)
_RETURNS = 0.5  # probability that a root is one of the document's topic
_FRESH = 0.015  # probability of a root that never occurred before; below, of a name
_FRESH_NAME = 0.12
_DERIVED = 0.08


@dataclass(frozen=True)
class Ranked:
    """Roots by falling frequency, the n-th with weight 1 / (n + 1) (Zipf)."""

    roots: tuple[str, ...]
    weights: tuple[float, ...] = field(repr=False)  # cumulative

    @classmethod
    def of(cls, roots: Iterable[str]) -> "Ranked":
        """Return ``roots``, weighted by rank."""
        ranked = tuple(roots)
        return cls(ranked, tuple(accumulate(1 / (rank + 2) for rank in range(len(ranked)))))

    def draw(self, rng: Random) -> str:
        """Return a random root."""
        return self.roots[bisect(self.weights, rng.random() * self.weights[-1])]


@dataclass(frozen=True)
class Language:
    """The roots of each kind (noun classes, ADJ, VERB, kinds of names) and the verb frames."""

    ranked: Mapping[str, Ranked]
    frames: Mapping[str, Frame]


def make_language(seed: int = 0) -> Language:
    """Return the language of ``seed``: the lexicon in random order, then invented roots."""
    rng = Random(f"toylang/{seed}/language")
    frames = {root: frame for roots, frame in lexicon.VERBS.items() for root in roots.split()}
    tables = {**lexicon.NOUNS, "ADJ": lexicon.ADJECTIVES, "VERB": " ".join(frames)}
    tables |= lexicon.NAMES
    taken = {root for roots in tables.values() for root in roots.split()}
    ranked = {}
    patterns = tuple(frames.values())
    for kind, roots in tables.items():
        novel = _novel_roots(rng, (_NOVEL | _NOVEL_NAMES)[kind], taken)
        ranked[kind] = Ranked.of(_shuffled(rng, roots.split()) + novel)
        if kind == "VERB":
            frames |= {root: patterns[int(rng.random() * len(patterns))] for root in novel}
    return Language(ranked, frames)


def novel_root(rng: Random) -> str:
    """Return an invented root of two or three syllables with vowel harmony: bimul."""
    vowels = _pick(rng, _HARMONY)
    syllables = 2 + (rng.random() < 0.35)
    return "".join(
        _pick(rng, _ONSETS) + _pick(rng, vowels) + _pick(rng, _CODAS) for _ in range(syllables)
    )


@dataclass(frozen=True)
class Chooser:
    """Random choices for a sentence: from a language and the topic of a document.

    ``names`` scales the frequency of names of people, places and organisations.
    """

    rng: Random
    language: Language
    topic: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: float = 1.0

    def chance(self, probability: float) -> bool:
        """Return True with ``probability``."""
        return self.rng.random() < probability

    def one(self, items: Sequence[T]) -> T:
        """Return one of ``items``, uniformly."""
        return _pick(self.rng, items)

    def word(self, words: str) -> str:
        """Return one of ``words`` (separated by spaces), earlier ones more often."""
        return _ranked(words).draw(self.rng)

    def root(self, kind: str) -> str:
        """Return a root of ``kind``: from the topic, from the language, or a new one."""
        topical = self.topic.get(kind)
        if topical and self.chance(_RETURNS):
            return self.one(topical)
        if kind != "VERB" and self.chance(_FRESH_NAME if kind in _NOVEL_NAMES else _FRESH):
            return self._fresh(kind)
        if self.chance(_DERIVED):
            return self._derived(kind)
        return self.language.ranked[kind].draw(self.rng)

    def _fresh(self, kind: str) -> str:
        root = novel_root(self.rng)
        return root + self.one(lexicon.PLACE_ENDINGS) if kind == "place" else root

    def _derived(self, kind: str) -> str:
        """Return a root with a derivational ending if ``kind`` has one: kapı -> kapıcı."""
        ranked = self.language.ranked
        if kind == "H":
            return inflect(ranked[self.one("TF")].draw(self.rng), "cI")
        if kind == "I" and self.chance(0.5):  # also the negative imperative: okuma
            return inflect(ranked["VERB"].draw(self.rng), "mA")
        if kind == "I":
            return inflect(ranked["ADJ"].draw(self.rng), "lIk")
        if kind == "ADJ":
            return inflect(ranked[self.one("TFNI")].draw(self.rng), self.one(("lI", "sIz")))
        return ranked[kind].draw(self.rng)


def make_topic(rng: Random, language: Language) -> dict[str, tuple[str, ...]]:
    """Return the topic of a document: a few roots of each kind."""
    chooser = Chooser(rng, language)
    return {kind: tuple(chooser.root(kind) for _ in range(n)) for kind, n in _TOPIC.items()}


@lru_cache(maxsize=64)
def _ranked(words: str) -> Ranked:
    return Ranked.of(words.split())


def _novel_roots(rng: Random, count: int, taken: set[str]) -> list[str]:
    """Return ``count`` invented roots that are not in ``taken``, and add them to it."""
    roots: list[str] = []
    while len(roots) < count:
        root = novel_root(rng)
        if root not in taken:
            taken.add(root)
            roots.append(root)
    return roots


def _shuffled(rng: Random, items: Iterable[str]) -> list[str]:
    return sorted(items, key=lambda _: rng.random())


def _pick(rng: Random, items: Sequence[T]) -> T:
    return items[int(rng.random() * len(items))]
