"""BERT's pre-tokenisation, exactly as Hugging Face's ``BertNormalizer`` + ``BertPreTokenizer``.

text -> words, one Unicode rule after the other:

1. clean: control characters are deleted (so their neighbours join), white space becomes a space;
2. CJK ideographs are surrounded by spaces;
3. accents are stripped (NFD, then marks removed), if enabled;
4. letters are lower-cased one by one, if enabled;
5. words are split at white space, and every punctuation mark is a word.

Nothing is NFC-normalised: the Rust code never does, although the slow Python tokenizer of later
transformers does. The tables are those of the Rust code, an older Unicode than Python's, from a
scan of all 1,112,064 code points with the library (tests repeat the scan). They include its
oddities: U+2B820-2B91F is not isolated, U+061D is not punctuation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

# code points in hexadecimal, single or as inclusive ranges
_DELETED = """
0-8 b-c e-1f 7f-9f ad 600-605 61c 6dd 70f 180e 200b-200f 202a-202e 2060-2064 2066-206f
e000-f8ff feff fff9-fffb fffd 110bd 1bca0-1bca3 1d173-1d17a e0001 e0020-e007f f0000-ffffd
100000-10fffd
"""
_IDEOGRAPHS = """
3400-4dbf 4e00-9fff f900-faff 20000-2a6df 2a700-2b81f 2b920-2ceaf 2f800-2fa1f
"""
_PUNCTUATION = """
21-2f 3a-40 5b-60 7b-7e a1 a7 ab b6-b7 bb bf 37e 387 55a-55f 589-58a 5be 5c0 5c3 5c6 5f3-5f4
609-60a 60c-60d 61b 61e-61f 66a-66d 6d4 700-70d 7f7-7f9 830-83e 85e 964-965 970 af0 df4 e4f
e5a-e5b f04-f12 f14 f3a-f3d f85 fd0-fd4 fd9-fda 104a-104f 10fb 1360-1368 1400 166d-166e
169b-169c 16eb-16ed 1735-1736 17d4-17d6 17d8-17da 1800-180a 1944-1945 1a1e-1a1f 1aa0-1aa6
1aa8-1aad 1b5a-1b60 1bfc-1bff 1c3b-1c3f 1c7e-1c7f 1cc0-1cc7 1cd3 2010-2027 2030-2043
2045-2051 2053-205e 207d-207e 208d-208e 2308-230b 2329-232a 2768-2775 27c5-27c6 27e6-27ef
2983-2998 29d8-29db 29fc-29fd 2cf9-2cfc 2cfe-2cff 2d70 2e00-2e2e 2e30-2e42 3001-3003
3008-3011 3014-301f 3030 303d 30a0 30fb a4fe-a4ff a60d-a60f a673 a67e a6f2-a6f7 a874-a877
a8ce-a8cf a8f8-a8fa a8fc a92e-a92f a95f a9c1-a9cd a9de-a9df aa5c-aa5f aade-aadf aaf0-aaf1
abeb fd3e-fd3f fe10-fe19 fe30-fe52 fe54-fe61 fe63 fe68 fe6a-fe6b ff01-ff03 ff05-ff0a
ff0c-ff0f ff1a-ff1b ff1f-ff20 ff3b-ff3d ff3f ff5b ff5d ff5f-ff65 10100-10102 1039f 103d0
1056f 10857 1091f 1093f 10a50-10a58 10a7f 10af0-10af6 10b39-10b3f 10b99-10b9c 11047-1104d
110bb-110bc 110be-110c1 11140-11143 11174-11175 111c5-111c9 111cd 111db 111dd-111df
11238-1123d 112a9 114c6 115c1-115d7 11641-11643 1173c-1173e 12470-12474 16a6e-16a6f 16af5
16b37-16b3b 16b44 1bc9f 1da87-1da8b
"""
# nonspacing marks (Mn) too new for the library, which keeps them
_NEW_MARKS = """
7fd 898-89f 8ca-8e1 9fe afa-aff b55 c04 c3c d00 d3b-d3c d81 eba 180f 1885-1886 1abf-1ace
1df6-1dfb a82c a8c5 a8ff a9bd 10d24-10d27 10eab-10eac 10f46-10f50 10f82-10f85 11070
11073-11074 110c2 111c9 111cf 1123e 1133b 11438-1143f 11442-11444 11446 1145e 1182f-11837
11839-1183a 1193b-1193c 1193e 11943 119d4-119d7 119da-119db 119e0 11a01-11a0a 11a33-11a38
11a3b-11a3e 11a47 11a51-11a56 11a59-11a5b 11a8a-11a96 11a98-11a99 11c30-11c36 11c38-11c3d
11c3f 11c92-11ca7 11caa-11cb0 11cb2-11cb3 11cb5-11cb6 11d31-11d36 11d3a 11d3c-11d3d
11d3f-11d45 11d47 11d90-11d91 11d95 11d97 11ef3-11ef4 16f4f 16fe4 1cf00-1cf2d 1cf30-1cf46
1e000-1e006 1e008-1e018 1e01b-1e021 1e023-1e024 1e026-1e02a 1e130-1e136 1e2ae 1e2ec-1e2ef
1e944-1e94a
"""


@dataclass(frozen=True)
class BertRules:
    """The rules that a tokenizer applies; defaults are those of multilingual cased BERT."""

    clean: bool = True
    ideographs: bool = True
    strip_accents: bool = False
    lowercase: bool = False


CASED = BertRules()


def words(text: str, rules: BertRules = CASED) -> list[str]:
    """Return the words of ``text``: ``"Hello, 世界"`` -> ``["Hello", ",", "世", "界"]``."""
    plain = text.isascii() and text.isprintable()
    if not plain:
        text = text.translate(_spacing(rules.clean, rules.ideographs))
    return _split(_folded(text, rules).translate(_marks()), rules.clean)


def special_parts(special: Sequence[str]) -> Callable[[str], list[str]]:
    """Return the function that splits a text at ``special`` pieces, which get odd indices."""
    marks = {piece[0] for piece in special}
    pattern = re.compile("(" + "|".join(map(re.escape, sorted(special, key=len)[::-1])) + ")")

    def parts(text: str) -> list[str]:
        return pattern.split(text) if any(mark in text for mark in marks) else [text]

    return parts


def tokens_of(line: str, rules: BertRules = CASED) -> list[str]:
    """Return the white-space tokens of ``line`` such that no rule above looks across two of them.

    subtle: ``str.split`` also splits at control characters (U+001C..1F, U+0085, ...), which BERT
    deletes, joining their neighbours; so these are deleted first if a line has any.
    """
    if rules.clean and not line.isprintable() and any(c in line for c in _SPLIT_BUT_DELETED):
        line = line.translate(dict.fromkeys(map(ord, _SPLIT_BUT_DELETED)))
    return _split(line, rules.clean)


@cache
def deleted_characters() -> frozenset[str]:
    """Return the characters that cleaning deletes, joining their neighbours."""
    return frozenset(map(chr, _ranges(_DELETED)))


_SPLIT_BUT_DELETED = "\x0b\x0c\x1c\x1d\x1e\x1f\x85"
# white space of Unicode, which U+001C..1F are not, although they are for str.split
_NOT_SPACE = re.compile(r"[^\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_TO_LAST_SPACE = "".join(map(chr, range(0x3001)))


def character_rules(
    rules: BertRules,
) -> tuple[list[tuple[int, int, int]], list[tuple[int, str]]]:
    """Return ranges of characters with their rule, and the texts that replace characters.

    All rules look at one character, except for the order of remaining accents (NFD): these fall
    back to Python (``_FALLBACK``).
    """
    ranges = [(c, c, _SPACE) for c in map(ord, _NOT_SPACE.sub("", _TO_LAST_SPACE))]
    if rules.clean:
        ranges += [(first, last, _REMOVE) for first, last in _bounds(_DELETED)]
    alone = [_PUNCTUATION, _IDEOGRAPHS] if rules.ideographs else [_PUNCTUATION]
    ranges += [(first, last, _ALONE) for table in alone for first, last in _bounds(table)]
    texts: list[tuple[int, str]] = []
    if rules.strip_accents or rules.lowercase:
        spacing = _spacing(rules.clean, rules.ideographs)
        for code in (*range(0x20000), *range(0x2F800, 0x2FA20), *range(0xE0100, 0xE01F0)):
            character = chr(code)
            if spacing.get(code, "") is None or not _NOT_SPACE.match(character):
                continue
            text = _folded(character, rules)
            if rules.strip_accents and any(map(unicodedata.combining, text)):
                ranges.append((code, code, _FALLBACK))
            elif text != character:
                text = text.translate(_marks())
                texts.append((code, f" {text} " if code in spacing else text))
    return ranges, texts


_REMOVE, _SPACE, _ALONE, _FALLBACK = 1, 2, 3, 5  # cpp_ext/include/specialize/rules.hpp


def _folded(text: str, rules: BertRules) -> str:
    if rules.strip_accents:
        text = "".join(c for c in unicodedata.normalize("NFD", text) if _unmarked(c))
    if rules.lowercase:  # letter by letter: no final sigma, as in the library
        text = "".join(map(str.lower, text))
    return text


def _split(text: str, cleaned: bool) -> list[str]:
    return text.split() if cleaned else _NOT_SPACE.findall(text)


def _bounds(table: str) -> Iterable[tuple[int, int]]:
    for item in table.split():
        first, _, last = item.partition("-")
        yield int(first, 16), int(last or first, 16)


def _ranges(table: str) -> Iterable[int]:
    return (c for first, last in _bounds(table) for c in range(first, last + 1))


@cache
def _spacing(clean: bool, ideographs: bool) -> dict[int, str | None]:
    table: dict[int, str | None] = dict.fromkeys(_ranges(_DELETED)) if clean else {}
    if ideographs:
        table.update((c, f" {chr(c)} ") for c in _ranges(_IDEOGRAPHS))
    return table


@cache
def _marks() -> dict[int, str]:
    return {c: f" {chr(c)} " for c in _ranges(_PUNCTUATION)}


@cache
def _unmarked(character: str) -> bool:
    if character == "\u1734":  # a nonspacing mark in the library's older Unicode
        return False
    return unicodedata.category(character) != "Mn" or ord(character) in _new_marks()


@cache
def _new_marks() -> frozenset[int]:
    return frozenset(_ranges(_NEW_MARKS))
