"""Tables of modules by key: taken apart, such as one language's, and put together."""

from __future__ import annotations

import torch

from specialize.errors import UsageError
from specialize.modules.attach import Table
from specialize.modules.describe import ByKey, Described, build, describe
from specialize.modules.keyed import Keyed
from specialize.modules.scope import By, Scope
from specialize.modules.sources import Fuse, Invertible, Mean, Normed, Source, Stack

_ORDER = ("language", "pair", "task", "all")  # of sources stacked at a site


def restricted(table: Table, by: By, key: str) -> Table:
    """Return the modules of one key, those of a language or of a task, by site.

    UsageError if there are none. What belongs to several keys, such as a fusion, is left out.
    """
    found = {site: _restricted(source, by, key) for site, source in table.items()}
    kept = {site: source for site, source in found.items() if source is not None}
    if not kept:
        known = dict.fromkeys(k for source in table.values() for k in _keys(source, by))
        names = ", ".join(known) or "none"
        raise UsageError(f"there are no modules of {by} {key!r}; known: {names}")
    return kept


def _keys(source: Source | Invertible, by: By) -> list[str]:
    """Return the keys that a source has modules of, apart from those of several keys."""
    if isinstance(source, Stack):
        return [key for part in source.parts for key in _keys(part, by)]
    if isinstance(source, Normed):
        return _keys(source.source, by)
    return source.keyed.keys if isinstance(source, ByKey) and source.keyed.by == by else []


def exchanged(
    table: Table, other: Table, scope: Scope, language: str
) -> dict[str, Source | Invertible]:
    """Return ``table`` with the modules of ``language`` in ``other`` in place of the scope's.

    The modules of the scope's task stay. UsageError where there are none of the language, or they
    have other sites or settings.
    """
    old = restricted(table, "language", scope.language)
    new = restricted(other, "language", language)
    for site in sorted(old.keys() | new.keys()):
        if differing := _differing(old.get(site), new.get(site)):
            raise UsageError(
                f"the modules of {language!r} differ from those of {scope.language!r} at {site} in "
                f"{differing}; expected modules of the same system"
            )
    tasks = {site: _restricted(source, "task", scope.task) for site, source in table.items()}
    return combined(new, {site: source for site, source in tasks.items() if source is not None})


def _differing(left: Source | Invertible | None, right: Source | Invertible | None) -> str:
    """Return the names of the settings in which two sources differ; "" if they are of one kind."""
    ours, theirs = (_settings(describe(source)) if source else {} for source in (left, right))
    names = [name for name in ours if ours[name] != theirs.get(name)]
    return "" if ours == theirs else ", ".join(names) or "kind"


def _settings(described: Described) -> Described:
    """Return what a source is, without its keys."""
    return {
        name: _settings(value) if name == "source" else value
        for name, value in described.items()
        if name != "keys"
    }


def combined(left: Table, right: Table) -> dict[str, Source | Invertible]:
    """Return the modules of both tables.

    Sources of one site that belong to the same kind of key become one source; a task's are stacked
    on a language's. UsageError where both have other parameters of a key, or other settings.
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
    if (
        isinstance(left, Normed)
        and isinstance(right, Normed)
        and left.eps == right.eps
        and _equal(left.norms, right.norms, "all")
    ):
        inner = _joined(site, left.source, right.source)
        assert isinstance(inner, Source)
        return Normed(inner, eps=left.eps, tensors=left.norms.tensors_of("all"))
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
    differing = _differing(left, right)
    if differing or not isinstance(left, ByKey):
        raise UsageError(
            f"modules at {site} cannot be combined: they differ in {differing or 'kind'}"
        )
    assert isinstance(right, ByKey)
    made = build(describe(left), left.width)
    assert isinstance(made, ByKey)
    made.load_state_dict(left.state_dict())
    for key in right.keyed.keys:
        if key in made.keyed.keys and _equal(left.keyed, right.keyed, key):
            continue  # as of the language that the packs of two of its tasks hold
        made.keyed.add(key, tensors=right.keyed.tensors_of(key))
    return made


def _equal(left: Keyed, right: Keyed, key: str) -> bool:
    """Whether both have bit-identical parameters of a key."""
    ours, theirs = left.tensors_of(key), right.tensors_of(key)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[n], theirs[n]) for n in ours)


def _parts(source: Source) -> list[Source]:
    return source.parts if isinstance(source, Stack) else [source]


def _by(source: Source) -> str:
    """Return what the keys of a source belong to."""
    if isinstance(source, Normed):
        return _by(source.source)
    if isinstance(source, Fuse | Mean):
        return source.source.keyed.by
    return source.keyed.by if isinstance(source, ByKey) else "pair"
