"""Splitting plain text into words as the training data does: at white space, or punctuation too.

By rule, for any script: punctuation at the edges of what white space separates is a word of its
own, a run of one character (``...``) a single one. Apostrophes, hyphens and the like inside words
stay, as do separators inside numbers and the stops of abbreviations such as ``U.S.``.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from typing import Literal

Style = Literal["spaces", "punctuation"]

_APOSTROPHES = "'’‘`´"
_HYPHENS = "-‐‑־"
_INSIDE = frozenset(_APOSTROPHES + _HYPHENS + '.:/&@#*%\\_·‧"׳״՚՛՜՞་')  # stay between letters
_EDGES = frozenset(_HYPHENS + "_")  # stay at the edges of words
_BEFORE = frozenset("@#")  # stay before words: mentions, tags
_OPENING = {"(": ")", "[": "]", "{": "}"}
_CLOSING = {closing: opening for opening, closing in _OPENING.items()}
_ABBREVIATION = re.compile(r"(?:\w{1,2}\.)+\w{1,2}\.")


def style_of(sentences: Iterable[tuple[str, ...]]) -> Style:
    """Return how the words of tokenised sentences were separated.

    "punctuation" if punctuation is more often a word of its own than attached to a letter.

    >>> style_of([("Yes", ",", "sir", ".")]), style_of([("Yes,", "sir.")])
    ('punctuation', 'spaces')
    """
    alone = glued = 0
    for words in sentences:
        for word in words:
            if is_punctuation(word[-1]) and word[-1] not in _APOSTROPHES + _HYPHENS:
                if any(character.isalpha() for character in word):
                    glued += 1
                else:
                    alone += all(map(is_punctuation, word))
    return "punctuation" if alone >= glued else "spaces"


@cache
def is_punctuation(character: str) -> bool:
    """Return whether a character is punctuation or a currency sign, by its Unicode category."""
    category = unicodedata.category(character)
    return category[0] == "P" or category == "Sc" or character in _APOSTROPHES


def pretokenize(line: str, style: Style) -> list[list[str]]:
    """Return the words of each white-space token of ``line``.

    >>> pretokenize("ⲛⲁϥ, ta' 3,5%.", "punctuation")
    [['ⲛⲁϥ', ','], ["ta'"], ['3,5', '%', '.']]
    """
    tokens = line.split()
    if style == "spaces":
        return [[token] for token in tokens]
    quoted = _quoted(tokens)
    return [
        _words(token, quoted=i in quoted, last=i == len(tokens) - 1)
        for i, token in enumerate(tokens)
    ]


def _quoted(tokens: list[str]) -> frozenset[int]:
    """Return the tokens from an opening single quotation mark to the closing one."""
    inside: set[int] = set()
    begin: int | None = None
    for i, token in enumerate(tokens):
        core = token.strip("".join(c for c in set(token) if is_punctuation(c)))
        if not core:
            continue
        before, _, after = token.partition(core)
        if any(c in before for c in _APOSTROPHES):
            begin = i  # subtle: the last one counts, as in 'tis said 'so'
        if begin is not None and any(c in after for c in _APOSTROPHES):
            inside |= {begin, i}
            begin = None
    return frozenset(inside)


def _words(token: str, *, quoted: bool, last: bool) -> list[str]:
    """Return the words of a token without white space."""
    begin, end = 0, len(token)
    while begin < end and _leaves_front(token, begin, quoted=quoted):
        begin += 1
    while end > begin and _leaves_back(token, begin, end, quoted=quoted, last=last):
        end -= 1
    return [*_runs(token[:begin]), *_split_inside(token[begin:end]), *_runs(token[end:])]


def _leaves_front(token: str, at: int, *, quoted: bool) -> bool:
    """Whether the first character left of a token is a word of its own."""
    character, following = token[at], token[at + 1 : at + 2]
    if not is_punctuation(character):
        return False
    if character in _APOSTROPHES:
        repeated = character in (following, token[at - 1 : at])
        return quoted or repeated or not following.isalnum()
    if character in _EDGES | _BEFORE:
        return not following.isalnum()
    if character in _OPENING:
        closed = token.find(_OPENING[character], at)
        return closed < 0 or not token[closed + 1 : closed + 2].isalnum()
    return not (character == "." and following.isdecimal())


def _leaves_back(token: str, begin: int, end: int, *, quoted: bool, last: bool) -> bool:
    """Whether the last character left of a token is a word of its own."""
    character, core = token[end - 1], token[begin : end - 1]
    if not is_punctuation(character):
        return False
    if character in _APOSTROPHES:
        repeated = character in (core[-1:], token[end : end + 1])
        return quoted or repeated or not core[-1:].isalnum()
    if character in _EDGES:
        return not core[-1:].isalnum()
    if character in _CLOSING:
        return core.count(_CLOSING[character]) <= core.count(character)
    if character == ".":
        initial = len(core) == 1 and core.isupper() and not last
        return not (initial or _ABBREVIATION.fullmatch(f"{core}."))
    return True


def _runs(marks: str) -> Iterator[str]:
    """Yield punctuation marks, a run of one as one word."""
    return ("".join(run) for _, run in groupby(marks))


def _split_inside(word: str) -> Iterator[str]:
    """Yield the parts of a word between punctuation that ends words, and the punctuation itself."""
    if "://" in word:
        yield word
        return
    begin = 0
    for i, character in enumerate(word):
        if is_punctuation(character) and not _stays(word, i):
            if begin < i:
                yield word[begin:i]
            yield character
            begin = i + 1
    if begin < len(word):
        yield word[begin:]


def _stays(word: str, at: int) -> bool:
    """Whether punctuation inside a word is part of it."""
    character = word[at]
    if character in _INSIDE or at in (0, len(word) - 1):
        return True
    if character in _OPENING or character in _CLOSING:
        return True  # f(x), word(s)
    return character in ",٫٬" and word[at - 1].isdecimal() and word[at + 1].isdecimal()
