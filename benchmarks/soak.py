"""Does a run that is killed again and again end at the weights of one that is not?

    python benchmarks/soak.py TEXT [--steps 1500] [--every 60] [--base mini]

Runs LAPT once without interruption, then again in another folder, where the process is killed
(SIGKILL) ``--every`` seconds after its start until it ends by itself. Prints how often, what it
cost, and whether the weights and the tokenizer of the two results are equal byte for byte.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

RECIPE = """\
base = "{base}"
augment = {{ method = "extend", pieces = 200 }}
[corpus]
files = ["{text}"]
lines = 8000
[lapt]
steps = {steps}
epochs = 3
rate = 1e-3
batch = 8
fresh_rate = 3.0
"""


def main() -> None:
    """Print the comparison."""
    from specialize.environment import machine_facts

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--base", default="mini")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--every", type=float, default=60.0)
    options = parser.parse_args()
    facts = machine_facts()
    print(f"{facts['processor']}, {facts['system']}, Python {facts['python']}, one thread; ")
    print(f"torch {facts['torch']}; load {os.getloadavg()[0]:.1f}; {time.strftime('%Y-%m-%d')}\n")
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        recipe = folder / "soak.toml"
        recipe.write_text(
            RECIPE.format(base=options.base, text=options.text.resolve(), steps=options.steps),
            "utf-8",
        )
        _, whole = run(recipe, folder / "whole", None)
        kills, seconds = run(recipe, folder / "killed", options.every)
        print(f"without interruption: {whole:.0f} s")
        print(f"killed {kills} times, {options.every:.0f} s after each start: {seconds:.0f} s")
        for name in ("model.safetensors", "tokenizer.json", "config.json"):
            same = digest(folder / "whole", name) == digest(folder / "killed", name)
            print(f"{name}: {'equal' if same else 'DIFFERENT'}")


def run(recipe: Path, out: Path, every: float | None) -> tuple[int, float]:
    """Run a recipe, killed after ``every`` seconds until it is done; return kills and seconds."""
    words = [sys.executable, "-m", "specialize", "run", str(recipe), "--out", str(out)]
    began, kills = time.monotonic(), 0
    while True:
        process = subprocess.Popen(
            [*words, "--threads", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            _, errors = process.communicate(timeout=every)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            continue
        if process.returncode:
            raise SystemExit(errors.decode()[-2000:])
        return kills, time.monotonic() - began


def digest(out: Path, name: str) -> str:
    return hashlib.sha256((out / "model" / name).read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
