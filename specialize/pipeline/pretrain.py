"""From a pretraining recipe to a base model, in stages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from specialize import atomic
from specialize.executors import run_all
from specialize.pipeline.checks import check_folder
from specialize.pipeline.publish import link_tree
from specialize.progress import Log, Silent
from specialize.store import Stage, Store
from specialize.train.pretrain import Pretrain, write_base, write_text, write_tokenizer


def pretrain(recipe: Pretrain, out: Path, *, log: Log | None = None) -> Path:
    """Train the base model of ``recipe`` and return its directory, ``out/model``.

    What is finished in ``out`` for the same inputs is not done again, so an interrupted run
    resumes, and other steps or rates train on the same tokenizer and packed text.
    """
    check_folder(out)
    store = Store(out)
    base = _stages(recipe)
    run_all([base], store, log or Silent())
    with store.publishing():
        with atomic.whole_folder(out / "model") as partial:
            link_tree(store.folder(base) / "model", partial)
        training = (store.folder(base) / "training.json").read_text("utf-8")
        atomic.write_text(out / "training.json", training)
    return out / "model"


def _stages(recipe: Pretrain) -> Stage:
    """Return the last stage, the model; it needs the tokenizer and the packed text."""
    text: dict[str, Any] = {
        "languages": [(code, list(map(Path, files))) for code, files in recipe.languages.items()],
        "remove": list(map(Path, recipe.remove)),
        "bytes_per_language": recipe.bytes_per_language,
        "seed": recipe.seed,
    }
    own = ("alpha", "tokenizer", "pieces", "alphabet", "slots")
    tokenizer = Stage(
        "tokenizer",
        "tokenizer",
        write_tokenizer,
        text | {name: getattr(recipe, name) for name in own},
    )
    packed = Stage(
        "packed", "text", write_text, text | {"tokenizer": tokenizer, "length": recipe.length}
    )
    settings = replace(recipe, languages=dict.fromkeys(recipe.languages, ()), remove=())
    return Stage(
        "base",
        "training",
        write_base,
        {
            "tokenizer": tokenizer,
            "text": packed,
            "recipe": settings,  # its files are those of the text
            "languages": list(recipe.languages),
        },
    )
