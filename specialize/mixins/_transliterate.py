"""The engine of transliteration tables: rules spelled out, text rewritten, tables turned around."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

import regex

from specialize.mixins._rules_as_regex import LETTER, Rewrite, as_regex
from specialize.mixins._table import Form, Rule, Table, normal

_REMEMBERED = 1 << 16  # words
_LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def transliterator(table: Table) -> Rewrite:
    """Return the function that rewrites text by ``table``, as fast as its rules allow."""
    rules = cased(expanded(table), table.case)
    convert = as_regex(rules, by_definition(rules))
    return lambda text: normal(convert(normal(text, table.before)), table.after)


def expanded(table: Table) -> list[Rule]:
    """Return the rules, consonants spelled out with their inherent vowel and with each sign."""
    found: list[Rule] = []
    signs = [rule for rule in table.rules if rule.role == "sign"]
    for rule in table.rules:
        if rule.role != "consonant":
            found.append(rule)
            continue
        found.append(replace(rule, out=rule.out + table.inherent))
        for sign in signs:
            joined = Rule(
                normal(rule.key + sign.key, table.before),
                rule.out + sign.out,
                rule.line,
                place=f"{rule.place} {sign.place}".strip(),
                before=sign.before,
                after=rule.after,
                within=rule.within or sign.within,
            )
            found.append(joined)
    return found


def cased(rules: list[Rule], case: str) -> list[Rule]:
    """Return the rules with those for capitals that follow from them under ``@case``.

    "letter": a capital becomes a capital with small letters, ``Щ`` -> ``Shch``; "word": among
    capitals, capitals only, ``ЩИ`` -> ``SHCHI``. Rules of the table for capitals come first.
    """
    if case == "exact":
        return rules
    capitals = "".join(dict.fromkeys([*_LATIN, *_upper("".join(rule.key for rule in rules))]))
    rules = [_with_capitals(rule) for rule in rules]
    return [*rules, *(made for rule in rules for made in _capital_rules(rule, case, capitals))]


def _with_capitals(rule: Rule) -> Rule:
    """Return ``rule`` with capitals among the characters of its conditions."""
    before, after, within = (text + _upper(text) for text in (rule.before, rule.after, rule.within))
    return replace(rule, before=before, after=after, within=within)


def _capital_rules(rule: Rule, case: str, capitals: str) -> Iterator[Rule]:
    title = rule.key[0].upper() + rule.key[1:]
    if title == rule.key or len(title) != len(rule.key):
        return
    small, large = _capitalised(rule.out), rule.out.upper() if case == "word" else ""
    whole = title[0] + _upper(title[1:])
    if len(title) == 1 and large not in ("", small):
        before, after = (_capitals(text or capitals) for text in (rule.before, rule.after))
        if before:
            yield replace(rule, key=title, out=large, before=before)
        if after:
            final = f"{rule.place} final".strip()
            yield replace(rule, key=title, out=large, after=after, place=final)
    elif whole != title and len(whole) == len(title):
        yield replace(rule, key=whole, out=large or small)
    yield replace(rule, key=title, out=small)


def _capitals(text: str) -> str:
    return "".join(filter(str.isupper, text))


def _upper(text: str) -> str:
    """Return the capitals of ``text``, characters without a single one as they are."""
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in text)


def _capitalised(out: str) -> str:
    """Return ``out`` with its first letter as a capital."""
    for i, character in enumerate(out):
        if character.isalpha():
            return out[:i] + _upper(character) + out[i + 1 :]
    return out


def reverse(table: Table) -> Table:
    """Return the table that leads back, as far as a table can.

    Where several inputs have one output, the first in the file whose place and neighbours fit is
    returned to. What a rule deletes or turns into a space does not come back.
    """
    form: Form = "NFD" if table.before in ("NFD", "NFKD") else "NFC"
    back: dict[tuple[str, ...], Rule] = {}
    convert = transliterator(table)
    for rule in expanded(table):
        if rule.out and " " not in rule.out:
            turned = Rule(
                normal(rule.out, form),
                rule.key,
                rule.line,
                place=rule.place,
                before=_ends(rule.before, convert, 0),
                after=_ends(rule.after, convert, -1),
            )
            back.setdefault((turned.key, *turned.conditions), turned)
    name, rules = f"{table.name}, reversed", tuple(back.values())
    return replace(table, name=name, before=form, after="NFC", inherent="", rules=rules)


def _ends(letters: str, convert: Rewrite, end: int) -> str:
    """Return the first (0) or last (-1) characters of what ``letters`` become."""
    return "".join(dict.fromkeys(convert(c)[end] for c in letters if convert(c)))


def by_definition(rules: Iterable[Rule]) -> Rewrite:
    """Return the function that applies rules as they are defined, word by word.

    At each position the longest key that has a rule whose conditions hold; no rule looks across
    spaces, so words are remembered. The reference for ``as_regex``.
    """
    by_key: dict[str, list[Rule]] = {}
    for rule in rules:
        by_key.setdefault(rule.key, []).append(rule)
    longest = max(map(len, by_key), default=0)

    @lru_cache(_REMEMBERED)
    def rewrite(word: str) -> str:
        return "".join(_parts(word, by_key, longest))

    return lambda text: " ".join(map(rewrite, text.split(" ")))


def _parts(word: str, rules: dict[str, list[Rule]], longest: int) -> Iterator[str]:
    start = 0
    while start < len(word):
        for end in range(min(len(word), start + longest), start, -1):
            of = rules.get(word[start:end], ())
            rule = next((rule for rule in of if _holds(rule, word, start, end)), None)
            if rule:
                yield rule.out
                start = end
                break
        else:
            yield word[start]
            start += 1


def _holds(rule: Rule, word: str, start: int, end: int) -> bool:
    """Return whether the conditions of ``rule`` hold for ``word[start:end]``."""
    if rule.before and word[end : end + 1] not in [*rule.before]:
        return False
    if rule.after and word[max(0, start - 1) : start] not in [*rule.after]:
        return False
    if rule.within and not any(c in rule.within for c in _around(word, start, end)):
        return False
    first = start == 0 or not is_letter(word[start - 1])
    last = end == len(word) or not is_letter(word[end])
    holding = {"initial": first, "final": last, "alone": first and last}
    holding["medial"] = not (first or last)
    return all(holding[place] for place in rule.place.split())


def _around(word: str, start: int, end: int) -> str:
    """Return the letters around and in ``word[start:end]``."""
    while start and is_letter(word[start - 1]):
        start -= 1
    while end < len(word) and is_letter(word[end]):
        end += 1
    return word[start:end]


@lru_cache(1 << 12)
def is_letter(character: str) -> bool:
    """Return whether a character is in a word: a letter, a mark or a joiner."""
    return bool(regex.match(LETTER, character))
