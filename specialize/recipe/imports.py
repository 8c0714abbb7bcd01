"""Functions outside of the package, imported by the names that recipes give them."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from specialize.errors import MissingError, UsageError
from specialize.recipe.sources import local_sources


def outside_function(kind: str, name: str) -> Callable[..., Any]:
    """Return the function that ``my_pkg.mod:fn`` or ``my_file.py:fn`` points to."""
    module, _, function = name.rpartition(":")
    try:
        if module.endswith(".py"):
            method = getattr(_from_file(Path(module)), function, None)
        else:
            method = getattr(importlib.import_module(module), function, None)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{kind} {name!r}: no module {error.name!r} beside the recipe or on the Python path; "
            "correct the name, or set PYTHONPATH"
        ) from None
    except SyntaxError as error:
        raise UsageError(f"{error.filename}:{error.lineno}: {error.msg}") from None
    except (TypeError, ValueError):  # an empty or relative module name
        method = None
    if not callable(method):
        raise UsageError(
            f"{kind} {name!r}: expected a function, as my_module:my_function or "
            "my_file.py:my_function"
        )
    return method


def _from_file(path: Path) -> ModuleType:
    """Import a Python file by its path, once for each content it has."""
    if not path.is_file():
        raise MissingError(f"{path}: no such file")
    sources = b"".join(file.read_bytes() for file in local_sources(path))
    name = f"{path.absolute()}@{hashlib.sha256(sources).hexdigest()[:16]}"
    if name not in sys.modules:
        module = ModuleType(name)
        module.__file__ = str(path)
        sys.modules[name] = module  # dataclasses of the file look their module up
        try:
            with _importable(path.parent):
                exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let a file import from its ``folder``, then forget such modules: names recur elsewhere."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(folder):
                del sys.modules[name]
