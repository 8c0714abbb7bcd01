"""``specialize study``: studies over many runs."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from specialize.commands._arguments import Parsers, add_command, add_set
from specialize.commands.run import add_threads, positive

DESCRIPTION = """\
Run a study: many small runs, and what they say together. "transfer": a few steps on text of one
language, and what they do to the scores of others. "interference": language adapters alone and
fused by two and three. What is finished in the folder is not done again, so that the same command
resumes."""


def add(parsers: Parsers) -> None:
    """Add the command."""
    command = add_command(
        parsers,
        "study",
        help="studies over many runs: which language helps which",
        description=DESCRIPTION,
        examples="""
            specialize study transfer recipes/transfer_mini.toml --out runs/transfer --plan
            specialize study transfer recipes/transfer_mini.toml --out runs/transfer --jobs 2
            specialize study interference recipes/transfer_mini.toml --out runs/transfer --jobs 2
        """,
    )
    command.add_argument("kind", choices=("transfer", "interference"), help="the study")
    command.add_argument("recipe", type=Path, help="a recipe (TOML); every key: docs/studies.md")
    command.add_argument("--out", type=Path, required=True, help="folder to write")
    plan = "print what is done and about how long the rest takes; do nothing"
    command.add_argument("--plan", action="store_true", help=plan)
    jobs = "run so many stages at once, each in a process; default: 1"
    command.add_argument("--jobs", type=positive, metavar="N", default=1, help=jobs)
    add_threads(command)
    add_set(command, "KEY=VALUE", "change the recipe: mlm.rate=1e-4")
    command.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Run a study, or print its plan."""
    from specialize.environment import set_threads

    threads = set_threads(options.threads, jobs=options.jobs)
    from specialize.progress import terminal_log
    from specialize.studies.transfer import interference, report
    from specialize.studies.transfer import run as transfer
    from specialize.studies.transfer.recipe import read_study

    kind, write = {
        "transfer": (transfer, report.write),
        "interference": (interference, report.write_interference),
    }[options.kind]
    study = read_study(options.recipe, options.set)
    if options.plan:
        print(kind.plan(study, options.out))
        return
    with terminal_log(options.out) as log:
        log.say(f"threads: {threads.number} ({threads.why})")
        command = options.command_line
        facts = kind.run(study, options.out, command=command, jobs=options.jobs, log=log)
    print(write(facts, options.out))
