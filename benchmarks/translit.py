"""How fast do transliteration tables rewrite text, beside other packages?

    python benchmarks/translit.py SCHEME=TEXT... [--megabytes N]

Texts are read into memory; each tool gets them line by line, the tables of this package on N MB and
others on as much of it as takes a few seconds. One thread, the best of three rounds, in CPU
seconds; prints a Markdown table. Packages that are not installed are left out.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from specialize.corpus.files import read_lines
from specialize.environment import machine_facts
from specialize.mixins._table import read_table, scheme_file
from specialize.mixins._transliterate import transliterator

Rewrite = Callable[[str], str]
PEERS = {"icu": "PyICU", "anyascii": "anyascii", "unidecode": "Unidecode", "uroman": "uroman"}


def peers() -> Iterator[tuple[str, Rewrite, float]]:
    """Yield the other tools, each with the megabytes it gets."""
    with suppress(ImportError):
        icu = importlib.import_module("icu")
        yield "PyICU, Any-Latin", icu.Transliterator.createInstance("Any-Latin").transliterate, 2
    with suppress(ImportError):
        yield "AnyAscii", importlib.import_module("anyascii").anyascii, 5
    with suppress(ImportError):
        yield "Unidecode", importlib.import_module("unidecode").unidecode, 5
    with suppress(ImportError):
        yield "uroman", importlib.import_module("uroman").Uroman().romanize_string, 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pairs", nargs="+", metavar="SCHEME=TEXT")
    parser.add_argument("--megabytes", type=float, default=20)
    options = parser.parse_args()
    versions = ", ".join(f"{name} {version}" for name, version in installed())
    facts = machine_facts()
    print(f"{facts['processor']}, {facts['system']}, Python {facts['python']}, one thread; ")
    print(f"load {os.getloadavg()[0]:.1f}; {time.strftime('%Y-%m-%d')}\n\nVersions: {versions}\n")
    texts = {
        scheme: lines_of(file, options.megabytes)
        for scheme, _, file in (pair.partition("=") for pair in options.pairs)
    }
    sizes = [f"{name}, {megabytes(lines):.1f} MB" for name, lines in texts.items()]
    print(f"| MB/CPU s | {' | '.join(sizes)} |\n|---|{'---:|' * len(texts)}")
    own = [
        speed(transliterator(read_table(scheme_file(name))), lines) for name, lines in texts.items()
    ]
    print_row("**table of this package**", own)
    for name, convert, most in peers():
        print_row(name, [speed(convert, first(lines, most)) for lines in texts.values()])


def installed() -> Iterator[tuple[str, str]]:
    for package in PEERS.values():
        with suppress(importlib.metadata.PackageNotFoundError):
            yield package, importlib.metadata.version(package)


def print_row(name: str, speeds: list[float]) -> None:
    print(f"| {name} | {' | '.join(f'{s:.1f}' if s > 1 else f'{s:.2f}' for s in speeds)} |")


def lines_of(file: str, most: float) -> list[str]:
    """Return the lines of ``file``, repeated if it is short; a repeated word costs the same."""
    lines = [line for _, line in read_lines(file)]
    return first(lines * (1 + int(most / megabytes(lines))), most)


def first(lines: list[str], most: float) -> list[str]:
    """Return the first lines, ``most`` megabytes of them."""
    size, found = 0.0, []
    for line in lines:
        size += len(line.encode()) / 1e6
        if size > most:
            break
        found.append(line)
    return found


def megabytes(lines: list[str]) -> float:
    return sum(len(line.encode()) for line in lines) / 1e6


def speed(convert: Rewrite, lines: list[str]) -> float:
    """Return megabytes per CPU second, the best of three rounds."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        for line in lines:
            convert(line)
        best = min(best, time.process_time() - began)
    return megabytes(lines) / best


if __name__ == "__main__":
    main()
