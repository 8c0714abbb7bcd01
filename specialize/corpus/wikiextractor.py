"""Articles in the output of WikiExtractor: ``<doc …>`` elements, or rows of JSON."""

import html
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from specialize.corpus.files import read_lines

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_PLACEHOLDER = re.compile(r"\b(?:formula|codice)_[0-9]+\b")  # of <math> and <code>


def read_extracted(path: Path) -> Iterator[list[str]]:
    """Yield the lines of each ``<doc …>``, title line, text, ``</doc>``.

    Escapes are undone; left-over tags and placeholders are dropped.
    """
    document: list[str] = []
    at_title = False
    for _, line in read_lines(path):
        line = line.strip()
        if line.startswith("<doc ") or line == "</doc>":
            yield document
            document = []
        elif not at_title and (text := _text(line)):
            document.append(text)
        at_title = line.startswith("<doc ")
    yield document


def _text(line: str) -> str:
    return _TAG.sub("", without_placeholders(html.unescape(line))).strip()


def is_extracted(row: Any) -> bool:
    """Return whether a row of JSON is one of WikiExtractor's.

    >>> is_extracted({"id": "1", "url": "https://a.org/wiki?curid=1", "title": "A", "text": "B"})
    True
    """
    return isinstance(row, Mapping) and "?curid=" in str(row.get("url"))


def without_placeholders(text: str) -> str:
    """Return ``text`` without what WikiExtractor writes for formulas and code.

    >>> without_placeholders("The codice_1 statement")
    'The  statement'
    """
    return _PLACEHOLDER.sub("", text)
