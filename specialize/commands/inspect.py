"""``specialize inspect``: audit tokenizers on texts."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path

from specialize.commands._arguments import (
    TEXTS,
    TOKENIZER,
    Parsers,
    add_command,
    add_field,
    say_columns,
)
from specialize.errors import UsageError


def add(parsers: Parsers) -> None:
    """Add the command."""
    command = add_command(
        parsers,
        "inspect",
        help="audit tokenizers on texts: unknowns, pieces per word, what is missing",
        examples="""
            specialize inspect mini --text my-language.txt.xz
            specialize inspect mini new-tokenizer --text my-language.txt.xz --html audit.html
            specialize inspect mini --text mt.txt --parallel en.txt --json
        """,
    )
    command.add_argument("tokenizer", nargs="+", help=TOKENIZER)
    command.add_argument(
        "--text", nargs="+", action="extend", required=True, metavar="FILE", help=TEXTS
    )
    add_field(command)
    parallel = "the same text in another language, line by line, or a .tsv with both as columns"
    command.add_argument("--parallel", type=Path, metavar="FILE", help=parallel)
    details = "slower measures; with two tokenizers, the words the second segments differently"
    command.add_argument("--details", action="store_true", help=details)
    json_help = "everything, one JSON object for each tokenizer and text"
    command.add_argument("--json", action="store_true", help=json_help)
    command.add_argument("--html", type=Path, metavar="FILE", help="everything, as one page")
    command.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Audit every tokenizer on every text."""
    from specialize.commands._output import output_file

    if not options.html:
        _inspect(options)
        return
    if options.html.is_dir() or options.html.parent.is_file():
        raise UsageError(f"--html {options.html}: expected a file to write, in a folder")
    inputs = [*options.text, *options.tokenizer, *filter(None, [options.parallel])]
    with output_file(options.html, inputs=inputs):
        _inspect(options)


def _inspect(options: Namespace) -> None:
    from specialize.commands._output import print_json
    from specialize.inspection import inspect_texts

    details = options.details or options.json or options.html
    findings = []
    for finding in inspect_texts(
        options.tokenizer,
        options.text,
        parallel=options.parallel,
        details=bool(details),
        field=options.field,
    ):
        findings.append(finding)
        if options.json:
            print_json(finding.to_json())
    if not options.json:
        _print(findings)
    say_columns(options.text)
    if options.html:
        from specialize.reports.audit_page import write_page

        write_page(findings, options.html, command=options.command_line)
        print(options.html, file=sys.stderr if options.json else sys.stdout)


def _print(findings: list) -> None:
    from specialize.commands._pruned import note
    from specialize.reports import audit_text

    print(audit_text.text(findings))
    for line in dict.fromkeys(each for finding in findings for each in finding.notes):
        print(f"\n{line}")
    for text, dropped in {f.text: f.dropped for f in findings}.items():
        if line := note(dropped):
            print(f"\n{Path(text).name}: {line}")
