"""What do MAD-X's modules cost on a model, beside the library adapters?

    python benchmarks/adapters_peer.py PEER_PYTHON [--rounds 5] [--threads 1]

PEER_PYTHON has torch and adapters 1.3.0 (which wants transformers 4.57). A BERT of random weights
runs the same 4 sequences of 128 pieces alone, and with a task adapter (reduction 16) on a language
adapter (reduction 2, invertible), in turn: annotated (no gradients), and trained (the task adapter
alone, AdamW). Each way runs in a process of its own, again in each round. Printed: the least CPU
milliseconds of a step, and what the modules add to their own host, since the two hosts are of
different versions of transformers; and the most memory that a step takes beyond what the process
held before it (Linux).
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

SHAPES = {
    "4 x 256": {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4,
                "intermediate_size": 1024},
    "12 x 768": {},  # BERT base
}  # fmt: skip
STEPS = 4
Row = tuple[str, str, str, float, int]  # shape, kind of step, what runs, CPU seconds, bytes


def main() -> None:
    """Print the table, or the seconds of one way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("python", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--one", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.one:
        print(json.dumps({"adapters": adapters, "ours": ours}[options.one]()))
        return
    from specialize.environment import machine_facts

    facts = machine_facts()
    print(f"{facts['processor']}, {facts['system']}, Python {facts['python']}, ", end="")
    print(f"threads: {options.threads};\ntorch {facts['torch']}; ", end="")
    print(f"load {os.getloadavg()[0]:.1f}; {time.strftime('%Y-%m-%d')}\n")
    found: dict[tuple[str, ...], list[tuple[float, int]]] = {}
    for _ in range(options.rounds):
        for way, python in (("adapters", options.python), ("ours", sys.executable)):
            command = [python, __file__, str(python), "--one", way]
            command += ["--threads", str(options.threads)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            for shape, kind, what, *cost in json.loads(done.stdout.splitlines()[-1]):
                found.setdefault((shape, kind, way, what), []).append(tuple(cost))
    print("| shape | | | host alone, ms | with modules | added | MB: host alone | with modules |",
          "|---|---|---|---:|---:|---:|---:|---:|", sep="\n")  # fmt: skip
    for shape, kind, way in dict.fromkeys(key[:3] for key in found):
        costs = [found[shape, kind, way, what] for what in ("host", "modules")]
        host, both = (1e3 * min(seconds for seconds, _ in cost) for cost in costs)
        memory = " | ".join(f"{max(size for _, size in cost) / 1e6:,.0f}" for cost in costs)
        print(f"| {shape} | {kind} | {way} | {host:.1f} | {both:.1f} | {both / host - 1:+.0%} | "
              f"{memory} |")  # fmt: skip


def ours() -> list[Row]:
    """Return what a step costs with specialize."""
    from transformers import BertConfig, BertForMaskedLM

    from specialize.modules import madx
    from specialize.modules.attach import attach
    from specialize.modules.policy import Policy, trained
    from specialize.modules.scope import Scope

    rows = []
    for shape, sizes in SHAPES.items():
        torch.manual_seed(1)
        host: Any = BertForMaskedLM(BertConfig(**sizes))
        rows += measured(shape, "host", host, nullcontext, [*host.base_model.parameters()][-1:])
        languages = madx.language_adapters(host)
        around = madx.invertible_adapters(host)
        tasks = madx.task_adapters(host)
        languages.keyed.add("ug")
        around.keyed.add("ug")
        tasks.keyed.add("pos")
        modules = attach(host, madx.table(host, languages, tasks=tasks, invertible=around))
        with trained(host, [Policy(tasks)]):
            at = lambda modules=modules: modules.at(Scope("ug", "pos"))  # noqa: E731
            rows += measured(shape, "modules", host, at, list(tasks.parameters()))
    return rows


def adapters() -> list[Row]:
    """Return what a step costs with adapters."""
    import adapters as peer
    from adapters.composition import Stack
    from transformers import BertConfig, BertForMaskedLM

    rows = []
    for shape, sizes in SHAPES.items():
        torch.manual_seed(1)
        host: Any = BertForMaskedLM(BertConfig(**sizes))
        rows += measured(shape, "host", host, nullcontext, [*host.base_model.parameters()][-1:])
        peer.init(host)
        host.add_adapter("ug", config=peer.SeqBnInvConfig(reduction_factor=2))
        host.add_adapter("pos", config=peer.SeqBnConfig(reduction_factor=16))
        host.train_adapter("pos")
        host.active_adapters = Stack("ug", "pos")
        own = [p for name, p in host.named_parameters() if "adapters.pos" in name]
        rows += measured(shape, "modules", host, nullcontext, own)
    return rows


def measured(
    shape: str, what: str, host: Any, at: Callable[[], Any], parameters: list[Any]
) -> list[Row]:
    """Return what annotating costs, and training ``parameters``."""
    ids = torch.randint(5, 30_000, (4, 128), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    if what == "host":
        host.requires_grad_(False)
        for parameter in parameters:
            parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(parameters, lr=1e-4)

    def annotate() -> None:
        with torch.no_grad(), at():
            host.base_model(input_ids=ids, attention_mask=mask)

    def train() -> None:
        with at():
            states = host.base_model(input_ids=ids, attention_mask=mask).last_hidden_state
            states.square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()

    host.eval()
    found = [(shape, "annotate", what, *least(annotate))]
    host.train()
    if what == "modules":
        found.append((shape, "train", what, *least(train)))
    else:
        for parameter in host.base_model.parameters():
            parameter.requires_grad_(parameter.ndim < 2)  # gradients reach every layer
        found.append((shape, "train", what, *least(train)))
        host.requires_grad_(True)
    return found


def least(step: Callable[[], None]) -> tuple[float, int]:
    """Return the least CPU seconds of `STEPS` calls, and the most bytes that one takes."""
    step()
    seconds, sizes = [], []
    for _ in range(STEPS):
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # restarts VmHWM
        held, began = status("VmRSS"), time.process_time()
        step()
        seconds.append(time.process_time() - began)
        sizes.append(status("VmHWM") - held)
    return min(seconds), max(sizes)


def status(name: str) -> int:
    """Return a size of this process, in bytes (the peer's environment has no specialize)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


if __name__ == "__main__":
    main()
