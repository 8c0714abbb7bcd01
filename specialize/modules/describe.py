"""Sources as JSON and back, without their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specialize.errors import UsageError
from specialize.modules.hyperx import Hypernetwork
from specialize.modules.lora import LowRank
from specialize.modules.settings import check_settings
from specialize.modules.sources import Fuse, Invertible, Mean, Normed, PerKey, Source, Stack

Described = dict[str, Any]
ByKey = PerKey | LowRank | Invertible  # sources with parameters of their own for every key


def describe(source: Source | Invertible) -> Described:
    """Return what a source is: its kind, its settings and its keys."""
    match source:
        case PerKey():
            return {
                "kind": "adapters",
                "by": source.keyed.by,
                "layers": list(source.layers),
                "size": source.size,
                "act": source.act,
                "dropout": source.dropout,
                "keys": source.keyed.keys,
            }
        case LowRank():
            return {
                "kind": "lora",
                "by": source.keyed.by,
                "layers": list(source.layers),
                "rank": source.rank,
                "alpha": source.alpha,
                "outputs": source.outputs,
                "keys": source.keyed.keys,
            }
        case Invertible():
            settings = {"by": source.keyed.by, "reduction": source.reduction, "act": source.act}
            return {"kind": "invertible", **settings, "keys": source.keyed.keys}
        case Stack():
            return {"kind": "stack", "sources": [describe(part) for part in source.parts]}
        case Fuse() | Mean():
            kind = "fusion" if isinstance(source, Fuse) else "mean"
            members = list(source.members)
            return {"kind": kind, "members": members, "source": describe(source.source)}
        case Normed():
            return {"kind": "norm", "eps": source.eps, "source": describe(source.source)}
        case Hypernetwork():
            return {
                "kind": "hypernetwork",
                "by": list(source.by),
                "layers": len(source.layers),
                "size": source.size,
                "projected": source.projected,
                "embedding": source.embedding,
                "languages": source.languages.keys,
                "tasks": source.tasks.keys,
            }
    raise UsageError(f"{type(source).__name__} cannot be written to a pack")


def build(described: Mapping[str, Any], width: int) -> Source | Invertible:
    """Return the source that ``describe`` described, its parameters yet to be loaded.

    KeyError, TypeError or ValueError (such as UsageError) if it is not such a description.
    """
    settings = dict(described)
    check_settings(settings)
    kind = settings.pop("kind")
    if kind in ("adapters", "invertible", "lora"):
        return _keyed(kind, settings, width)
    if kind == "stack":
        return Stack(*(_adapters(part, width) for part in settings["sources"]))
    if kind == "hypernetwork":
        languages, tasks = settings.pop("languages"), settings.pop("tasks")
        network = Hypernetwork(width, settings.pop("layers"), **settings)
        for keyed, keys in ((network.languages, languages), (network.tasks, tasks)):
            for key in keys:
                keyed.add(key)
        return network
    source = _adapters(settings["source"], width)
    if kind == "norm":
        return Normed(source, eps=settings["eps"])
    if kind in ("fusion", "mean") and isinstance(source, PerKey):
        return (Fuse if kind == "fusion" else Mean)(source, settings["members"])
    raise UsageError(f"unknown kind of modules {kind!r}")


def _keyed(kind: str, settings: Described, width: int) -> ByKey:
    keys, by = settings.pop("keys"), settings.pop("by")
    source: ByKey
    if kind == "invertible":
        source = Invertible(by, width, **settings)
    else:
        made = PerKey if kind == "adapters" else LowRank
        source = made(by, width, settings.pop("layers"), **settings)
    for key in keys:
        if key not in source.keyed.keys:
            source.keyed.add(key)
    return source


def _adapters(described: Mapping[str, Any], width: int) -> Source:
    """Return a source of adapters; UsageError for the embeddings'."""
    source = build(described, width)
    if isinstance(source, Invertible):
        raise UsageError("invertible adapters cannot be part of other sources")
    return source
