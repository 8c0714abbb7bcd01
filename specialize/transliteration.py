"""Transliteration schemes: what there is, and what one does to a text.

``python -m specialize.transliteration`` writes docs/transliteration.md.
"""

from __future__ import annotations

import inspect
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import regex

from specialize.corpus import Corpus, TextCounts, open_text
from specialize.errors import UsageError
from specialize.mixins import _table
from specialize.mixins._table import Table, read_table, scheme_file, schemes
from specialize.mixins._transliterate import Rewrite, expanded, reverse, transliterator
from specialize.model.find import tokenizer_path
from specialize.terminal import named
from specialize.vocab.audit.audit import Audit
from specialize.vocab.audit.inspected import open_inspected

_EDGES = regex.compile(r"^\W+|\W+$")  # here \w has combining marks too
_COMMON = ("COMBINING", "MODIFIER", "SUPERSCRIPT", "SUBSCRIPT")  # letters of any script


def open_scheme(name: str) -> Table:
    """Return the table of a scheme, or of a file: anything with a folder or ending in .tsv."""
    path = Path(name).expanduser()
    if path.suffix == ".tsv" or len(path.parts) > 1:
        if not path.is_file():
            raise UsageError(f"{name}: no such table; name a file or a scheme (--list)")
        return read_table(path)
    return read_table(scheme_file(name))


@dataclass(frozen=True)
class Pieces:
    """A tokenizer on the text before and after."""

    tokenizer: str
    before: Audit
    after: Audit


@dataclass(frozen=True)
class Check:
    """What a table does to a text; words are distinct, without punctuation at their ends."""

    scheme: str
    lines: int
    words: int
    left_over: dict[str, int]  # characters of the old script in the result, most frequent first
    collisions: list[list[str]]  # words that become one, those of the most frequent words first
    collided: int  # words in them
    emptied: dict[str, int]  # words of which nothing is left
    restored: int  # words that the reversed table leads back to
    lost: dict[str, str]  # others, most frequent first, with what they come back as
    pieces: list[Pieces]

    def to_json(self) -> dict[str, Any]:
        """Return the check as JSON values."""
        pieces = [
            {"tokenizer": p.tokenizer, "before": p.before.to_json(), "after": p.after.to_json()}
            for p in self.pieces
        ]
        return asdict(self) | {"pieces": pieces}


def check(table: Table, files: Sequence[str], tokenizers: Sequence[str] = ()) -> Check:
    """Return what ``table`` does to the text in ``files``, and to its pieces under tokenizers."""
    text = open_text(files)
    if isinstance(text, TextCounts):
        raise UsageError(f"{files[0]}: expected a text to check, got counts; name the text")
    convert = transliterator(table)
    words: Counter[str] = Counter()
    characters: Counter[str] = Counter()
    lines = 0
    for line in text:
        lines += 1
        words.update(_EDGES.sub("", token) for token in line.split())
        characters.update(convert(line))
    del words[""]
    became = {word: convert(word) for word, _ in words.most_common()}
    joined = _collisions(became)
    back = transliterator(reverse(table))
    returned = {word: back(after) for word, after in became.items()}
    lost = {word: again for word, again in returned.items() if again != word}
    return Check(
        scheme=table.name,
        lines=lines,
        words=len(words),
        left_over=_left_over(characters, table),
        collisions=joined,
        collided=sum(map(len, joined)),
        emptied={word: words[word] for word, after in became.items() if not after.strip()},
        restored=len(words) - len(lost),
        lost=lost,
        pieces=[_pieces(name, text, convert) for name in tokenizers],
    )


def _collisions(became: dict[str, str]) -> list[list[str]]:
    """Return the words of each output that several have."""
    by_output: dict[str, list[str]] = {}
    for word, after in became.items():
        by_output.setdefault(after, []).append(word)
    return [words for words in by_output.values() if len(words) > 1]


def _left_over(characters: Counter[str], table: Table) -> dict[str, int]:
    """Return the characters of a result that are of no script its table writes.

    Letters, marks and digits; of punctuation, that of the script which the table reads.
    """
    rules = expanded(table)
    written = {_script(c) for rule in rules for c in rule.out if c.isalpha()}
    read = {_script(c) for rule in rules for c in rule.key} - written
    return {
        c: n
        for c, n in characters.most_common()
        if not c.isascii() and _script(c) not in written and (_is_text(c) or _script(c) in read)
    }


def _is_text(character: str) -> bool:
    kind = unicodedata.category(character)
    return (kind[0] in "LM" or kind == "Nd") and _script(character) not in _COMMON


@lru_cache(1 << 12)
def _script(character: str) -> str:
    """Return the first word of a character's name: its script, where it is of one."""
    return unicodedata.name(character, "").partition(" ")[0]


