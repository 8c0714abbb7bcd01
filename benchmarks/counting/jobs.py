"""One tool in one process: its input and its measurements."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1]
THREAD_VARIABLES = ("SPECIALIZE_THREADS", "RAYON_NUM_THREADS", "OMP_NUM_THREADS")


@dataclass(frozen=True)
class Job:
    """The input of a tool."""

    tool: str
    text: str  # UTF-8 file
    vocabulary: str  # folder with vocab.txt and tokenizer.json
    trained: str = ""  # folder of the new vocabulary of 5,000 pieces
    threads: int = 1


@dataclass(frozen=True)
class Measured:
    """The measurements of one run; seconds exclude loading the tool and its vocabulary."""

    seconds: float
    cpu: float  # seconds of all threads, user and system
    memory: int  # peak bytes of the whole process
    totals: Mapping[str, int]  # pieces and unknown, or other totals of the tool


class ToolFailed(Exception):
    """A tool is not installed, or failed."""


def run_job(job: Job, *, python: str, module: str) -> Measured:
    """Run ``job`` with ``module`` in a fresh process of ``python``."""
    done = subprocess.run(
        [python, "-m", module, json.dumps(asdict(job))],
        env=environment(job.threads, native="0" if job.tool == "python" else "1"),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise ToolFailed(f"{job.tool}: {''.join(last) or f'exit code {done.returncode}'}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def environment(threads: int, *, native: str = "1") -> dict[str, str]:
    """Return the environment of a process with these modules and number of threads."""
    paths = [str(BENCHMARKS), str(BENCHMARKS.parent), os.environ.get("PYTHONPATH", "")]
    path = os.pathsep.join(filter(None, paths))
    bounds = dict.fromkeys(THREAD_VARIABLES, str(threads))
    return os.environ | bounds | {"PYTHONPATH": path, "SPECIALIZE_NATIVE": native}


def lines_of(path: str, batch: int = 20_000) -> Iterator[list[str]]:
    """Yield the lines of a file without their ends, in batches."""
    with open(path, encoding="utf-8", newline="\n") as file:
        while lines := file.readlines(batch * 100):
            yield [line.rstrip("\n") for line in lines]


def serve(tools: Mapping[str, object]) -> None:
    """Run the job of the command line; print its measurements as JSON."""
    import resource
    import time

    job = Job(**json.loads(sys.argv[1]))
    work = tools[job.tool](job)  # type: ignore[operator]
    before, begin = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    totals = work()
    seconds, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    print(json.dumps(asdict(Measured(seconds, cpu, peak_memory(), totals))))


def peak_memory() -> int:
    """Return the peak memory of this process in bytes.

    Not from getrusage, whose value a process inherits from its parent.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
