"""Packages that some mix-ins need, each an extra of this one."""

from __future__ import annotations

import importlib
from typing import Any

from specialize.errors import MissingError


def package(module: str, extra: str) -> Any:
    """Return the module of an optional package; MissingError names the ``extra`` to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingError(
            f"mixin {extra!r} needs the package {module!r}: pip install 'specialize[{extra}]' "
            f"({error})"
        ) from None
