"""Transliteration rules as one regular expression and one table of characters.

The expression finds what takes more than a single character without conditions and puts a
private-use character in its place; ``str.translate`` then replaces all characters at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Any

import regex

from specialize.mixins._table import Rule

LETTER = r"[\p{L}\p{M}\u200c\u200d]"  # with the joiners of Persian and of Indic scripts
_BEFORE = {"initial": f"(?<!{LETTER}%s)", "medial": f"(?<={LETTER}%s)"}  # %s: the key
_BEHIND = {"final": f"(?!{LETTER})", "medial": f"(?={LETTER})"}
_PRIVATE = 0xF0000  # the first of the private-use characters that stand for outputs
_IN_TEXT = re.compile(f"[{chr(_PRIVATE)}-\U0010ffff]")

Rewrite = Callable[[str], str]
Conditions = tuple[str, str, str, str]
Alike = Mapping[tuple[int, tuple[Conditions, ...]], list[str]]


def as_regex(rules: Iterable[Rule], definition: Rewrite) -> Rewrite:
    """Return the function that applies ``rules`` as ``definition`` does, but faster.

    ``definition`` keeps text that has private-use characters itself.
    """
    by_key = _needed(rules)
    private = _Private()
    single = {ord(key): of[-1].out for key, of in by_key.items() if len(key) == 1 and _always(of)}
    plain = {k: private[of[-1].out] for k, of in by_key.items() if len(k) > 1 and _always(of)}
    alike: dict[tuple[int, tuple[Conditions, ...]], list[str]] = {}
    for key, of in by_key.items():
        if conditions := tuple(rule.conditions for rule in of if any(rule.conditions)):
            alike.setdefault((len(key), conditions), []).append(key)
    if not (alike or plain):
        return lambda text: text.translate(single)
    pattern = _pattern(alike, plain)
    groups = [
        {key: private[by_key[key][nth].out] for key in keys}
        for (_, conditions), keys in _longest_first(alike)
        for nth in range(len(conditions))
    ]
    table = single | private.outputs

    def stand_in(found: Any) -> str:
        group = found.lastindex
        return groups[group - 1][found[0]] if group else plain[found[0]]

    def convert(text: str) -> str:
        if _IN_TEXT.search(text):
            return definition(text)
        return pattern.sub(stand_in, text).translate(table)

    return convert


class _Private(dict[str, str]):
    """Outputs by the private-use characters that stand for them, given out on first use."""

    def __missing__(self, out: str) -> str:
        self[out] = chr(_PRIVATE + len(self))
        return self[out]

    @property
    def outputs(self) -> dict[int, str]:
        return {ord(character): out for out, character in self.items()}


def _needed(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    """Return the rules of each key, without those that make no difference."""
    found: dict[str, list[Rule]] = {}
    for rule in rules:
        of = found.setdefault(rule.key, [])
        if not of or any(of[-1].conditions):
            of.append(rule)
    for key, of in found.items():
        if _always(of) and len({rule.out for rule in of}) == 1:
            found[key] = of[-1:]
    return found


def _always(of: list[Rule]) -> bool:
    """Return whether one of the rules of a key applies wherever the key is."""
    return not any(of[-1].conditions)


def _longest_first(alike: Alike) -> list[tuple[tuple[int, tuple[Conditions, ...]], list[str]]]:
    return sorted(alike.items(), key=lambda item: -item[0][0])


def _pattern(alike: Alike, plain: Iterable[str]) -> Any:
    """Return the expression, longest keys first; an empty group tells which condition held.

    ``alike``: the keys of a size and conditions; ``plain``: keys without.
    """
    by_size: dict[int, list[str]] = {}
    for (size, conditions), keys in _longest_first(alike):
        each = "|".join(f"{_around(condition, size)}()" for condition in conditions)
        by_size.setdefault(size, []).append(f"{_any_of(keys)}(?:{each})")
    for size, same in groupby(sorted(plain, key=len), key=len):
        by_size.setdefault(size, []).append(_any_of([*same]))
    alternatives = [text for size in sorted(by_size, reverse=True) for text in by_size[size]]
    every = [*plain, *(key for keys in alike.values() for key in keys)]
    firsts = _set("".join(dict.fromkeys(key[0] for key in every)))
    text = f"(?={firsts})(?:{'|'.join(alternatives)})"
    return (regex if LETTER in text else re).compile(text, re.DOTALL)


def _around(conditions: Conditions, size: int) -> str:
    """Return the conditions as an expression behind a key of ``size`` characters."""
    place, before, after, within = conditions
    places, key = place.split(), f".{{{size}}}"
    if "alone" in places:
        places += ["initial", "final"]
    found = [_BEFORE[place] % key for place in places if place in _BEFORE]
    found += [_BEHIND[place] for place in places if place in _BEHIND]
    if after:
        found.append(f"(?<={_set(after)}{key})")
    if before:
        found.append(f"(?={_set(before)})")
    if within:
        one = _set("".join(regex.findall(LETTER, within)))
        inside = "|".join(f".{{{i}}}{_set(within)}.{{{size - i - 1}}}" for i in range(size))
        found.append(f"(?:(?<={inside})|(?<={one}{LETTER}*?{key})|(?={LETTER}*?{one}))")
    return "".join(found)


def _any_of(keys: Iterable[str]) -> str:
    """Return an expression for any of ``keys``, all of one length: characters that go on alike
    share a branch.
    """
    rest: dict[str, list[str]] = {}
    for key in keys:
        rest.setdefault(key[0], []).append(key[1:])
    branches: dict[str, str] = {}
    for first, ends in rest.items():
        end = _any_of(ends) if ends[0] else ""
        branches[end] = branches.get(end, "") + first
    texts = [_set(firsts) + end for end, firsts in branches.items()]
    return texts[0] if len(texts) == 1 else f"(?:{'|'.join(texts)})"


def _set(characters: str) -> str:
    return f"[{''.join(map(re.escape, characters))}]" if characters else "(?!)"
