"""Which Python files decide what a function does: its own and the modules it imports beside it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def local_sources(file: Path) -> tuple[Path, ...]:
    """Return a Python file and the files it imports, directly or not, from its folder or package.

    Installed packages are not followed. Found by reading, nothing is imported.
    """
    found: dict[Path, None] = {}
    waiting = [file]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = None
            waiting += sorted(_imported(path), reverse=True)
    return tuple(found)


def _imported(path: Path) -> set[Path]:
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError):  # reported where the function is looked up
        return set()
    return {file for names, root in _names(tree, path) for file in _files(names, root)}


def _names(tree: ast.AST, path: Path) -> Iterator[tuple[list[str], Path]]:
    """Yield the dotted names that a module imports, each with the folder it starts from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from ((alias.name.split("."), root) for root in _roots(path))
        elif isinstance(node, ast.ImportFrom):
            stem = node.module.split(".") if node.module else []
            starts = [path.parents[node.level - 1]] if node.level else _roots(path)
            for alias in node.names:
                yield from (([*stem, alias.name], root) for root in starts)


def _roots(path: Path) -> list[Path]:
    """Return where absolute imports are looked up: beside the file, and beside its package."""
    top = path.parent
    while (top / "__init__.py").is_file():
        top = top.parent
    return list(dict.fromkeys([path.parent, top]))


def _files(names: list[str], root: Path) -> Iterator[Path]:
    """Yield the files of a module and of the packages it is in, as far as they are in ``root``."""
    for depth in range(1, len(names) + 1):
        place = root.joinpath(*names[:depth])
        yield from filter(Path.is_file, (place.with_suffix(".py"), place / "__init__.py"))
