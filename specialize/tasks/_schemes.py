"""Schemes of entity tags: IOB2, which is learned, and IOB1, BIOES and BILOU, which become IOB2."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from specialize.errors import DataError, SpecializeWarning, UsageError
from specialize.tasks._base import Sentence, Tags

_PREFIXES = {"iob1": "OBI", "iob2": "OBI", "bioes": "OBIESM", "bilou": "OBILUM"}
_ENDS = "ESLU"  # prefixes of the last word of an entity


def check_scheme(scheme: str) -> str:
    """Return the name of a scheme, "" for none; UsageError if it is unknown."""
    if scheme and scheme not in _PREFIXES:
        message = f"unknown scheme {scheme!r}; known: {', '.join(_PREFIXES)}"
        raise UsageError(message, key="scheme")
    return scheme


def scheme_of(sentences: Sequence[Sentence[Tags]]) -> str:
    """Return the scheme of a file's tags.

    In IOB1, entities begin with I-, with B- only after one of their type. DataError if most but not
    all begin so: the tags are IOB1 with errors, or IOB2 with more of them.

    >>> scheme_of([Sentence(("a", "b", "c"), ("I-PER", "B-PER", "O"), None)])
    'iob1'
    """
    if scheme := end_scheme(sentences):
        return scheme
    starts = [
        (sentence, tag[0])
        for sentence in sentences
        for before, tag in zip(("O", *sentence.gold), sentence.gold, strict=False)
        if tag != "O" and tag[2:] != before[2:]  # the first word of an entity
    ]
    iob1 = sum(prefix == "I" for _, prefix in starts)
    iob2 = len(starts) - iob1
    if iob1 > iob2 > 0:
        where = next(sentence.where for sentence, prefix in starts if prefix == "B")
        raise DataError(
            f"{where}: {iob1:,} entities begin with I-, as in IOB1, but {iob2:,} with B-, as in "
            'IOB2; correct the tags, or choose: scheme = "iob1" in the table of the task, '
            "--scheme of evaluate"
        )
    return "iob1" if iob1 > iob2 else "iob2"


def end_scheme(sentences: Iterable[Sentence[Tags]]) -> str:
    """Return the scheme of tags that mark the ends of entities; "" for others."""
    prefixes = {tag[0] for sentence in sentences for tag in sentence.gold}
    if prefixes & set("LU"):
        return "bilou"
    return "bioes" if prefixes & set("ESM") else ""


def in_iob2(sentences: Sequence[Sentence[Tags]], scheme: str) -> list[Sentence[Tags]]:
    """Return the sentences of a file with tags of ``scheme`` as IOB2; DataError for other tags."""
    for sentence in sentences:
        for i, tag in enumerate(sentence.gold):
            if tag[0] not in _PREFIXES[scheme]:
                source = sentence.source
                raise DataError(
                    f"{source.path}:{source.line + i}: expected a tag of {scheme.upper()}, got "
                    f"{tag!r}; correct the tag, or choose another scheme"
                )
    return list(sentences) if scheme == "iob2" else [*map(as_iob2, sentences)]


def as_iob2(sentence: Sentence[Tags]) -> Sentence[Tags]:
    """Return the sentence with its tags of any scheme as IOB2: every entity begins with B-.

    >>> as_iob2(Sentence(("a", "b", "c"), ("I-PER", "B-PER", "I-LOC"), None)).gold
    ('B-PER', 'B-PER', 'B-LOC')
    >>> as_iob2(Sentence(("a", "b", "c"), ("B-PER", "E-PER", "S-PER"), None)).gold
    ('B-PER', 'I-PER', 'B-PER')
    """
    pairs = zip(("O", *sentence.gold), sentence.gold, strict=False)
    return replace(sentence, gold=tuple(_as_iob2(before, tag) for before, tag in pairs))


def _as_iob2(before: str, tag: str) -> str:
    if tag == "O":
        return tag
    first = tag[0] in "BSU" or tag[2:] != before[2:] or before[0] in _ENDS
    return f"B-{tag[2:]}" if first else f"I-{tag[2:]}"


def warn_of(scheme: str, paths: Iterable[Path | str]) -> None:
    """Warn that the tags of files are converted, unless they are IOB2."""
    if scheme == "iob2":
        return
    how = " (entities begin with I-)" if scheme == "iob1" else ""
    for path in paths:
        warnings.warn(
            f"{path}: the tags are {scheme.upper()}{how}; they are read as IOB2",
            SpecializeWarning,
            stacklevel=3,
        )
