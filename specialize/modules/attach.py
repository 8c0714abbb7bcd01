"""Sources at the sites of a host, by forward hooks; the host's own weights and code stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from specialize.errors import UsageError
from specialize.model.language_model import LanguageModel
from specialize.modules.scope import Scope
from specialize.modules.sites import Sites, sites
from specialize.modules.sources import Invertible, Source

Table = Mapping[str, Source | Invertible]  # by the site's name (sites)

SOURCES = "module_sources"  # the name of the sources as a submodule of the host's encoder

_Hook = Callable[[nn.Module, Any, Tensor], Tensor]


class Attached:
    """A host with the sources of a table at its sites.

    The sources are a submodule of the host's encoder, so devices, training mode, state and
    optimisers reach them; ``detach`` leaves the host as it was. A forward pass needs ``at``:

        modules = attach(model, madx.language_adapters(...))
        with modules.at(Scope("ug")):
            model(input_ids=ids)
    """

    def __init__(self, host: LanguageModel, table: Table) -> None:
        """See `attach`."""
        found = sites(host)
        _check(table, found)
        if hasattr(host.base_model, SOURCES):
            raise UsageError("modules are attached already; detach those first")
        self.host = host
        self.table = dict(table)
        self._scope: Scope | None = None
        sources = nn.ModuleDict(table).to(next(host.parameters()).device)
        sources.train(host.training)
        host.base_model.add_module(SOURCES, sources)
        self._handles = [
            hook for name in _ORDER if name in table for hook in self._hook(name, found)
        ]

    @contextmanager
    def at(self, scope: Scope) -> Iterator[None]:
        """Run the host for ``scope`` meanwhile; UsageError if a source has no modules for it."""
        for source in self.table.values():
            source.check(scope)
        before, self._scope = self._scope, scope
        try:
            yield
        finally:
            self._scope = before

    def detach(self) -> None:
        """Leave the host as it was before."""
        for handle in self._handles:
            handle.remove()
        self._handles = []
        if hasattr(self.host.base_model, SOURCES):
            delattr(self.host.base_model, SOURCES)

    @property
    def scope(self) -> Scope:
        """Return the scope of the running forward pass; UsageError outside of ``at``."""
        if self._scope is None:
            raise UsageError("the host has modules: expected a scope, got none; use at(Scope(...))")
        return self._scope

    def _hook(self, name: str, found: Sites) -> list[Any]:
        """Return the handles of the hooks of a site's source."""
        source = self.table[name]
        if isinstance(source, Invertible):
            return self._hook_embeddings(source, found)
        make = _HOOKS[name]
        return [
            found.points[name][layer].register_forward_hook(
                make(self, source, layer),
                prepend=True,  # before hooks that record states
            )
            for layer in source.layers
        ]

    def _hook_embeddings(self, source: Invertible, found: Sites) -> list[Any]:
        def forward(module: nn.Module, given: Any, output: Tensor) -> Tensor:
            return source(output, self.scope)

        def inverse(module: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return (source.inverse(given[0], self.scope), *given[1:])

        handles = [found.embeddings.register_forward_hook(forward, prepend=True)]
        if found.output is not None:
            handles.append(found.output.register_forward_pre_hook(inverse))
        return handles


def attach(host: LanguageModel, table: Table) -> Attached:
    """Hook the sources of ``table`` into ``host`` and return the handle to use and detach them.

    UsageError where the host has no such site or layer, or the widths differ.
    """
    return Attached(host, table)


def _at_h(modules: Attached, source: Source, layer: int) -> _Hook:
    def hook(module: nn.Module, given: Any, output: Tensor) -> Tensor:
        found: Tensor = source(output, _same, layer, modules.scope)
        return found

    return hook


def _at_s(modules: Attached, source: Source, layer: int) -> _Hook:
    def hook(norm: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> Tensor:
        (before,) = given

        def view(states: Tensor) -> Tensor:
            return output if states is before else norm.forward(states)

        return view(source(before, view, layer, modules.scope))

    return hook


def _at_linear(modules: Attached, source: Source, layer: int) -> _Hook:
    def hook(module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> Tensor:
        found: Tensor = source(output, lambda _: given[0], layer, modules.scope)
        return found

    return hook


def _at_u(modules: Attached, source: Source, layer: int) -> _Hook:
    def hook(module: nn.Module, given: Any, output: Tensor) -> Tensor:
        found: Tensor = source(output, _same, layer, modules.scope)
        return module.forward(found) if isinstance(module, nn.LayerNorm) else found

    return hook


_HOOKS = {"ffn_h": _at_h, "ffn_s": _at_s, "ffn_u": _at_u}
_HOOKS |= dict.fromkeys(("query", "value", "qkv"), _at_linear)
# subtle: hooks are prepended, so s before u
_ORDER = ("embeddings", "query", "value", "qkv", "ffn_u", "ffn_s", "ffn_h")


def _same(states: Tensor) -> Tensor:
    return states


def _check(table: Table, found: Sites) -> None:
    """Raise UsageError where a source does not fit the host."""
    known = ("embeddings", *found.points)
    for name, source in table.items():
        if name not in known:
            raise UsageError(f"the host has no site {name!r}; it has: {', '.join(known)}")
        if isinstance(source, Invertible) != (name == "embeddings"):
            raise UsageError(f"{type(source).__name__} cannot be used at the site {name}")
        if isinstance(source, Source) and max(source.layers, default=0) >= found.layers:
            raise UsageError(
                f"{name}: modules of layer {max(source.layers)}, but the host has layers 0 to "
                f"{found.layers - 1}"
            )
        if source.width != found.width:
            raise UsageError(
                f"{name}: modules of width {source.width}, but the host has {found.width}"
            )
