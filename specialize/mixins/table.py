"""Transliteration by a table: a scheme of the package, or a file of your own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from specialize.errors import UsageError
from specialize.mixins._table import read_table, scheme_file
from specialize.mixins._transliterate import Rewrite, transliterator


def mix(line: str, *, scheme: str = "", file: Path | None = None) -> str:
    """Return ``line`` transliterated by a ``scheme`` of the package or the table in ``file``.

    ``scheme = "uyghur_turkish"``: ``"ئۇيغۇرلار"`` -> ``"uyğurlar"``. docs/transliteration.md lists
    the schemes and describes the format of a table; ``specialize translit SCHEME FILE --check``
    shows what one does to a text.
    """
    path = _file(scheme, file)
    state = path.stat()
    return _opened(path, state.st_size, state.st_mtime_ns)(line)


def as_files(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``options`` with the file of the scheme in its place.

    So the table itself decides a stage's key and travels with a head, not its name.
    """
    found = {name: value for name, value in options.items() if name != "scheme" and value}
    scheme = options.get("scheme", "")
    return {**found, "file": _file(scheme, options.get("file"))} if scheme else found


def _file(scheme: str, file: Path | None) -> Path:
    if bool(scheme) == (file is not None):
        got = "both" if scheme else "neither"
        raise UsageError(f'mixin \'table\': expected scheme = "NAME" or file = "my.tsv", got {got}')
    return file or scheme_file(scheme)


@lru_cache(maxsize=64)
def _opened(path: Path, size: int, changed: int) -> Rewrite:
    """Return what rewrites by a file, which is read again when it has changed."""
    return transliterator(read_table(path))
