"""Speed of counting unknowns and pieces, compared with other tools.

    python benchmarks/count.py --cache DIR --out benchmarks/results/count_HARDWARE_YYYYMM.md
    python benchmarks/count.py --megabytes 2 --rounds 1        # smoke test, a minute

Texts: Uyghur Wikipedia and a mix of eighty languages, both grown to size (counting/texts.py), with
mBERT's vocabulary, from $SPECIALIZE_DATA. One process per tool, tools in turn; medians; CPU seconds
of all threads, without loading, files in the page cache. First all tools count a slice, and ours
must agree exactly with Hugging Face tokenizers. Peers are used if installed:

    pip install tokenizers nanotoken tokie kitoken flash-tokenizer tensorflow-text

The peers may be in a separate environment (--peers-python).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from counting import table, texts
from counting.jobs import BENCHMARKS, Job, Measured, ToolFailed, environment, run_job
from counting.prepare import make_text, prepare

OURS = ("floor", "audit", "selection")
PEERS = (
    "tokenizers",
    "counter-tokenizers",
    "nanotoken",
    "tokie",
    "kitoken",
    "flash-tokenizer",
    "tensorflow-text",
)
EXACT = ("audit", "python")  # must equal the reference
REFERENCE = "tokenizers"
PACKAGES = tuple(peer for peer in PEERS if peer != "counter-tokenizers")


class Bench:
    """One run of this script: its options and the report so far."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.cache: Path = options.cache
        self.report: list[str] = []
        self.failed: dict[str, str] = {}

    def run(self) -> str:
        """Return the report."""
        self.report += [
            f"# Counting unknowns and pieces\n\n{table.machine()}\n",
            f"Versions: {self._versions()}\n",
            f"Medians of {self.options.rounds} round(s), one process per tool, in turn. MB/CPU s "
            "counts the CPU of all threads; a mapped file is part of our peak memory. Ours: floor, "
            "the table of white-space types alone; audit, all of `specialize inspect`; selection, "
            "all words counted and the 99 pieces of a new vocabulary chosen that replace the most "
            "unknowns (tva also trains that vocabulary); python, the audit in Python.\n",
        ]
        self._prepare()
        for name in self.options.texts:
            self._text(name)
        if "commands" in self.options.groups:
            self._commands()
        for tool, why in self.failed.items():
            self.report.append(f"Left out: {tool} ({why})\n")
        return "\n".join(self.report)

    def _prepare(self) -> None:
        """Write mBERT as a folder with tokenizer.json."""
        source = self.options.data / "vocab/bert-base-multilingual-cased/vocab.txt"
        prepare("vocabulary", source, self.cache / "mbert")

    def _text(self, name: str) -> None:
        path = self._text_of(name, self.options.megabytes)
        facts = texts.facts_of(path)
        self.report.append(
            f"## {name}: {facts['bytes'] / 1e6:.0f} MB\n\n{facts['source']}, "
            f"{facts['real_share']:.0%} of it real and the rest synthetic "
            f"(`counting/texts.py`), sha256 {facts['sha256'][:12]}\n"
        )
        job = Job("", str(path), str(self.cache / "mbert"), str(self.cache / f"{name}-5000"))
        prepare("train", job.vocabulary, job.text, job.trained)
        if "count" in self.options.groups:
            self._count(name, job)
        if "train" in self.options.groups:
            self._compare("train-5000", job, ("training", "trainer"), reference="trainer")

    def _count(self, name: str, job: Job) -> None:
        slice_job = replace(job, text=str(self._text_of(name, self.options.slice)))
        small = self._rounds(slice_job, ("audit", "python", *PEERS), 1)
        _must_agree(small)
        in_python = [row for row in small if row.tool == "python"]
        few: list[table.Row] = []
        for threads in self.options.threads:
            tools = [tool for tool in (*OURS, *PEERS) if tool not in self.failed]
            at = replace(job, threads=threads)
            rows = self._rounds(at, tools, self.options.rounds)
            _must_agree(rows)
            shown = [*rows, *in_python] if threads == 1 else rows
            self._add(f"count-{name}, {threads} thread(s)", shown, REFERENCE)
            if few:
                gains = table.scaling(few, rows)
                self.report.append(f"Wall, 1 thread over {threads}: {gains}\n")
            few = few or rows
        self.report.append(f"python: on {self.options.slice:g} MB, one round\n")

    def _compare(self, title: str, job: Job, tools: Sequence[str], *, reference: str) -> None:
        for threads in self.options.threads:
            rows = self._rounds(replace(job, threads=threads), tools, self.options.rounds)
            self._add(f"{title}, {threads} thread(s)", rows, reference)

    def _commands(self) -> None:
        rows = []
        for name in self.options.texts:
            text = self._text_of(name, self.options.megabytes)
            size = texts.facts_of(text)["bytes"]
            for words in (["inspect"], ["augment", "--method", "tva"]):
                command = [words[0], str(self.cache / "mbert"), "--text", str(text), *words[1:]]
                rounds = [self._command(command) for _ in range(self.options.rounds)]
                rows.append(table.Row(f"specialize {words[0]} ({name})", size, rounds))
        self.report.append(f"## Commands, from start to exit\n\n{table.commands(rows)}\n")

    def _command(self, words: list[str]) -> Measured:
        with tempfile.TemporaryDirectory() as folder:
            if words[0] == "augment":
                words = [*words, "--out", f"{folder}/out"]
            begin = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-m", "specialize", *words],
                env=environment(max(self.options.threads)),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = status
            seconds = time.perf_counter() - begin
        if status:
            raise SystemExit(f"specialize {' '.join(words)}: status {status}")
        memory = used.ru_maxrss * 1024
        return Measured(seconds, used.ru_utime + used.ru_stime, memory, {})

    def _rounds(self, job: Job, tools: Sequence[str], rounds: int) -> list[table.Row]:
        """Run all tools in turn, ``rounds`` times; failed peers are left out and reported."""
        size = Path(job.text).stat().st_size
        found: dict[str, list[Measured]] = {tool: [] for tool in tools if tool not in self.failed}
        for nth in range(rounds):
            for tool in list(found):
                print(f"{Path(job.text).name}: {tool}, round {nth + 1}", file=sys.stderr)
                try:
                    found[tool].append(self._measure(replace(job, tool=tool)))
                except ToolFailed as failure:
                    if tool in (*OURS, *EXACT, "training"):
                        raise SystemExit(str(failure)) from None
                    self.failed[tool] = str(failure)
                    del found[tool]
        return [table.Row(tool, size, measured) for tool, measured in found.items()]

    def _measure(self, job: Job) -> Measured:
        ours = job.tool in table.PARTS_OF_PACKAGE
        python = sys.executable if ours else self.options.peers_python
        return run_job(job, python=python, module="counting.ours" if ours else "counting.peers")

    def _text_of(self, name: str, megabytes: float) -> Path:
        return make_text(name, self.options.data, self.cache, megabytes)

    def _add(self, title: str, rows: Sequence[table.Row], reference: str) -> None:
        self.report.append(f"### {title}\n\n{table.comparison(rows, reference=reference)}\n")

    def _versions(self) -> str:
        code = (
            "from importlib.metadata import version, PackageNotFoundError\n"
            f"for name in {PACKAGES}:\n"
            "    try: print(name, version(name))\n"
            "    except PackageNotFoundError: pass"
        )
        done = subprocess.run(
            [self.options.peers_python, "-c", code], capture_output=True, text=True, check=True
        )
        ours = f"specialize-native {version('specialize-native')}"
        return ", ".join([ours, *done.stdout.splitlines()])


