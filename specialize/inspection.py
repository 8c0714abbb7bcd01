"""Tokenizers without models: audited on texts, and augmented for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from specialize import folders
from specialize.corpus import open_text
from specialize.errors import UsageError
from specialize.methods import bind, describe
from specialize.model.find import find_model
from specialize.model.header import check_rows
from specialize.vocab.audit import Audit, audit, audit_path
from specialize.vocab.base import VocabChange
from specialize.vocab.count import Text, count_words
from specialize.vocab.coverage import explain, write_pieces
from specialize.vocab.files import read_wordpiece, vocabulary_file, write_wordpiece
from specialize.vocab.library import read_tokenizer
from specialize.vocab.manifest import fingerprints, outcome, tokenizer_files, tool
from specialize.vocab.verify import Check, prove_afresh
from specialize.vocab.wordpiece import WordPiece
from specialize.vocab.written import claims_of

__all__ = ["audit_path", "augment_tokenizer", "open_vocabulary", "table", "tokenizer_path"]


WIDTH = 100  # of what is printed, in characters


def tokenizer_path(name: str) -> Path:
    """Return where the tokenizer ``name`` lies: a path, the bundled model, or one of the hub."""
    path = Path(name).expanduser()
    return path if path.exists() else find_model(name)


def open_vocabulary(name: str | Path) -> WordPiece:
    """Return the vocabulary of a path, of the bundled model ("mini"), or of a model of the hub."""
    return read_wordpiece(tokenizer_path(str(name)))


def table(rows: Sequence[tuple[str, str, Audit]]) -> str:
    """Return audits (tokenizer, text, audit) as text: shares first, then what is missing."""
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
            short_name(tokenizer),
            short_name(text),
            f"{a.words:,}",
            f"{a.fertility:.2f}" if a.words else "–",
            _share(a.unknown_pieces, a.pieces),
            _share(a.unknown_words, a.words),
            _share(a.continued_words, a.words),
        )
        for tokenizer, text, a in rows
    ]
    lines = columns([head, *body])
    for tokenizer, text, a in rows:
        for what, found in (("missing", a.missing), ("deleted by the normaliser", a.deleted)):
            if found:
                lines += ["", f"{short_name(tokenizer)} on {short_name(text)}, {what}:"]
                lines.append(most(found))
    return "\n".join(lines)


def augment_tokenizer(
    path: Path,
    corpus: Text,
    method: str,
    options: Mapping[str, Any],
    out: Path,
    *,
    texts: Sequence[str] = (),
) -> str:
    """Write the tokenizer of ``path`` with pieces for ``corpus`` to ``out``; return what changed.

    ``out`` gets tokenizer.json, tokenizer_config.json, vocab.txt, pieces.tsv, words_fixed.tsv and
    manifest.json, all or none: DataError where what was written fails a check (``vocab.verify``),
    UsageError if ``out`` is a folder with something in it. ``texts``: the files of the corpus,
    whose fingerprints the manifest gives.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not an empty folder; name another --out")
    choose = bind("augment", method, options)
    old, rows = _checked_source(path)
    change: VocabChange = choose(old, corpus)
    facts = explain(change, count_words(corpus, old.rules))
    before, after = audit(old, corpus), audit(change.new, corpus)
    guard = choose.keywords.get("guard", ())
    words = count_words(open_text(guard), old.rules) if guard else {}
    budget = choose.keywords.get("guard_budget", 0.0)
    claims = claims_of(change, corpus, facts, source=path, guard=words, budget=budget)
    with folders.whole_folder(out) as folder:
        write_wordpiece(change.new, folder, source=path)
        write_pieces([asdict(piece) for piece in facts], folder)
        checks = prove_afresh(folder, claims)
        said = {"tool": tool(), "method": method, "options": _settings(method, options)}
        said["inputs"] = fingerprints(tokenizer=tokenizer_files(path), text=texts, guard=guard)
        said |= outcome(change, checks, before, after) | {"rows of the model": rows}
        folders.write_json(folder / "manifest.json", said)
    shown = table([("before", "the text", before), ("after", "the text", after)])
    return "\n".join([*_summary(method, change, checks, rows), "", shown, "", str(out)])


def _checked_source(path: Path) -> tuple[WordPiece, int | None]:
    """Return the vocabulary of ``path``, and the rows of the model it lies with, None without.

    DataError where a file is damaged, or there are fewer rows than pieces.
    """
    file = vocabulary_file(path)
    if file.suffix == ".json":
        read_tokenizer(file)
    vocabulary = read_wordpiece(path)
    model = check_rows(file.parent, len(vocabulary.pieces))
    return vocabulary, model.rows if model else None


def _settings(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of a method with their values, but for files, of which it is said what."""
    known = describe("augment", method).options
    values = {name: option.default for name, option in known.items()} | dict(options)
    return {name: value for name, value in values.items() if name != "guard"}


def _summary(
    method: str, change: VocabChange, checks: Sequence[Check], rows: int | None
) -> list[str]:
    """Return what was added, dropped and proved, a line each."""
    fresh, of = change.fresh_pieces, {check.name: check.on for check in checks}
    lines = [_pieces(fresh, f"added by {method}")]
    if change.dropped:
        lines.append(_pieces(change.dropped, "dropped that made known words unknown"))
    if guarded := of.get("guard", {}).get("occurrences"):
        lines.append(_pieces(change.refused, "dropped for the guard"))
        changed = of["guard"]["changed"]
        lines.append(f"{changed:,} of {guarded:,} guarded occurrences of words changed")
    if rows is not None and rows < len(change.new.pieces):
        lines.append(f"the model needs {len(change.new.pieces):,} rows and has {rows:,}")
    return [*lines, f"proved as written: {', '.join(of)}"]


def _pieces(pieces: Sequence[str], what: str, limit: int = 20) -> str:
    """Return how many pieces there are, what of them, and the first of them."""
    count = "1 piece" if len(pieces) == 1 else f"{len(pieces)} pieces"
    shown = " ".join(pieces[:limit]) + (" ..." if len(pieces) > limit else "")
    return f"{count} {what}: {shown}" if pieces else f"{count} {what}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "–"


def most(counts: Mapping[str, int], limit: int = 20, *, width: int = WIDTH) -> str:
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
    """Return ``rows`` as aligned lines: the first two columns to the left, numbers to the right.

    Where lines would be longer than ``width``, long names in the first two are shortened.
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


_NAME = 12  # characters of a name that are left at least


def _shortened(name: str, size: int) -> str:
    if len(name) <= size:
        return name
    return f"{name[: (size - 1) // 2]}…{name[len(name) - size // 2 :]}"


def short_name(name: str) -> str:
    """Return the end of a path that tells it from others: of vocab.txt and its like, the folder."""
    path = Path(name)
    return path.parent.name or path.name if path.name in _ALL_CALLED else path.name


_ALL_CALLED = ("vocab.txt", "tokenizer.json", "vocab.json", "merges.txt")


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        c.ljust(w) if i < 2 else c.rjust(w)
        for i, (c, w) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
