"""``specialize study``: studies over many runs."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from specialize.commands._arguments import Parsers, add_command, add_set
from specialize.commands.run import add_threads, positive

DESCRIPTION = """\
Run a study: many small runs, and what they say together. "sharing" trains a parser for every way to
share its character, word and scoring parts between two languages; each recipe is a table of the
results. What is finished in the folder is not done again: the same command resumes."""


def add(parsers: Parsers) -> None:
    """Add the command."""
    command = add_command(
        parsers,
        "study",
        help="studies over many runs: what to share in a parser",
        description=DESCRIPTION,
        examples="""
            specialize study sharing recipes/sharing_related.toml --out runs/sharing --plan
            specialize study sharing recipes/sharing_*.toml --out runs/sharing --jobs 2 --threads 1
        """,
    )
    command.add_argument("kind", choices=("sharing",), help="the study")
    recipe = "recipes (TOML); every key: docs/studies.md"
    command.add_argument("recipe", nargs="+", type=Path, help=recipe)
    command.add_argument("--out", type=Path, required=True, help="folder to write")
    plan = "print what is done and about how long the rest takes; do nothing"
    command.add_argument("--plan", action="store_true", help=plan)
    jobs = "run so many stages at once, each in a process; default: 1"
    command.add_argument("--jobs", type=positive, metavar="N", default=1, help=jobs)
    add_threads(command)
    add_set(command, "KEY=VALUE", "change the recipes: training.steps=100")
    command.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Run a study, or print its plan."""
    from specialize.environment import set_threads

    threads = set_threads(options.threads, jobs=options.jobs)
    from specialize.progress import terminal_log
    from specialize.studies.sharing import report
    from specialize.studies.sharing.run import plan, read_studies
    from specialize.studies.sharing.run import run as study

    studies = read_studies(options.recipe, options.set)
    if options.plan:
        print(plan(studies, options.out))
        return
    with terminal_log(options.out) as log:
        log.say(f"threads: {threads.number} ({threads.why})")
        facts = study(
            studies, options.out, command=options.command_line, jobs=options.jobs, log=log
        )
    print(report.write(facts, options.out))
