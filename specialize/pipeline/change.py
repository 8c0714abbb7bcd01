"""A vocabulary change as a folder: the new tokenizer, and which rows survive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from specialize import atomic
from specialize.vocab.base import VocabChange, unchanged
from specialize.vocab.open import read_vocabulary
from specialize.vocab.verify.claims import Check
from specialize.vocab.write import write_files

FILE = "change.json"
TOKENIZER = "tokenizer"


def write_change(
    change: VocabChange[Any],
    folder: Path,
    *,
    source: Path,
    verify: Callable[[Path, list[str]], list[Check]],
) -> None:
    """Write ``change`` to ``folder``; settings of the tokenizer are those of ``source``.

    ``verify``: (folder of the tokenizer, names of its files) -> the checks it passed.
    """
    facts: dict[str, Any] = {"changed": change.new is not change.old}
    if facts["changed"]:
        with atomic.whole_folder(folder / TOKENIZER) as partial:
            files = write_files(change.new, partial)
            facts["verified"] = [asdict(check) for check in verify(partial, files)]
        facts |= {
            "kept": None if change.extends else [list(pair) for pair in change.kept.items()],
            "fresh": list(change.fresh),
            "dropped": list(change.dropped),
            "refused": list(change.refused),
            "coarsens": change.coarsens,
        }
    atomic.write_json(folder / FILE, facts)


def read_change(folder: Path, source: Path) -> VocabChange[Any]:
    """Return the change in ``folder`` from the vocabulary of ``source``."""
    facts, old = atomic.read_json(folder / FILE), read_vocabulary(source)
    if not facts["changed"]:
        return unchanged(old)
    new = read_vocabulary(folder / TOKENIZER)
    fresh = tuple(facts["fresh"])
    if facts["kept"] is None:  # an extension: old pieces have their ids, but for slots taken
        taken = set(fresh)
        kept = {i: i for i in range(len(old.pieces)) if i not in taken}
    else:
        kept = {new_id: old_id for new_id, old_id in facts["kept"]}
    return VocabChange(
        old,
        new,
        kept,
        fresh,
        dropped=tuple(facts["dropped"]),
        refused=tuple(facts["refused"]),
        coarsens=facts["coarsens"],
    )
