"""Extending tokenizers for a new language: gains of each way there, and damage elsewhere.

    SPECIALIZE_DATA=../shared/data python benchmarks/extend.py --cache DIR --out FILE
    python benchmarks/extend.py --cache DIR --bases mbert --languages wo --pieces 500  # quick

Each way writes a tokenizer.json (extending/ways.py), measured with the tokenizers library
(extending/measures.py). Tokenizers and table rows in the cache are reused. A peer is used if an
interpreter has it: pip install bpe-tokenizer-editor, --peers-python.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

from extending.bases import BASES, FILE, SERVES, make_base
from extending.measures import Base, Row
from extending.texts import NEW, SERVED, Texts, base_text, new_text, served_text
from extending.ways import EDITOR, WAYS, WITHOUT_AUXILIARY, Job, Way

from specialize.environment import machine_facts
from specialize.errors import MissingError
from specialize.recipe.table import locate

COLUMNS = (
    "way | new pieces | pieces/word | unknown words | changed, held out | changed, guard | "
    "longer types | unreachable | unused | lossy lines | CPU s"
)


class Bench:
    """One run of this script."""

    def __init__(self, options: argparse.Namespace, data: Path) -> None:
        self.options, self.data, self.cache = options, data, options.cache
        self.peer = _editor(options.peers_python)
        self.ways = {way for way in options.ways if self.peer or way not in EDITOR}

    def run(self) -> str:
        """Return the report."""
        report = [self._header()]
        for name in self.options.bases:
            served = f"Kept for {', '.join(SERVES[name])}.\n\n" if name in SERVES else ""
            report.append(
                f"\n## {name}\n\n{served}| language | {COLUMNS} |\n|---|---{'|---:' * 10}|"
            )
            folder = make_base(name, self.data, self._base_text, self.cache / "bases" / name)
            for code in self.options.languages:
                report += self._language(name, folder, code)
        return "\n".join(report) + "\n"

    def _base_text(self) -> Path:
        return base_text(self.data, self.cache, megabytes=self.options.base_megabytes)

    def _language(self, name: str, folder: Path, code: str) -> list[str]:
        """Return the table's rows of one base and language."""
        size, guard, n = self.options.megabytes, self.options.guard, self.options.pieces
        train, dev = new_text(self.data, self.cache, code, size)
        texts = Texts(train, dev, *served_text(self.data, self.cache, _served(name), guard))
        base, home = Base(folder, texts), self.cache / f"{name}-{code}-{n}-{size:g}-{guard:g}"
        job = Job(folder, texts, n, home / "auxiliary", self.options.peers_python)
        make_auxiliary, ways = WAYS[name]
        rows = {"before": _cached(home / "before", lambda _: base.row(folder / FILE))}
        for way, make in ways.items():
            if way in self.ways:
                print(f"{name}, {code}: {way}", file=sys.stderr, flush=True)
                before = 0.0
                if way not in WITHOUT_AUXILIARY:
                    before = _timed(home / "auxiliary", partial(make_auxiliary, job))
                rows[way] = _cached(home / _slug(way), partial(_measured, base, job, make, before))
        return [f"| {code} | {way} | {_cells(row)} |" for way, row in rows.items()]

    def _header(self) -> str:
        """Return the facts common to all tables."""
        facts, options = machine_facts(), self.options
        packages = ("tokenizers", "sentencepiece")
        versions = [f"{name} {version(name)}" for name in packages]
        versions += [f"bpe-tokenizer-editor {self.peer}"] if self.peer else []
        return (
            f"# Tokenizers extended for a new language\n\n{facts['processor']}, one core, Linux, "
            f"Python {facts['python']}, {', '.join(versions)}; {time.strftime('%Y-%m-%d')}\n\n"
            f"{options.pieces:,} pieces requested; up to {options.megabytes:g} MB of training text "
            f"in the new language; held out: UD dev, of {len(SERVED)} other languages "
            f"({', '.join(SERVED)}); guard: {options.guard:g} MB of raw text of these, each with "
            f"the same share or all there is. Bases made here: {options.base_megabytes:g} MB or "
            "less of each of 22 languages, the new ones not among them. Seconds are of CPU, an "
            "auxiliary tokenizer's training included.\n"
        )


def _measured(base: Base, job: Job, make: Way, before: float, out: Path) -> Row:
    """Return the figures of a way; ``before``: seconds already spent."""
    seconds = _timed(out, partial(make, job))
    return replace(base.row(out / FILE), seconds=before + seconds)


def _timed(out: Path, make: Callable[[Path], object]) -> float:
    """Create a folder unless it exists; return the CPU seconds that it took."""
    file = out / "seconds.json"
    if not file.exists():
        out.mkdir(parents=True, exist_ok=True)
        begin = sum(os.times()[:4])  # including subprocesses
        make(out)
        file.write_text(json.dumps(sum(os.times()[:4]) - begin), "utf-8")
    return json.loads(file.read_text("utf-8"))


def _cached(out: Path, make: Callable[[Path], Row]) -> Row:
    """Return the row stored in a folder; measured unless it exists."""
    file = out / "row.json"
    if not file.exists():
        out.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(make(out))), "utf-8")
    return Row(**json.loads(file.read_text("utf-8")))


def _served(base: str) -> Sequence[str]:
    return SERVES.get(base, [*SERVED])


def _slug(way: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in way)


def _cells(row: Row) -> str:
    """Return the cells of a row after language and way."""
    moved = f" ({row.moved:,} old ids moved)" if row.moved else ""
    shares = (f"{100 * share:.3f} %" for share in (row.unknown, row.changed, row.changed_guard))
    counts = [f"{n:,}" for n in (row.longer, row.unreachable, row.unused)]
    counts.append(f"{row.lossy:,} of {row.lines:,}")
    figures = (f"{row.added:,}{moved}", f"{row.per_word:.3f}", *shares, *counts)
    return " | ".join((*figures, f"{row.seconds:.0f}"))


def _editor(python: str) -> str:
    """Return the version of bpe-tokenizer-editor in an interpreter, "" if not installed."""
    code = "from importlib.metadata import version; print(version('bpe-tokenizer-editor'))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    return done.stdout.strip()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, help="folder for all results; default: temporary")
    parser.add_argument("--bases", nargs="+", default=list(BASES), choices=BASES)
    parser.add_argument("--languages", nargs="+", default=list(NEW), choices=NEW)
    known = [*dict.fromkeys(way for _, ways in WAYS.values() for way in ways)]
    parser.add_argument("--ways", nargs="+", default=known, choices=known, metavar="WAY")
    parser.add_argument("--pieces", type=int, default=3000)
    parser.add_argument("--megabytes", type=float, default=10, help="MB of the new language")
    parser.add_argument("--guard", type=float, default=12, help="MB of the guard in all")
    parser.add_argument(
        "--base-megabytes", type=float, default=1, help="MB of each language, for the bases"
    )
    parser.add_argument("--peers-python", default=sys.executable, help="interpreter of the peer")
    parser.add_argument("--out", type=Path, help="Markdown file; default: stdout")
    return parser.parse_args()


def main() -> None:
    """Run the selected benchmarks."""
    options = _options()
    try:
        data = locate("$SPECIALIZE_DATA", Path())
    except MissingError as error:
        sys.exit(f"expected a data folder: {error}")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    with tempfile.TemporaryDirectory() as folder:
        options.cache = options.cache or Path(folder)
        report = Bench(options, data).run()
    if options.out:
        options.out.write_text(report, "utf-8")
    else:
        print(report)


if __name__ == "__main__":
    main()
