"""Where a base model lies: the bundled one, a directory, the local hub cache, or the hub."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from typing import Any

from specialize.errors import MissingError
from specialize.vocab.open import AnyVocabulary, read_vocabulary, vocabulary_of

BUNDLED = {"mini": Path(__file__).parent.parent / "mini"}


def find_model(name: str) -> Path:
    """Return the directory of the model ``name``, asking the hub last.

    MissingError within a second where there is no such model and no hub to ask: it says where was
    looked and how to fetch the model on a machine that has a network.
    """
    if name in BUNDLED:
        return BUNDLED[name]
    path = Path(os.path.expandvars(name)).expanduser()
    if (path / "config.json").is_file():
        return path
    if path.is_dir():
        raise MissingError(f"{path}: no config.json; is this a model's directory?")
    cached = _cached(name)
    if cached:
        return cached
    if name.count("/") <= 1 and not name.startswith((".", "/", "~")) and _hub_answers():
        return _download(name)
    raise MissingError(
        f"model {name!r} is not bundled ({', '.join(BUNDLED)}), not a directory and not in "
        f"{_cache_folder()}; where there is a network: hf download {name}"
    )


def tokenizer_path(name: str) -> Path:
    """Return where the tokenizer ``name`` lies: a path, the bundled model, or one of the hub."""
    path = Path(name).expanduser()
    return path if path.exists() else find_model(name)


def open_vocabulary(name: str | Path | Any) -> AnyVocabulary:
    """Return the vocabulary of a path, of the bundled model ("mini"), or of a model of the hub.

    Also of a live fast tokenizer, the tokenizers library's or transformers'.
    """
    if not isinstance(name, str | Path):
        return vocabulary_of(name)
    return read_vocabulary(tokenizer_path(str(name)))


def _cache_folder() -> Path:
    home = os.environ.get("HF_HOME", "~/.cache/huggingface")
    return Path(os.environ.get("HF_HUB_CACHE", f"{home}/hub")).expanduser()


def _cached(name: str) -> Path | None:
    snapshots = _cache_folder() / f"models--{name.replace('/', '--')}" / "snapshots"
    found = [p.parent for p in snapshots.glob("*/config.json")] if snapshots.is_dir() else []
    return max(found, key=lambda p: p.stat().st_mtime, default=None)


def _hub_answers(seconds: float = 0.6) -> bool:
    """Return whether a connection to the hub opens in time (name look-up included)."""
    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("0", ""):
        return False
    opened = threading.Event()

    def knock() -> None:
        try:
            socket.create_connection(("huggingface.co", 443), timeout=seconds).close()
            opened.set()
        except OSError:
            pass

    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(seconds)
    return opened.is_set()


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    wanted = ["*.json", "*.safetensors", "vocab.txt", "*.model"]
    try:
        return Path(snapshot_download(name, allow_patterns=wanted))
    except (HfHubHTTPError, OSError) as error:
        raise MissingError(f"model {name!r}: {str(error).splitlines()[0]}") from None
