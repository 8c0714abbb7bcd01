"""Tables of modules by key: taken apart, such as one language's, and put together."""

from __future__ import annotations

from specialize.errors import UsageError
from specialize.modules.attach import Table
from specialize.modules.describe import ByKey, build, describe
from specialize.modules.scope import By
from specialize.modules.sources import Fuse, Invertible, Mean, Normed, Source, Stack

_ORDER = ("language", "pair", "task", "all")  # of sources stacked at a site


def restricted(table: Table, by: By, key: str) -> Table:
    """Return the modules of one key, those of a language or of a task, by site.

    UsageError if there are none. What belongs to several keys, such as a fusion, is left out.
    """
    found = {site: _restricted(source, by, key) for site, source in table.items()}
    kept = {site: source for site, source in found.items() if source is not None}
    if not kept:
        raise UsageError(f"there are no modules of {by} {key!r}")
    return kept


def combined(left: Table, right: Table) -> dict[str, Source | Invertible]:
    """Return the modules of both tables.

    Sources of one site that belong to the same kind of key become one source; a task's are stacked
    on a language's. UsageError where both have a key, or other settings.
    """
    found = dict(left)
    for site, source in right.items():
        found[site] = _combined(site, found[site], source) if site in found else source
    return found


def _restricted(source: Source | Invertible, by: By, key: str) -> Source | Invertible | None:
    if isinstance(source, ByKey):
        if source.keyed.by != by or key not in source.keyed.keys:
            return None
        kept = build({**describe(source), "keys": []}, source.width)
        assert isinstance(kept, ByKey)
        if by != "all":
            kept.keyed.add(key, tensors=source.keyed.tensors_of(key))
        else:
            kept.load_state_dict(source.state_dict())
        return kept
    if isinstance(source, Stack):
        found = (_restricted(part, by, key) for part in source.parts)
        parts = [part for part in found if isinstance(part, Source)]
        return Stack(*parts) if len(parts) > 1 else next(iter(parts), None)
    if isinstance(source, Normed):
        inner = _restricted(source.source, by, key)
        norms = source.norms.tensors_of("all")
        return Normed(inner, eps=source.eps, tensors=norms) if isinstance(inner, Source) else None
    return None


def _combined(
    site: str, left: Source | Invertible, right: Source | Invertible
) -> Source | Invertible:
    if isinstance(left, Invertible) or isinstance(right, Invertible):
        return _joined(site, left, right)
    parts: dict[str, Source] = {_by(part): part for part in _parts(left)}
    for part in _parts(right):
        by = _by(part)
        joined = _joined(site, parts[by], part) if by in parts else part
        assert isinstance(joined, Source)
        parts[by] = joined
    ordered = sorted(parts, key=_ORDER.index)
    return Stack(*(parts[by] for by in ordered)) if len(ordered) > 1 else parts[ordered[0]]


def _joined(site: str, left: Source | Invertible, right: Source | Invertible) -> ByKey:
    """Return one source with the keys of both."""
    settings = [{k: v for k, v in describe(s).items() if k != "keys"} for s in (left, right)]
    if settings[0] != settings[1] or not isinstance(left, ByKey):
        names = [name for name in settings[0] if settings[0][name] != settings[1].get(name)]
        raise UsageError(
            f"modules at {site} cannot be combined: they differ in {', '.join(names) or 'kind'}"
        )
    assert isinstance(right, ByKey)
    made = build(describe(left), left.width)
    assert isinstance(made, ByKey)
    made.load_state_dict(left.state_dict())
    for key in right.keyed.keys:
        made.keyed.add(key, tensors=right.keyed.tensors_of(key))
    return made


def _parts(source: Source) -> list[Source]:
    return source.parts if isinstance(source, Stack) else [source]


def _by(source: Source) -> str:
    """Return what the keys of a source belong to."""
    if isinstance(source, Normed):
        return _by(source.source)
    if isinstance(source, Fuse | Mean):
        return source.source.keyed.by
    return source.keyed.by if isinstance(source, ByKey) else "pair"
