"""Loss and gradients over a large vocabulary: logits in chunks beside all at once.

    OMP_NUM_THREADS=1 python benchmarks/cross_entropy.py

Each measurement is a process of its own, whose peak memory is given. Losses are compared first.
"""

import json
import resource
import subprocess
import sys
import time

import torch
from torch import Tensor
from torch.nn import functional as F

from specialize.model.loss import linear_cross_entropy

SHAPES = ((614, 24_000, 256), (2048, 50_257, 256), (2048, 119_547, 256))  # places, rows, width
ROUNDS = 3


def plain(states: Tensor, table: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
    """The loss of all logits."""
    return F.cross_entropy(F.linear(states, table, bias).float(), targets, reduction="sum")


WAYS = {"plain": plain, "chunks": linear_cross_entropy}


def measure(way: str, places: int, rows: int, width: int, bfloat16: bool) -> dict[str, float]:
    """Return the loss, the least CPU seconds of a step, and the peak memory in MB."""
    torch.manual_seed(0)
    given = [torch.randn(places, width), torch.randn(rows, width) / 20, torch.zeros(rows)]
    for tensor in given:
        tensor.requires_grad_()
    targets = torch.randint(rows, (places,))
    seconds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, bfloat16):
            loss = WAYS[way](*given, targets)
        torch.autograd.grad(loss, given)
        seconds.append(time.process_time() - began)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"loss": float(loss), "seconds": min(seconds), "memory": memory}


def main() -> None:
    """Print a table."""
    if len(sys.argv) > 1:
        way, *sizes, bfloat16 = json.loads(sys.argv[1])
        print(json.dumps(measure(way, *sizes, bfloat16)))
        return
    print("| places | rows | precision | plain, s | chunks, s | plain, MB | chunks, MB |")
    print("|---:|---:|---|---:|---:|---:|---:|")
    for shape in SHAPES:
        for bfloat16 in (False, True):
            found = {}
            for way in WAYS:
                given = json.dumps([way, *shape, bfloat16])
                done = subprocess.run(
                    [sys.executable, __file__, given], check=True, capture_output=True
                )
                found[way] = json.loads(done.stdout)
            a, b = found["plain"], found["chunks"]
            assert abs(a["loss"] - b["loss"]) < 1e-3 * a["loss"], found
            print(
                f"| {shape[0]:,} | {shape[1]:,} | {'bfloat16' if bfloat16 else 'float32'} "
                f"| {a['seconds']:.2f} | {b['seconds']:.2f} "
                f"| {a['memory']:,.0f} | {b['memory']:,.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
