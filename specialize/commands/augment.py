"""``specialize augment``: a new tokenizer for texts."""

from __future__ import annotations

import gc
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from specialize.commands._arguments import (
    TEXTS,
    TOKENIZER,
    Parsers,
    add_command,
    add_field,
    add_set,
    say_columns,
)

DESCRIPTION = """\
Write a tokenizer with new pieces for the texts. It is verified in a fresh process as written; on
failure nothing is written. Methods: tva (of the papers), char_first and greedy for WordPiece;
extend for any family; replace trains a new vocabulary; prune drops what the texts never use. Their
options: specialize methods augment."""


def add(parsers: Parsers) -> None:
    """Add the command."""
    command = add_command(
        parsers,
        "augment",
        help="a new tokenizer: extended, replaced or pruned for the texts",
        description=DESCRIPTION,
        examples="""
            specialize augment mini --text my-language.txt.xz --out new-tokenizer
            specialize augment GPT2 --text mt.txt --method extend --set pieces=500 --out gpt2-mt
            specialize augment mini --text mt.txt --guard english.txt --out new-tokenizer
            specialize augment mini --text mt.txt --method extend --embed subwords --out mini-mt
            specialize augment mini --text ug.txt --embed script --set embed.scale=0.5 --out mini-ug
        """,
    )
    command.add_argument("tokenizer", help=TOKENIZER)
    command.add_argument(
        "--text", nargs="+", action="extend", required=True, metavar="FILE", help=TEXTS
    )
    add_field(command)
    command.add_argument("--method", default="tva", help="default: %(default)s")
    guard = "texts of other languages, whose known words keep their segmentation"
    command.add_argument("--guard", nargs="+", action="extend", metavar="FILE", help=guard)
    budget = "share of the guard's words that may change, such as 0.001; default: 0"
    command.add_argument("--guard-budget", type=float, metavar="SHARE", help=budget)
    embed = "write the model too, rows of new pieces by this method; see specialize methods embed"
    command.add_argument("--embed", default="", metavar="NAME", help=embed)
    add_set(
        command,
        "OPTION=VALUE",
        "set an option of the method, or of --embed: pieces=200, embed.scale=2",
    )
    command.add_argument("--out", type=Path, required=True, help="folder to write")
    command.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Write the tokenizer and print what it gains."""
    from specialize.augmentation import augment_tokenizer
    from specialize.commands._pruned import dropped_from, note
    from specialize.corpus import open_text
    from specialize.errors import UsageError
    from specialize.recipe.toml import read_changes

    chosen = read_changes(options.set)
    embed = chosen.pop("embed", {})
    if options.embed:
        embed = {**(embed if isinstance(embed, dict) else {}), "method": options.embed}
    elif embed:
        raise UsageError("--set embed: expected a method; name it with --embed")
    given = {"guard": options.guard, "guard_budget": options.guard_budget}
    chosen |= {name: value for name, value in given.items() if value is not None}
    text = open_text(options.text, field=options.field)
    with _uncollected():
        summary = augment_tokenizer(
            options.tokenizer,
            text,
            options.method,
            chosen,
            options.out,
            texts=options.text,
            embed=embed or "",
        )
    print(summary)
    say_columns(options.text)
    if line := note(dropped_from(text)):
        print(line)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Suspend the collector, which would scan the 120,000 pieces of mBERT for cycles many times."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
