"""AutoTokenizer of a folder: local files only, and no code from them is run.

With ``specialize.model`` the only place that imports transformers, and only where it runs: in a
process that has it already, or in a fresh one, which hides torch to start in half the time.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from specialize.errors import DataError, MissingError, SpecializeError
from specialize.vocab.formats.json_files import CONFIG, Json, load_json

_PACKAGE = Path(__file__).parents[3]


@dataclass(frozen=True)
class Converted:
    """A folder as transformers reads it."""

    tokenizer: Json  # tokenizer.json of what it loaded
    config: Json  # tokenizer_config.json as it would save it


def load(folder: Path) -> Any:
    """Return AutoTokenizer's tokenizer of ``folder``; DataError if it has none of the library's."""
    from transformers import AutoTokenizer

    try:
        with quiet():
            found = AutoTokenizer.from_pretrained(
                str(folder), local_files_only=True, trust_remote_code=False
            )
    except Exception as error:  # transformers raises any class for a folder it cannot read
        if isinstance(error, MemoryError):
            raise
        raise DataError(
            f"{type(error).__name__}: {_first_line(error)}; write its tokenizer.json where it loads"
            ", AutoTokenizer.from_pretrained(folder).save_pretrained(folder), or name the file of "
            "its vocabulary, which is then read alone"
        ) from None
    if not hasattr(found, "backend_tokenizer"):
        raise DataError(
            f"{type(found).__name__} has no pieces of the tokenizers library; choose a base with a "
            "WordPiece, BPE or Unigram tokenizer"
        )
    return found


def class_of(folder: Path) -> str:
    """Return the name of the class that AutoTokenizer chooses for ``folder``, without loading it.

    Every choice ends in ``from_pretrained`` of a class, which here returns the class.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerBase

    base: Any = PreTrainedTokenizerBase
    original = base.__dict__["from_pretrained"]
    base.from_pretrained = classmethod(lambda cls, *_, **__: cls)
    try:
        found = AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # as in `load`
        raise DataError(f"{type(error).__name__}: {_first_line(error)}") from None
    finally:
        base.from_pretrained = original
    return found.__name__ if isinstance(found, type) else type(found).__name__


def convert(folder: Path) -> Converted:
    """Return ``folder`` as transformers reads it; DataError, naming it and what to do, if not."""
    signature = tuple((f.name, f.stat().st_mtime_ns, f.stat().st_size) for f in _files(folder))
    return _converted(folder.resolve(), signature, str(folder))


@lru_cache(maxsize=4)
def _converted(folder: Path, signature: Any, name: str) -> Converted:
    try:
        if "transformers" in sys.modules:
            return converted_here(folder)
        answer = in_fresh_process("specialize.vocab.auto.convert", str(folder))
    except DataError as error:
        raise DataError(f"{name}: transformers cannot read its tokenizer: {error}") from None
    return Converted(**answer)


def converted_here(folder: Path) -> Converted:
    """Return ``convert`` in this process."""
    tokenizer = load(folder)
    return Converted(json.loads(tokenizer.backend_tokenizer.to_str()), saved_config(tokenizer))


def saved_config(tokenizer: Any) -> Json:
    """Return the tokenizer_config.json that transformers writes for a tokenizer."""
    with tempfile.TemporaryDirectory() as folder, quiet():
        tokenizer.save_pretrained(folder)
        config = load_json(Path(folder) / CONFIG)
    for name in ("is_local", "local_files_only", "vocab_file", "tokenizer_file", "name_or_path"):
        config.pop(name, None)
    return config


def in_fresh_process(module: str, *arguments: str) -> Any:
    """Return the JSON that ``python -m module`` prints; DataError with its message if it fails."""
    with fresh_process(module, *arguments) as process:
        printed, complaints = process.communicate("")
    if process.returncode == DataError.exit_code:
        raise DataError(json.loads(printed)["fault"])
    if process.returncode:
        last = (complaints.splitlines() or ["no message"])[-1]
        raise SpecializeError(f"{module} ended with status {process.returncode}: {last}")
    return json.loads(printed)


def answer(make: Callable[[], Any]) -> int:
    """Print ``make()`` as JSON for ``in_fresh_process``, or its DataError; return the exit code."""
    start()
    try:
        print(json.dumps(make()))
    except DataError as error:
        print(json.dumps({"fault": str(error)}))
        return error.exit_code
    return 0


@contextmanager
def fresh_process(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Yield a new process of this package, killed at the end; its standard streams are pipes."""
    paths = [str(_PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]
    more = {"PYTHONPATH": os.pathsep.join(paths), "HF_HUB_OFFLINE": "1"}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ | more,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def start() -> None:
    """Import transformers into a fresh process, in less than half the usual time.

    Without torch, which tokenizers do not need; and its 1,700 files of models are scanned for their
    names once, not twice: nothing here asks ``transformers.models`` for a name.
    """
    gc.disable()  # a short life, much of it reading vocabularies
    sys.modules.setdefault("torch", None)  # type: ignore[arg-type]
    scanner: Any = importlib.import_module("transformers.utils.import_utils")
    scan = scanner.define_import_structure

    def scanned(path: Any, *more: Any, **options: Any) -> Any:
        names = Path(path).parts[-2:] == ("models", "__init__.py")
        return {} if names else scan(path, *more, **options)

    scanner.define_import_structure = scanned
    importlib.import_module("transformers.models.auto.tokenization_auto")
    scanner.define_import_structure = scan


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what transformers logs: what matters is an error here."""
    if importlib.util.find_spec("transformers") is None:
        raise MissingError("transformers is not installed: pip install transformers")
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


def _files(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.iterdir()) if file.is_file()]


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "no message")
