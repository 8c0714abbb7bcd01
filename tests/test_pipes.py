"""Pipes as texts: read once, and as often as the work needs."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import cli_calls
import pytest
from cli_calls import Call
from corpora import opened

from specialize.corpus import count_texts
from specialize.pipes import regular
from specialize.vocab.audit.audit import audit
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

call = cli_calls.call  # fixture

TEXT = b"ab cd ef\nab cd\n\nab\n"


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A FIFO to which ``TEXT`` is written once."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=(TEXT,), daemon=True).start()
    return path


def test_a_file_is_no_pipe(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(TEXT)
    for path in (tmp_path / "a.txt", tmp_path, tmp_path / "none"):
        assert regular(path) == path


def test_a_pipe_is_read_once_and_then_from_its_copy(pipe: Path) -> None:
    assert regular(pipe).read_bytes() == TEXT
    assert regular(pipe) == regular(pipe)


def test_a_pipe_is_a_corpus_like_others(pipe: Path) -> None:
    corpus = opened(str(pipe))
    assert list(corpus.documents()) == [["ab cd ef", "ab cd"], ["ab"]]
    assert list(corpus) == ["ab cd ef", "ab cd", "ab"]
    assert dict(corpus.counts().tokens) == {"ab": 3, "cd": 2, "ef": 1}


@pytest.mark.parametrize("native", ["0", ""])
def test_the_tokens_of_a_pipe_are_counted(
    pipe: Path, native: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPECIALIZE_NATIVE", native)
    assert dict(count_texts([str(pipe)]).tokens) == {"ab": 3, "cd": 2, "ef": 1}


def test_a_path_given_as_a_string_may_be_a_pipe(pipe: Path) -> None:
    assert audit(WordPiece([*SPECIAL, "ab"]), str(pipe)).words == 6


def test_a_tokenizer_is_extended_for_a_pipe(
    pipe: Path, tmp_path: Path, base_folder: Path, call: Call
) -> None:
    (tmp_path / "a.txt").write_bytes(TEXT)
    options = ("--method", "extend", "--set", "min_count=1", "--out")
    files = [call("augment", base_folder, "--text", pipe, *options, tmp_path / "one")]
    files.append(
        call("augment", base_folder, "--text", tmp_path / "a.txt", *options, tmp_path / "b")
    )
    assert [found.code for found in files] == [0, 0]
    pieces = [(tmp_path / name / "pieces.tsv").read_bytes() for name in ("one", "b")]
    assert pieces[0] == pieces[1]


def test_a_minus_is_the_standard_input(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "specialize", "count", "-", "--out", "a.counts"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    subprocess.run(command, input=TEXT, cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "a.counts").read_text("utf-8").endswith("3\tab\n2\tcd\n1\tef\n")
