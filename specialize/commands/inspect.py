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
            specialize inspect mini --text dev.conllu --curve my-language.txt.xz
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
    curve = (
        "unknowns and pieces per word by the number of new pieces, for each method of choosing "
        "them on these texts"
    )
    command.add_argument(
        "--curve", nargs="+", action="extend", default=[], metavar="FILE", help=curve
    )
    json_help = "everything, one JSON object for each tokenizer and text, then for each curve"
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
    inputs = [
        *options.text,
        *options.tokenizer,
        *options.curve,
        *filter(None, [options.parallel]),
    ]
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
    curves = _curves(options)
    if options.json:
        for curve in curves:
            print_json(curve.to_json())
    else:
        _print(findings, curves)
    say_columns([*options.text, *options.curve])
    if options.html:
        from specialize.reports.audit_page import write_page

        write_page(findings, options.html, curves=curves, command=options.command_line)
        print(options.html, file=sys.stderr if options.json else sys.stdout)


def _curves(options: Namespace) -> list:
    """Return the coverage curves of every tokenizer and text, if they are asked for."""
    if not options.curve:
        return []
    from specialize.corpus import open_text
    from specialize.coverage_curves import coverage_curves
    from specialize.model.find import tokenizer_path
    from specialize.vocab.open import read_vocabulary

    source = open_text(options.curve, field=options.field)
    texts = {name: open_text([name], field=options.field) for name in options.text}
    return [
        curve
        for name in options.tokenizer
        for curve in coverage_curves(name, read_vocabulary(tokenizer_path(name)), source, texts)
    ]


def _print(findings: list, curves: list) -> None:
    from specialize.commands._pruned import note
    from specialize.reports import audit_text

    print(audit_text.text(findings))
    if curves:
        print(f"\n{audit_text.curves_text(curves)}")
    for line in dict.fromkeys(each for finding in findings for each in finding.notes):
        print(f"\n{line}")
    for text, dropped in {f.text: f.dropped for f in findings}.items():
        if line := note(dropped):
            print(f"\n{Path(text).name}: {line}")
