"""Tables of plain text: audits, aligned columns, wrapped lists."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from specialize.reports.numbers import percent, share
from specialize.terminal import escaped
from specialize.vocab.audit.audit import Audit

WIDTH = 100  # characters of a line


def table(rows: Sequence[tuple[str, str, Audit]]) -> str:
    """Return audits (tokenizer, text, audit) as a table, with lists of missing characters below."""
    head = (
        "tokenizer",
        "text",
        "words",
        "pieces/word",
        "unknown pieces",
        "unknown words",
        "continued",
    )
    body = [
        (
            tokenizer,
            text,
            f"{a.words:,}",
            f"{a.fertility:.2f}" if a.words else "–",
            percent(share(a.unknown_pieces, a.pieces), places=2),
            percent(share(a.unknown_words, a.words), places=2),
            percent(share(a.continued_words, a.words), places=2),
        )
        for tokenizer, text, a in rows
    ]
    lines = columns([head, *body])
    for tokenizer, text, a in rows:
        for what, found in (("missing", a.missing), ("deleted by the normaliser", a.deleted)):
            if found:
                lines += ["", f"{tokenizer} on {text}, {what}:"]
                lines.append(most_frequent(found))
    return "\n".join(lines)


def most_frequent(counts: Mapping[str, int], limit: int = 20, *, width: int = WIDTH) -> str:
    """Return the most frequent characters with code point and count, in lines of ``width``."""
    ranked = sorted(counts, key=lambda c: (-counts[c], c))
    shown = [
        f"{c if c.isprintable() else ''}(U+{ord(c):04X}) {counts[c]:,}" for c in ranked[:limit]
    ]
    return filled(shown + [f"and {len(ranked) - limit} more"] * (len(ranked) > limit), width=width)


def filled(items: Sequence[str], *, width: int = WIDTH) -> str:
    """Return ``items`` two spaces apart, in indented lines of at most ``width`` characters."""
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + 2 + len(item) > width:
            lines.append("")
        lines[-1] += f"  {item}"
    return "\n".join(lines)


def columns(rows: Sequence[Sequence[str]], *, width: int = WIDTH) -> list[str]:
    """Return ``rows`` as aligned lines: the first two columns to the left, the others to the right.

    Names in the first two columns are shortened where lines would be longer than ``width``.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    over = sum(widths) + 2 * (len(widths) - 1) - width
    while over > 0 and max(widths[:2]) > _NAME:
        widths[widths[0] < widths[1]] -= 1  # the longer of the two
        over -= 1
    names = (
        [_shortened(name, size) for name, size in zip(row, widths[:2], strict=False)]
        for row in rows
    )
    return [_aligned([*two, *row[2:]], widths) for two, row in zip(names, rows, strict=True)]


_NAME = 12  # a name is not shortened below so many characters


def _shortened(name: str, size: int) -> str:
    if len(name) <= size:
        return name
    return f"{name[: (size - 1) // 2]}…{name[len(name) - size // 2 :]}"


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return the last part of each path, with as many folders before it as tell the paths apart.

    Of vocab.txt and the like it is the folder's name: ``{"models/ug/vocab.txt": "ug"}``.
    """
    parts = {name: _parts(name) for name in names}
    found = {}
    for name, own in parts.items():
        others = [other for other in parts.values() if other != own]
        sizes = range(1, len(own) + 1)
        size = next((n for n in sizes if all(other[-n:] != own[-n:] for other in others)), 1)
        found[name] = escaped("/".join(own[-size:]))
    return found


def _parts(name: str) -> tuple[str, ...]:
    path = Path(name)
    generic = path.name in _GENERIC_NAMES and path.parent.name
    return (path.parent if generic else path).parts


_GENERIC_NAMES = ("vocab.txt", "tokenizer.json", "vocab.json", "merges.txt")


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        c.ljust(w) if i < 2 else c.rjust(w)
        for i, (c, w) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def wrapped(paragraphs: Iterable[str], *, hanging: str = "  ") -> str:
    """Return paragraphs in lines of at most 100 characters, numbers beside their percent signs."""
    lines = [
        textwrap.fill(
            paragraph.replace(" %", "\u00a0%"),
            WIDTH,
            subsequent_indent=hanging,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for paragraph in paragraphs
    ]
    return "\n".join(lines).replace("\u00a0", " ")
