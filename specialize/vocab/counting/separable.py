"""Tokenizers that do not look across cuts of units (``specialize.vocab.counting.space_units``).

Decided from tokenizer.json by a list of known parts; a cut is a single space between two solid
characters. Added tokens and precompiled maps may still reach across a cut in texts with certain
characters, so the units are inspected too.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Any

from specialize.vocab.counting.space_units import CONTEXT, count_units, solid
from specialize.vocab.marks import MARK

Json = dict[str, Any]

# Each covers every character, and a match extends over a space only from white space. The first is
# GPT-2's, then cl100k's (GPT-4, Llama 3), Qwen 2's and o200k's (GPT-4o).
_WORD = "[^\\r\\n\\p{L}\\p{N}]?"
_UPPER, _LOWER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]", "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
_SHORT = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_REST = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
PATTERNS = (
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
    f"{_SHORT}|{_WORD}\\p{{L}}+|\\p{{N}}{{1,3}}| ?[^\\s\\p{{L}}\\p{{N}}]+[\\r\\n]*|{_REST}",
    f"{_SHORT}|{_WORD}\\p{{L}}+|\\p{{N}}| ?[^\\s\\p{{L}}\\p{{N}}]+[\\r\\n]*|{_REST}",
    f"{_WORD}{_UPPER}*{_LOWER}+{_SHORT}?|{_WORD}{_UPPER}+{_LOWER}*{_SHORT}?|"
    f"\\p{{N}}{{1,3}}| ?[^\\s\\p{{L}}\\p{{N}}]+[\\r\\n/]*|{_REST}",
)


def units_of(
    described: dict[str, Any], lines: Iterable[str]
) -> tuple[Mapping[str, int] | None, str]:
    """Return the counted units of ``lines``, or None and why lines cannot be counted by units."""
    reason = "lines read once" if isinstance(lines, Iterator) else why_not(described)
    if reason:
        return None, reason
    units = count_units(lines)
    reason = _why_not_these(described, units)
    return (None, reason) if reason else (units, "")


def why_not(described: Json) -> str:
    """Return the part of a tokenizer.json that may look across a cut, or ""."""
    for part in _steps(described.get("normalizer"), "normalizers"):
        if not _local_normalizer(part):
            return f"normaliser {part['type']}"
    if described["model"].get("dropout"):
        return "dropout"
    for token in described.get("added_tokens") or ():
        if _may_cross(token) and token["normalized"]:
            return f"added token {token['content']!r}"
    return _why_not_pretokenized(described)


def _why_not_pretokenized(described: Json) -> str:
    steps = _steps(described.get("pre_tokenizer"), "pretokenizers")
    while steps and steps[0]["type"] == "Digits":  # isolates digits
        del steps[0]
    if joins_words(described):
        if merges_stay(described):
            return ""
        return f"pre-tokeniser {steps[0]['type']}" if steps else "no pre-tokeniser"
    if not steps:
        return "pre-tokeniser Digits"
    return "" if _cuts(steps[0]) else f"pre-tokeniser {steps[0]['type']}"


def _steps(part: Json | None, inner: str) -> list[Json]:
    if part is None:
        return []
    if part["type"] != "Sequence":
        return [part]
    return [step for each in part[inner] for step in _steps(each, inner)]


def _cuts(step: Json) -> bool:
    """Whether a pre-tokeniser always splits at units; later steps then see no more."""
    match step["type"]:
        case "ByteLevel":
            return bool(step.get("use_regex", True))
        case "Metaspace":
            return bool(step.get("split", True)) and step["replacement"] == MARK
        case "Split":
            covered = (step["behavior"], step["invert"]) in (("Isolated", False), ("Removed", True))
            return covered and step["pattern"].get("Regex") in PATTERNS
        case kind:
            return kind in ("WhitespaceSplit", "Whitespace", "BertPreTokenizer")


def joins_words(described: Json) -> bool:
    """Whether words stay together: no pre-tokeniser (Llama 2), or one that splits at no space.

    That is a Metaspace that only marks spaces (Llama 2 as transformers 5 writes it), or a split at
    spaces after the normaliser has replaced them by marks (Gemma).
    """
    steps = _steps(described.get("pre_tokenizer"), "pretokenizers")
    return all(_marks_only(step) or _splits_nothing(step, described) for step in steps)


def _marks_only(step: Json) -> bool:
    marks = step["type"] == "Metaspace" and step["replacement"] == MARK
    return marks and not step.get("split", True)


def _splits_nothing(step: Json, described: Json) -> bool:
    at_space = step["type"] == "Split" and step["pattern"] == {"String": " "}
    return at_space and not step["invert"] and _replaces_spaces(described)


def _replaces_spaces(described: Json) -> bool:
    steps = _steps(described.get("normalizer"), "normalizers")
    return any(step["type"] == "Replace" and step["pattern"] == {"String": " "} for step in steps)


def marks_begin(described: Json) -> bool:
    """Whether joined words can be cut before marks: no piece has one after another character."""
    model = described["model"]
    if model["type"] not in ("BPE", "Unigram") or not joins_words(described):
        return False
    steps = _steps(described.get("pre_tokenizer"), "pretokenizers")
    if not (_replaces_spaces(described) or any(map(_marks_only, steps))):
        return False
    vocab = model["vocab"] if model["type"] == "BPE" else [piece for piece, _ in model["vocab"]]
    return MARK in vocab and not any(MARK in piece.lstrip(MARK) for piece in vocab)


def merges_stay(described: Json) -> bool:
    """Whether merges of a BPE over joined words, as Llama 2's, stay within words.

    Where characters leave no trace, the mark of a word of such characters meets that of the next.
    """
    plain = ("ignore_merges", "continuing_subword_prefix", "end_of_word_suffix")
    model = described["model"]
    if model["type"] != "BPE" or any(model.get(name) for name in plain):
        return False
    drops = not (model.get("unk_token") or model.get("byte_fallback"))
    meet = drops and any(piece.startswith(2 * MARK) for piece in model["vocab"])
    return marks_begin(described) and not meet


_BY_CHARACTER = ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "Precompiled")


def _local_normalizer(step: Json) -> bool:
    """Whether a normaliser acts on units as on their line, and preserves the cuts."""
    match step["type"]:
        case "Strip":
            return not step["strip_left"]
        case "Prepend":
            return bool(step["prepend"] == MARK)
        case "Replace":
            return _local_replace(step["pattern"], step["content"])
        case kind:
            return kind in _BY_CHARACTER


# spaces at the ends of a text, never next to a cut
_BEGIN, _ENDS = "\\A +", (f"[ {MARK}]+\\z", "[  ]+\\z")


def _local_replace(pattern: Json, content: str) -> bool:
    if pattern == {"Regex": " {2,}"}:
        return content in (" ", MARK)
    if pattern.get("Regex") in (_BEGIN, *_ENDS):
        return not content
    text = pattern.get("String", "")
    if text == " ":
        return content == MARK
    if not text or any(c.isspace() or c == MARK for c in text):
        return False
    if content:
        return solid(content[0]) and solid(content[-1])
    return not any(map(solid, text))


# Units that reach across cuts ----------------------------------------------------------


_FIRST = {"Regex": _BEGIN}  # acts at the beginning of a text, like Prepend


def _may_cross(token: Json) -> bool:
    """Whether an added token in a text may reach into the next unit."""
    text = unicodedata.normalize("NFKC", token["content"])
    spaces = [c.isspace() or c == MARK for c in text]
    inner = any(spaces[1:]) and not all(spaces)
    return token["rstrip"] or inner or (token["single_word"] and any(spaces[:1]))


def crossing(described: Json, units: Iterable[str]) -> str:
    """Return an added token in a text of such units that may reach across a cut, or "".

    Or one after which a normaliser starts again: it prepends a mark, even to a later unit, or
    deletes the next character, which shifts the library's offsets to the end of the line.
    """
    steps = _steps(described.get("normalizer"), "normalizers")
    prepends = any(step["type"] == "Prepend" or step.get("pattern") == _FIRST for step in steps)
    tokens = described.get("added_tokens") or ()
    if not steps:
        tokens = [token for token in tokens if _may_cross(token)]
    text = "\0".join((CONTEXT, *units, "")) if tokens else ""
    for token in tokens:
        content = token["content"]
        if _may_cross(token):
            begin = (content.split() or [content])[0]
            if begin in text:
                return content
        elif content in text:
            behind = re.findall(re.escape(content) + "([^\0 ])", text)
            if prepends or not all(map(solid, behind)):
                return content
    return ""


def until_map(described: Json) -> list[Json]:
    """Return the normalisers up to and including a precompiled map; none without a map."""
    steps = _steps(described.get("normalizer"), "normalizers")
    before = list(takewhile(lambda step: step["type"] != "Precompiled", steps))
    return steps[: len(before) + 1] if len(before) < len(steps) else []


def unsafe(normalize: Callable[[str], str], units: Iterable[str]) -> str:
    """Return a character next to a cut that ``normalize`` does not leave solid, or ""."""
    ends = {CONTEXT}
    for unit in units:
        ends.add(unit[-1])
        if unit[0] == " ":
            ends.add(unit[1])
    for character in filter(solid, ends):
        form = normalize(character)
        around = (normalize(f" {character}"), normalize(f"{character} "))
        if not form or form != form.strip() or MARK in form or around != (f" {form}", f"{form} "):
            return character
    return next((c for c in _PREPENDED if normalize(c) != c), "")


# a grapheme cluster continues after these, even over a space
_PREPENDED = (
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e"
    "\U000110bd\U000110cd\U000111c2\U000111c3\U000113d1\U0001193f\U00011941"
    "\U00011a3a\U00011a84\U00011a85\U00011a86\U00011a87\U00011a88\U00011a89\U00011d46\U00011f02"
)


def _why_not_these(described: dict[str, Any], units: Iterable[str]) -> str:
    if token := crossing(described, units):
        return f"added token {token!r} in the text"
    if steps := until_map(described):
        character = unsafe(_normalizer(steps).normalize_str, units)
        return f"a normaliser that maps {character!r}" if character else ""
    return ""


def _normalizer(steps: list[dict[str, Any]]) -> Any:
    from tokenizers import Tokenizer, models

    empty = json.loads(Tokenizer(models.BPE()).to_str())
    empty["normalizer"] = {"type": "Sequence", "normalizers": steps}
    return Tokenizer.from_str(json.dumps(empty)).normalizer
