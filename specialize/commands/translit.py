"""``specialize translit``: text transliterated by a table, and what that does to it."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from specialize.commands._arguments import Parsers, add_command
from specialize.errors import UsageError

DESCRIPTION = """\
Write text transliterated, line for line, to stdout. A scheme is a table of the package (--list) or
a file of your own; docs/transliteration.md describes both. With --check, the text is not written
but examined: characters left over, words that collide or become empty, how many words lead back
with --reverse, and the pieces of tokenizers before and after."""


def add(parsers: Parsers) -> None:
    """Add the command."""
    command = add_command(
        parsers,
        "translit",
        help="text in another script by a table, and what is lost",
        description=DESCRIPTION,
        examples="""
            specialize translit uyghur_turkish ug.txt.xz > ug-latin.txt
            specialize translit my.tsv ug.txt.xz --check bert-base-multilingual-cased mini
            specialize translit --list
        """,
    )
    command.add_argument("scheme", nargs="?", metavar="SCHEME", help="a scheme, or a .tsv file")
    files = "text, also .xz, .gz or .zst; default: stdin"
    command.add_argument("file", nargs="*", metavar="FILE", help=files)
    tokenizers = "examine the text instead, also under these tokenizers"
    command.add_argument("--check", nargs="*", metavar="TOKENIZER", help=tokenizers)
    command.add_argument("--reverse", action="store_true", help="back to the first script")
    command.add_argument("--list", action="store_true", help="the schemes, with samples")
    command.add_argument("--json", action="store_true", help="--check, --list: as JSON")
    command.set_defaults(run=run)


def run(options: Namespace) -> None:
    """Print the schemes, a check, or the text."""
    if options.list:
        _list(options)
    elif not options.scheme:
        raise UsageError("expected a scheme; list them: specialize translit --list")
    elif options.check is not None:
        _check(options)
    else:
        _write(options)


def _list(options: Namespace) -> None:
    from specialize.transliteration import listing

    entries = listing()
    if options.json:
        print(json.dumps(entries, ensure_ascii=False))
        return
    for e in entries:
        print(f"{e['name']} ({e['script']}): {e['title']}")
        print(f"    {e['sample']}  >  {e['result']}\n    source: {e['source']}")


def _check(options: Namespace) -> None:
    from specialize.mixins._transliterate import reverse
    from specialize.transliteration import check, check_text, open_scheme

    if not options.file:
        raise UsageError("--check: expected a text; name it before --check")
    table = open_scheme(options.scheme)
    found = check(reverse(table) if options.reverse else table, options.file, options.check)
    print(json.dumps(found.to_json(), ensure_ascii=False) if options.json else check_text(found))


def _write(options: Namespace) -> None:
    from specialize.mixins._transliterate import reverse, transliterator
    from specialize.transliteration import open_scheme

    table = open_scheme(options.scheme)
    convert = transliterator(reverse(table) if options.reverse else table)
    for line in _lines(options.file):
        sys.stdout.write(convert(line) + "\n")


def _lines(names: list[str]) -> Iterator[str]:
    from specialize.corpus.files import expand, not_utf8, read_lines

    for path in expand(names):
        yield from (line for _, line in read_lines(path))
    for number, raw in enumerate([] if names else sys.stdin.buffer, 1):
        try:
            yield raw.decode().rstrip("\r\n")
        except UnicodeDecodeError as fault:
            raise not_utf8(Path("stdin"), number, raw, fault.start) from None
