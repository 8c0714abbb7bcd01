"""Where a base model is: the bundled one, a directory, the local hub cache, or the hub."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from specialize.errors import MissingError
from specialize.vocab.base import Vocabulary
from specialize.vocab.open import read_vocabulary, vocabulary_of

BUNDLED = {"mini": Path(__file__).parent.parent / "mini"}
_TOKENIZER = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model", "*.tiktoken")
_DESCRIBING = ("*.json", "*.jinja", "merges.txt")  # settings and configurations, a few KB
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")  # the first that a model has


def find_model(name: str, *, tokenizer_only: bool = False) -> Path:
    """Return the directory of the model ``name``, asking the hub last.

    ``tokenizer_only``: its tokenizer is enough, so no weights are downloaded. MissingError within a
    second where there is no such model and no hub to ask: it lists the places searched and the
    command that downloads the model on a machine with a network.
    """
    if name in BUNDLED:
        return BUNDLED[name]
    path = Path(os.path.expandvars(name)).expanduser()
    if (path / "config.json").is_file():
        return path
    if path.is_dir():
        raise MissingError(f"{path}: no config.json; expected the directory of a model")
    return _from_hub(name, tokenizer_only)


def tokenizer_path(name: str) -> Path:
    """Return where the tokenizer ``name`` is: a path, the bundled model, or a model of the hub."""
    path = Path(name).expanduser()
    return path if os.path.exists(path) else find_model(name, tokenizer_only=True)


def open_vocabulary(name: str | Path | Any) -> Vocabulary:
    """Return the vocabulary of a path, of the bundled model ("mini"), or of a model of the hub.

    Also of a live fast tokenizer, the tokenizers library's or transformers'.
    """
    if not isinstance(name, str | Path):
        return vocabulary_of(name)
    return read_vocabulary(tokenizer_path(str(name)))


def _from_hub(name: str, tokenizer_only: bool) -> Path:
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        cached = Path(snapshot_download(name, local_files_only=True))
    except (OSError, HFValidationError):  # nothing cached, or not a name of the hub
        cached = None
    if cached and _complete(cached, tokenizer_only):
        return cached
    where = f"not in {constants.HF_HUB_CACHE}" if cached is None else f"only in part in {cached}"
    is_name = name.count("/") <= 1 and not name.startswith((".", "/", "~"))
    if is_name and not constants.HF_HUB_OFFLINE and _answers(constants.ENDPOINT):
        _check_response(name, constants.ENDPOINT, constants.HF_HUB_ETAG_TIMEOUT)
        return _download(name, tokenizer_only)
    raise MissingError(
        f"model {name!r} is not bundled ({', '.join(BUNDLED)}), not a directory and {where}; "
        f"on a machine with a network: hf download {name}"
    )


def _complete(folder: Path, tokenizer_only: bool) -> bool:
    """Return whether a snapshot has what is wanted: it may have been downloaded in part."""

    def has(patterns: tuple[str, ...]) -> bool:
        return any(file.exists() for pattern in patterns for file in folder.glob(pattern))

    return has(_TOKENIZER) and (tokenizer_only or (has(("config.json",)) and has(_WEIGHTS)))


def _answers(endpoint: str, seconds: float = 0.6) -> bool:
    """Return whether a connection to the hub opens in time, name look-up included."""
    address = urlsplit(endpoint)
    port = address.port or (80 if address.scheme == "http" else 443)
    opened = threading.Event()

    def connect() -> None:
        try:
            socket.create_connection((address.hostname, port), timeout=seconds).close()
            opened.set()
        except OSError:
            pass

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(seconds)
    return opened.is_set()


def _check_response(name: str, endpoint: str, seconds: float) -> None:
    """Raise MissingError if the hub, asked for a model, sends nothing in time.

    Its client waits without a limit for the list of the files.
    """
    import urllib.error
    import urllib.request

    url = f"{endpoint}/api/models/{quote(name)}"
    try:
        urllib.request.urlopen(url, timeout=seconds).close()
    except urllib.error.HTTPError as response:  # an answer, which the client explains
        response.close()
    except OSError as error:
        if not isinstance(getattr(error, "reason", error), TimeoutError):
            return  # such as a certificate that the client knows
        raise MissingError(
            f"model {name!r}: {endpoint} accepts connections but does not answer within "
            f"{seconds:g} s; try again later, or set HF_HUB_ETAG_TIMEOUT to more seconds"
        ) from None


def _download(name: str, tokenizer_only: bool) -> Path:
    """Download the files of the tokenizer, and weights in one format unless ``tokenizer_only``."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    wanted = [*_TOKENIZER, *_DESCRIBING]
    try:
        folder = Path(snapshot_download(name, allow_patterns=wanted, ignore_patterns="*/*"))
        for weights in () if tokenizer_only else _WEIGHTS:
            snapshot_download(name, allow_patterns=weights, ignore_patterns="*/*")
            if any(folder.glob(weights)):
                break
    except Exception as error:
        message = (str(error).splitlines() or [type(error).__name__])[0]
        if _of_connection(error):
            message += "; try again later"
        elif not isinstance(error, HfHubHTTPError | OSError):
            raise
        raise MissingError(f"model {name!r}: {message}") from None
    return folder


def _of_connection(error: Exception) -> bool:
    """Return whether the hub's client, httpx of some version, failed to connect or to read."""
    return type(error).__module__.partition(".")[0] in ("httpx", "httpx2")
