"""Methods by name: a file of a folder is one, its keyword-only parameters are its options.

A recipe names a method of a kind (``augment = "tva"``); the kind tells in which folder its file
lies and which function of it to call. ``my_pkg.mod:fn`` names a function of an installed module,
``my_file.py:fn`` one of a file beside the recipe. Listing the names imports nothing; a method is
imported when it is first looked up.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_origin

from specialize.errors import MissingError, UsageError
from specialize.recipe.imports import outside_function
from specialize.recipe.sources import local_sources
from specialize.recipe.table import Key, Table, check, join, keys_of, locate, shown, unknown

Method = Callable[..., Any]

KINDS = {  # kind -> (folder, function)
    "mixin": ("specialize.mixins", "mix"),
    "augment": ("specialize.augment", "change"),
    "embed": ("specialize.embed", "init"),
    "modules": ("specialize.modules.systems", "system"),
    "task": ("specialize.tasks", "task"),
}
GIVEN = ("checkpoint", "log")  # parameters that the pipeline gives an embed method


class Description(NamedTuple):
    """What a method does, its first line being a summary, and its options by name."""

    text: str
    options: dict[str, Key]

    @property
    def summary(self) -> str:
        """The first line."""
        return self.text.partition("\n")[0]


@dataclass(frozen=True)
class Choice:
    """A method by name with the options a recipe gives it, as JSON values."""

    kind: str
    method: str
    options: Mapping[str, Any]

    def __call__(self) -> partial[Any]:
        """Return the method with its options bound."""
        return bind(self.kind, self.method, self.options)

    def values(self) -> Table:
        """Return all options, those at their defaults included; other methods as choices."""
        known = options_of(find(self.kind, self.method))
        given = _checked(self.kind, self.method, self.options)
        return {name: key.default for name, key in known.items()} | given

    def resolved(self) -> dict[str, Any]:
        """Return all options, those at their defaults included, as JSON values."""
        return {name: plain(value) for name, value in self.values().items()}

    def files(self) -> list[Path]:
        """Return the files among the option values: those of options annotated Path."""
        return list(_paths(_checked(self.kind, self.method, self.options).values()))

    def key_parts(self) -> dict[str, Any]:
        """Return what of the choice decides what it does: files by their content, not place."""
        options = self.values()
        method, sources = self.method, source_files(self)
        if sources:
            method = method.rpartition(":")[2]
        return {"method": method, "sources": sources, "options": self.with_files(options)}

    def with_files(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return ``options`` with data of the package as files: what decides, and can be copied.

        By the function ``as_files`` of the method's module, if it has one.
        """
        module = sys.modules.get(getattr(find(self.kind, self.method), "__module__", ""))
        as_files = getattr(module, "as_files", None)
        return as_files(options) if as_files else options

    def __str__(self) -> str:
        options = ", ".join(f"{key} = {shown(value)}" for key, value in self.options.items())
        return f"{self.method} ({options})" if options else self.method


def choose(
    kind: str, method: str, options: Mapping[str, Any], where: str, *, folder: Path | None
) -> Choice:
    """Return the choice a recipe in ``folder`` makes at its key ``where``, checked.

    Files among the options, and a Python file that holds the method, are given their full paths;
    without a folder, they stay as they are.
    """
    placed = place(method, folder) if folder else method
    values = _checked(kind, placed, options, where=where, folder=folder)
    return Choice(kind, placed, {name: plain(value) for name, value in values.items()})


def check_made(choice: Choice, where: str) -> None:
    """Raise UsageError, with the key of an option, for a value that the method itself refuses."""
    try:
        choice()()
    except UsageError as error:
        key = join(where, error.key) if error.key else where
        raise UsageError(f"{key}: {error}", key=key) from None


def choice_of(
    kind: str, value: str | Mapping[str, Any], where: str, *, folder: Path | None
) -> Choice:
    """Return the method given by its name, or as a table with ``method`` and options."""
    if isinstance(value, str):
        return choose(kind, value, {}, where, folder=folder)
    if not isinstance(value.get("method"), str):
        expected = "expected the name of a method, or a table with method = 'NAME'"
        raise UsageError(f"{where} = {shown(value)}: {expected}", key=where)
    options = {key: option for key, option in value.items() if key != "method"}
    return choose(kind, value["method"], options, where, folder=folder)


def names(kind: str) -> list[str]:
    """Return the names of the methods of ``kind``, sorted."""
    folder, _ = _kind(kind)
    spec = importlib.util.find_spec(folder)
    found = pkgutil.iter_modules(spec.submodule_search_locations if spec else ())
    return sorted(module.name for module in found if not module.name.startswith("_"))


