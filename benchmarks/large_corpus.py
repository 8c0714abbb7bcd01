"""Does LAPT on a corpus beyond memory need more memory than on a small one?

    systemd-run --user --scope -p MemoryMax=1500M \\
        python benchmarks/large_corpus.py TEXT [--copies 5 45]

TEXT is written --copies times into one file, each line with a number of its own, for a run with 200
new pieces and ten steps of LAPT. Prints the size of the text and of its pieces, the most anonymous
memory (of no file) that was sampled, and the time. The limit is for the system to hold.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

RECIPE = """\
base = "mini"
augment = { method = "extend", pieces = 200 }
embed = "subwords"
[corpus]
files = ["corpus.txt"]
dev = 0.0005
[lapt]
steps = 10
epochs = 1
batch = 4
rate = 1e-3
"""


def main() -> None:
    """Print a table."""
    from specialize import open_corpus
    from specialize.environment import machine_facts

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text")
    parser.add_argument("--copies", type=int, nargs="+", default=[5, 45])
    options = parser.parse_args()
    facts = machine_facts()
    print(f"{facts['processor']}, {facts['system']}, Python {facts['python']}, one thread; ")
    print(f"torch {facts['torch']}; load {os.getloadavg()[0]:.1f}; {time.strftime('%Y-%m-%d')}\n")
    print("| text | in pieces | memory | seconds |")
    print("|---:|---:|---:|---:|", flush=True)
    lines = list(open_corpus(options.text))
    for copies in options.copies:
        with TemporaryDirectory() as scratch:
            folder, number = Path(scratch), count()
            with (folder / "corpus.txt").open("w", encoding="utf-8") as file:
                for _ in range(copies):
                    file.writelines(f"{line} {next(number)}\n" for line in lines)
            (folder / "large.toml").write_text(RECIPE, "utf-8")
            began = time.monotonic()
            peak = run(folder)
            ids = sum(path.stat().st_size for path in folder.glob("out/stages/ids-*/ids.bin"))
            size = (folder / "corpus.txt").stat().st_size
            print(f"| {size / 1e9:.2f} GB | {ids / 1e9:.2f} GB | {peak / 1e9:.2f} GB | ", end="")
            print(f"{time.monotonic() - began:.0f} |", flush=True)


def run(folder: Path) -> int:
    """Run the recipe; return the most anonymous memory in bytes."""
    words = [sys.executable, "-m", "specialize", "run", "large.toml", "--out", "out"]
    process = subprocess.Popen(
        [*words, "--threads", "1"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "log").open("w"),
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, anonymous(process.pid))
        time.sleep(0.2)
    if process.returncode:
        raise SystemExit((folder / "log").read_text("utf-8")[-2000:])
    return peak


def anonymous(process: int) -> int:
    """Return the memory of a process that is no file's, in bytes."""
    try:
        status = Path(f"/proc/{process}/status").read_text("ascii", "replace")
    except OSError:  # it has ended
        return 0
    rows = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return int(rows.get("RssAnon", "0 kB").split()[0]) * 1024


if __name__ == "__main__":
    main()
