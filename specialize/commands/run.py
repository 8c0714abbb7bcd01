"""``specialize run``: a recipe's arms, from text to report."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize.commands._arguments import Parsers, add_command, add_set
from specialize.commands._processes import in_first
from specialize.environment import Threads, place
from specialize.errors import UsageError

if TYPE_CHECKING:
    from specialize.progress import Log
    from specialize.recipe.recipe import Recipe

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
    add_tensorboard(command)
    add_set(command, "KEY=VALUE", "change the recipe: lapt.epochs=2")
    command.set_defaults(run=run, several=True)


def add_threads(command: argparse.ArgumentParser) -> None:
    """Add ``--threads``."""
    threads = "threads of each process; default: the cores, shared by --jobs (specialize doctor)"
    command.add_argument("--threads", type=positive, metavar="N", help=threads)


def add_tensorboard(command: argparse.ArgumentParser) -> None:
    """Add ``--tensorboard``."""
    events = "write the figures of metrics.jsonl to OUT/tensorboard too, as TensorBoard reads them"
    command.add_argument("--tensorboard", action="store_true", help=events)


def watched(options: argparse.Namespace, out: Path, log: Log) -> AbstractContextManager[None]:
    """Return a context in which ``out`` gets files for TensorBoard if they are asked for."""
    from specialize.tensorboard import event_files

    return event_files(out, log) if options.tensorboard else nullcontext()


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
    out = options.out or Path("runs") / options.recipe.stem
    if options.plan:
        recipes = _recipes(options)
        from specialize import pipeline

        print(pipeline.plan(recipes, out))
        return
    from specialize.progress import terminal_log

    with terminal_log(out) as log:
        log.say(f"threads: {threads.number} ({threads.why})")  # before what imports torch
        facts = _specialize(options, out, jobs, log)
    for point, found in facts.items():
        show(found, out / point)
    if len(facts) > 1 or (out / "comparison.html").exists():  # else of a grid that was here before
        _show_comparison(out, options.command_line)


def _recipes(options: argparse.Namespace) -> Mapping[str, Recipe]:
    """Return the recipes of the points; name on stderr what code of the user's will run."""
    from specialize.recipe.axes import expand
    from specialize.recipe.outside import outside_methods
    from specialize.recipe.read import read_recipes
    from specialize.recipe.toml import located, read_table

    if not options.plan:  # which lists them itself
        with located(options.recipe, options.set):
            tables = expand(read_table(options.recipe, options.set, command="run")).values()
        for line in dict.fromkeys(
            line for table in tables for line in outside_methods(table, options.recipe.parent)
        ):
            print(f"running code outside of the package: {line}", file=sys.stderr)
    return read_recipes(options.recipe, options.set)


def _specialize(options: argparse.Namespace, out: Path, jobs: int, log: Log) -> dict[str, Any]:
    """Run the recipes and return the facts of each point."""
    recipes = _recipes(options)
    from specialize import pipeline
    from specialize.clusters import executor

    with watched(options, out, log):
        return pipeline.specialize_all(
            recipes,
            out,
            command=options.command_line,
            jobs=jobs,
            executor=executor(options.executor) if options.executor else None,
            log=log,
        )


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
    if len(facts["arms"]) > 1:
        page = shlex.quote(str(out / "comparison.html"))
        print(f"which arm is best: specialize compare {shlex.quote(str(out))} --html {page}")
