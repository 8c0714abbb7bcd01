"""``specialize pretrain``: a small multilingual base from scratch."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from specialize.commands._arguments import Parsers, add_command, add_set
from specialize.commands._processes import in_first
from specialize.commands.run import add_tensorboard, add_threads, watched
from specialize.environment import Threads


def add(parsers: Parsers) -> None:
    """Add the command."""
    command = add_command(
        parsers,
        "pretrain",
        help="train a small multilingual base from scratch",
        examples="""
            specialize pretrain recipes/pretrain_mini.toml --out runs/mini
            specialize pretrain recipes/pretrain_mini.toml --out runs/mini --set steps=500
        """,
    )
    recipe = "a pretraining recipe (TOML), such as recipes/pretrain_mini.toml; docs/recipes.md"
    command.add_argument("recipe", type=Path, help=recipe)
    command.add_argument("--out", type=Path, required=True, help="folder to write")
    add_threads(command)
    add_tensorboard(command)
    add_set(command, "KEY=VALUE", "change the recipe: steps=500")
    command.set_defaults(run=run, several=True)


def run(options: Namespace) -> None:
    """Train the base and print its folder."""
    from specialize.environment import set_threads

    threads = set_threads(options.threads)
    in_first(lambda: _run(options, threads))


def _run(options: Namespace, threads: Threads) -> None:
    from specialize.modules.packs import PACK
    from specialize.pipeline.pretrain import pretrain
    from specialize.progress import terminal_log
    from specialize.recipe.pretrain import read_pretrain

    recipe = read_pretrain(options.recipe, options.set)
    with terminal_log(options.out) as log, watched(options, options.out, log):
        log.say(f"threads: {threads.number} ({threads.why})")
        model = pretrain(recipe, options.out, log=log)
    pack = options.out / PACK
    print(model, *[pack] if pack.exists() else [], sep="\n")
