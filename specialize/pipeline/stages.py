"""What each stage of a run does: fill a folder from the folders of earlier stages.

Every function takes the folder to fill, the log, and keyword arguments that are all part of the
stage's key (``store.Stage``). Interrupted, it is called again with the same folder.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize import atomic
from specialize.corpus import CorpusFiles
from specialize.corpus.agreement import Use, mismatch
from specialize.corpus.prepare import Prepared, prepare
from specialize.heads import chain
from specialize.pipeline.change import read_change, write_change
from specialize.pipeline.task_data import read_file, state
from specialize.progress import Log
from specialize.recipe.methods import Choice
from specialize.vocab.audit.coverage import (
    coverage,
    explain,
    readable_facts,
    with_sources,
    write_pieces,
)
from specialize.vocab.base import VocabChange
from specialize.vocab.framing import moved, read_framing
from specialize.vocab.open import read_vocabulary
from specialize.vocab.verify.claims import Check, claims_of
from specialize.vocab.verify.run import verifier

if TYPE_CHECKING:
    from specialize.model.load import Checkpoint
    from specialize.modules.packs import Pack
    from specialize.train.lapt import Lapt
    from specialize.train.loop import Epoch


IDS = "ids.bin"  # of a text


def prepare_text(
    folder: Path,
    *,
    log: Log,
    files: Sequence[Path],
    remove: Sequence[Path],
    options: Mapping[str, Any],
    mixins: Sequence[Choice],
) -> None:
    """Write the training and held-out text: cleaned, split, mix-ins applied."""
    wanted = CorpusFiles(tuple(map(str, files)), remove=tuple(map(str, remove)), **options)
    prepare(wanted, [choice() for choice in mixins], folder, log.say)


def change_vocabulary(
    folder: Path, *, log: Log, base: Path, text: Prepared | None, augment: Choice
) -> None:
    """Write the changed tokenizer, verified, the change, and what its pieces do for the text."""
    with verifier(base) as verify:
        old = read_vocabulary(base)
        corpus: Any = text.train if text else ()
        change = augment()(old, corpus)
        words = old.count_words(corpus) if text else {}
        facts = explain(change, words)

        def check(tokenizer: Path, files: list[str]) -> list[Check]:
            claims = claims_of(change, corpus, facts, source=base, files=files)
            return verify(tokenizer)(claims)

        write_change(change, folder, source=base, verify=check)
    pieces = readable_facts(change, facts)
    write_pieces(pieces, folder)
    curve = coverage(change, words) if change.fresh and change.extends else []
    atomic.write_json(folder / "pieces.json", {"pieces": pieces, "coverage": curve})


def audit_corpus(folder: Path, *, log: Log, base: Path, vocabulary: Path, text: Prepared) -> None:
    """Audit the old and the new vocabulary on the held-out text."""
    original = [before for before, _ in text.dev_pairs()]
    _write_audit(folder, base, vocabulary, text.dev, original, differences=[])


def audit_task(
    folder: Path,
    *,
    log: Log,
    base: Path,
    vocabulary: Path,
    text: Prepared | None,
    task: Choice,
    file: Path,
    mixins: Sequence[Choice],
) -> None:
    """Audit the old and the new vocabulary on a task's file; compare how texts are written."""
    mix = chain([choice() for choice in mixins])
    sentences = read_file(task, file)
    original = [" ".join(sentence.words) for sentence in sentences]
    lines = [" ".join(map(mix, sentence.words)) for sentence in sentences]
    differences = mismatch(text.train, lines) if text else []
    _write_audit(folder, base, vocabulary, lines, original, differences=differences)


def _write_audit(
    folder: Path,
    base: Path,
    vocabulary: Path,
    lines: Iterable[str],
    original: list[str],
    *,
    differences: list[str],
) -> None:
    """Write the audits of ``lines``; pieces per word count the words before mix-ins.

    For a mix-in may split words: an apostrophe for a letter makes three of one.
    """
    change, lines = read_change(vocabulary, base), list(lines)
    use = Use.of(change.new.encode_lines(lines) if change.fresh else (), set(change.fresh))
    audits = {"before": change.old.audit(lines), "after": change.new.audit(lines)}
    words = (audits["before"] if lines == original else change.old.audit(original)).words
    facts = {
        name: audit.to_json() | {"fertility": audit.pieces / words if words else 0.0}
        for name, audit in audits.items()
    } | {
        "fresh_pieces_used": use.kinds,
        "fresh_share": use.share,
        "mismatch": differences,
    }
    atomic.write_json(folder / "audit.json", facts)


