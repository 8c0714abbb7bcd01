"""A tokenizer extended, replaced or pruned for a text: written whole and proved, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from specialize import atomic
from specialize.corpus import open_text
from specialize.errors import UsageError
from specialize.model.find import tokenizer_path
from specialize.model.header import check_rows
from specialize.recipe.methods import bind, describe
from specialize.reports.tables import table
from specialize.vocab.audit.coverage import PieceFacts, explain, write_pieces
from specialize.vocab.base import VocabChange
from specialize.vocab.counting.words import Text
from specialize.vocab.open import (
    AnyVocabulary,
    audit_vocabulary,
    piece_reader,
    read_vocabulary,
    words_of,
    write_vocabulary,
)
from specialize.vocab.verify.claims import Check, claims_of
from specialize.vocab.verify.manifest import fingerprints, outcome, tokenizer_files, tool
from specialize.vocab.verify.run import prover
from specialize.vocab.wordpiece.model import is_slot


def augment_tokenizer(
    name: str | Path,
    corpus: Text,
    method: str,
    options: Mapping[str, Any],
    out: str | Path,
    *,
    texts: Sequence[str] = (),
) -> str:
    """Write the tokenizer called ``name`` changed for ``corpus`` to ``out``; return what was done.

    ``name``: a path, "mini" or a model of the hub; ``options``: of ``method``, by their names.

    ``out`` gets the tokenizer's files (``vocab.open.write_vocabulary``), pieces.tsv,
    words_fixed.tsv and manifest.json, all or none: DataError where what was written fails a check
    (``vocab.verify.run``), UsageError if ``out`` is a folder with something in it. ``texts``: the
    files of the corpus, whose fingerprints the manifest gives.
    """
    path, out = tokenizer_path(str(name)), Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is not an empty folder; name another --out")
    choose = bind("augment", method, options)
    with prover(path) as prove:
        old, rows = _checked_source(path)
        change: VocabChange[Any] = choose(old, corpus)
        facts = explain(change, words_of(old, corpus))
        before, after = audit_vocabulary(old, corpus), audit_vocabulary(change.new, corpus)
        guard = choose.keywords.get("guard", ())
        words = words_of(old, open_text(guard)) if guard else {}
        budget = choose.keywords.get("guard_budget", 0.0)
        claims = claims_of(change, corpus, facts, source=path, guard=words, budget=budget)
        with atomic.whole_folder(out) as folder:
            write_vocabulary(change.new, folder, source=path)
            write_pieces(_readable(change, facts), folder)
            checks = prove(folder, claims)
            said = {"tool": tool(), "method": method, "options": _settings(method, options)}
            said["inputs"] = fingerprints(tokenizer=tokenizer_files(path), text=texts, guard=guard)
            said |= outcome(change, checks, before, after) | {"rows of the model": rows}
            atomic.write_json(folder / "manifest.json", said)
    shown = table([("before", "the text", before), ("after", "the text", after)])
    return "\n".join([*_summary(method, change, checks, rows), "", shown, "", str(out)])


def _readable(change: VocabChange[Any], facts: Sequence[PieceFacts]) -> list[dict[str, Any]]:
    """Return the facts with words and their pieces as people read them."""
    read = piece_reader(change.new)
    rows = [{**asdict(found), "text": read(found.piece)} for found in facts]
    for fix in (fix for row in rows for fix in row["words"]):
        fix["word"] = read(fix["word"])
        fix |= {side: [*map(read, fix[side])] for side in ("before", "after")}
    return rows


def _checked_source(path: Path) -> tuple[AnyVocabulary, int | None]:
    """Return the vocabulary of ``path``, and the rows of the model it lies with, None without.

    DataError where a file is damaged, or there are fewer rows than pieces.
    """
    vocabulary = read_vocabulary(path)
    home = path if path.is_dir() else path.parent
    model = check_rows(home, len(vocabulary.pieces))
    return vocabulary, model.rows if model else None


def _settings(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of a method with their values, but for files, of which it is said what."""
    known = describe("augment", method).options
    values = {name: option.default for name, option in known.items()} | dict(options)
    return {name: value for name, value in values.items() if name != "guard"}


def _summary(
    method: str, change: VocabChange[Any], checks: Sequence[Check], rows: int | None
) -> list[str]:
    """Return what was added, dropped and proved, a line each."""
    of = {check.name: check.on for check in checks}
    read = piece_reader(change.new)
    lines = list[str]()
    gone = sum(not is_slot(piece) for piece in change.old.ids.keys() - change.new.ids.keys())
    if change.fresh or not gone:
        lines.append(_pieces([*map(read, change.fresh_pieces)], f"added by {method}"))
    if gone:
        lines.append(f"{gone:,} of {len(change.old.pieces):,} old pieces dropped by {method}")
    if change.dropped:
        dropped = [*map(read, change.dropped)]
        lines.append(_pieces(dropped, "dropped that made known words unknown"))
    if guarded := of.get("guard", {}).get("occurrences"):
        lines.append(_pieces([*map(read, change.refused)], "dropped for the guard"))
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