def _pieces(name: str, text: Corpus, convert: Rewrite) -> Pieces:
    inspected = open_inspected(tokenizer_path(name))
    return Pieces(name, inspected.audit(text), inspected.audit(text.mixed(convert)))


def check_text(found: Check, *, most: int = 8) -> str:
    """Return a check for people; ``most`` examples of each kind."""
    words = max(1, found.words)
    joined = [" = ".join(words) for words in found.collisions]
    lost = [f"{word} > {again}" for word, again in found.lost.items()]
    rows = [
        f"{found.scheme} on {found.lines:,} lines, {found.words:,} different words",
        f"left over: {named(found.left_over, most)}",
        f"collisions: {found.collided / words:.2%} of the words; {_examples(joined, most)}",
        f"emptied: {_examples([*found.emptied], most)}",
        f"invertible: {found.restored / words:.2%} of the words; lost: {_examples(lost, most)}",
    ]
    if found.pieces:
        width = max(len(Path(p.tokenizer).name) for p in found.pieces)
        rows.append(f"{'':{width}}  {'pieces/word':>16}  {'unknown pieces':>18}  unknown words")
    for p in found.pieces:
        figures = (
            (f"{p.before.fertility:.2f} > {per_word(p.before, p.after):.2f}", 16),
            (_shares(p.before.unknown_piece_share, p.after.unknown_piece_share), 18),
            (_shares(_unknown(p.before), _unknown(p.after)), 0),
        )
        rows.append(
            "  ".join([f"{Path(p.tokenizer).name:{width}}", *(f"{t:>{n}}" for t, n in figures)])
        )
        if p.after.missing:
            rows.append(f"{'':{width}}  missing after: {named(p.after.missing, most)}")
        if p.after.words > 1.01 * p.before.words:
            rows.append(
                f"{'':{width}}  words are split: {p.before.words:,} > {p.after.words:,}; pieces "
                "are per word before"
            )
    return "\n".join(rows)


def per_word(before: Audit, after: Audit) -> float:
    """Return the pieces after for each word before: a table may split words, as an apostrophe."""
    return after.pieces / before.words if before.words else 0.0


def _unknown(audit: Audit) -> float:
    return audit.unknown_words / max(1, audit.words)


def _shares(before: float, after: float) -> str:
    return f"{before:.2%} > {after:.2%}"


def _examples(texts: Sequence[str], most: int) -> str:
    more = f" and {len(texts) - most:,} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more if texts else "none"


def listing() -> list[dict[str, str]]:
    """Return the schemes: name, title, script, source, a sample and what becomes of it."""
    return [_entry(read_table(scheme_file(name))) for name in schemes()]


def _entry(table: Table) -> dict[str, str]:
    found = {name: getattr(table, name) for name in ("name", "title", "script", "source", "sample")}
    return found | {"result": transliterator(table)(table.sample)}


def page() -> str:
    """Return docs/transliteration.md."""
    return INTRO.format(format=_format_text(), rows=_rows(listing()))


def _format_text() -> str:
    text = inspect.getdoc(_table) or ""
    body = text.partition("\n\n")[2].replace("``", "`").replace("::\n", ":\n")
    return body.replace("\\\\", "\\")


def _rows(entries: Iterable[dict[str, str]]) -> str:
    names = ("name", "script", "title", "sample", "result", "source")
    return "\n".join(
        f"| {' | '.join(f'`{e[n]}`' if n == 'name' else e[n].replace('|', '/') for n in names)} |"
        for e in entries
    )


INTRO = """\
# Transliteration

`specialize translit SCHEME FILE` rewrites text, `--check` shows what is lost, and in a recipe a
scheme is a mix-in: `mixin = {{ method = "table", scheme = "uyghur_turkish" }}`, or with a table of
your own `{{ method = "table", file = "my.tsv" }}`. Such a table has a rule a line, what is written
and, after a tab, what it becomes; the longest rule wins, and what has no rule stays:

```
@title My language
@case word
# two letters together, and one letter differently at the beginning of a word
нь	ñ
е	je	initial
е	e
а	a
```

```sh
specialize translit my.tsv text.txt --check mini    # before training: what is lost or unknown
```

All that a table can say is under "Tables" below. A scheme of the package is such a file in
[specialize/mixins/tables](../specialize/mixins/tables); to add one to the package: the file, with
its source, and a line in [tests/mixins/golden.tsv](../tests/mixins/golden.tsv).

This page is generated: `python -m specialize.transliteration > docs/transliteration.md`.

## Schemes

| scheme | reads | what it is | sample | becomes | source |
| --- | --- | --- | --- | --- | --- |
{rows}

## Tables

{format}
"""

if __name__ == "__main__":
    print(page(), end="")
