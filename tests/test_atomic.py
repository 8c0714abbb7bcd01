"""Files and folders that appear whole or not at all: links, other writers, kills, the disk."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from specialize import atomic
from specialize.errors import UsageError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def hidden(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(".")]


def write_folder(path: Path, text: str, **options: bool) -> None:
    with atomic.whole_folder(path, **options) as partial:
        (partial / "a.txt").write_text(text, "utf-8")


# Whole or not at all


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    atomic.write_text(tmp_path / "file", "old")
    write_folder(tmp_path / "folder", "old")
    for write, name in ((atomic.whole_file, "file"), (atomic.whole_folder, "folder")):
        with pytest.raises(ValueError, match="half"), write(tmp_path / name) as partial:
            raise ValueError(f"half of {partial}")
    assert names(tmp_path) == ["file", "folder"]
    assert (tmp_path / "file").read_text("utf-8") == "old"
    assert (tmp_path / "folder" / "a.txt").read_text("utf-8") == "old"


def test_a_folder_is_replaced_with_all_that_was_in_it(tmp_path: Path) -> None:
    write_folder(tmp_path / "folder", "old")
    (tmp_path / "folder" / "b.txt").write_text("old", "utf-8")
    write_folder(tmp_path / "folder", "new")
    assert names(tmp_path) == ["folder"]
    assert names(tmp_path / "folder") == ["a.txt"]


def test_files_have_the_usual_mode(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("", "utf-8")
    atomic.write_text(tmp_path / "file", "")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_everything_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace

    def noting_fsync(descriptor: int) -> None:
        done.append(f"fsync {os.fstat(descriptor).st_ino}")
        fsync(descriptor)

    def noting_replace(source: Path, target: Path) -> None:
        done.append(f"replace {Path(target).name}")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noting_fsync)
    monkeypatch.setattr(os, "replace", noting_replace)
    atomic.write_text(tmp_path / "file", "a")
    parent = f"fsync {tmp_path.stat().st_ino}"
    file = f"fsync {(tmp_path / 'file').stat().st_ino}"
    assert done == [file, "replace file", parent]
    done.clear()
    write_folder(tmp_path / "folder", "a")
    inner = [tmp_path / "folder" / "a.txt", tmp_path / "folder"]
    synced = [f"fsync {path.stat().st_ino}" for path in inner]
    assert done == [*synced, "replace folder", parent]


def test_a_name_that_is_not_utf8_is_escaped(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.txt")
    atomic.write_json(tmp_path / "file", {"name": name, "text": "ⴰ"})
    assert atomic.read_json(tmp_path / "file") == {"name": name, "text": "ⴰ"}
    assert "ⴰ" in (tmp_path / "file").read_text("utf-8")
    atomic.write_text(tmp_path / "file", name)
    assert (tmp_path / "file").read_text("utf-8") == r"\udcff.txt"


# Planted names


@pytest.mark.parametrize("write", [atomic.write_text, write_folder])
def test_the_users_own_partial_folder_is_kept(write, tmp_path: Path) -> None:
    for name in ("out.partial", ".out.partial"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine").write_text("mine", "utf-8")
    write(tmp_path / "out", "text")
    for name in ("out.partial", ".out.partial"):
        assert (tmp_path / name / "mine").read_text("utf-8") == "mine"


@pytest.mark.parametrize("write", [atomic.write_text, write_folder])
@pytest.mark.parametrize("name", ["out.partial", "out", ".out.00000000.partial"])
def test_a_planted_link_is_not_followed(name: str, write, tmp_path: Path) -> None:
    for kind in ("file", "folder"):
        own = tmp_path / kind
        own.mkdir()
        victim = own / "victim"
        victim.mkdir() if kind == "folder" else victim.write_text("mine", "utf-8")
        (own / name).symlink_to(victim)
        if name == "out":
            with pytest.raises(UsageError, match="out is a symbolic link, which is not followed"):
                write(own / "out", "text")
        else:
            write(own / "out", "text")
        assert (own / name).is_symlink()
        assert victim.read_text("utf-8") == "mine" if kind == "file" else not names(victim)


def test_the_name_of_a_partial_is_never_one_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where it is guessed, the file is opened exclusively."""
    (tmp_path / "victim").write_text("mine", "utf-8")
    (tmp_path / f".out.{'00' * 4}.partial").symlink_to(tmp_path / "victim")
    monkeypatch.setattr(os, "urandom", bytes)
    with pytest.raises(FileExistsError):
        atomic.write_text(tmp_path / "out", "text")
    assert (tmp_path / "victim").read_text("utf-8") == "mine"


