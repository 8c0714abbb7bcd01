"""``specialize evaluate``: official scores of a system file against gold."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from specialize.commands._arguments import Parsers, add_command


def add(parsers: Parsers) -> None:
    """Add the command."""
    command = add_command(
        parsers,
        "evaluate",
        help="official scores of a system file against gold",
        description="Score a system file against gold: CoNLL-U by the metrics of the CoNLL 2018 "
        "shared task,\nentity columns by those of conlleval.",
        examples="""
            specialize evaluate gold.conllu annotated.conllu
            specialize evaluate gold.tsv system.tsv --json
        """,
    )
    command.add_argument("gold", type=Path, help="CoNLL-U, or columns of words and entity tags")
    command.add_argument("system", type=Path, help="the same text, annotated by a system")
    column = "number of the column with entity tags, counted from 1; default: found"
    command.add_argument("--column", type=int, default=0, metavar="N", help=column)
    scheme = "of entity tags: iob1, iob2, bioes or bilou; default: found"
    command.add_argument("--scheme", default="", metavar="NAME", help=scheme)
    command.add_argument("--json", action="store_true", help="one JSON object")
    command.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Print the scores."""
    from specialize.commands._output import print_json
    from specialize.evaluation import evaluate_files, scores_table

    scores = evaluate_files(
        options.gold, options.system, column=options.column, scheme=options.scheme
    )
    if options.json:
        print_json(scores)
    else:
        print(scores_table(scores))
