"""Pretraining from nothing with modules: X-MOD, or its SHARED baseline (Pfeiffer et al. 2022)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from specialize.model.load import Checkpoint, save_model
from specialize.modules import xmod
from specialize.modules.attach import Table, attach
from specialize.modules.packs import PACK, pack_of, write_pack
from specialize.modules.policy import Policy, trained
from specialize.modules.scope import Scope
from specialize.progress import Log
from specialize.train.base_model import new_base, train_base, write_facts
from specialize.train.distributed import start_equal, together
from specialize.train.pretrain import Pretrain


def write_modular_base(
    folder: Path, *, log: Log, tokenizer: Path, text: Path, recipe: Pretrain, languages: list[str]
) -> None:
    """Write the host to ``folder/model``, its modules as a pack, and ``training.json``.

    Each batch is of one language, so that the modules of the others get no gradient. The host is
    written in float32, as it was trained: its modules belong to these weights.
    """
    given = {"tokenizer": tokenizer, "text": text, "languages": languages, "folder": folder}
    base, table, facts = together(_trained, log=log, recipe=recipe, **given)
    save_model(base.model, base.vocabulary, folder / "model", source=base.folder)
    write_pack(pack_of(base.model, table, base.vocabulary.pieces), folder / PACK)
    write_facts(facts, folder)


def _trained(
    *, log: Log, recipe: Pretrain, tokenizer: Path, text: Path, languages: list[str], folder: Path
) -> tuple[Checkpoint, Table, dict[str, Any]]:
    """Return the trained host, its modules detached, and the facts of the training."""
    base = new_base(recipe, tokenizer)
    if recipe.modules == "xmod":
        source = xmod.modules(base.model)
        for code in languages:
            source.keyed.add(code, seed=recipe.seed)
    else:
        source = xmod.modules(base.model, by="all", seed=recipe.seed)
    modules = attach(base.model, {xmod.SITE: source})
    start_equal(base.model)
    with trained(base.model, [Policy(base.model)]):
        facts = train_base(
            recipe,
            base,
            text,
            languages,
            folder=folder,
            log=log,
            within=lambda code: modules.at(Scope(code)),
        )
    modules.detach()
    return base, modules.table, facts
