"""Transliteration tables: TSV files of rules, read and checked.

A line of a table is a rule, its columns separated by tabs::

    FROM    TO    CONDITIONS    REMARK

of which the last two are optional. ``∅`` as TO deletes FROM; ``\\u200c`` is a character by its code
point; ``# ...`` is a comment. What no rule names stays. The longest FROM is replaced first.
Conditions, separated by spaces, must all hold; of several rules for one FROM, the first in the file
whose conditions hold applies:

- ``initial``, ``medial``, ``final``, ``alone``: no letter before, letters on both sides, no letter
  after, none on either side;
- ``after:abc``, ``before:abc``: the neighbouring character is one of these;
- ``with:abc``: the word has one of these characters anywhere, as vowel harmony needs it.

In an Indic script, ``consonant`` and ``sign`` mark letters with an inherent vowel (``@inherent a``)
and the signs that replace it, of which the virama has the TO ``∅``.

A line ``@name value`` is a setting:

- ``title``, ``script`` (read), ``source`` (publication or standard), ``sample``: for people;
- ``before``, ``after``: normal forms of the text before the rules and of the result, NFC, NFD,
  NFKC, NFKD or none; by default NFC and none;
- ``case letter``: rules for small letters hold for capitals too, ``Щ`` becomes ``Shch``; ``case
  word``: and ``ЩИ`` becomes ``SHCHI``; by default ``exact``, rules hold for what they name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, get_args

from specialize.corpus.files import read_lines
from specialize.errors import DataError, UsageError

FOLDER = Path(__file__).parent / "tables"
PLACES = ("initial", "medial", "final", "alone")
ROLES = ("consonant", "sign")
NEIGHBOURS = ("before", "after", "with")

Form = Literal["none", "NFC", "NFD", "NFKC", "NFKD"]
Case = Literal["exact", "letter", "word"]


@dataclass(frozen=True)
class Rule:
    """One rule; empty conditions always hold."""

    key: str
    out: str
    line: int = 0
    role: str = ""
    place: str = ""
    before: str = ""
    after: str = ""
    within: str = ""

    @property
    def conditions(self) -> tuple[str, str, str, str]:
        """Return what must hold."""
        return self.place, self.before, self.after, self.within


@dataclass(frozen=True)
class Table:
    """A table of rules; every field but the first and the last is a setting of the file."""

    name: str
    title: str = ""
    script: str = ""  # the script it reads
    source: str = ""  # the publication or standard
    sample: str = ""  # some words to show
    before: Form = "NFC"  # normal form of the text before the rules
    after: Form = "none"  # and of the result
    case: Case = "exact"  # letter, word: rules for lower case hold for capitals too
    inherent: str = ""  # the vowel of a consonant without a sign
    rules: tuple[Rule, ...] = ()


SETTINGS = tuple(f.name for f in fields(Table))[1:-1]


def schemes() -> list[str]:
    """Return the names of the tables of the package, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.tsv"))


def scheme_file(name: str) -> Path:
    """Return the file of a scheme; UsageError, with the known names, if there is none."""
    known = schemes()
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise UsageError(f"unknown scheme {name!r}; known: {', '.join(known)}{hint}")
    return FOLDER / f"{name}.tsv"


def read_table(path: Path) -> Table:
    """Return the table in ``path``; DataError, with the line, for what is no rule."""
    settings: dict[str, str] = {}
    rules: list[Rule] = []
    for number, line in read_lines(path):
        where = f"{path}:{number}"
        if found := re.match(r"@([a-z]\w*)\s+(.+)", line):
            settings[_setting(found[1], found[2].strip(), where)] = found[2].strip()
        elif line.strip() and not line.startswith("#"):
            rules.append(_rule(line, number, where))
    if not rules:
        raise DataError(f"{path}:1: no rule in the table; expected lines FROM<TAB>TO")
    table = Table(path.stem, **settings, rules=tuple(rules))  # type: ignore[arg-type]
    return replace(table, rules=tuple(_checked(table, path)))


def _setting(name: str, value: str, where: str) -> str:
    if name not in SETTINGS:
        raise DataError(f"{where}: unknown setting @{name}; known: {', '.join(SETTINGS)}")
    known = {"before": get_args(Form), "after": get_args(Form), "case": get_args(Case)}.get(name)
    if known and value not in known:
        raise DataError(f"{where}: @{name} {value}: expected one of {', '.join(known)}")
    return name


def _rule(line: str, number: int, where: str) -> Rule:
    columns = line.split("\t")
    if not 2 <= len(columns) <= 4:
        raise DataError(
            f"{where}: expected FROM<TAB>TO, with conditions and a remark as third and fourth "
            f"column, got {line[:60]!r}"
        )
    key, out = (_characters(column) for column in columns[:2])
    if not key or (" " in key and len(key) > 1):
        raise DataError(f"{where}: expected characters without spaces as FROM, got {key!r}")
    if not columns[1]:
        raise DataError(f"{where}: no TO for {key!r}; to delete it, write ∅")
    given = columns[2].split() if len(columns) > 2 else []
    return Rule(key, out, number, **dict(_condition(text, where) for text in given))


def _characters(text: str) -> str:
    """Return a column with code points in place of escapes, and nothing in place of ∅."""
    escaped = re.sub(r"\\u([0-9A-Fa-f]{4})", lambda found: chr(int(found[1], 16)), text)
    return "" if escaped == "∅" else escaped


def _condition(text: str, where: str) -> tuple[str, str]:
    name, colon, letters = text.partition(":")
    if text in PLACES:
        return "place", text
    if text in ROLES:
        return "role", text
    if colon and letters and name in NEIGHBOURS:
        return ("within" if name == "with" else name), _characters(letters)
    known = ", ".join([*PLACES, *(f"{name}:LETTERS" for name in NEIGHBOURS), *ROLES])
    raise DataError(f"{where}: unknown condition {text!r}; known: {known}")


def _checked(table: Table, path: Path) -> Iterator[Rule]:
    """Yield the rules, keys in the text's normal form; DataError for one that never applies."""
    seen: dict[tuple[str, ...], int] = {}
    for rule in table.rules:
        rule = replace(rule, key=normal(rule.key, table.before))
        key, conditions = (rule.key,), (rule.key, *rule.conditions)
        first = seen.get(key) or seen.get(conditions)
        if first:
            raise DataError(
                f"{path}:{rule.line}: never applies: line {first} has a rule for {rule.key!r} "
                "that comes first; remove one, or give the first a condition"
            )
        seen[conditions if any(rule.conditions) else key] = rule.line
        yield rule


def normal(text: str, form: str) -> str:
    """Return ``text`` in a normal form, or as it is under "none"."""
    return text if form == "none" else unicodedata.normalize(form, text)  # type: ignore[arg-type]
