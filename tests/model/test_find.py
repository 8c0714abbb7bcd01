"""Models by name: bundled, a directory, the hub's cache, the hub; minimal downloads."""

import importlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub import constants
from huggingface_hub.utils import filter_repo_objects
from tiny_models import write_model

from specialize.errors import MissingError
from specialize.model import find
from specialize.model.find import find_model, tokenizer_path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, and no hub."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(find, "_answers", lambda endpoint: False)
    return tmp_path / "cache"


def snapshot_in(cache: Path, name: str) -> Path:
    """The folder of a model in the cache, laid out as the hub's client does."""
    home = cache / f"models--{name.replace('/', '--')}"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text("0123abcd")
    return home / "snapshots" / "0123abcd"


def test_a_missing_model_is_reported_with_the_places_searched(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(MissingError, match=f"not in {cache}; .*hf download no/such-model"):
        find_model("no/such-model")
    with pytest.raises(MissingError, match="not a directory"):
        find_model("no/such/path")
    with pytest.raises(MissingError, match=r"no config\.json"):
        find_model(str(tmp_path))


def test_a_directory_and_the_bundled_model_are_found(tmp_path: Path) -> None:
    folder = write_model("bert", tmp_path / "model")
    assert find_model(str(folder)) == tokenizer_path(str(folder)) == folder
    assert (find_model("mini") / "model.safetensors").exists()
    assert tokenizer_path(str(folder / "tokenizer.json")) == folder / "tokenizer.json"


def test_a_cached_model_is_found(cache: Path) -> None:
    folder = write_model("bert", snapshot_in(cache, "some/model"))
    assert find_model("some/model") == tokenizer_path("some/model") == folder


def test_a_model_cached_in_part_serves_for_its_tokenizer_only(cache: Path) -> None:
    folder = write_model("bert", snapshot_in(cache, "some/model"))
    (folder / "model.safetensors").unlink()
    assert tokenizer_path("some/model") == folder
    with pytest.raises(MissingError, match=f"only in part in {folder}; .*hf download some/model"):
        find_model("some/model")


class Hub:
    """A hub with one model: its client copies the files that the patterns name."""

    def __init__(self, source: Path, target: Path) -> None:
        self.source, self.target = source, target

    def snapshot_download(self, name: str, **wanted: Any) -> str:
        if wanted.pop("local_files_only", False):
            raise FileNotFoundError(name)
        files = [str(f.relative_to(self.source)) for f in self.source.rglob("*") if f.is_file()]
        self.target.mkdir(exist_ok=True)
        for file in filter_repo_objects(files, **wanted):
            (self.target / file).parent.mkdir(exist_ok=True)
            shutil.copy(self.source / file, self.target / file)
        return str(self.target)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub that answers; its model has weights in two formats, and more in a subfolder."""
    source = write_model("bert", tmp_path / "source")
    (source / "pytorch_model.bin").write_bytes(b"weights")
    (source / "onnx").mkdir()
    (source / "onnx" / "model.safetensors").write_bytes(b"weights")
    (source / "README.md").write_text("not needed")
    hub = Hub(source, tmp_path / "downloaded")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.snapshot_download)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(find, "_answers", lambda endpoint: True)
    monkeypatch.setattr(find, "_check_response", lambda *_: None)
    return hub


def names(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


TOKENIZER = {"config.json", "tokenizer.json", "tokenizer_config.json"}


def test_for_a_tokenizer_no_weights_are_downloaded(hub: Hub) -> None:
    assert names(tokenizer_path("some/model")) == TOKENIZER


def test_weights_are_downloaded_in_one_format(hub: Hub) -> None:
    assert names(find_model("some/model")) == TOKENIZER | {"model.safetensors"}


def test_weights_in_the_old_format_are_downloaded_where_there_are_no_others(hub: Hub) -> None:
    (hub.source / "model.safetensors").unlink()
    assert names(find_model("some/model")) == TOKENIZER | {"pytorch_model.bin"}


def test_offline_the_hub_is_not_asked(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(MissingError, match="hf download some/model"):
        find_model("some/model")


def test_a_download_that_breaks_off_is_no_traceback(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    client: Any = importlib.import_module("httpx2" if find_spec("httpx2") else "httpx")

    def broken(name: str, **wanted: Any) -> str:
        raise (
            FileNotFoundError(name) if "local_files_only" in wanted else client.ReadTimeout("late")
        )

    monkeypatch.setattr(huggingface_hub, "snapshot_download", broken)
    with pytest.raises(MissingError, match="model 'some/model': late; try again later"):
        find_model("some/model")


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a hub that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:  # the system accepts them
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("command", ["inspect", "run"])
def test_a_hub_that_never_answers_ends_in_a_message(
    command: str, silent: str, tmp_path: Path
) -> None:
    text, recipe = tmp_path / "text.txt", tmp_path / "recipe.toml"
    text.write_text("ab\n", "utf-8")
    recipe.write_text('base = "some/model"\n[corpus]\nfiles = ["text.txt"]\n', "utf-8")
    words: dict[str, list[Any]] = {
        "inspect": ["some/model", "--text", text],
        "run": [recipe, "--out", tmp_path / "out"],
    }
    place = {"HF_ENDPOINT": silent, "HF_HUB_ETAG_TIMEOUT": "1", "HF_HOME": str(tmp_path / "home")}
    env = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"} | place
    program = [sys.executable, "-m", "specialize", command, *map(str, words[command])]
    done = subprocess.run(program, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 4, done.stderr
    assert f"model 'some/model': {silent} accepts connections but does not answer" in done.stderr
    assert "within 1 s; try again later, or set HF_HUB_ETAG_TIMEOUT" in done.stderr
    assert "Traceback" not in done.stderr
