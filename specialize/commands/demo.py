"""``specialize demo``: the whole method, offline, on a synthetic language."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from specialize.commands._arguments import Parsers, add_command
from specialize.commands.run import add_threads, show


def add(parsers: Parsers) -> None:
    """Add the command."""
    command = add_command(
        parsers,
        "demo",
        help="everything, offline, in minutes, on the bundled base and a synthetic language",
        examples="specialize demo\nspecialize demo --out runs/demo",
    )
    command.add_argument("--out", type=Path, default=Path("runs/demo"), help="default: %(default)s")
    add_threads(command)
    command.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Run the recipe of the demo."""
    from specialize.environment import set_threads

    threads = set_threads(options.threads)
    from specialize import pipeline
    from specialize.demo import demo_recipe
    from specialize.progress import terminal_log

    recipe = demo_recipe(options.out)
    with terminal_log(options.out) as log:
        log.say(f"threads: {threads.number} ({threads.why})")
        facts = pipeline.specialize(recipe, options.out, command=options.command_line, log=log)
    show(facts, options.out)