def find(kind: str, name: str) -> Method:
    """Return the function of the method ``name``, or one outside of the package."""
    folder, function = _kind(kind)
    if ":" in name:
        return outside_function(kind, name)
    if name not in (known := names(kind)):
        raise UsageError(unknown(f"unknown {kind} {name!r}", name, known))
    try:
        module = importlib.import_module(f"{folder}.{name}")
    except ModuleNotFoundError as error:
        raise MissingError(
            f"{kind} {name!r} needs the package {error.name!r}; install it"
        ) from None
    return getattr(module, function)


def bind(
    kind: str,
    name: str,
    options: Mapping[str, object],
    *,
    where: str = "",
    folder: Path | None = None,
) -> partial[Any]:
    """Return the method with ``options`` set, their names and the types of their values checked.

    ``where``: the key of the recipe that names the method; ``folder``: what its files are
    relative to, the working directory if not given.

    An option may be another method, or several: one annotated ``Annotated[TYPE, "KIND"]``. The
    method gets their functions, with options bound.
    """
    values = _checked(kind, name, options, where=where, folder=folder)
    return partial(find(kind, name), **{key: _bound(value) for key, value in values.items()})


def _checked(
    kind: str,
    name: str,
    options: Mapping[str, object],
    *,
    where: str = "",
    folder: Path | None = None,
) -> Table:
    """Return the options as values of their types; those that are methods are choices."""
    try:
        method = find(kind, name)
    except (UsageError, MissingError) as error:
        raise type(error)(str(error), key=where) from None
    what, text, known = (
        f"the options of {kind} {name!r}",
        inspect.getdoc(method),
        options_of(method),
    )
    values = check(options, known, where, what=what, text=text or "", folder=folder)
    return {
        key: _chosen(value, known[key].type, join(where, key), folder)
        for key, value in values.items()
    }


def _chosen(value: Any, wanted: Any, where: str, folder: Path | None) -> Any:
    """Return an option's value with choices in place of methods."""
    if not (inner := nested_kind(wanted)):
        return value
    if isinstance(value, tuple):
        return tuple(choice_of(inner, one, where, folder=folder) for one in value)
    return choice_of(inner, value, where, folder=folder)


def _bound(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_bound, value))
    return value() if isinstance(value, Choice) else value


def nested_kind(wanted: Any) -> str:
    """Return the kind of the methods that an option of this type names; "" for other types."""
    if get_origin(wanted) is Annotated:
        return str(get_args(wanted)[1])
    return next(filter(None, map(nested_kind, get_args(wanted))), "")


def describe(kind: str, name: str) -> Description:
    """Return the method's docstring and its options."""
    method = find(kind, name)
    return Description(inspect.getdoc(method) or "", options_of(method))


def options_of(method: Method) -> dict[str, Key]:
    """Return the options of a method, without what the pipeline gives it."""
    return {name: key for name, key in keys_of(method).items() if name not in GIVEN}


def place(name: str, folder: Path) -> str:
    """Return ``name`` with the full path of its Python file, if that lies beside the recipe.

    ``my_file.py:fn``, or ``my_module:fn`` where ``folder`` has a my_module.py; any other name is
    returned as it is.
    """
    module, colon, function = name.rpartition(":")
    if module.endswith(".py"):
        return f"{locate(module, folder)}:{function}"
    if colon and module.isidentifier() and (folder / f"{module}.py").is_file():
        return f"{locate(f'{module}.py', folder)}:{function}"
    return name


def source_files(choice: Choice) -> tuple[Path, ...]:
    """Return the Python files of a method outside of the package: inputs of what it makes."""
    module, colon, _ = choice.method.rpartition(":")
    if not colon:
        return ()
    file = module if module.endswith(".py") else importlib.import_module(module).__file__
    return local_sources(Path(file)) if file else ()


def plain(value: Any) -> Any:
    """Return an option's value as JSON has it: lists for tuples, text for paths."""
    if isinstance(value, Choice):
        return {"method": value.method, **value.options} if value.options else value.method
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return str(value) if isinstance(value, Path) else value


def _kind(kind: str) -> tuple[str, str]:
    if kind not in KINDS:
        raise UsageError(unknown(f"unknown kind of method {kind!r}", kind, KINDS))
    return KINDS[kind]


def _paths(values: Iterable[Any]) -> Iterator[Path]:
    for value in values:
        if isinstance(value, Path):
            yield value
        elif isinstance(value, Choice):
            yield from value.files()
        elif isinstance(value, tuple):
            yield from _paths(value)
