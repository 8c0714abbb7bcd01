"""Articles of MediaWiki XML dumps, their markup stripped lightly.

Good enough to learn words and sentences; not a renderer. Templates, tables, references, files and
categories are dropped, links are replaced by their labels. The output of templates is lost, but for
the numbers of ``{{formatnum:…}}``: where that matters, run WikiExtractor and read its output.
"""

import html
import re
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLPullParser

from specialize.corpus.files import blocks
from specialize.errors import DataError

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_UNREAD = "ref|math|chem|gallery|timeline|score|source|syntaxhighlight|pre|code|nowiki|imagemap"
_OPENING = re.compile(rf"<({_UNREAD})\b[^<>]*>", re.I)
_CLOSING = re.compile(rf"</({_UNREAD})\s*>", re.I)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_NUMBER = re.compile(r"\{\{\s*formatnum\s*:\s*([^{}|]*)(?:\|[^{}]*)?\}\}", re.I)
_BAR = "{{!}}"  # outputs |, as in {{{!}} that begins a table
_BRACES = re.compile(r"\{\{|\}\}")
_TABLE = re.compile(r"^[ :]*\{\||^[ ]*\|\}", re.M)
_EXTERNAL = re.compile(r"\[(?:https?:)?//[^\s\[\]]*+\s*+([^\[\]]*+)\]")
_LINK = re.compile(r"\[\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\]")
_QUOTES = re.compile(r"'{2,}")
_SWITCH = re.compile(r"__[A-Z]+__")
_LIST = re.compile(r"^[*#:;]+\s*")
_OTHER_WIKI = re.compile(r"[a-z]{2,3}(?:-[a-z-]+)?")
_NESTED = 100  # links inside links that are replaced, as those of captions
_DROPPED = ("=", "|", "!", "{", "----")  # the first characters of headings and rests of tables


def read_articles(path: Path) -> Iterator[list[str]]:
    """Yield the lines of each article (namespace 0, no redirect) of a MediaWiki dump."""
    namespaces = {"file", "image", "category"}
    for element in _elements(path):
        if _name(element) == "namespace" and element.text:
            namespaces.add(element.text.casefold())
        elif _name(element) == "page":
            found = {_name(below): below.text or "" for below in element.iter()}
            if found.get("ns", "0") == "0" and "redirect" not in found:
                yield plain_lines(found.get("text", ""), namespaces)


def _elements(path: Path) -> Iterator[Element]:
    """Yield every element once it is complete; complete pages are then freed."""
    parser: XMLPullParser[Any] = XMLPullParser(("start", "end"))
    root: Element | None = None
    try:
        for block in blocks(path):
            parser.feed(block)
            events: Iterator[Any] = parser.read_events()  # of event and element
            for event, element in events:
                if root is None:
                    root = element
                elif event == "end":
                    yield element
                    if _name(element) == "page":
                        root.clear()
        parser.close()
    except ParseError as fault:
        raise DataError(
            f"{path}:{fault.position[0]}: truncated or malformed XML dump ({fault}); fetch it again"
        ) from fault


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def plain_lines(wikitext: str, namespaces: set[str]) -> list[str]:
    """Return the non-empty lines of ``wikitext`` as text, without headings.

    Links into ``namespaces`` (case-folded names: files, categories and their local names) and to
    other languages are dropped.
    """
    text = _without_elements(_COMMENT.sub("", wikitext))
    text = _NUMBER.sub(r"\1", text.replace(_BAR, "|"))
    text = _outside(_TABLE, "{|", _outside(_BRACES, "{{", text))
    text = _unlinked(_EXTERNAL.sub(r"\1", text), namespaces)
    text = _SWITCH.sub("", _QUOTES.sub("", _TAG.sub("", text)))
    lines = (line.strip() for line in html.unescape(text).split("\n"))
    lines = (_LIST.sub("", line) for line in lines if not line.startswith(_DROPPED))
    return [line for line in lines if line]


def _without_elements(text: str) -> str:
    """Return the text without references, formulas and the like; an unclosed one stays."""
    closings: dict[str, list[tuple[int, int]]] = {}
    for closing in _CLOSING.finditer(text):
        closings.setdefault(closing[1].lower(), []).append(closing.span())
    kept: list[str] = []
    end = 0
    for opening in _OPENING.finditer(text):
        if opening.start() < end:
            continue  # inside an element
        if opening[0].endswith("/>"):
            after = opening.end()
        else:
            ends = closings.get(opening[1].lower(), [])
            nearest = bisect_left(ends, (opening.end(), 0))
            if nearest == len(ends):
                continue
            after = ends[nearest][1]
        kept.append(text[end : opening.start()])
        end = after
    return "".join([*kept, text[end:]])


def _outside(brackets: re.Pattern[str], opening: str, text: str) -> str:
    """Return the text outside all (nested) brackets; a lone closing one is dropped."""
    depth, end = 0, 0
    kept: list[str] = []
    for match in brackets.finditer(text):
        if depth == 0:
            kept.append(text[end : match.start()])
        depth = depth + 1 if match[0].endswith(opening) else max(0, depth - 1)
        end = match.end()
    return "".join([*kept, text[end:]] if depth == 0 else kept)


def _unlinked(text: str, namespaces: set[str]) -> str:
    """Replace each link by its label, the innermost first: captions of files contain links."""

    def label(match: re.Match[str]) -> str:
        target, _, shown = match[1].partition("|")
        prefix, colon, _ = target.partition(":")
        prefix = prefix.strip()
        if colon and (prefix.casefold() in namespaces or _OTHER_WIKI.fullmatch(prefix)):
            return ""
        if "|" in shown:  # a file by a name its dump does not list, with its size and place
            return ""
        return shown or target.lstrip(":")

    for _ in range(_NESTED):
        text, count = _LINK.subn(label, text)
        if not count:
            break
    return text