def test_only_regular_files_are_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, message in (("pipe", "is not a regular file"), (".", "is a folder")):
        with pytest.raises(UsageError, match=message):
            atomic.write_text(tmp_path / name, "text")
    atomic.write_text(tmp_path / "file", "text")
    with pytest.raises(UsageError, match="file is a file; name a folder"):
        write_folder(tmp_path / "file", "text")


# Other writers

WRITE = """\
import sys, time
from pathlib import Path
from specialize import atomic

kind, path, text = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
with getattr(atomic, kind)(path) as partial:
    if kind == "whole_folder":
        (partial / "a.txt").write_text(text)
    elif kind == "whole_file":
        partial.write_text(text)
    print("begun", flush=True)
    sys.stdin.read()
"""


@contextmanager
def writing(kind: str, path: Path, text: str = "theirs") -> Iterator["subprocess.Popen[str]"]:
    """Give a process that writes ``path`` until its input is closed."""
    command = [sys.executable, "-c", WRITE, kind, str(path), text]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("kind", ["whole_file", "whole_folder"])
def test_what_a_killed_process_left_is_removed_and_that_of_a_living_one_kept(
    kind: str, tmp_path: Path
) -> None:
    with writing(kind, tmp_path / "out") as killed, writing(kind, tmp_path / "out") as living:
        assert len(hidden(tmp_path)) == 2
        killed.send_signal(signal.SIGKILL)
        killed.wait(60)
        with getattr(atomic, kind)(tmp_path / "out"):
            assert len(hidden(tmp_path)) == 2  # its own and that of the living one
        living.communicate("", timeout=60)
        assert living.returncode == 0
    assert names(tmp_path) == ["out"]
    text = tmp_path / "out" / "a.txt" if kind == "whole_folder" else tmp_path / "out"
    assert text.read_text("utf-8") == "theirs"


def test_left_overs_of_other_targets_are_kept(tmp_path: Path) -> None:
    (tmp_path / ".other.0123abcd.partial").write_text("", "utf-8")
    atomic.write_text(tmp_path / "out", "text")
    assert names(tmp_path) == [".other.0123abcd.partial", "out"]
    atomic.remove_stale(tmp_path)
    assert names(tmp_path) == ["out"]


def test_a_folder_that_was_filled_meanwhile_is_kept(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="out is not an empty folder; name another --out"),
        atomic.whole_folder(tmp_path / "out", replace=False),
    ):
        write_folder(tmp_path / "out", "theirs", replace=False)
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "a.txt").read_text("utf-8") == "theirs"


def test_a_second_writer_is_refused_until_the_first_ends_or_dies(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with writing("only_writer", out) as first:
        with pytest.raises(UsageError, match="out: another process is writing it"):
            atomic.only_writer(tmp_path / "new" / ".." / "new" / "out").__enter__()
        with atomic.only_writer(tmp_path / "other"):
            pass
        first.send_signal(signal.SIGKILL)
        first.wait(60)
        with atomic.only_writer(out):
            pass
    assert names(tmp_path) == []  # neither a lock nor a folder


def test_a_file_with_many_writers_is_that_of_one(tmp_path: Path) -> None:
    texts = [letter * 300_000 for letter in "abcdefgh"]
    writers = [
        threading.Thread(target=atomic.write_json, args=(tmp_path / "out", text)) for text in texts
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert names(tmp_path) == ["out"]
    assert json.loads((tmp_path / "out").read_text("utf-8")) in texts
