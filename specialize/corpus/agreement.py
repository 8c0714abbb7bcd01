"""Whether a corpus and a task's text are written alike, before anything is trained on them.

New pieces are found in the corpus and used on the task. Where the two differ in case, script,
normal form, digits or apostrophes, the pieces never occur in the task's text. Samples are enough:
every function reads ``SAMPLE`` characters at most.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

SAMPLE = 200_000  # characters read of a text
_FEW = 20  # digits, apostrophes or letters with marks; with fewer nothing is reported
_ENOUGH = 100  # letters, likewise
_RARE = 0.01
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])['’‘ʼʻʹ′`´](?=[^\W\d_])")


@dataclass(frozen=True)
class Sample:
    """The beginning of a text and what its characters are."""

    text: str

    @classmethod
    def of(cls, lines: Iterable[str]) -> "Sample":
        """Return a sample of lines or words."""
        parts: list[str] = []
        size = 0
        for line in lines:
            parts.append(line[: SAMPLE - size])
            size += len(line) + 1
            if size >= SAMPLE:
                break
        return cls("\n".join(parts))

    @cached_property
    def characters(self) -> Counter[str]:
        """How often each character occurs."""
        return Counter(self.text)

    @cached_property
    def letters(self) -> Counter[str]:
        """How often each letter occurs."""
        return Counter({c: n for c, n in self.characters.items() if c.isalpha()})

    def share(self, chosen: Callable[[str], bool], among: Callable[[str], bool]) -> float | None:
        """Return the share of ``chosen`` letters ``among`` others; None where there are too few."""
        total = sum(n for c, n in self.letters.items() if among(c))
        found = sum(n for c, n in self.letters.items() if chosen(c))
        return found / total if total >= _ENOUGH else None


def mismatch(corpus_sample: Iterable[str], task_words: Iterable[str]) -> list[str]:
    """Return how the writing of a task's text differs from that of the corpus, with what to do.

    One sentence a difference, the likeliest reason first; both texts are given as the model gets
    them, mix-ins applied. Where nothing systematic differs, frequent characters of the task's text
    that the corpus lacks are named.
    """
    corpus, task = Sample.of(corpus_sample), Sample.of(task_words)
    checks = (_script, _case, _composition, _compatibility, _points, _digits, _apostrophes)
    sentences = [sentence for check in checks if (sentence := check(corpus, task))]
    return sentences or _unseen(corpus, task)


@dataclass(frozen=True)
class Unseen:
    """A letter of a task's text that a corpus lacks."""

    letter: str
    share: float  # of the letters of the task's text

    def __str__(self) -> str:
        """Return the letter with its name and share."""
        return f"{self.letter} ({_name(self.letter)}), {_percent(self.share)} of the letters"


def characters_unseen(
    corpus_sample: Iterable[str], task_words: Iterable[str], *, least: float = 0.001
) -> list[Unseen]:
    """Return letters that make a share of at least ``least`` of the task's and none of the corpus.

    The most frequent comes first.
    """
    corpus, task = Sample.of(corpus_sample), Sample.of(task_words)
    return _letters_unseen(corpus, task, least)


@dataclass(frozen=True)
class Use:
    """How much of an encoded text is new pieces."""

    pieces: int
    fresh: int  # new ones among them
    kinds: int  # different new ones

    @classmethod
    def of(cls, encoded: Iterable[Sequence[int]], fresh: Collection[int]) -> "Use":
        """Count the pieces of words or lines, given as ids, and the ``fresh`` ids among them."""
        counts = Counter(piece for word in encoded for piece in word)
        new = {piece: n for piece, n in counts.items() if piece in fresh}
        return cls(counts.total(), sum(new.values()), len(new))

    @property
    def share(self) -> float:
        """The share of the new pieces."""
        return self.fresh / self.pieces if self.pieces else 0.0


def _case(corpus: Sample, task: Sample) -> str:
    def cased(letter: str) -> bool:
        return letter.isupper() or letter.islower()

    ours, theirs = (text.share(str.isupper, cased) for text in (corpus, task))
    if ours is None or theirs is None or abs(ours - theirs) < 0.5:
        return ""
    return (
        f"{_percent(ours)} of the letters of the corpus are capitals, of the task's text "
        f"{_percent(theirs)}: add the mix-in lower"
    )


def _script(corpus: Sample, task: Sample) -> str:
    ours, theirs = (_scripts(text) for text in (corpus, task))
    if min(ours.total(), theirs.total()) < _ENOUGH:
        return ""
    foreign = sum(n for script, n in theirs.items() if ours[script] < _RARE * ours.total())
    if foreign < 0.5 * theirs.total():
        return ""
    (script, n), (other, m) = ours.most_common(1)[0], theirs.most_common(1)[0]
    return (
        f"{_percent(n / ours.total())} of the letters of the corpus are {script.capitalize()}, "
        f"{_percent(m / theirs.total())} of the task's text {other.capitalize()}: bring both into "
        "one script with a mix-in"
    )


def _scripts(text: Sample) -> Counter[str]:
    scripts: Counter[str] = Counter()
    for letter, n in text.letters.items():
        scripts[_script_of(letter)] += n
    return scripts


