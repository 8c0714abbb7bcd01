"""The demo: a complete run on the bundled base and a synthetic language, offline."""

from __future__ import annotations

from pathlib import Path

from specialize import atomic
from specialize.recipe.read import recipe_of
from specialize.recipe.recipe import Recipe
from specialize.recipe.toml import read_table
from specialize.toylang import LANGUAGE_NOTE, write_language

SEED = 1


def demo_recipe(out: Path) -> Recipe:
    """Write the synthetic language to a folder beside ``out`` and return the demo's recipe."""
    folder = out.parent / f"{out.name}-language"
    if not (folder / "recipe.toml").exists():
        write_language(folder, seed=SEED, documents=160, sentences=(200, 60, 150))
    atomic.write_text(folder / "recipe.toml", RECIPE.replace("NOTE", LANGUAGE_NOTE))
    return recipe_of(read_table(folder / "recipe.toml"), folder=folder, name="demo")


RECIPE = """\
# The recipe of `specialize demo`; edit it and run it again: specialize run recipe.toml
title = "A synthetic language on mini"
note = "NOTE"
base = "mini"
language = "x-toy"
seeds = [1]
embed = "mean"
result = "char_first"

[corpus]
files = ["corpus.txt"]
dev = 0.05

[lapt]
epochs = 3
batch = 8
rate = 1e-3
warmup = 10

[finetune]
epochs = 4
batch = 8
patience = 0
rate = 5e-4
head_rate = 2e-3
freeze = 0
schedule = "linear"

[task.pos]
train = "train.conllu"
dev = "dev.conllu"
test = "test.conllu"

[task.dep]
train = "train.conllu"
dev = "dev.conllu"
test = "test.conllu"

[task.ner]
train = "ner_train.tsv"
dev = "ner_dev.tsv"
test = "ner_test.tsv"

[arm.unadapted]
lapt = false

[arm.lapt]

[arm.tva]
augment = { method = "tva", pieces = 99 }
lapt = { fresh_rate = 3.0 }

[arm.char_first]
augment = { method = "char_first", pieces = 99, fill = true }
lapt = { fresh_rate = 3.0 }
"""