def initialise_rows(
    folder: Path,
    *,
    log: Log,
    base: Path,
    vocabulary: Path,
    text: Prepared | None,
    embed: Choice,
    seed: int,
) -> None:
    """Write the initial rows of the fresh pieces, and the pieces with what they are made from."""
    from specialize.embed._initialise import initialise
    from specialize.pipeline.rows import write_rows

    checkpoint, change = checkpoint_of(base), read_change(vocabulary, base)
    corpus: Any = text.train if text else ()
    rows = initialise(embed(), checkpoint, change, corpus, seed=seed, log=log)
    if rows.note:
        log.say(f"rows by {embed.method}{rows.note}")
    write_rows(rows, folder)
    pieces = atomic.read_json(vocabulary / "pieces.json")["pieces"]
    write_pieces(with_sources(pieces, rows.sources), folder)


def encode_text(folder: Path, *, log: Log, base: Path, vocabulary: Path, text: Prepared) -> None:
    """Write the training text in pieces of the new vocabulary."""
    from specialize.train.packing import write_ids

    change = read_change(vocabulary, base)
    framing = moved(read_framing(change.old, base), change)
    count = write_ids(change.new, framing, text.train.documents(), folder / IDS)
    log.say(f"{count:,} pieces")


def adapt(
    folder: Path,
    *,
    log: Log,
    base: Path,
    vocabulary: Path,
    rows: Path | None,
    text: Prepared | None,
    mixins: Sequence[Choice],
    lapt: Lapt | None,
    seed: int,
    ids: Path | None = None,
    modules: Choice | None = None,
    language: str = "",
) -> None:
    """Write the model with its new vocabulary, after LAPT where there is any.

    ``modules``: what LAPT trains in place of the model, for ``language``; written beside it.
    """
    from specialize.model.load import save_model
    from specialize.pipeline.modular import write_language
    from specialize.train.distributed import together

    history: list[Epoch] = []
    pack = None
    if lapt and text and ids:
        model, change, history, pack = together(
            _trained,
            log=log,
            folder=folder,
            base=base,
            vocabulary=vocabulary,
            rows=rows,
            text=text,
            mixins=mixins,
            lapt=lapt,
            seed=seed,
            ids=ids,
            modules=modules,
            language=language,
        )
    else:
        model, change = _installed(base, vocabulary, rows)
    if pack:
        write_language(pack, language, folder)
    with atomic.whole_folder(folder / "model") as partial:
        save_model(model, change.new, partial, source=base)
    atomic.write_json(folder / "history.json", without_times(history))
    (folder / "checkpoint.pt").unlink(missing_ok=True)


def _installed(base: Path, vocabulary: Path, rows: Path | None) -> tuple[Any, VocabChange[Any]]:
    """Return a copy of the base with its new vocabulary, and the change of that."""
    from specialize.model.install import install, snapshot, verify_installed
    from specialize.pipeline.rows import read_rows
    from specialize.train.distributed import rank

    loaded, change = checkpoint_of(base), read_change(vocabulary, base)
    model = copy.deepcopy(loaded.model)
    if rows:
        before = snapshot(model)
        install(model, change, read_rows(rows))
        if rank() == 0:  # transformers saves nothing in other processes
            verify_installed(model, change, before, base)
    return model, change


def _trained(
    folder: Path,
    *,
    log: Log,
    base: Path,
    vocabulary: Path,
    rows: Path | None,
    text: Prepared,
    mixins: Sequence[Choice],
    lapt: Lapt,
    seed: int,
    ids: Path,
    modules: Choice | None,
    language: str,
) -> tuple[Any, VocabChange[Any], list[Epoch], Pack | None]:
    """Return the model after LAPT, the change of its vocabulary, the history, and new modules."""
    from specialize.model.load import Checkpoint
    from specialize.pipeline.modular import language_modules, pack_in
    from specialize.train.lapt import lapt as train
    from specialize.train.lapt_parameters import shards
    from specialize.train.optim import device

    model, change = _installed(base, vocabulary, rows)
    if not shards(lapt):
        model.to(device())
    framing = moved(checkpoint_of(base).framing, change)
    checkpoint = Checkpoint(model, change.new, framing, folder)
    with language_modules(model, modules, language, seed=seed) as attached:
        history = train(
            checkpoint,
            change,
            text,
            lapt,
            seed=seed,
            folder=folder,
            ids=ids / IDS,
            mix=chain([choice() for choice in mixins]),
            log=log,
        )
        pack = pack_in(attached, checkpoint) if attached else None
    return model, change, history, pack


def without_times(history: Sequence[Epoch]) -> list[dict[str, Any]]:
    """Return a history that is the same whenever it was made; stage.json has the seconds."""
    return [{k: v for k, v in epoch.to_json().items() if k != "seconds"} for epoch in history]


def checkpoint_of(folder: Path) -> Checkpoint:
    """Return the checkpoint in ``folder``; stages leave its weights as they found them."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return _load_once(folder, tuple(state(path) for path in files))


@lru_cache(maxsize=1)
def _load_once(folder: Path, states: tuple[tuple[int, int], ...]) -> Checkpoint:
    from specialize.model.load import load_checkpoint

    return load_checkpoint(folder)
