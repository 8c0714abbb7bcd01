"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TypeAlias

Parsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

TOKENIZER = "a folder, tokenizer.json, vocab.txt, .model or .tiktoken file, or a model's name"
TEXTS = "texts of any format, or count files; - for standard input"


def add_command(
    parsers: Parsers, name: str, *, help: str, examples: str, description: str = ""
) -> argparse.ArgumentParser:
    """Return the parser of a new command; ``examples``: command lines, one a line."""
    indented = "\n".join(f"  {line.strip()}" for line in examples.strip().splitlines())
    return parsers.add_parser(
        name,
        help=help,
        description=description or f"{help[0].upper()}{help[1:]}.",
        epilog=f"examples:\n{indented}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_set(command: argparse.ArgumentParser, form: str, example: str) -> None:
    """Add ``--set``, which changes a recipe or sets options of a method."""
    command.add_argument(
        "--set", action="append", default=[], metavar=form, help=f"{example}; may be repeated"
    )


def add_field(command: argparse.ArgumentParser) -> None:
    """Add ``--field``, which names the text in JSON and parquet files."""
    field = "the field of JSON, or column of parquet, that holds the text; default: %(default)s"
    command.add_argument("--field", default="text", metavar="NAME", help=field)


def say_columns(texts: Sequence[str]) -> None:
    """Print on stderr which texts were read as their words alone."""
    from specialize.corpus.files import expand
    from specialize.corpus.formats import columns_note

    if line := columns_note(expand(texts)):
        print(line, file=sys.stderr)
