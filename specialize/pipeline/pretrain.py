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
from specialize.train.vectors import (
    Vectors,
    take_vectors,
    write_bilstm,
    write_vectors,
    write_words,
)


def pretrain(recipe: Pretrain | Vectors, out: Path, *, log: Log | None = None) -> Path:
    """Train the base model of ``recipe`` and return its directory, ``out/model``.

    What is finished in ``out`` for the same inputs is not done again, so an interrupted run
    resumes, and other steps or rates train on the same tokenizer and packed text.
    """
    check_folder(out)
    store = Store(out)
    base = _vectors(recipe) if isinstance(recipe, Vectors) else _stages(recipe)
    run_all([base], store, log or Silent())
    with store.publishing():
        with atomic.whole_folder(out / "model") as partial:
            link_tree(store.folder(base) / "model", partial)
        training = (store.folder(base) / "training.json").read_text("utf-8")
        atomic.write_text(out / "training.json", training)
    return out / "model"


def _stages(recipe: Pretrain) -> Stage:
    """Return the last stage, the model; it needs the tokenizer and the packed text."""
    text = _text(recipe)
    own = ("alpha", "tokenizer", "pieces", "alphabet", "slots")
    tokenizer = Stage(
        "tokenizer",
        "tokenizer",
        write_tokenizer,
        text | {name: getattr(recipe, name) for name in own},
    )
    packed = Stage(
        "packed",
        "text",
        write_text,
        text | {"tokenizer": tokenizer, "length": recipe.length},
        version=2,  # padding is -1
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


def _vectors(recipe: Vectors) -> Stage:
    """Return the last stage of a base of word vectors; BiLSTMs of all sizes share the vectors."""
    if recipe.vectors:
        given = {"file": Path(recipe.vectors), "pieces": recipe.pieces}
        words = vectors = Stage("vectors", "vectors", take_vectors, given)
    else:
        counted = {"pieces": recipe.pieces, "min_count": recipe.min_count}
        words = Stage("words", "words", write_words, _text(recipe) | counted)
        trained = {name: getattr(recipe, name) for name in ("vector_size", "epochs", "seed")}
        vectors = Stage("vectors", "vectors", write_vectors, {"words": words} | trained)
    sizes = ("hidden_size", "num_hidden_layers", "highway", "dropout", "seed")
    needs = {"words": words, "vectors": vectors}
    own = {name: getattr(recipe, name) for name in sizes}
    return Stage("bilstm", "BiLSTM", write_bilstm, needs | own)


def _text(recipe: Pretrain | Vectors) -> dict[str, Any]:
    """Return the text of a recipe as arguments of a stage."""
    return {
        "languages": [(code, list(map(Path, files))) for code, files in recipe.languages.items()],
        "remove": list(map(Path, recipe.remove)),
        "bytes_per_language": recipe.bytes_per_language,
        "seed": recipe.seed,
    }
