"""The machine: its description for reports and ``specialize doctor``, and threads."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from specialize import native

_VARIABLES = ("OMP_NUM_THREADS", "SPECIALIZE_THREADS", "RAYON_NUM_THREADS")


class Threads(NamedTuple):
    """The threads of a process, and where the number comes from."""

    number: int
    why: str


class Place(NamedTuple):
    """Where a process stands among those that torchrun started together."""

    rank: int = 0
    world: int = 1  # how many there are
    local_rank: int = 0  # among those of this machine


def place() -> Place:
    """Return where torchrun put this process, from torch's variables; alone without them."""
    given = [os.environ.get(name, "") for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")]
    if "MASTER_ADDR" not in os.environ or not all(map(str.isdecimal, given)):
        return Place()
    return Place(*map(int, given))


def set_threads(wanted: int | None = None, *, jobs: int = 1) -> Threads:
    """Choose the threads of this process and of ``jobs`` processes it starts.

    ``wanted``, else $OMP_NUM_THREADS, else the cores available, divided among the jobs. The load of
    the machine is ignored: the number of threads changes the last digits of sums, and the same
    recipe must give the same bytes. Instead, waiting threads sleep rather than spin (the default),
    which makes training with two threads on two busy cores 13 times faster.
    """
    given = os.environ.get("OMP_NUM_THREADS", "")
    if wanted:
        chosen = Threads(wanted, "--threads")
    elif given.isdecimal() and int(given):
        chosen = Threads(int(given), "OMP_NUM_THREADS")
    else:
        shared = f", {jobs} jobs" if jobs > 1 else ""
        chosen = Threads(max(1, cores() // jobs), f"{cores()} cores{shared}")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    for name in _VARIABLES:
        os.environ[name] = str(chosen.number)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(chosen.number)
    return chosen


def threads() -> int:
    """Return the threads that ``set_threads`` chose, else the cores."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdecimal() and int(given) else cores()


def cores() -> int:
    """Return the number of cores this process may use: its affinity and its cgroup quota."""
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    with suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text("ascii").split()
        if quota != "max":
            allowed = min(allowed, max(1, int(quota) // int(period)))
    return allowed


def machine_facts() -> dict[str, Any]:
    """Return processor, cores, memory, device and versions."""
    import torch

    gpu = torch.cuda.is_available()
    return {
        "processor": _processor(),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "memory_gb": round(_memory() / 1e9, 1),
        "device": torch.cuda.get_device_name() if gpu else "cpu",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "native": _version("specialize-native")
        if native.core()
        else "not installed, counting and parsing fall back to Python",
        **{name: _version(name) for name in ("specialize", "torch", "transformers", "tokenizers")},
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