def _must_agree(rows: Sequence[table.Row]) -> None:
    by_tool = {row.tool: row for row in rows}
    if REFERENCE not in by_tool:
        raise SystemExit(f"the reference is not installed; run: pip install {REFERENCE}")
    for tool in EXACT:
        if tool in by_tool and by_tool[tool].totals != by_tool[REFERENCE].totals:
            gaps = table.difference(by_tool[tool].totals, by_tool[REFERENCE].totals)
            raise SystemExit(
                f"expected {tool} to equal {REFERENCE}, got totals that differ: {gaps}"
            )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = os.environ.get("SPECIALIZE_DATA", BENCHMARKS.parents[1] / "shared/data")
    parser.add_argument("--data", type=Path, default=Path(data), help="folder of real data")
    parser.add_argument("--cache", type=Path, help="folder for generated texts; default: temporary")
    parser.add_argument("--megabytes", type=float, default=300)
    parser.add_argument("--slice", type=float, help="MB for the audit in Python; default 5 or less")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--texts", nargs="+", default=list(texts.SOURCES), choices=texts.SOURCES)
    groups = ["count", "train", "commands"]
    parser.add_argument("--groups", nargs="+", default=groups, choices=groups)
    parser.add_argument("--peers-python", default=sys.executable, help="interpreter of the peers")
    parser.add_argument("--out", type=Path, help="Markdown file; default: stdout")
    options = parser.parse_args()
    options.slice = options.slice or min(5, options.megabytes)
    return options


def main() -> None:
    """Run the selected benchmarks."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        options.cache = options.cache or Path(folder)
        report = Bench(options).run()
    if options.out:
        options.out.write_text(report, "utf-8")
    else:
        print(report)


if __name__ == "__main__":
    main()
