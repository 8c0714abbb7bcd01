"""``specialize study``: studies over many runs."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from specialize.commands._arguments import Parsers, add_command, add_set
from specialize.commands.run import add_threads, positive
from specialize.errors import UsageError

Plan = Callable[[Any, Path], str]
Run = Callable[..., dict[str, Any]]
Write = Callable[[dict[str, Any], Path], str]

DESCRIPTION = """\
Run a study: many small runs, and what they say together. "transfer": a few steps on text of one
language, and what they do to the scores of others. "interference": language adapters alone and
fused by two and three. "sharing": a parser for every way to share its character, word and scoring
parts between two languages; each recipe is a table of the results. "zeroshot": modules by language
and task, scored on pairs of both that a model has not seen. What is finished in the folder is not
done again: the same command resumes."""


def add(parsers: Parsers) -> None:
    """Add the command."""
    command = add_command(
        parsers,
        "study",
        help="studies of many runs: transfer, interference, parser sharing, zero-shot by modules",
        description=DESCRIPTION,
        examples="""
            specialize study transfer recipes/transfer_mini.toml --out runs/transfer --plan
            specialize study transfer recipes/transfer_mini.toml --out runs/transfer --jobs 2
            specialize study interference recipes/transfer_mini.toml --out runs/transfer --jobs 2
            specialize study sharing recipes/sharing_*.toml --out runs/sharing --jobs 2 --threads 1
            specialize study zeroshot recipes/madx_hyperx_mini.toml --out runs/zeroshot --jobs 2
        """,
    )
    kinds = ("transfer", "interference", "sharing", "zeroshot")
    command.add_argument("kind", choices=kinds, help="the study")
    recipe = "a recipe (TOML), several for sharing; every key: docs/studies.md"
    command.add_argument("recipe", nargs="+", type=Path, help=recipe)
    command.add_argument("--out", type=Path, required=True, help="folder to write")
    plan = "print what is done and about how long the rest takes; do nothing"
    command.add_argument("--plan", action="store_true", help=plan)
    jobs = "run so many stages at once, each in a process; default: 1"
    command.add_argument("--jobs", type=positive, metavar="N", default=1, help=jobs)
    add_threads(command)
    add_set(command, "KEY=VALUE", "change the recipe: mlm.rate=1e-4, training.steps=100")
    command.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Run a study, or print its plan."""
    from specialize.environment import set_threads

    threads = set_threads(options.threads, jobs=options.jobs)
    from specialize.progress import terminal_log

    study, plan, begin, write = _study(options.kind, options.recipe, options.set)
    if options.plan:
        print(plan(study, options.out))
        return
    with terminal_log(options.out) as log:
        log.say(f"threads: {threads.number} ({threads.why})")
        command = options.command_line
        facts = begin(study, options.out, command=command, jobs=options.jobs, log=log)
    print(write(facts, options.out))


def _study(kind: str, recipes: list[Path], changes: list[str]) -> tuple[Any, Plan, Run, Write]:
    """Return a study, read and checked, with what plans, runs and reports it."""
    if kind == "sharing":
        from specialize.studies.sharing import report as sharing_report
        from specialize.studies.sharing import run as sharing

        studies = sharing.read_studies(recipes, changes)
        return studies, sharing.plan, sharing.run, sharing_report.write
    if len(recipes) > 1:
        raise UsageError(f"study {kind}: expected one recipe, got {len(recipes)}")
    if kind == "zeroshot":
        from specialize.studies.zeroshot import recipe as zeroshot_recipe
        from specialize.studies.zeroshot import report as zeroshot_report
        from specialize.studies.zeroshot import run as zeroshot

        pairs = zeroshot_recipe.read_study(recipes[0], changes)
        return pairs, zeroshot.plan, zeroshot.run, zeroshot_report.write
    from specialize.studies.transfer import interference, report
    from specialize.studies.transfer import run as transfer
    from specialize.studies.transfer.recipe import read_study

    study = read_study(recipes[0], changes)
    if kind == "transfer":
        return study, transfer.plan, transfer.run, report.write
    return study, interference.plan, interference.run, report.write_interference
