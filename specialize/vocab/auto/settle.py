"""The class of a written tokenizer, chosen so that AutoTokenizer reads it like its source.

Its own class, where that reads the new files as they are; else the generic class with all settings
of the source written out; else the folder is refused.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize.errors import DataError
from specialize.vocab.auto.compare import difference, reading
from specialize.vocab.auto.load import (
    answer,
    class_of,
    in_fresh_process,
    load,
    quiet,
    saved_config,
)
from specialize.vocab.base import Vocabulary
from specialize.vocab.formats.detect import describe
from specialize.vocab.formats.json_files import CONFIG, Json, load_json, write_json
from specialize.vocab.formats.renumber import renumbered_config
from specialize.vocab.library import read_tokenizer
from specialize.vocab.settings import GENERIC, MODEL

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class Source:
    """The source of a tokenizer, as transformers and the tokenizers library read it."""

    auto: Any  # of transformers
    library: Tokenizer | None = None
    model: Path | None = None  # its config.json, which lies beside the tokenizer in a model


def settle(vocabulary: Vocabulary, folder: Path) -> None:
    """Check and complete the files of ``vocabulary`` in ``folder``; DataError if that fails.

    Nothing is done where no class is known for what the vocabulary was read from.
    """
    settings = vocabulary.settings
    if settings is None or not (settings.live or (settings.origin and settings.names_class)):
        return
    name = type(settings.live).__name__ if settings.live else str(settings.origin)
    try:
        if settings.live is not None:
            settled_here(Source(settings.live), folder, [], unk=vocabulary.unk)
        elif "transformers" in sys.modules:
            settled_here(source_of(Path(name)), folder, [], unk=vocabulary.unk)
        else:
            in_fresh_process("specialize.vocab.auto.settle", name, str(folder), vocabulary.unk)
    except DataError as error:
        raise DataError(f"{name}: not written: {error}") from None


def source_of(path: Path, library: Tokenizer | None = None) -> Source | None:
    """Return the source at ``path``, None if it is not a folder that transformers opens."""
    home = path.parent if path.name == "tokenizer.json" else path
    if not home.is_dir():
        return None
    try:
        auto = load(home)
    except DataError:
        return None
    model = home / MODEL
    library = library or describe(path).library()
    return Source(auto, library, model if model.is_file() else None)


def settled_here(
    source: Source | None,
    folder: Path,
    texts: Sequence[str],
    *,
    unk: str = "",
    library: Tokenizer | None = None,
) -> str:
    """Settle ``folder`` in this process; return the name of the class that reads it.

    Without a source, it must be read as its tokenizer.json says. DataError names the first
    difference of each class tried. ``unk``: the unknown piece; ``library``: the tokenizer of the
    folder's tokenizer.json, if it is at hand.
    """
    library = library or read_tokenizer(folder / "tokenizer.json")
    with quiet():
        if source and source.library and (fault := reading(source.auto, source.library, texts)):
            raise DataError(
                f"transformers reads the source as {type(source.auto).__name__}, unlike its "
                f"tokenizer.json: {fault}; write both again, AutoTokenizer.from_pretrained(folder)"
                '.save_pretrained(folder), or set "tokenizer_class" to "PreTrainedTokenizerFast" '
                "in its tokenizer_config.json"
            )
        faults: list[str] = []
        for config in _configs(source, folder, library):
            write_json(folder / CONFIG, config, indent=1)
            fault = _fault(source, folder, library, texts, unk)
            if not fault:
                return str(config["tokenizer_class"])
            if fault not in faults:
                faults.append(fault)
    raise DataError("; ".join(faults))


def _configs(source: Source | None, folder: Path, library: Tokenizer) -> Iterator[Json]:
    """Yield the settings to try: those of the folder, then all of the source written out."""
    config = load_json(folder / CONFIG)
    if source is None:
        yield config | {"tokenizer_class": config.get("tokenizer_class") or GENERIC[0]}
        yield config | {"tokenizer_class": GENERIC[0]}
        return
    name = type(source.auto).__name__
    kept = config.get("tokenizer_class") or (GENERIC[0] if name in GENERIC else name)
    yield config | {"tokenizer_class": kept}
    full = saved_config(source.auto)
    for extra in ("chat_template", "backend"):
        full.pop(extra, None)
    vocab = library.get_vocab(with_added_tokens=True)
    full = renumbered_config({**config, **full}, vocab)
    yield full | {"tokenizer_class": kept}
    names = [*source.auto.model_input_names]
    sides = {"padding_side": source.auto.padding_side, "model_input_names": names}
    yield full | sides | {"tokenizer_class": GENERIC[0]}


def _fault(
    source: Source | None, folder: Path, library: Tokenizer, texts: Sequence[str], unk: str
) -> str:
    """Return what AutoTokenizer finds otherwise in ``folder``, alone and beside config.json."""
    try:
        with _beside(folder, source.model if source else None) as home:
            found = load(home)
            name = type(found).__name__
            if home != folder and (alone := class_of(folder)) != name:
                return f"{name} beside config.json is {alone} without it"
    except DataError as error:
        return str(error)
    fault = reading(found, library, texts)
    if source and not fault:
        fault = difference(source.auto, found, texts, unk=unk)
    return f"{name}: {fault}" if fault else ""


@contextmanager
def _beside(folder: Path, model: Path | None) -> Iterator[Path]:
    """Yield ``folder``, or a folder of its files and the configuration of a model."""
    if model is None:
        yield folder
        return
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        for file in (*(f for f in folder.iterdir() if f.name != MODEL), model):
            (home / file.name).symlink_to(file.resolve())
        yield home


def _settle_like(source: str, folder: str, unk: str) -> str:
    return settled_here(source_of(Path(source)), Path(folder), [], unk=unk)


if __name__ == "__main__":  # SOURCE FOLDER UNKNOWN_PIECE
    raise SystemExit(answer(lambda: _settle_like(*sys.argv[1:])))
