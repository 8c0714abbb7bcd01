"""A language added to a base with modules, in stages: text, new pieces, rows, training."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

from torch import nn

from specialize import atomic
from specialize.corpus.prepare import Prepared
from specialize.errors import UsageError
from specialize.executors import run_all
from specialize.model.find import find_model
from specialize.model.install import snapshot, verify_installed
from specialize.model.load import save_model
from specialize.modules.add import (
    MEAN,
    add_language,
    check,
    check_fresh,
    check_language,
    check_sources,
    new_modules,
)
from specialize.modules.attach import attach
from specialize.modules.packs import PACK, check_base, pack_of, read_pack, write_pack
from specialize.pipeline.change import read_change
from specialize.pipeline.checks import check_folder, check_replaced
from specialize.pipeline.plan import ArmPlan, plan_arms
from specialize.pipeline.pretrain import publish_base
from specialize.pipeline.rows import read_rows
from specialize.pipeline.stages import IDS, checkpoint_of
from specialize.progress import Log, Silent
from specialize.recipe.recipe import Recipe
from specialize.store import Stage, Store
from specialize.train import lapt
from specialize.train.base_model import write_facts
from specialize.train.lapt import Lapt
from specialize.train.loop import best_epoch
from specialize.train.optim import device


def add(
    recipe: Recipe,
    pack: Path,
    language: str,
    out: Path,
    *,
    start: str = MEAN,
    log: Log | None = None,
) -> Path:
    """Add ``language`` to the base of ``recipe``, whose modules are in ``pack``; return its folder.

    ``out`` gets the base with its new pieces as ``model``, ``modules.safetensors`` with the modules
    of all languages, and ``training.json``. ``recipe``: of one arm (`recipe.addition`); ``start``:
    see `new_modules`. What is finished in ``out`` for the same inputs is not done again, so an
    interrupted run resumes. UsageError or DataError for what can be known to fail, before the
    first stage.
    """
    check_language(language)
    check_folder(out)
    store, log = Store(out), log or Silent()
    bases = {recipe.base: find_model(recipe.base)}
    check_replaced(out, inputs=(bases[recipe.base], pack), addition=True)
    (plan,) = plan_arms(recipe, bases, store)
    own = _check(plan, pack, language, start)
    if not own:
        log.say("one module is for all languages (SHARED): pieces are added, and no module")
    run_all(list(filter(None, [plan.text])), store, log)
    (plan,) = plan_arms(recipe, bases, store)  # later stages depend on what is in the text
    run_all([plan.vocabulary], store, log)
    _check_change(plan, store, own)
    run_all(list(plan.early()), store, log)
    stage = _stage(plan, store, pack, language, start)
    run_all([stage], store, log)
    return publish_base(store, stage, out)


def _check(plan: ArmPlan, pack: Path, language: str, start: str) -> list[nn.Module]:
    """Return the language's new modules, untrained.

    UsageError or DataError for what later stages would refuse whatever the text is.
    """
    if plan.lapt is None:
        raise UsageError("lapt = false: a language is added by training; leave it out")
    found, base = read_pack(pack), checkpoint_of(plan.base)
    check_base(found, base.model, base.vocabulary.pieces, str(pack))
    lapt.check(plan.lapt, base)
    table = found.table()
    try:
        attach(base.model, table).detach()
        own = new_modules(table, language, start=start, seed=0)
        check_sources(table, language)
    except UsageError as error:
        raise UsageError(f"{pack}: {error}") from None
    if plan.arm.augment.method == "none":
        check_fresh(own, [])
    return own


def _check_change(plan: ArmPlan, store: Store, own: list[nn.Module]) -> None:
    """Raise UsageError where training is refused for what has become of the pieces."""
    assert plan.lapt
    change = read_change(store.folder(plan.vocabulary), plan.base)
    check(plan.lapt, change)
    check_fresh(own, change.fresh)


def _stage(plan: ArmPlan, store: Store, pack: Path, language: str, start: str) -> Stage:
    """Return the training."""
    assert plan.text
    assert plan.lapt
    return Stage(
        "language",
        f"{language}: rows and modules",
        write_language,
        {
            "base": plan.base,
            "pack": pack,
            "vocabulary": plan.vocabulary,
            "rows": plan.rows,
            "text": Prepared(store.folder(plan.text)),
            "ids": plan.ids,
            "plan": plan.lapt,
            "language": language,
            "start": start,
            "seed": plan.arm.seeds[0],
        },
    )


def write_language(
    folder: Path,
    *,
    log: Log,
    base: Path,
    pack: Path,
    vocabulary: Path,
    rows: Path | None,
    text: Prepared,
    ids: Path,
    plan: Lapt,
    language: str,
    start: str,
    seed: int,
) -> None:
    """Write the base with its new rows, the pack of all languages, and ``training.json``."""
    loaded, change = checkpoint_of(base), read_change(vocabulary, base)
    model = copy.deepcopy(loaded.model).to(device())
    before = snapshot(model)
    found = add_language(
        replace(loaded, model=model),
        read_pack(pack).table(),
        language,
        change,
        read_rows(rows) if rows else None,
        text,
        plan,
        start=start,
        seed=seed,
        folder=folder,
        ids=ids / IDS,
        log=log,
    )
    found.modules.detach()
    verify_installed(model, change, before, base)
    with atomic.whole_folder(folder / "model") as partial:
        save_model(model, change.new, partial, source=base)
    whole = pack_of(model, found.modules.table, change.new.pieces)
    write_pack(whole, folder / PACK)
    best = best_epoch(found.history, lower_is_better=True)
    facts = {
        "language": language,
        "fresh_pieces": len(change.fresh),
        "history": [epoch.to_json() for epoch in found.history],
        "bits_per_byte": {language: best.score},
    }
    write_facts(facts, folder)
