"""``specialize compare``: runs beside a baseline, with significance."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import ExitStack
from pathlib import Path

from specialize.commands._arguments import Parsers, add_command
from specialize.errors import UsageError


def add(parsers: Parsers) -> None:
    """Add the command."""
    command = add_command(
        parsers,
        "compare",
        help="compare the arms of runs: means over seeds, paired tests, bootstrap",
        examples="""
            specialize compare runs/uyghur
            specialize compare runs/uyghur runs/maltese --baseline unadapted --html compare.html
            specialize compare runs --json
        """,
    )
    folders = "the --out of a run, or a folder of several"
    command.add_argument("folder", nargs="+", type=Path, metavar="DIR", help=folders)
    baseline = "the arm to compare the others with; default: lapt, else unadapted, else the first"
    command.add_argument("--baseline", metavar="ARM", help=baseline)
    json_help = "an array with one object for each arm, task and language, the baseline's first"
    command.add_argument("--json", action="store_true", help=json_help)
    csv = "the same as CSV"
    command.add_argument("--csv", type=Path, metavar="FILE", help=csv)
    latex = "a table for a paper, with booktabs"
    command.add_argument("--latex", type=Path, metavar="FILE", help=latex)
    command.add_argument("--html", type=Path, metavar="FILE", help="everything, as one page")
    command.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Compare, print, and write the files asked for."""
    from specialize.commands._output import output_file
    from specialize.comparison.read import files_of

    files = [file for file in (options.csv, options.latex, options.html) if file]
    if len({file.absolute() for file in files}) < len(files):
        raise UsageError("--csv, --latex and --html: expected different files")
    for file in files:
        if file.is_dir() or file.parent.is_file():
            raise UsageError(f"{file}: expected a file to write, in a folder")
    with ExitStack() as stack:
        for file in files:
            stack.enter_context(output_file(file, inputs=files_of(options.folder)))
        _compare(options)


def _compare(options: Namespace) -> None:
    from specialize.atomic import write_text
    from specialize.commands._output import print_json
    from specialize.comparison import compare
    from specialize.reports.compare_latex import latex
    from specialize.reports.compare_rows import csv_text, rows
    from specialize.reports.compare_text import text

    found = compare(options.folder, baseline=options.baseline)
    if options.json:
        print_json(rows(found))
        for line in (*found.missing, *found.cautions):
            print(line, file=sys.stderr)
    else:
        print(text(found))
    if options.csv:
        write_text(options.csv, csv_text(found))
    if options.latex:
        write_text(options.latex, latex(found))
    if options.html:
        from specialize.reports.compare import write_page

        write_page(found, options.html, command=options.command_line)
    for file in filter(None, (options.csv, options.latex, options.html)):
        print(file, file=sys.stderr if options.json else sys.stdout)
