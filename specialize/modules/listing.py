"""What is in a pack, for readers and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from specialize.modules.describe import Described
from specialize.modules.packs import Pack

_SIZES = {"size": "bottleneck", "reduction": "reduction", "rank": "rank"}


def facts(pack: Pack) -> dict[str, Any]:
    """Return what a pack holds: hashes, and at each site the sources and parameters."""
    counts = pack.counts()
    return {
        "base": pack.base,
        "pieces": pack.pieces,
        "width": pack.width,
        "parameters": sum(counts.values()),
        "sites": {
            site: {"parameters": counts[site], "source": part} for site, part in pack.parts.items()
        },
    }


def lines(pack: Pack) -> list[str]:
    """Return the same as indented lines."""
    counts = pack.counts()
    found = [f"{sum(counts.values()):,} parameters, width {pack.width}, base {pack.base[:12]}"]
    for site, part in pack.parts.items():
        found.append(f"  {site}: {counts[site]:,} parameters")
        found += [f"    {line}" for line in _sources(part)]
    return found


def _sources(part: Described) -> Iterator[str]:
    """Yield a line for each source, the first applied first."""
    kind = part["kind"]
    if kind == "stack":
        for source in part["sources"]:
            yield from _sources(source)
    elif kind in ("fusion", "mean"):
        yield from _sources(part["source"])
        yield f"{kind} of {', '.join(part['members'])}"
    elif kind == "norm":
        yield "layer norm"
        yield from _sources(part["source"])
    elif kind == "hypernetwork":
        languages, tasks = (", ".join(part[name]) or "none" for name in ("languages", "tasks"))
        yield f"hypernetwork, bottleneck {part['size']}, projected {part['projected']}"
        yield f"languages: {languages}; tasks: {tasks}"
    else:
        size = next(f"{word} {part[key]}" for key, word in _SIZES.items() if key in part)
        size += f", {part['act']}" if "act" in part else f", alpha {part['alpha']:g}"
        yield f"{kind} by {part['by']}, {size}: {', '.join(part['keys']) or 'none'}"
