"""The work of interference: adapters of languages trained, fused and scored.

Fusions of a combination, side by side: "trained" (on text of its members in turn, the adapters
frozen), "mean", and "untrained", which the authors' code runs: its attention is random. Of one
language: "alone" with its adapter, "base" without, and the controls "half" and "third", what a mean
of two or three leaves of its adapter if the others add nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from specialize import atomic
from specialize.model.language_model import LanguageModel
from specialize.model.load import load_checkpoint
from specialize.modules.attach import attach
from specialize.modules.madx import language_adapters, table
from specialize.modules.policy import Policy, tiers, training
from specialize.modules.scope import Scope
from specialize.modules.sources import Fuse, Mean, PerKey, Source
from specialize.progress import Log
from specialize.studies.transfer.cells import (
    RESULT,
    Bench,
    Setting,
    open_bench,
    read_text,
)
from specialize.studies.transfer.evaluation import Right, evaluate
from specialize.studies.transfer.recipe import InterferencePlan, Mlm
from specialize.studies.transfer.trajectory import batch_at, mlm_loss
from specialize.train.loop import seeded
from specialize.train.masking import MaskPieces, mask_pieces
from specialize.train.optim import adamw, device

FUSIONS = ("trained", "mean", "untrained")
_WEIGHTS = "language.safetensors"


def train_language(
    folder: Path,
    *,
    log: Log,
    base: Path,
    language: str,
    text: Path,
    mlm: Mlm,
    plan: InterferencePlan,
    seed: int,
) -> None:
    """Train the adapter of a language by masked language modelling, and write it."""
    checkpoint = load_checkpoint(base)
    model = checkpoint.model.to(device())
    source = language_adapters(model, reduction=plan.reduction)
    source.keyed.add(language, seed=seed)
    pieces = mask_pieces(checkpoint.vocabulary, checkpoint.framing)
    texts = [(language, read_text(text))]
    _train(model, source, source, texts, pieces, mlm, plan.rate, plan.steps, seed=seed, log=log)
    tensors = source.keyed.tensors_of(language)
    save_file({n: t.cpu().contiguous() for n, t in tensors.items()}, folder / _WEIGHTS)


def write_combination(
    folder: Path,
    *,
    log: Log,
    base: Path,
    adapters: Mapping[str, Path],
    setting: Setting,
    mlm: Mlm,
    plan: InterferencePlan,
    members: Sequence[str],
    languages: Mapping[str, Path],
    texts: Mapping[str, Path],
    seed: int,
) -> None:
    """Write the right words of the members with their adapters fused; of one, with its own."""
    kept = {
        task: [target for target in targets if target.name in members]
        for task, targets in setting.targets.items()
    }
    bench = open_bench(base, adapters, Setting(kept, setting.sentences, setting.plan))
    model = bench.checkpoint.model
    tensors = {name: load_file(languages[name] / _WEIGHTS) for name in members}
    if len(members) == 1:
        shares = {"alone": 1.0, "half": 1 / 2, "third": 1 / 3}
        parts = {kind: _adapters(model, plan, tensors, share) for kind, share in shares.items()}
        found = {kind: _right(bench, own) for kind, own in parts.items()}
        found["base"] = bench.scores()
    else:
        source = _adapters(model, plan, tensors)
        untrained, trained = Fuse(source, members, seed=seed), Fuse(source, members, seed=seed)
        untrained.trained.fill_(True)  # subtle: else refused, rightly, outside of this control
        pieces = mask_pieces(bench.checkpoint.vocabulary, bench.checkpoint.framing)
        read = [(name, read_text(texts[name])) for name in members]
        steps, rate = plan.fusion_steps, plan.rate
        _train(model, trained, trained.maps, read, pieces, mlm, rate, steps, seed=seed, log=log)
        sources = (trained, Mean(source, members), untrained)
        found = {kind: _right(bench, own) for kind, own in zip(FUSIONS, sources, strict=True)}
    words = {task: test.words() for task, test in bench.tests.items()}
    atomic.write_json(folder / RESULT, {"right": found, "words": words})


def _adapters(
    model: LanguageModel,
    plan: InterferencePlan,
    tensors: Mapping[str, Mapping[str, Tensor]],
    share: float = 1.0,
) -> PerKey:
    """Return the adapters of languages, of what each adds only a share."""
    source = language_adapters(model, reduction=plan.reduction)
    for name, own in tensors.items():
        scaled = {
            n: t * share if n.rpartition(".")[2].startswith("up") else t for n, t in own.items()
        }
        source.keyed.add(name, tensors=scaled)
    return source


def _right(bench: Bench, languages: Source) -> dict[str, Right]:
    """Return the right words of each target with the language modules below it, by task."""
    found = {}
    languages.eval()
    for task, adapter in bench.adapters.items():
        test = bench.tests[task]
        with (
            adapter.on(bench.checkpoint.model, languages) as scope,
            scope(next(iter(test.targets))),
        ):
            # the scope's language chooses nothing in a fusion
            found[task] = evaluate(adapter, test)
    return found


def _train(
    model: LanguageModel,
    source: Source,
    trained: nn.Module,
    texts: Sequence[tuple[str, np.ndarray]],
    pieces: MaskPieces,
    mlm: Mlm,
    rate: float,
    steps: int,
    *,
    seed: int,
    log: Log,
) -> None:
    """Train ``trained``, part of ``source``, on the texts in turn; all else is frozen."""
    modules = attach(model, table(model, source))
    policies = [Policy(trained)]
    with training(modules, Scope(texts[0][0]), policies), seeded(model, seed):
        optimizer = adamw(tiers(policies, rate=rate, decay=0.0))
        for step in range(steps):
            turn, place = step % len(texts), step // len(texts)
            language, text = texts[turn]
            model.train()
            with modules.at(Scope(language)):
                mlm_loss(model, *batch_at(text, pieces, mlm, place, seed=seed + turn)).backward()
            nn.utils.clip_grad_norm_(trained.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            log.step(step + 1, steps)
    model.eval()
    modules.detach()
