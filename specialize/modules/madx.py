"""MAD-X: task adapters stacked on language adapters (Pfeiffer et al. 2020, arXiv 2005.00052).

Train a language adapter by masked language modelling, then a task adapter on it; for another
language, run the task adapter on that language's adapter.
"""

from __future__ import annotations

from specialize.model.language_model import LanguageModel
from specialize.modules.attach import Table
from specialize.modules.scope import By
from specialize.modules.sites import sites
from specialize.modules.sources import Invertible, PerKey, Source, Stack


def language_adapters(
    host: LanguageModel, *, reduction: int = 2, act: str = "relu", last: bool = True
) -> PerKey:
    """Return language adapters of width / ``reduction``, without a language yet.

    ``last=False``: none in the host's last layer (MAD-X 2.0).
    """
    return _adapters("language", host, reduction, act, last)


def task_adapters(
    host: LanguageModel, *, reduction: int = 16, act: str = "relu", last: bool = True
) -> PerKey:
    """Return task adapters of width / ``reduction``, without a task yet."""
    return _adapters("task", host, reduction, act, last)


def invertible_adapters(
    host: LanguageModel, *, reduction: int = 2, act: str = "relu"
) -> Invertible:
    """Return invertible adapters of the embeddings, without a language yet."""
    return Invertible("language", sites(host).width, reduction=reduction, act=act)


def table(
    host: LanguageModel,
    languages: Source,
    *,
    tasks: Source | None = None,
    invertible: Invertible | None = None,
) -> Table:
    """Return where the adapters act: after the feed-forward part, and around the embeddings.

    ``languages`` may be `Fuse` or `Mean` of language adapters. On a pre-norm host, such as
    ModernBERT, adapters see the feed-forward output itself.
    """
    site = "ffn_s" if "ffn_s" in sites(host).points else "ffn_h"
    found: dict[str, Source | Invertible] = {site: Stack(languages, tasks) if tasks else languages}
    if invertible:
        found["embeddings"] = invertible
    return found


def _adapters(by: By, host: LanguageModel, reduction: int, act: str, last: bool) -> PerKey:
    found = sites(host)
    layers = range(found.layers if last else found.layers - 1)
    return PerKey(by, found.width, layers, size=max(1, found.width // reduction), act=act)
