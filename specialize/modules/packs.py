"""Packs: modules in one safetensors file, with what they are and the base they belong to.

The header of the file holds JSON under "specialize": the sites with their sources (`describe`), the
SHA-256 of the host's encoder and of its pieces. Neither code nor pickled objects are read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from specialize import atomic
from specialize.errors import DataError, MissingError, UsageError
from specialize.model.language_model import LanguageModel
from specialize.model.load import Checkpoint, load_checkpoint
from specialize.modules.attach import SOURCES, Attached, Table, attach
from specialize.modules.combine import combined, restricted
from specialize.modules.describe import Described, build, describe
from specialize.modules.scope import By, Scope
from specialize.modules.settings import is_whole
from specialize.modules.sources import Invertible, Source

PACK = "modules.safetensors"  # the pack beside a model
_HEADER = "specialize"
_VERSION = 1
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True)
class Pack:
    """Modules of some sites, for the host whose hash is ``base``."""

    parts: dict[str, Described]  # what the source of a site is, by the site's name
    tensors: dict[str, Tensor]  # by "site/name"
    width: int
    base: str  # `host_hash`
    pieces: str  # `pieces_hash`

    def counts(self) -> dict[str, int]:
        """Return the number of parameters at each site."""
        return {
            site: sum(t.numel() for n, t in self.tensors.items() if n.startswith(f"{site}/"))
            for site in self.parts
        }

    def table(self) -> Table:
        """Return the sources with their parameters; ValueError where these are others."""
        found = {site: build(part, self.width) for site, part in self.parts.items()}
        drawn = {f"{s}/{n}": t for s in found for n, t in found[s].state_dict().items()}
        for name in sorted(drawn.keys() | self.tensors.keys()):
            shapes = [tuple(t[name].shape) if name in t else None for t in (drawn, self.tensors)]
            if shapes[0] != shapes[1]:
                raise ValueError(f"expected {name} of shape {shapes[0]}, got {shapes[1]}")
            wanted, given = drawn[name].dtype, self.tensors[name].dtype
            if given != wanted and not (given in _FLOATS and wanted in _FLOATS):
                raise ValueError(f"expected {name} of {wanted}, got {given}")
        for site, source in found.items():
            names = source.state_dict()
            source.load_state_dict({name: self.tensors[f"{site}/{name}"] for name in names})
        return found


def pack_of(host: LanguageModel, table: Table, pieces: Sequence[str]) -> Pack:
    """Return the pack of a table's sources; ``pieces``: those of the host's vocabulary."""
    return _pack(table, host_hash(host), pieces_hash(pieces))


def _pack(table: Table, base: str, pieces: str) -> Pack:
    if not table:
        raise UsageError("expected modules for the pack, got none")
    tensors = {
        f"{site}/{name}": tensor.detach().cpu().clone()
        for site, source in table.items()
        for name, tensor in source.state_dict().items()
    }
    parts = {site: describe(source) for site, source in table.items()}
    (width, *_) = (source.width for source in table.values())
    return Pack(parts, tensors, width, base, pieces)


def write_pack(pack: Pack, file: Path) -> None:
    """Write a pack to ``file``, at once."""
    header = {
        "version": _VERSION,
        "parts": pack.parts,
        "width": pack.width,
        "base": pack.base,
        "pieces": pack.pieces,
    }
    with atomic.whole_file(file) as partial:
        mode = partial.stat().st_mode
        save_file(pack.tensors, partial, {_HEADER: json.dumps(header)})
        partial.chmod(mode)  # safetensors makes it private


def read_pack(file: Path) -> Pack:
    """Return what `write_pack` wrote; MissingError or DataError, naming the file, if it cannot."""
    if file.is_dir():
        raise MissingError(f"{file} is a folder; expected a pack{_packs_in(file)}")
    if not file.is_file():
        raise MissingError(f"{file}: no such file; expected a pack of modules")
    try:
        with safe_open(file, "pt") as opened:
            metadata = opened.metadata() or {}
            if _HEADER not in metadata:
                raise ValueError("weights of something else; a pack is named modules.safetensors")
            header = json.loads(metadata[_HEADER])
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
        _check_header(header)
        pack = Pack(header["parts"], tensors, header["width"], header["base"], header["pieces"])
        pack.table()
    except (SafetensorError, OSError) as error:
        raise DataError(f"{file}: damaged ({error}); copy or download it again") from None
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        line = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(f"{file}: not a pack of modules ({line})") from None
    for name, tensor in tensors.items():
        if not tensor.float().isfinite().all():
            raise DataError(f"{file}: {name} has values that are not finite in float32")
    return pack


def _check_header(header: Any) -> None:
    """Raise ValueError for values of another type; KeyError or TypeError if it is no such table."""
    version, width = header["version"], header["width"]
    if not is_whole(version, 1) or version != _VERSION:
        raise ValueError(f"expected version {_VERSION}, got {version!r}")
    if not is_whole(width, 1):
        raise ValueError(f"expected width to be a whole number above 0, got {width!r}")
    for name in ("base", "pieces"):
        if not isinstance(header[name], str):
            raise ValueError(f"expected {name} to be a hash, got {header[name]!r}")


def _packs_in(folder: Path) -> str:
    """Return the packs of a run's folder or a base's, for a message; "" if there are none."""
    places = ("*.safetensors", "modules/*.safetensors", f"heads/*/{PACK}")
    found = [str(file) for place in places for file in sorted(folder.glob(place))]
    packs = [file for file in found if not Path(file).name.startswith("model")]
    return f": {', '.join(packs)}" if packs else ", a .safetensors file"


def export(file: Path, scope: Scope, out: Path) -> Pack:
    """Write the modules of a language or a task in ``file`` to ``out`` and return their pack."""
    whole = read_pack(file)
    by: By = "language" if scope.language else "task"
    try:
        table = restricted(whole.table(), by, scope.key(by))
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from None
    pack = _pack(table, whole.base, whole.pieces)
    write_pack(pack, out)
    return pack


def check_base(pack: Pack, host: LanguageModel, pieces: Sequence[str], name: str) -> None:
    """Raise DataError, beginning with ``name``, if the pack belongs to another base."""
    if pack.pieces != pieces_hash(pieces):
        raise DataError(
            f"{name}: the modules belong to a base with another vocabulary; load the base they "
            "were trained on (`modules add`, and `augment` of an arm, make another one)"
        )
    if pack.base != host_hash(host):
        raise DataError(
            f"{name}: the modules belong to a base with other weights (its encoder has SHA-256 "
            f"{pack.base[:12]}...); load the base they were trained on"
        )


def checked_pack(file: Path, host: LanguageModel, pieces: Sequence[str]) -> Pack:
    """Return the pack in ``file``; errors as of `read_pack` and `check_base`."""
    pack = read_pack(file)
    check_base(pack, host, pieces, str(file))
    return pack


def open_packs(host: LanguageModel, pieces: Sequence[str], files: Iterable[Path]) -> Attached:
    """Return ``host`` with the modules of several packs attached, those of a site combined."""
    found: dict[str, Source | Invertible] = {}
    for file in files:
        pack = checked_pack(file, host, pieces)
        try:
            found = combined(found, pack.table())
        except UsageError as error:
            raise UsageError(f"{file}: {error}") from None
    return attach(host, found)


@contextmanager
def opened_at(folder: Path, files: Iterable[Path], scope: Scope) -> Iterator[Checkpoint]:
    """Yield the model in ``folder`` with the modules of packs attached, running for ``scope``.

    Errors as of `load_checkpoint`, `read_pack` and `open_packs`; UsageError if there are no modules
    for the scope. To change the scope, use `open_packs`.
    """
    base = load_checkpoint(folder)
    with open_packs(base.model, base.vocabulary.pieces, files).at(scope):
        yield base


def host_hash(host: LanguageModel) -> str:
    """Return the SHA-256 of the encoder's weights, attached modules and pooler apart.

    A masked-LM model has no pooler; where one is loaded from it, the pooler is random.
    """
    found = hashlib.sha256()
    for name, tensor in sorted(host.base_model.state_dict().items()):
        if name.split(".")[0] in (SOURCES, "pooler"):
            continue
        values = tensor.detach().to("cpu", torch.float32).contiguous()
        found.update(f"{name} {tuple(values.shape)}\n".encode())
        found.update(values.numpy().data)
    return found.hexdigest()


def pieces_hash(pieces: Sequence[str]) -> str:
    """Return the SHA-256 of the pieces of a vocabulary in the order of their ids."""
    return hashlib.sha256(json.dumps(list(pieces)).encode()).hexdigest()
