"""Measurements as Markdown."""

from __future__ import annotations

import datetime
import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from counting.jobs import Measured

PARTS_OF_PACKAGE = ("floor", "audit", "selection", "python", "training")


@dataclass(frozen=True)
class Row:
    """The rounds of one tool on one text."""

    tool: str
    bytes: int  # of the text
    rounds: Sequence[Measured]

    @property
    def cpu(self) -> float:
        return median(one.cpu for one in self.rounds)

    @property
    def seconds(self) -> float:
        return median(one.seconds for one in self.rounds)

    @property
    def rate(self) -> float:
        """MB per CPU second."""
        return self.bytes / 1e6 / self.cpu

    @property
    def memory(self) -> int:
        return max(one.memory for one in self.rounds)

    @property
    def totals(self) -> Mapping[str, int]:
        return self.rounds[0].totals


def comparison(rows: Sequence[Row], *, reference: str) -> str:
    """Return a table of ``rows``, each compared with ``reference`` and the fastest peer."""
    by_tool = {row.tool: row for row in rows}
    anchor = by_tool.get(reference)
    peers = [row for row in rows if row.tool not in PARTS_OF_PACKAGE]
    fastest = max(peers, key=lambda row: row.rate, default=None)
    anchors = {row.tool: row for row in (anchor, fastest) if row}
    lines = []
    for row in sorted(rows, key=lambda row: row.rate):
        same = anchor is not None and anchor.bytes == row.bytes
        cells = [
            f"**{row.tool}**" if row.tool in PARTS_OF_PACKAGE else row.tool,
            f"{row.rate:.1f}",
            *(f"{row.rate / other.rate:.1f}" for other in anchors.values()),
            f"{row.cpu:.3f}",
            f"{row.seconds:.3f}",
            f"{anchor.seconds / row.seconds:.1f}" if anchor and same else "",
            f"{row.memory / 1e6:.0f}",
            difference(row.totals, anchor.totals if anchor and same else {}),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    head = ["tool", "MB/CPU s", *(f"x {tool}" for tool in anchors), "CPU s", "wall s"]
    head += [f"wall x {reference}", "peak MB", "totals"]
    rule = "|---|" + "---:|" * (len(head) - 2) + "---|"
    return "\n".join(["| " + " | ".join(head) + " |", rule, *lines])


def difference(found: Mapping[str, int], expected: Mapping[str, int]) -> str:
    """Return the totals, or their difference from ``expected`` totals of the same kind."""
    if found.keys() == expected.keys() and found != expected:
        gaps = {what: n - expected[what] for what, n in found.items()}
        return "differs by " + ", ".join(f"{n:+,} {what}" for what, n in gaps.items() if n)
    return ", ".join(f"{n:,} {what}" for what, n in found.items())


def commands(rows: Sequence[Row]) -> str:
    """Return a table of commands with wall seconds, the user's waiting time."""
    lines = [
        f"| `{row.tool}` | {row.bytes / 1e6:.0f} | {row.seconds:.2f} | {row.cpu:.2f} "
        f"| {row.memory / 1e6:.0f} |"
        for row in rows
    ]
    head = ["| command | text, MB | wall s | CPU s | peak MB |", "|---|---:|---:|---:|---:|"]
    return "\n".join([*head, *lines])


def scaling(few: Sequence[Row], many: Sequence[Row]) -> str:
    """Return the speed-up of each tool from ``few`` to ``many`` threads."""
    of_many = {row.tool: row for row in many}
    gains = [
        f"{row.tool} {row.seconds / of_many[row.tool].seconds:.2f}"
        for row in few
        if row.tool in of_many
    ]
    return ", ".join(gains)


def machine() -> str:
    """Return processor, cores, memory, load and date in one line."""
    return (
        f"{_processor()}, {len(os.sched_getaffinity(0))} cores, "
        f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB, "
        f"{platform.system()}, Python {platform.python_version()}; "
        f"load {os.getloadavg()[0]:.1f} at the start; {datetime.date.today().isoformat()}"
    )


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    if file.is_file() and (found := re.search(r"model name\s*: (.*)", file.read_text())):
        return found[1]
    return platform.processor() or platform.machine()
