"""Language adapters of MAD-X: trained on text by masked language modelling, each once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from specialize.errors import DataError
from specialize.model.language_model import LanguageModel
from specialize.model.load import load_checkpoint
from specialize.modules.attach import attach
from specialize.modules.madx import invertible_adapters, language_adapters, table
from specialize.modules.policy import Policy, tiers, training
from specialize.modules.scope import Scope
from specialize.modules.sources import Invertible, PerKey
from specialize.progress import Log
from specialize.studies.transfer.cells import read_text
from specialize.studies.transfer.trajectory import batch_at, mlm_loss
from specialize.studies.zeroshot.plans import Mlm
from specialize.train.language_model import plain_attention
from specialize.train.loop import seeded
from specialize.train.masking import mask_pieces
from specialize.train.optim import adamw, device
from specialize.train.schedules import linear

_WEIGHTS = "language.safetensors"


def train_language(
    folder: Path,
    *,
    log: Log,
    base: Path,
    language: str,
    text: Path,
    mlm: Mlm,
    rate: float,
    reduction: int,
    invertible: bool,
    last: bool,
    seed: int,
) -> None:
    """Train the adapters of a language, all else frozen, and write them; the rate falls to 0."""
    checkpoint = load_checkpoint(base)
    model = checkpoint.model.to(device())
    adapters, embeddings = adapters_of(model, reduction, invertible, last)
    parts = [part for part in (adapters, embeddings) if part is not None]
    for part in parts:
        part.keyed.add(language, seed=seed)
    pieces = mask_pieces(checkpoint.vocabulary, checkpoint.framing)
    sequences, plan, share = read_text(text), mlm.batches(rate), linear(0, mlm.steps)
    modules = attach(model, table(model, adapters, invertible=embeddings))
    policies = [Policy(part) for part in parts]
    loss = math.nan
    with (
        training(modules, Scope(language), policies),
        seeded(model, seed),
        plain_attention(model, device()),
    ):
        optimizer = adamw(tiers(policies, rate=rate, decay=0.0))
        model.train()
        for step in range(mlm.steps):
            for group in optimizer.param_groups:
                group["lr"] = rate * share(step)
            found = mlm_loss(model, *batch_at(sequences, pieces, plan, step, seed=seed))
            found.backward()
            for part in parts:
                nn.utils.clip_grad_norm_(part.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            loss = float(found.detach())
            log.step(step + 1, mlm.steps, loss=loss)
    if not math.isfinite(loss):
        raise DataError(f"{language}: the loss is {loss}; lower language_rate of the system")
    save_file(_tensors(language, adapters, embeddings), folder / _WEIGHTS)


def adapters_of(
    model: LanguageModel, reduction: int, invertible: bool, last: bool
) -> tuple[PerKey, Invertible | None]:
    """Return the adapters without a language yet; the second if ``invertible``."""
    adapters = language_adapters(model, reduction=reduction, last=last)
    return adapters, invertible_adapters(model, reduction=reduction) if invertible else None


def add_languages(
    adapters: PerKey, embeddings: Invertible | None, folders: Mapping[str, Path]
) -> None:
    """Add the trained adapters of languages, by the folder of each."""
    for language, folder in folders.items():
        saved = load_file(folder / _WEIGHTS)
        for name, part in (("adapter", adapters), ("invertible", embeddings)):
            if part is not None:
                own = {n.partition("/")[2]: t for n, t in saved.items() if n.startswith(f"{name}/")}
                part.keyed.add(language, tensors=own)


def _tensors(language: str, adapters: PerKey, embeddings: Invertible | None) -> dict[str, Tensor]:
    return {
        f"{name}/{key}": tensor.cpu().contiguous()
        for name, part in (("adapter", adapters), ("invertible", embeddings))
        if part is not None
        for key, tensor in part.keyed.tensors_of(language).items()
    }
