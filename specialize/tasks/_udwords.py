"""The words of two CoNLL-U files, and which of them correspond.

Words are aligned by the characters they cover, spaces left out; words of multiword tokens, whose
forms need not be in the text, by the longest common subsequence of their lowercased forms.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from specialize.corpus.conllu import DEPREL, FEATS, FORM, LEMMA, UPOS, XPOS, Block, Row
from specialize.errors import DataError
from specialize.tasks._conllu import tree

ROOT = -1
FUNCTION = frozenset({"aux", "cop", "mark", "det", "clf", "case", "cc"})
# fmt: off
_FEATURES = frozenset({
    "PronType", "NumType", "Poss", "Reflex", "Foreign", "Abbr", "Gender", "Animacy", "Number",
    "Case", "Definite", "Degree", "VerbForm", "Mood", "Tense", "Aspect", "Voice", "Evident",
    "Polarity", "Person", "Polite",
})
# fmt: on

Span = tuple[int, int]  # first character, one past the last


@dataclass(slots=True)
class Word:
    """A syntactic word: no subtype in its relation, no language-specific features."""

    span: Span  # of its token
    split: bool  # its token is a multiword token
    form: str  # lowercased; as in the official script, spaces stay in words of split tokens only
    lemma: str
    upos: str
    xpos: str
    feats: tuple[str, ...]
    deprel: str
    head: int  # its index in the document's words, or ROOT
    function: list[int] = field(default_factory=list)  # its function words


@dataclass
class Document:
    """A file's text without spaces, and the stretches of it that are sentences and tokens."""

    path: str
    text: str = ""
    sentences: list[Span] = field(default_factory=list)
    tokens: list[Span] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)  # of tokens
    words: list[Word] = field(default_factory=list)


def document_of(path: Path | str, blocks: Iterable[Block], *, trees: bool) -> Document:
    """Return the words of a file's sentences, which must be trees if ``trees``.

    Without trees, every word hangs from the root.
    """
    document = Document(str(path))
    texts: list[str] = []
    end = 0
    for block in blocks:
        begin, first = end, len(document.words)
        heads = iter(tree(block) if trees else [0] * len(block.words))
        for token, members in block.tokens():
            text = _visible(block, token)
            span = (end, end + len(text))
            end += len(text)
            texts.append(text)
            document.tokens.append(span)
            document.lines.append(block.line + token)
            for member in members:
                head = next(heads)
                row = block.rows[member]
                split = member != token
                word = _word(row, row[FORM] if split else text, span, split=split)
                word.head = first + head - 1 if head else ROOT
                document.words.append(word)
        document.sentences.append((begin, end))
        _link(document.words, first)
    document.text = "".join(texts)
    return document


def check_same_text(gold: Document, system: Document) -> None:
    """Raise DataError if the characters of two files differ, spaces aside: no alignment then."""
    if gold.text == system.text:
        return
    pairs = enumerate(zip(gold.text, system.text, strict=False))
    shorter = min(len(gold.text), len(system.text))
    place = next((i for i, (ours, theirs) in pairs if ours != theirs), shorter)
    after = (n for n, span in zip(system.lines, system.tokens, strict=True) if span[1] > place)
    raise DataError(
        f"{system.path}:{next(after, system.lines[-1])}: the text differs from {gold.path}: "
        f"{system.text[place : place + 20]!r} for {gold.text[place : place + 20]!r}"
    )


def align(gold: Sequence[Word], system: Sequence[Word]) -> Iterator[tuple[int, int]]:
    """Yield the indices of corresponding gold and system words, in order."""
    g = s = 0
    while g < len(gold) and s < len(system):
        ours, theirs = gold[g], system[s]
        if ours.split or theirs.split:
            g0, s0, g, s = _stretch(gold, system, g, s)
            forms = [word.form for word in gold[g0:g]], [word.form for word in system[s0:s]]
            yield from ((g0 + i, s0 + j) for i, j in _common(*forms))
        elif ours.span == theirs.span:
            yield g, s
            g, s = g + 1, s + 1
        elif ours.span[0] <= theirs.span[0]:
            g += 1
        else:
            s += 1


def _stretch(
    gold: Sequence[Word], system: Sequence[Word], g: int, s: int
) -> tuple[int, int, int, int]:
    """Return where the words begin, and end, that a multiword token at g or s ties together."""
    end = (gold[g] if gold[g].split else system[s]).span[1]
    # A plain word that begins before the multiword token is no part of it.
    if gold[g].split and not system[s].split and system[s].span[0] < gold[g].span[0]:
        s += 1
    elif system[s].split and not gold[g].split and gold[g].span[0] < system[s].span[0]:
        g += 1
    g0, s0 = g, s
    while _within(gold, g, end) or _within(system, s, end):
        ours = s >= len(system) or (g < len(gold) and gold[g].span[0] <= system[s].span[0])
        word = gold[g] if ours else system[s]
        if word.split:
            end = max(end, word.span[1])
        g, s = g + ours, s + (not ours)
    return g0, s0, g, s


def _within(words: Sequence[Word], index: int, end: int) -> bool:
    """A multiword token belongs to the stretch if it begins there, a word if it also ends there."""
    if index >= len(words):
        return False
    word = words[index]
    return word.span[0] < end if word.split else word.span[1] <= end


def _common(ours: list[str], theirs: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the index pairs of a longest common subsequence, equal items paired at first sight."""
    length = [[0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    for i in reversed(range(len(ours))):
        for j in reversed(range(len(theirs))):
            if ours[i] == theirs[j]:
                length[i][j] = length[i + 1][j + 1] + 1
            else:
                length[i][j] = max(length[i + 1][j], length[i][j + 1])
    i = j = 0
    while i < len(ours) and j < len(theirs):
        if ours[i] == theirs[j]:
            yield i, j
            i, j = i + 1, j + 1
        elif length[i][j] == length[i + 1][j]:
            i += 1
        else:
            j += 1


def _visible(block: Block, row: int) -> str:
    """Return the form of a token without its spaces."""
    form = block.rows[row][FORM]
    text = form if form.isalnum() else "".join(c for c in form if unicodedata.category(c) != "Zs")
    if not text:
        raise block.fault(row, "the form has no character but spaces; correct it")
    return text


def universal_features(feats: str) -> tuple[str, ...]:
    """Return what the shared task compares of a FEATS value: the universal features, sorted.

    >>> universal_features("Number=Sing|Case=Nom|Own=Yes"), universal_features("_")
    (('Case=Nom', 'Number=Sing'), ())
    """
    return tuple(sorted(f for f in feats.split("|") if f.partition("=")[0] in _FEATURES))


def _word(row: Row, form: str, span: Span, *, split: bool) -> Word:
    """Return the word of a row, attached to the root."""
    return Word(
        span=span,
        split=split,
        form=form.lower(),
        lemma=row[LEMMA],
        upos=row[UPOS],
        xpos=row[XPOS],
        feats=universal_features(row[FEATS]),
        deprel=row[DEPREL].partition(":")[0],
        head=ROOT,
    )


def _link(words: list[Word], first: int) -> None:
    """Give the words from ``first`` on their function words, in order."""
    for index in range(first, len(words)):
        word = words[index]
        if word.head != ROOT and word.deprel in FUNCTION:
            words[word.head].function.append(index)
