"""``specialize count``: token counts of texts, kept in a file and merged."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from pathlib import Path

from specialize.commands._arguments import TEXTS, Parsers, add_command, add_field, say_columns
from specialize.errors import UsageError

DESCRIPTION = """\
Count the tokens of texts once. FILE.counts then takes the place of the texts wherever words are
counted, as --text of inspect and augment. Counts of parts merge into those of the whole, in the
order given. Files may end in .xz, .gz or .zst. Memory grows with the types (different words): with
--max-types N the rarest are dropped whenever there are more than N, until at most half of N are
left; what was dropped is printed and recorded in the file."""


def add(parsers: Parsers) -> None:
    """Add the command."""
    command = add_command(
        parsers,
        "count",
        help="token counts of texts, kept in a file and merged",
        description=DESCRIPTION,
        examples="""
            specialize count news/ my-language.txt.xz --out all.counts.xz
            specialize count monday.counts tuesday.counts --out week.counts
        """,
    )
    command.add_argument("file", nargs="+", help=TEXTS)
    add_field(command)
    out = "the count file, also .counts.xz, .gz or .zst"
    command.add_argument("--out", type=Path, required=True, metavar="FILE.counts", help=out)
    types = "bound on the types in memory, see above; default: none"
    command.add_argument("--max-types", type=int, default=0, metavar="N", help=types)
    command.add_argument("--ray", action="store_true", help="count the files on a Ray cluster")
    command.add_argument("--json", action="store_true", help="one JSON object")
    command.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Write the counts and print their sums."""
    from specialize.commands._output import output_file, print_json
    from specialize.commands._pruned import note
    from specialize.corpus.count_files import check_counts_path, count_texts, write_counts

    check_counts_path(options.out)
    if options.ray and options.max_types:
        raise UsageError("--max-types is not for --ray, which sums all types; leave one out")
    with output_file(options.out, inputs=options.file):
        if options.ray:
            from specialize.corpus.ray import count_with_ray

            counts = count_with_ray(options.file, field=options.field)
        else:
            counts = count_texts(options.file, max_types=options.max_types, field=options.field)
        tokens = write_counts(counts, options.out)
    sums = {"tokens": tokens, "types": len(counts.tokens)}
    sums |= {"characters": counts.characters, "bytes": counts.bytes}
    say_columns(options.file)
    if options.json:
        print_json({**sums, "dropped": asdict(counts.dropped), "out": str(options.out)})
        return
    print(f"{', '.join(f'{n:,} {name}' for name, n in sums.items())}: {options.out}")
    if line := note(counts.dropped):
        print(line)
