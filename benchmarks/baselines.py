"""The baselines of Chau & Smith 2021, Table 2 (FASTT, BERT), for every language of a grid.

    SPECIALIZE_DATA=../shared/data python benchmarks/baselines.py recipes/multitask.toml \\
        --out runs/baselines [--languages wo ga] [--steps 600]

For each language: skip-gram vectors below a BiLSTM (recipes/pretrain_vectors.toml) and six layers
from scratch (recipes/pretrain_scratch.toml), both of the whole text of the language, where LAPT has
at most 6,000 lines; then the recipe's tasks, fine-tuned as in its first arm (but 20 epochs of rate
2e-3 for the BiLSTM). Printed: test scores, mean ± deviation over seeds. What is finished is not
done again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

from specialize import atomic, pipeline
from specialize.pipeline.pretrain import pretrain
from specialize.progress import Log, terminal_log
from specialize.recipe.read import read_pretrain, read_recipes, recipe_of
from specialize.recipe.recipe import Recipe
from specialize.reports.numbers import spread

RECIPES = Path(__file__).resolve().parent.parent / "recipes"
WAYS = {
    "fasttext": ("pretrain_vectors.toml", {"epochs": 20, "rate": 2e-3}),
    "scratch": ("pretrain_scratch.toml", {}),
}
METRICS = {"pos": "accuracy", "dep": "las", "ner": "f1"}


def main() -> None:
    """Train what is missing, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--languages", nargs="+", help="points of the recipe; default: all")
    parser.add_argument("--steps", type=int, default=600, help="of the model from scratch")
    options = parser.parse_args()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    recipes = read_recipes(options.recipe)
    if unknown := set(options.languages or ()).difference(recipes):
        parser.error(f"unknown languages {sorted(unknown)}; the recipe has {sorted(recipes)}")
    print("| | task | fasttext | scratch |", "|---|---|---|---|", sep="\n")
    with terminal_log(out) as log:
        for language in options.languages or recipes:
            log.say(f"{language}: two bases")
            recipe = recipes[language]
            print_scores(language, recipe, run(recipe, language, options.steps, out, log))


def run(recipe: Recipe, language: str, steps: int, out: Path, log: Log) -> Path:
    """Make the bases of a language, fine-tune on them, and return the file of scores."""
    assert recipe.corpus is not None
    arms = {}
    finetune = next(iter(recipe.table["arm"].values()))["finetune"]
    for way, (file, own) in WAYS.items():
        base = out / f"{language}_{way}"
        changes = [
            f"languages={{{json.dumps(language)}=[{quoted(recipe.corpus.files)}]}}",
            f"remove=[{quoted(recipe.corpus.remove)}]",
            *([f"steps={steps}", f"warmup={steps // 10}"] if way == "scratch" else []),
        ]
        pretrain(read_pretrain(RECIPES / file, changes), base, log=log)
        arms[way] = {"base": str(base / "model"), "lapt": False, "finetune": {**finetune, **own}}
    table = {**recipe.table, "arm": arms, "result": "fasttext"}
    pipeline.specialize(recipe_of(table, folder=RECIPES, name=language), out / language, log=log)
    return out / language / "scores.json"


def quoted(files: Iterable[str]) -> str:
    return ", ".join(json.dumps(file, ensure_ascii=False) for file in files)


def print_scores(language: str, recipe: Recipe, file: Path) -> None:
    scores = atomic.read_json(file)
    for task in recipe.tasks:
        metric = METRICS[task.choice.method]
        found = ([score[metric] for score in scores[way][task.name]["test"]] for way in WAYS)
        shown = " | ".join(spread(own, places=2) for own in found)
        print(f"| {language} | {task.name} | {shown} |", flush=True)


if __name__ == "__main__":
    main()
