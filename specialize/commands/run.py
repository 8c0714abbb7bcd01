"""``specialize run``: a recipe's arms, from text to report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from specialize.commands._arguments import Parsers, add_command, add_set
from specialize.commands._processes import in_first
from specialize.environment import Threads, place
from specialize.errors import UsageError

DESCRIPTION = """\
Run a recipe: change the vocabulary, continue pretraining, fine-tune, score, report. What is
finished in the folder is not done again, so an interrupted run resumes with the same command, and a
recipe with one more arm, seed or task runs only what is new. Under torchrun, processes share the
batches of LAPT: torchrun --nproc-per-node 4 -m specialize run RECIPE --out DIR"""


def add(parsers: Parsers) -> None:
    """Add the command."""
    command = add_command(
        parsers,
        "run",
        help="one specialization, from text to report; arms compared",
        description=DESCRIPTION,
        examples="""
            specialize run recipes/uyghur.toml --out runs/uyghur --plan
            specialize run recipes/uyghur.toml --out runs/uyghur
            specialize run recipes/uyghur.toml --out runs/short --set lapt.epochs=1 --set seeds=[1]
        """,
    )
    command.add_argument("recipe", type=Path, help="a recipe (TOML); every key: docs/recipes.md")
    command.add_argument("--out", type=Path, help="folder to write; default: runs/NAME")
    plan = "print the stages, finished or not, with estimates of time and disk; do nothing"
    command.add_argument("--plan", action="store_true", help=plan)
    jobs = "run so many independent stages at once, each in a process; default: 1, of a cluster 100"
    command.add_argument("--jobs", type=positive, metavar="N", help=jobs)
    executor = (
        "run each stage as a job of a cluster: SLURM (the SBATCH_* variables set partition, time, "
        "memory and GPUs), or Ray (RAY_ADDRESS names the cluster)"
    )
    command.add_argument("--executor", choices=("slurm", "ray"), help=executor)
    add_threads(command)
    add_set(command, "KEY=VALUE", "change the recipe: lapt.epochs=2")
    command.set_defaults(run=run, several=True)


def add_threads(command: argparse.ArgumentParser) -> None:
    """Add ``--threads``."""
    threads = "threads of each process; default: the cores, shared by --jobs (specialize doctor)"
    command.add_argument("--threads", type=positive, metavar="N", help=threads)


def positive(text: str) -> int:
    """Return a whole number of at least 1, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text!r}")
    return int(text)


def run(options: argparse.Namespace) -> None:
    """Run a recipe, or print its plan."""
    from specialize.environment import set_threads

    jobs = options.jobs or (100 if options.executor else 1)
    threads = set_threads(options.threads, jobs=1 if options.executor else jobs)
    in_first(lambda: _run(options, jobs, threads))


def _run(options: argparse.Namespace, jobs: int, threads: Threads) -> None:
    if place().world > 1 and (options.jobs or options.executor):
        raise UsageError("--jobs and --executor start processes, as torchrun does; use one of them")
    from specialize.recipe.axes import expand
    from specialize.recipe.outside import outside_methods
    from specialize.recipe.read import read_recipes
    from specialize.recipe.toml import located, read_table

    if not options.plan:  # which lists them itself
        with located(options.recipe, options.set):
            tables = expand(read_table(options.recipe, options.set)).values()
        for line in dict.fromkeys(
            line for table in tables for line in outside_methods(table, options.recipe.parent)
        ):
            print(f"running code outside of the package: {line}", file=sys.stderr)
    recipes = read_recipes(options.recipe, options.set)
    from specialize import pipeline
    from specialize.clusters import executor
    from specialize.progress import terminal_log

    out = options.out or Path("runs") / options.recipe.stem
    if options.plan:
        print(pipeline.plan(recipes, out))
        return
    with terminal_log(out) as log:
        log.say(f"threads: {threads.number} ({threads.why})")
        facts = pipeline.specialize_all(
            recipes,
            out,
            command=options.command_line,
            jobs=jobs,
            executor=executor(options.executor) if options.executor else None,
            log=log,
        )
    for point, found in facts.items():
        show(found, out / point)
    if len(facts) > 1:
        _show_comparison(out, options.command_line)


def _show_comparison(out: Path, command: str) -> None:
    """Print the comparison of a grid's runs and write its page."""
    from specialize.comparison import compare
    from specialize.reports.compare import write_page
    from specialize.reports.compare_text import text

    found = compare([out])
    write_page(found, out / "comparison.html", command=command)
    print(f"\n{text(found)}\n\ncomparison: {out / 'comparison.html'}")


def show(facts: dict[str, Any], out: Path) -> None:
    """Print the table of a run and where its results are."""
    from specialize.reports.run_text import summary

    print(summary(facts))
    print(f"\nmodel: {out / 'model'}\nreport: {out / 'report.html'}")
