"""From a pretraining recipe to a base model, in stages."""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import tomli_w

from specialize import atomic
from specialize.errors import UsageError
from specialize.executors import run_all
from specialize.modules.keyed import check_key
from specialize.modules.packs import PACK
from specialize.modules.pretrain import write_modular_base
from specialize.pipeline.checks import check_folder, check_replaced
from specialize.pipeline.publish import link_tree
from specialize.progress import Log, Silent
from specialize.store import Stage, Store
from specialize.train.base_model import write_base
from specialize.train.pretrain import Pretrain, write_text, write_tokenizer
from specialize.train.vectors import (
    Vectors,
    take_vectors,
    write_bilstm,
    write_vectors,
    write_words,
)

RECIPE = "pretrain.toml"


def pretrain(recipe: Pretrain | Vectors, out: Path, *, log: Log | None = None) -> Path:
    """Train the base model of ``recipe`` and return its directory, ``out/model``.

    ``out/pretrain.toml`` is the complete recipe; with modules, ``out/modules.safetensors`` is their
    pack.

    What is finished in ``out`` for the same inputs is not done again, so an interrupted run
    resumes, and other steps or rates train on the same tokenizer and packed text.
    """
    check_folder(out)
    check_replaced(out)
    store = Store(out)
    base = _vectors(recipe) if isinstance(recipe, Vectors) else _stages(recipe)
    run_all([base], store, log or Silent())
    model = publish_base(store, base, out)
    table = {name: value for name, value in asdict(recipe).items() if value not in ("", (), {})}
    atomic.write_text(out / RECIPE, tomli_w.dumps(table))
    return model


def publish_base(store: Store, stage: Stage, out: Path) -> Path:
    """Lay out a finished base in ``out``: model, modules if it has any, facts of its training."""
    done = store.folder(stage)
    with store.publishing():
        with atomic.whole_folder(out / "model") as partial:
            link_tree(done / "model", partial)
        if (done / PACK).exists():
            with atomic.whole_file(out / PACK) as partial:
                shutil.copyfile(done / PACK, partial)
        else:
            (out / PACK).unlink(missing_ok=True)
        training = (done / "training.json").read_text("utf-8")
        atomic.write_text(out / "training.json", training)
    return out / "model"


def _stages(recipe: Pretrain) -> Stage:
    """Return the last stage, the model; it needs the tokenizer and the packed text."""
    if recipe.modules == "xmod":
        for code in recipe.codes:
            try:
                check_key(code)
            except UsageError as error:
                raise UsageError(f"languages.{code}: {error}") from None
    text = _text(recipe)
    own = ("alpha", "tokenizer", "pieces", "alphabet", "slots")
    tokenizer = Stage(
        "tokenizer",
        "tokenizer",
        write_tokenizer,
        text | {name: getattr(recipe, name) for name in own},
    )
    lines = recipe.dev_lines
    measured = {} if lines == Pretrain.dev_lines else {"dev_lines": lines}  # no key of before
    packed = Stage(
        "packed",
        "text",
        write_text,
        text | {"tokenizer": tokenizer, "length": recipe.length} | measured,
        version=2,  # padding is -1
    )
    settings = replace(recipe, languages=dict.fromkeys(recipe.languages, ()), remove=())
    return Stage(
        "base",
        "training",
        write_base if recipe.modules == "none" else write_modular_base,
        {
            "tokenizer": tokenizer,
            "text": packed,
            "recipe": settings,  # its files are those of the text
            "languages": recipe.codes,
        },
        # 2: each language has a batch; the order of other recipes is that of version 1
        version=2 if recipe.one_language and not recipe.per_language else 1,
    )


def _vectors(recipe: Vectors) -> Stage:
    """Return the last stage of a base of word vectors; BiLSTMs of all sizes share the vectors."""
    if recipe.vectors:
        given = {"file": Path(recipe.vectors), "pieces": recipe.pieces}
        words = vectors = Stage("vectors", "vectors", take_vectors, given)
    else:
        counted = {"pieces": recipe.pieces, "min_count": recipe.min_count}
        words = Stage("words", "words", write_words, _text(recipe) | counted)
        trained = {name: getattr(recipe, name) for name in ("vector_size", "epochs", "seed")}
        needs = {"words": words} | trained
        vectors = Stage("vectors", "vectors", write_vectors, needs, version=2)  # smaller steps
    sizes = ("hidden_size", "num_hidden_layers", "highway", "dropout", "seed")
    needs = {"words": words, "vectors": vectors}
    own = {name: getattr(recipe, name) for name in sizes}
    return Stage("bilstm", "BiLSTM", write_bilstm, needs | own, version=2)  # directions apart


def _text(recipe: Pretrain | Vectors) -> dict[str, Any]:
    """Return the text of a recipe as arguments of a stage."""
    return {
        "languages": [(code, list(map(Path, files))) for code, files in recipe.languages.items()],
        "remove": list(map(Path, recipe.remove)),
        "bytes_per_language": recipe.bytes_per_language,
        "seed": recipe.seed,
    }
