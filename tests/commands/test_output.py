"""What commands write: one writer, no input overwritten, any encoding of names and terminal."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import cli_calls
import pytest
from cli_calls import Call

from specialize import atomic
from specialize.corpus.count_files import read_counts
from specialize.toylang import ToyFiles

call = cli_calls.call  # fixture


def start(*words: object, env: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "specialize", *map(str, words)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | (env or {}),
    )


def test_an_output_that_another_process_writes_is_refused(
    call: Call, base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    out = tmp_path / "out.counts"
    with atomic.only_writer(out):
        for words in (
            ["count", toy.corpus, "--out", out],
            ["inspect", base_folder, "--text", toy.corpus, "--html", out],
            ["augment", base_folder, "--text", toy.corpus, "--out", out],
            ["predict", tmp_path, toy.dev, "--out", out],
        ):
            done = call(*words)
            assert (done.code, done.out) == (2, "")
            assert "out.counts: another process is writing it; wait for that" in done.err
    assert list(tmp_path.iterdir()) == []
    assert call("count", toy.corpus, "--out", out).code == 0


@pytest.mark.parametrize("command", ["count", "augment"])
def test_of_two_processes_one_writes_and_the_other_is_refused_or_second(
    command: str, base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    out = tmp_path / ("out.counts.xz" if command == "count" else "out")
    words = {
        "count": ["count", toy.corpus],
        "augment": ["augment", base_folder, "--set", "new_vocabulary=300", "--text", toy.corpus],
    }[command]
    both = [start(*words, "--out", out) for _ in range(2)]
    answers = [process.communicate() for process in both]
    codes = [process.returncode for process in both]
    assert 0 in codes, answers
    for code, (_, error) in zip(codes, answers, strict=True):
        assert code == 0 or (code == 2 and ("another process" in error or "not an empty" in error))
    assert command == "count" or codes.count(0) == 1
    assert [path.name for path in tmp_path.iterdir()] == [out.name]
    if command == "count":
        assert read_counts(out).tokens
    else:
        assert {"vocab.txt", "tokenizer.json", "manifest.json"} <= {p.name for p in out.iterdir()}


def test_names_that_are_not_utf8_are_read_written_and_shown(
    call: Call, base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    folder = tmp_path / os.fsdecode(b"\xe9t\xe9")
    folder.mkdir()
    text, page = folder / os.fsdecode(b"\xff.txt"), folder / "page.html"
    text.write_bytes(toy.corpus.read_bytes())
    counted = call("count", text, "--out", folder / "a.counts")
    assert counted.code == 0, counted.err
    assert counted.out.endswith("\\udce9t\\udce9/a.counts\n")
    shown = call("inspect", base_folder, "--text", text, "--html", page, "--json")
    assert shown.code == 0, shown.err
    assert json.loads(shown.out)["text"] == str(text)
    assert r"\udcff.txt" in page.read_text("utf-8")
    words = ["augment", base_folder, "--set", "new_vocabulary=300", "--text", text]
    done = call(*words, "--out", tmp_path / "new")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "new" / "manifest.json").read_text("utf-8"))["inputs"]["text"]
    assert call("inspect", tmp_path / "new", "--text", text).code == 0


def test_a_library_that_takes_no_such_name_is_no_traceback(
    call: Call, base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    for file in base_folder.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    done = call("inspect", folder, "--text", toy.corpus)
    assert done.code == 0 or (done.code == 3 and "not UTF-8; rename" in done.err)


def test_results_are_whole_on_a_terminal_of_another_encoding(
    base_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.txt").write_text("ⴰⴱ 𐐷\n", "utf-8")
    words = ("inspect", base_folder, "--text", tmp_path / "text.txt")
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    with start(*words, "--json", env=ascii_only) as process:
        out, error = process.communicate()
    assert process.returncode == 0, error
    assert {"ⴰ", "𐐷"} <= set(json.loads(out)["missing"])
    with start(*words, env=ascii_only) as process:
        out, error = process.communicate()
    assert (process.returncode, error) == (0, "")
    assert "\\u2d30(U+2D30)" in out
