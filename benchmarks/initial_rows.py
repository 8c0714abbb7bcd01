"""Initial rows of new pieces compared: the tables of a run of recipes/embeddings.toml, in Markdown.

    python benchmarks/initial_rows.py runs/embeddings

Means over seeds with their standard deviations: bits per byte of the held-out text before LAPT,
after its first tenth and at its end; scores on test; seconds of making the rows, and the
process's peak memory then.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any


def main() -> None:
    """Print a table for each report.json below a folder."""
    for file in sorted(Path(sys.argv[1]).rglob("report.json")):
        facts = json.loads(file.read_text("utf-8"))
        if facts["arms"]:
            print(f"### {facts['language']}\n\n{table(facts)}\n")


def table(facts: dict[str, Any]) -> str:
    """Return the arms of a run as rows of a Markdown table."""
    bits = [f"bits/byte, {steps(facts, at)} steps" for at in (0, 1, -1)]
    header = ["arm", "rows", *bits, *map(str.upper, facts["tasks"]), "s", "MB"]
    rows = [row(arm, facts["tasks"]) for arm in facts["arms"]]
    return "\n".join(map(line, [header, ["---"] * len(header), *rows]))


def row(arm: dict[str, Any], tasks: Iterable[str]) -> list[str]:
    """Return an arm's cells."""
    bits = [shown([run[at] for run in arm["bits_by_epoch"]], 3) for at in (0, 1, -1)]
    scores = [
        shown([run[score["metric"]] for run in score["test"]], 1)
        if (score := arm["scores"].get(task))
        else ""
        for task in tasks
    ]
    made = [stage for stage in arm["stages"] if stage["label"].endswith("initial rows")]
    cost = (
        [f"{made[0]['seconds']:.1f}", f"{made[0]['peak_memory'] / 1e6:.0f}"] if made else ["", ""]
    )
    return [arm["name"], arm["embed"].partition(" ")[0], *bits, *scores, *cost]


def steps(facts: dict[str, Any], epoch: int) -> int:
    """Return the steps of LAPT until the end of an epoch."""
    return int(facts["arms"][0]["losses"][epoch]["steps"])


def shown(values: Sequence[float], digits: int) -> str:
    """Return the mean of some runs with their standard deviation."""
    spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{mean(values):.{digits}f}{spread}"


def line(cells: Sequence[str]) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
