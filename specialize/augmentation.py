"""A tokenizer extended, replaced or pruned for a text; verified, or nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize import atomic
from specialize.errors import UsageError
from specialize.model.find import find_model, tokenizer_path
from specialize.model.header import check_rows
from specialize.recipe.methods import Choice, bind, choice_of, describe
from specialize.reports.tables import table
from specialize.vocab.audit.coverage import explain, readable_facts, with_sources, write_pieces
from specialize.vocab.base import VocabChange, Vocabulary
from specialize.vocab.counting.words import Text, as_text
from specialize.vocab.open import read_vocabulary
from specialize.vocab.verify.claims import Check, claims_of
from specialize.vocab.verify.manifest import fingerprints, outcome, tokenizer_files, tool
from specialize.vocab.verify.run import verifier
from specialize.vocab.wordpiece.model import is_slot
from specialize.vocab.write import write_files

if TYPE_CHECKING:
    from specialize.embed._rows import FreshRows


def augment_tokenizer(
    name: str | Path,
    corpus: Text,
    method: str,
    options: Mapping[str, Any],
    out: str | Path,
    *,
    texts: Sequence[str] = (),
    embed: str | Mapping[str, Any] = "",
) -> str:
    """Write the tokenizer called ``name`` changed for ``corpus`` to ``out``; return a summary.

    ``name``: a path, "mini" or a model of the hub; ``options``: of ``method``, by their names.

    ``out`` gets the tokenizer's files (``vocab.write``), pieces.tsv, words_fixed.tsv and
    manifest.json, all or none: DataError where a check fails (``vocab.verify``), UsageError if
    ``out`` is a folder with something in it. ``texts``: the files of the corpus, whose fingerprints
    the manifest gives. ``embed``: an initialisation by name, or a table with ``method`` and its
    options; ``out`` is then a whole model with a row for each piece, made from the masked or causal
    language model of ``name``.
    """
    if not isinstance(name, str | Path):
        raise TypeError(f"expected a path or a model's name, got {type(name).__name__}")
    path, out = (find_model if embed else tokenizer_path)(str(name)), Path(out)
    corpus = as_text(corpus)
    atomic.check_folder(out)
    if out.is_dir() and any(out.iterdir()):
        raise UsageError(f"{out} is not an empty folder; name another --out")
    choose = bind("augment", method, options)
    initialise = choice_of("embed", embed, "embed", folder=Path()) if embed else None
    with atomic.only_writer(out), verifier(path) as verify:
        old, rows = _checked_source(path)
        change: VocabChange[Any] = choose(old, corpus)
        with (
            atomic.whole_folder(out, replace=False) as folder,
            ThreadPoolExecutor(1) as meanwhile,
        ):
            files = write_files(change.new, folder)
            check = verify(folder)
            facts = explain(change, old.count_words(corpus))
            claims = claims_of(change, corpus, facts, source=path, files=files)
            verified = meanwhile.submit(check, claims)
            pieces = readable_facts(change, facts)
            write_pieces(pieces, folder)
            before, after = old.audit(corpus), change.new.audit(corpus)
            checks = verified.result()
            manifest = {"tool": tool(), "method": method, "options": _settings(method, options)}
            manifest |= _inputs(path, texts, choose.keywords.get("guard", ()), initialise)
            manifest |= outcome(change, checks, before, after) | {"rows of the model": rows}
            atomic.write_json(folder / "manifest.json", manifest)
            if initialise:
                rows, fresh = _write_model(path, change, corpus, initialise, folder)
                write_pieces(with_sources(pieces, fresh.sources), folder)
    lines = _summary(method, change, checks, rows)
    if initialise:
        lines.append(f"rows of new pieces by {initialise}{fresh.note}")
    shown = table([("before", "the text", before), ("after", "the text", after)])
    return "\n".join([*lines, "", shown, "", str(out)])


def _write_model(
    source: Path, change: VocabChange[Any], corpus: Text, embed: Choice, folder: Path
) -> tuple[int, FreshRows]:
    """Write the model of ``source`` with the rows of ``change``.

    Return how many rows it has, and the fresh ones.
    """
    from specialize.embed._initialise import initialise
    from specialize.model.install import install, snapshot, verify_installed
    from specialize.model.language_model import tables
    from specialize.model.load import load_checkpoint, save_model

    checkpoint = load_checkpoint(source)
    model, before = checkpoint.model, snapshot(checkpoint.model)
    fresh = initialise(embed(), checkpoint, change, corpus, seed=embed.options.get("seed", 0))
    install(model, change, fresh)
    verify_installed(model, change, before, source)
    save_model(model, change.new, folder, source=source)
    return len(tables(model).input), fresh


def _checked_source(path: Path) -> tuple[Vocabulary, int | None]:
    """Return the vocabulary of ``path``, and the rows of the model beside it, None without one.

    DataError where a file is damaged, or there are fewer rows than pieces.
    """
    vocabulary = read_vocabulary(path)
    home = path if path.is_dir() else path.parent
    model = check_rows(home, len(vocabulary.pieces))
    return vocabulary, model.rows if model else None


def _inputs(
    tokenizer: Path, texts: Sequence[str], guard: Sequence[str], embed: Choice | None
) -> dict[str, Any]:
    """Return the fingerprints of the files read, and the initialisation with its options."""
    files = {"tokenizer": tokenizer_files(tokenizer), "text": texts, "guard": guard}
    if not embed:
        return {"inputs": fingerprints(**files)}
    files["embed"] = [str(file) for file in embed.files()]
    chosen = {"method": embed.method, **embed.resolved()}
    return {"embed": chosen, "inputs": fingerprints(**files)}


def _settings(method: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the effective options of a method; files are fingerprinted in the manifest."""
    known = describe("augment", method).options
    values = {name: option.default for name, option in known.items()} | dict(options)
    return {name: value for name, value in values.items() if name != "guard"}


def _summary(
    method: str, change: VocabChange[Any], checks: Sequence[Check], rows: int | None
) -> list[str]:
    """Return what was added, dropped and verified, a line each."""
    of = {check.name: check.on for check in checks}
    read = change.new.readable
    lines = [*change.old.settings.notes] if change.old.settings else []
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
        lines.append(
            f"the model needs {len(change.new.pieces):,} rows and has {rows:,}; --embed writes it "
            "with them"
        )
    return [*lines, f"verified in a fresh process: {', '.join(of)}"]


def _pieces(pieces: Sequence[str], what: str, limit: int = 20) -> str:
    """Return how many pieces there are, what of them, and the first of them."""
    count = "1 piece" if len(pieces) == 1 else f"{len(pieces)} pieces"
    shown = " ".join(pieces[:limit]) + (" ..." if len(pieces) > limit else "")
    return f"{count} {what}: {shown}" if pieces else f"{count} {what}"
