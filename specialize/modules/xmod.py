"""X-MOD: a module per language in every layer, there from pretraining on (Pfeiffer et al. 2022)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from specialize import atomic
from specialize.errors import DataError
from specialize.model.language_model import LanguageModel
from specialize.model.load import save_model
from specialize.model.xmod import read_xmod
from specialize.modules.attach import SOURCES, Attached, attach
from specialize.modules.functions import ACTIVATIONS
from specialize.modules.packs import PACK, Pack, pack_of, write_pack
from specialize.modules.policy import Policy
from specialize.modules.scope import By
from specialize.modules.sites import sites
from specialize.modules.sources import Normed, PerKey
from specialize.vocab.open import read_vocabulary

SITE = "ffn_u"


def modules(
    host: LanguageModel,
    *,
    by: By = "language",
    reduction: int = 2,
    act: str = "gelu",
    seed: int = 0,
) -> PerKey:
    """Return modules for the site `SITE` of every layer, without a language yet.

    ``by="all"`` is the paper's SHARED baseline: one module for all languages, drawn from ``seed``.
    Dropout is the host's, as in the authors' code.
    """
    found = sites(host)
    dropout = float(getattr(host.config, "hidden_dropout_prob", 0.0))
    size = max(1, found.width // reduction)
    given: Any = {"size": size, "act": act, "dropout": dropout, "seed": seed}
    return PerKey(by, found.width, range(found.layers), **given)


def released(folder: Path) -> Attached:
    """Return a released X-MOD (facebook/xmod-base, ...): a plain host with its modules attached."""
    found = read_xmod(folder)
    if found.act not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise DataError(f"{folder / 'config.json'}: hidden_act {found.act!r}: expected {known}")
    host, width, layers = found.host, sites(found.host).width, range(sites(found.host).layers)
    source = PerKey(
        "language", width, layers, size=found.size, act=found.act, dropout=found.dropout
    )
    for language, tensors in found.modules.items():
        source.keyed.add(language, tensors=tensors)
    if not found.norms:
        return attach(host, {SITE: source})
    return attach(host, {SITE: Normed(source, eps=found.eps, tensors=found.norms)})


def policies(host: LanguageModel) -> list[Policy]:
    """Return what is fine-tuned on a task: the encoder without its embeddings and modules."""
    encoder = host.base_model
    frozen = ("embeddings", SOURCES)
    return [Policy(child) for name, child in encoder.named_children() if name not in frozen]


def convert(folder: Path, out: Path) -> Pack:
    """Write a released X-MOD to ``out``: its host as ``model``, its modules as a pack.

    UsageError if ``out`` is not an empty folder. Return the pack, ``modules.safetensors``.
    """
    modules = released(folder)
    modules.detach()
    vocabulary = read_vocabulary(folder)
    pack = pack_of(modules.host, modules.table, vocabulary.pieces)
    with atomic.whole_folder(out, replace=False) as partial:
        save_model(modules.host, vocabulary, partial / "model", source=folder)
        write_pack(pack, partial / PACK)
    return pack