@cache
def _script_of(letter: str) -> str:
    """Return the first word of the name of a letter, which is its script, whatever its form."""
    plain = unicodedata.normalize("NFKC", letter)[:1]
    return unicodedata.name(plain, "unnamed").split()[0]


def _composition(corpus: Sample, task: Sample) -> str:
    (joined, split), (other_joined, other_split) = map(_marked, (corpus, task))
    if min(joined + split, other_joined + other_split) < _FEW:
        return ""
    if split > 10 * joined and other_joined > 10 * other_split:
        ours, theirs = "NFD", "NFC"
    elif joined > 10 * split and other_split > 10 * other_joined:
        ours, theirs = "NFC", "NFD"
    else:
        return ""
    return (
        f"letters with marks are {_FORMS[ours]} in the corpus and {_FORMS[theirs]} in the task's "
        'text: add the mix-in unicode with form = "NFC"'
    )


def _compatibility(corpus: Sample, task: Sample) -> str:
    ours, theirs = (text.share(_is_compatibility, str.isalpha) for text in (corpus, task))
    if ours is None or theirs is None or abs(ours - theirs) < 0.2:
        return ""
    return (
        f"{_percent(ours)} of the letters of the corpus are presentation forms or other "
        f"compatibility characters, of the task's text {_percent(theirs)}: add the mix-in unicode "
        'with form = "NFKC"'
    )


_FORMS = {"NFC": "single characters (NFC)", "NFD": "letters followed by marks (NFD)"}


def _marked(text: Sample) -> tuple[int, int]:
    """Return how many letters with marks are composed, and how many could be but are not."""
    composed = unicodedata.normalize("NFC", text.text)
    split = len(text.text) - len(composed)
    return len(unicodedata.normalize("NFD", composed)) - len(composed) - split, split


@cache
def _is_compatibility(letter: str) -> bool:
    return unicodedata.normalize("NFC", letter) != unicodedata.normalize("NFKC", letter)


def _points(corpus: Sample, task: Sample) -> str:
    """Compare vowel points: marks that stay when composed."""
    ours, theirs = (_points_share(text) for text in (corpus, task))
    if ours is None or theirs is None or min(ours, theirs) >= _RARE or abs(ours - theirs) < 0.1:
        return ""
    return (
        f"the corpus has {_percent(ours)} combining marks (vowel points, tones) a letter, the "
        f"task's text {_percent(theirs)}: drop them from both with a mix-in"
    )


def _points_share(text: Sample) -> float | None:
    composed = Counter(unicodedata.normalize("NFC", text.text))
    letters = sum(n for c, n in composed.items() if c.isalpha())
    marks = sum(n for c, n in composed.items() if unicodedata.category(c) == "Mn")
    return marks / letters if letters >= _ENOUGH else None


def _digits(corpus: Sample, task: Sample) -> str:
    def family(text: Sample) -> Counter[str]:
        found: Counter[str] = Counter()
        for digit, n in text.characters.items():
            if digit.isdecimal():
                found[chr(ord(digit) - unicodedata.decimal(digit))] += n
        return found

    return _other_habit(family(corpus), family(task), "digits", "one kind of digits", digits=True)


def _apostrophes(corpus: Sample, task: Sample) -> str:
    ours, theirs = (Counter(_APOSTROPHE.findall(text.text)) for text in (corpus, task))
    return _other_habit(ours, theirs, "apostrophes inside words", "one kind of apostrophe")


def _other_habit(
    ours: Counter[str], theirs: Counter[str], what: str, one: str, *, digits: bool = False
) -> str:
    """Return a sentence if what most of one text has is rare in the other, and the reverse."""
    if min(ours.total(), theirs.total()) < _FEW:
        return ""
    (mine, n), (other, m) = ours.most_common(1)[0], theirs.most_common(1)[0]
    if ours[other] > 0.1 * n or theirs[mine] > 0.1 * m:
        return ""
    shown = [f"{_name(c)}{f' ({c}...)' if digits else ''}" for c in (mine, other)]
    return (
        f"{what} are {shown[0]} in the corpus and {shown[1]} in the task's text: write {one} in "
        "both with a mix-in"
    )


def _unseen(corpus: Sample, task: Sample) -> list[str]:
    found = _letters_unseen(corpus, task, 0.01)
    if not found:
        return []
    listed = "; ".join(map(str, found[:3]))
    return [f"letters of the task's text that the corpus lacks: {listed}"]


def _letters_unseen(corpus: Sample, task: Sample, least: float) -> list[Unseen]:
    total = task.letters.total()
    return [
        Unseen(letter, n / total)
        for letter, n in task.letters.most_common()
        if letter not in corpus.characters and n >= least * total
    ]


def _name(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, 'unnamed')}"


def _percent(share: float) -> str:
    """Return a share in percent with the digits it needs.

    >>> _percent(0.98), _percent(0.001), _percent(0.0)
    ('98 %', '0.1 %', '0 %')
    """
    return f"{100 * share:.0f} %" if share in (0, 1) or share >= 0.095 else f"{100 * share:.2g} %"
