"""The first-order screen: what the gradients at the base say of transfer before any step.

The first step of AdamW moves every weight that has a gradient by the rate against its sign, so the
loss of target b falls by about rate * <grad L_b, sign(grad MLM_a)>. All pairs need one backward
pass for each target and each language, and memory for two copies of the parameters a language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from specialize import atomic
from specialize.progress import Log
from specialize.studies.transfer.cells import RESULT, Bench, Setting, open_bench, read_text
from specialize.studies.transfer.evaluation import loss
from specialize.studies.transfer.recipe import Mlm
from specialize.studies.transfer.trajectory import batch_at, mlm_loss
from specialize.train.masking import mask_pieces
from specialize.train.sampling import batches_within

_BUDGET = 1024  # pieces of a batch


def write_screen(
    folder: Path,
    *,
    log: Log,
    base: Path,
    adapters: Mapping[str, Path],
    setting: Setting,
    texts: Mapping[str, Path],
    mlm: Mlm,
    seeds: Mapping[str, Sequence[int]],
) -> None:
    """Write the products of gradients by task, transfer language and target.

    "dot": <grad L_b, grad MLM_a>, and "sign": with the sign of the latter; means over repeats, each
    with its first batch. Above 0: the step on a lowers the loss of b.
    """
    bench = open_bench(base, adapters, setting)
    sources = {
        name: _language(bench, text, mlm, seeds[name]) for name, text in sorted(texts.items())
    }
    found: dict[str, dict[str, dict[str, dict[str, float]]]] = {
        kind: {task: {name: {} for name in texts} for task in adapters} for kind in ("dot", "sign")
    }
    total = sum(len(test.targets) for test in bench.tests.values())
    done = 0
    for task, test in bench.tests.items():
        for target in test.targets:
            gradient = _target(bench, task, target)
            for name, (dot, sign) in sources.items():
                found["dot"][task][name][target] = float(gradient @ dot)
                found["sign"][task][name][target] = float(gradient @ sign)
            done += 1
            log.step(done, total)
    atomic.write_json(folder / RESULT, found)


def _language(bench: Bench, text: Path, mlm: Mlm, seeds: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return the mean gradient of the language's first batches, and the mean of their signs."""
    model, sequences = bench.checkpoint.model, read_text(text)
    pieces = mask_pieces(bench.checkpoint.vocabulary, bench.checkpoint.framing)
    mean, signs = torch.zeros(()), torch.zeros(())
    for seed in seeds:
        mlm_loss(model, *batch_at(sequences, pieces, mlm, 0, seed=seed)).backward()
        gradient = _flat(model)
        mean, signs = mean + gradient / len(seeds), signs + gradient.sign() / len(seeds)
    return mean, signs


def _target(bench: Bench, task: str, target: str) -> Tensor:
    """Return the gradient of the mean loss on a target's test sentences."""
    model, test, adapter = bench.checkpoint.model, bench.tests[task], bench.adapters[task]
    own = [test.sentences[i] for i in test.targets[target]]
    sizes = bench.words.sizes(s.words for s in own)
    device = next(model.parameters()).device
    with adapter.on(model) as scope, scope():
        for items in batches_within(sizes, _BUDGET):
            part = [own[i] for i in items]
            batch = bench.words.batch([s.words for s in part], device)
            (loss(adapter, part, batch) * (len(part) / len(own))).backward()
    return _flat(model)


def _flat(model: nn.Module) -> Tensor:
    """Return the gradients of the parameters as one vector on the CPU, and clear them."""
    parts = [torch.zeros_like(p) if p.grad is None else p.grad.detach() for p in model.parameters()]
    found = torch.cat([part.flatten() for part in parts]).cpu()
    model.zero_grad(set_to_none=True)
    return found
