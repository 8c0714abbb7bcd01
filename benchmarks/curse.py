"""The curse of multilinguality: X-MOD, SHARED and no module, by the number of languages.

    SPECIALIZE_DATA=../shared/data python benchmarks/curse.py recipes/pretrain_curse.toml \\
        --out runs/curse [--languages 2 4 8 16] [--seeds 1 2] [--modules none shared xmod]

Each cell is the recipe trained on its first languages (`train_on`), at equal steps of each language
and with the same batches whatever the modules are. All cells lie in one folder and share the
tokenizer and the text of a seed; what is finished is not done again, so the same command resumes.
Printed: bits per byte of held-out text, mean ± deviation over seeds, of the first two languages and
of all that were trained. Warm-up is a tenth of the steps.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

from specialize import atomic
from specialize.pipeline.pretrain import pretrain
from specialize.progress import terminal_log
from specialize.recipe.read import read_pretrain
from specialize.train.pretrain import Pretrain

VARIANTS = ("none", "shared", "xmod")


class Cell(NamedTuple):
    """One model."""

    modules: str
    languages: int  # the first so many of the recipe
    seed: int


def main() -> None:
    """Train the cells, the smallest first, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--languages", type=int, nargs="+", default=[2, 4, 8, 16])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--modules", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    found: dict[Cell, dict[str, float]] = {}
    with terminal_log(options.out) as log:
        for languages in options.languages:
            for seed in options.seeds:
                for modules in options.modules:
                    cell = Cell(modules, languages, seed)
                    log.say(f"{modules}, {languages} languages, seed {seed}")
                    recipe = recipe_of(cell, options.recipe, options.set)
                    pretrain(recipe, options.out, log=log)
                    training = atomic.read_json(options.out / "training.json")
                    bits = training["bits_per_byte"].items()  # None: no held-out text
                    found[cell] = {code: value for code, value in bits if value is not None}
    first = recipe.codes[:2]
    print(table(f"{first[0]} and {first[1]}", found, first), table("all", found, ()), sep="\n\n")


def recipe_of(cell: Cell, path: Path, changes: Sequence[str]) -> Pretrain:
    """Return the recipe of a cell; an error ends the program, such as too few languages."""
    given = [*changes, f'modules="{cell.modules}"', f"seed={cell.seed}"]
    recipe = read_pretrain(path, given)
    assert isinstance(recipe, Pretrain)
    codes = list(recipe.languages)
    if not 2 <= cell.languages <= len(codes) or not recipe.per_language:
        sys.exit(f"expected 2 to {len(codes)} languages and per_language, got {cell.languages}")
    warmup = recipe.per_language * cell.languages // 10
    chosen = ", ".join(f'"{code}"' for code in codes[: cell.languages])
    made = read_pretrain(path, [*given, f"train_on=[{chosen}]", f"warmup={warmup}"])
    assert isinstance(made, Pretrain)
    return made


def table(title: str, found: dict[Cell, dict[str, float]], codes: Sequence[str]) -> str:
    """Return a Markdown table of bits per byte: a row for each variant, a column for each size.

    ``codes``: the languages whose mean is shown; none: all that the cell was trained on.
    """
    sizes = sorted({cell.languages for cell in found})
    lines = [f"| {title} | {' | '.join(map(str, sizes))} |", "|---" * (len(sizes) + 1) + "|"]
    for variant in dict.fromkeys(cell.modules for cell in found):
        row = []
        for size in sizes:
            bits = [
                mean(of[code] for code in codes or of if code in of)
                for cell, of in found.items()
                if (cell.modules, cell.languages) == (variant, size)
            ]
            spread = f" ± {stdev(bits):.3f}" if len(bits) > 1 else ""
            row.append(f"{mean(bits):.3f}{spread}")
        lines.append(f"| {variant} | {' | '.join(row)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
