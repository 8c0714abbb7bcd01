"""Stages: done once, keyed by content, resumed, shared by processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest

from specialize.errors import DataError, UsageError
from specialize.executors import run_all, unique
from specialize.progress import Silent
from specialize.store import Stage, Store


def write(folder: Path, *, log: object, text: str, source: Path | None = None) -> None:
    """Write the text of ``source`` plus ``text``, and count the calls beside the folder."""
    before = ""
    if source:
        before = (source / "out.txt" if source.is_dir() else source).read_text("utf-8")
    (folder / "out.txt").write_text(before + text, "utf-8")
    with (folder.parent / "calls.txt").open("a", encoding="utf-8") as calls:
        calls.write(f"{text}\n")


def fail(folder: Path, *, log: object, again: bool) -> None:
    """Write part of the result and fail, the first time."""
    if not (folder / "kept").exists():
        (folder / "kept").write_text("half", "utf-8")
        raise ValueError("the first time")
    (folder / "out.txt").write_text((folder / "kept").read_text("utf-8") + " done", "utf-8")


def stage(text: str, **arguments: object) -> Stage:
    return Stage("write", f"write {text}", write, {"text": text, **arguments})


def calls(store: Store) -> list[str]:
    file = store.root / "calls.txt"
    return file.read_text("utf-8").split() if file.exists() else []


def test_a_stage_is_done_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = store.run(stage("a"), Silent())
    assert (first / "out.txt").read_text("utf-8") == "a"
    assert Store(tmp_path).run(stage("a"), Silent()) == first
    assert calls(store) == ["a"]
    record = store.record(stage("a"))
    assert (record.name, record.label, record.arguments) == ("write", "write a", {"text": "a"})
    assert record.seconds >= 0


def test_needs_are_done_first_and_shared(tmp_path: Path) -> None:
    store = Store(tmp_path)
    base = stage("a")
    left, right = stage("b", source=base), stage("c", source=stage("a"))
    assert [s.label for s in unique([left, right], store)] == ["write a", "write b", "write c"]
    run_all([left, right], store, Silent())
    assert calls(store) == ["a", "b", "c"]
    assert (store.folder(right) / "out.txt").read_text("utf-8") == "ac"


def test_changed_content_gives_another_stage_and_the_old_one_stays(tmp_path: Path) -> None:
    file = tmp_path / "input.txt"
    file.write_text("one ", "utf-8")
    old = Store(tmp_path).run(stage("a", source=file), Silent())
    file.write_text("two ", "utf-8")
    new = Store(tmp_path).run(stage("a", source=file), Silent())
    assert [(f / "out.txt").read_text("utf-8") for f in (old, new)] == ["one a", "two a"]
    file.write_text("one ", "utf-8")
    assert Store(tmp_path).run(stage("a", source=file), Silent()) == old


def test_the_key_depends_on_content_and_not_on_the_folder(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "input.txt").write_text("same", "utf-8")
    store = Store(tmp_path)
    keys = [store.key(stage("a", source=tmp_path / name / "input.txt")) for name in ("x", "y")]
    assert keys[0] == keys[1]
    assert store.key(stage("a", source=tmp_path / "x")) == store.key(
        stage("a", source=tmp_path / "x")
    )


@dataclass(frozen=True)
class Options:
    rate: float = 0.1
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Named:
    """A value that defines its own key."""

    label: str
    value: int

    def key_parts(self) -> object:
        return {"value": self.value}


def test_every_argument_enters_the_key(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def key(**arguments: object) -> str:
        return store.key(stage("a", **arguments))

    different = [
        key(),
        key(options=Options()),
        key(options=Options(rate=0.2)),
        key(options=Options(names=("x",))),
        key(options={"rate": 0.1}, more=[1, None, True]),
        key(named=Named("x", 1)),
        key(named=Named("x", 2)),
        key(needs=stage("b")),
        key(needs=[stage("b"), stage("c")]),
    ]
    assert len(set(different)) == len(different)
    assert key(named=Named("y", 1)) == key(named=Named("x", 1))
    again = Stage("write", "another label", write, {"text": "a"}, version=2)
    assert store.key(again) != store.key(stage("a"))
    assert store.key(Stage("write", "another label", write, {"text": "a"})) == key()
    with pytest.raises(TypeError, match="a stage's argument cannot be a object"):
        key(odd=object())


def test_an_interrupted_stage_finds_its_partial_result(tmp_path: Path) -> None:
    store, broken = Store(tmp_path), Stage("fail", "fail", fail, {"again": True})
    with pytest.raises(ValueError, match="the first time"):
        store.run(broken, Silent())
    assert not store.done(broken)
    assert store.partial(broken).is_dir()
    folder = store.run(broken, Silent())
    assert sorted(p.name for p in folder.iterdir()) == ["kept", "out.txt", "stage.json"]
    assert (folder / "out.txt").read_text("utf-8") == "half done"


def test_a_discarded_stage_is_done_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.run(stage("a"), Silent())
    store.discard(stage("a"))
    assert not store.done(stage("a"))
    store.run(stage("a"), Silent())
    assert calls(store) == ["a", "a"]


# Processes ----------------------------------------------------------------------------------------

HOLD = """\
import sys, time
from pathlib import Path
from specialize.progress import Silent
from specialize.store import Stage, Store

def hold(folder, *, log, seconds):
    print("begun", flush=True)
    time.sleep(seconds)
    (folder / "out.txt").write_text("held", "utf-8")

Store(Path(sys.argv[1])).run(Stage("hold", "hold", hold, {"seconds": float(sys.argv[2])}), Silent())
print("ended", flush=True)
"""


def start(root: Path, seconds: float) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", HOLD, str(root), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


class Noting(Silent):
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    @contextmanager
    def stage(self, label: str):
        self.lines.append(f"stage {label}")
        yield


def hold(folder: Path, *, log: object, seconds: float) -> None:
    raise AssertionError("the other process does it")


def test_a_second_process_waits_and_reuses_the_first_ones_result(tmp_path: Path) -> None:
    with start(tmp_path, 1.0) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "begun\n"
        log = Noting()
        folder = Store(tmp_path).run(Stage("hold", "hold", hold, {"seconds": 1.0}), log)
        assert (folder / "out.txt").read_text("utf-8") == "held"
        assert log.lines == ["hold: waiting for another process that works on it"]
        assert first.wait(60) == 0


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    with start(tmp_path, 600.0) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "begun\n"
        first.send_signal(signal.SIGKILL)
    done: list[float] = []
    again = Stage("hold", "hold", lambda folder, *, log, seconds: done.append(seconds), {})
    again = Stage("hold", "hold", again.make, {"seconds": 600.0})
    Store(tmp_path).run(again, Silent())
    assert done == [600.0]


def test_independent_stages_run_in_processes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    base = stage("a")
    wanted = [stage(text, source=base) for text in "bcd"]
    run_all(wanted, store, Silent(), jobs=2)
    texts = [(store.folder(s) / "out.txt").read_text("utf-8") for s in wanted]
    assert texts == ["ab", "ac", "ad"]
    assert sorted(calls(store)) == ["a", "b", "c", "d"]


def test_an_error_in_a_process_reaches_the_caller(tmp_path: Path) -> None:
    store = Store(tmp_path)
    stages = [stage("a"), Stage("fail", "fail", fail, {"again": True})]
    with pytest.raises(ValueError, match="the first time"):
        run_all(stages, store, Silent(), jobs=2)


def test_stages_that_end_together_with_a_failed_one_are_noted(tmp_path: Path) -> None:
    class Done(NamedTuple):
        error: Exception | None

        def done(self) -> bool:
            return True

        def result(self) -> Exception | None:
            return self.error

    def start(store: Store, stage: Stage) -> Done:
        return Done(
            ValueError("odd") if stage.name == "fail" else store.run(stage, Silent()) and None
        )

    store, finished = Store(tmp_path), []
    stages = [Stage("fail", "fail", fail, {"again": True}), stage("a")]
    with pytest.raises(ValueError, match="odd"):
        run_all(
            stages,
            store,
            Silent(),
            jobs=2,
            executor=lambda store, jobs: nullcontext(start),
            after=lambda stage: finished.append(stage.label),
        )
    assert finished == ["write a"]


def test_only_one_run_at_a_time_is_alone(tmp_path: Path) -> None:
    first, second = Store(tmp_path), Store(tmp_path)
    with first.in_use():
        with second.in_use(), first.alone() as alone:
            assert not alone
        with first.alone() as alone:
            assert alone


def test_fingerprints_are_remembered_and_follow_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "input.txt"
    file.write_text("one", "utf-8")
    monkeypatch.setattr(
        "specialize.fingerprints._RACY", -1.0
    )  # a new file's time may be trusted here
    store = Store(tmp_path)
    store.run(stage("a", source=file), Silent())
    known = json.loads((store.root / "fingerprints.json").read_text("utf-8"))
    assert list(known) == [str(file)]
    before, state = store.key(stage("a", source=file)), file.stat()
    time.sleep(0.02)  # the file's times must differ
    file.write_text("two", "utf-8")
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))  # same size, same modification time
    assert Store(tmp_path).key(stage("a", source=file)) != before


def test_a_new_file_is_hashed_each_time(tmp_path: Path) -> None:
    """Within the resolution of its times it may change and look the same."""
    file = tmp_path / "input.txt"
    file.write_text("one", "utf-8")
    store = Store(tmp_path)
    store.run(stage("a", source=file), Silent())
    assert not (store.root / "fingerprints.json").exists()


def change_input(folder: Path, *, log: object, source: Path) -> None:
    """Read the input, then change it, as an editor might meanwhile."""
    (folder / "out.txt").write_text(source.read_text("utf-8"), "utf-8")
    source.write_text("two", "utf-8")


def test_an_input_that_changes_while_a_stage_runs_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "input.txt"
    file.write_text("one", "utf-8")
    store = Store(tmp_path)
    changing = Stage("change", "change", change_input, {"source": file})
    with pytest.raises(DataError, match="change: an input changed while it was read"):
        store.run(changing, Silent())
    assert not store.done(changing)
    assert not store.partial(changing).exists()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"name": 1}'])
def test_a_damaged_record_is_done_again(text: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    folder = store.run(stage("a"), Silent())
    (folder / "stage.json").write_text(text, "utf-8")
    assert not store.done(stage("a"))
    store.run(stage("a"), Silent())
    assert calls(store) == ["a", "a"]
    (store.root / "fingerprints.json").write_text(text, "utf-8")
    assert Store(tmp_path).done(stage("a"))


# Damaged outputs


def truncate(file: Path) -> str:
    with file.open("r+b") as opened:
        opened.truncate(1)
    return "has 1 bytes instead of 3"


def blank(file: Path) -> str:
    """As after a power cut: the size is right, the content is not."""
    file.write_bytes(bytes(3))
    return "has changed since it was written"


def lose(file: Path) -> str:
    file.unlink()
    return "is missing"


@pytest.mark.parametrize("damage", [truncate, blank, lose])
def test_a_damaged_output_is_named_and_the_stage_done_again(damage, tmp_path: Path) -> None:
    folder = Store(tmp_path).run(stage("abc"), Silent())
    file = folder / "out.txt"
    time.sleep(0.02)  # the file's times must differ
    what = damage(file)
    store, log = Store(tmp_path), Noting()
    assert not store.done(stage("abc"))
    assert store.run(stage("abc"), log) == folder
    assert log.lines == [f"write abc: {file} {what}; doing it again", "stage write abc"]
    assert file.read_text("utf-8") == "abc"
    assert store.done(stage("abc"))


def test_a_damaged_output_is_repaired_before_it_is_used(tmp_path: Path) -> None:
    base = Store(tmp_path).run(stage("abc"), Silent())
    truncate(base / "out.txt")
    store, after = Store(tmp_path), stage("d", source=stage("abc"))
    run_all([after], store, Silent())
    assert (store.folder(after) / "out.txt").read_text("utf-8") == "abcd"
    assert calls(store) == ["abc", "abc", "d"]


def test_a_copy_of_a_stage_is_as_good(tmp_path: Path) -> None:
    folder = Store(tmp_path / "a").run(stage("abc"), Silent())
    shutil.copytree(tmp_path / "a", tmp_path / "b", copy_function=shutil.copyfile)
    copied = tmp_path / "b" / "stages" / folder.name / "out.txt"
    os.utime(copied, (0, 0))
    assert Store(tmp_path / "b").done(stage("abc"))
    copied.write_text("abd", "utf-8")
    assert not Store(tmp_path / "b").done(stage("abc"))


def nest(folder: Path, *, log: object) -> None:
    for name in ("kept", "large"):
        (folder / name).mkdir()
        (folder / name / "out.txt").write_text(name, "utf-8")


def test_a_folder_dropped_on_purpose_is_not_missed(tmp_path: Path) -> None:
    store, nested = Store(tmp_path), Stage("nest", "nest", nest, {})
    folder = store.run(nested, Silent())
    store.drop(nested, "large")
    assert not (folder / "large").exists()
    assert Store(tmp_path).done(nested)
    (folder / "kept" / "out.txt").unlink()
    assert not Store(tmp_path).done(nested)
    store.run(nested, Silent())
    assert (folder / "large" / "out.txt").read_text("utf-8") == "large"


def test_everything_is_on_the_disk_before_the_stage_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    synced: list[int] = []
    fsync = os.fsync

    def noting(descriptor: int) -> None:
        if not store.done(stage("a")):
            synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    folder = store.run(stage("a"), Silent())
    assert {path.stat().st_ino for path in (folder, *folder.iterdir())} <= set(synced)


def test_partials_of_a_killed_process_do_not_stay(tmp_path: Path) -> None:
    store = Store(tmp_path)
    inner = store.partial(stage("a")) / "model"
    inner.mkdir(parents=True)
    (inner / ".out.txt.0123abcd.partial").write_text("half", "utf-8")
    (store.partial(stage("a")) / ".elapsed.json").write_text("[1.0, ", "utf-8")
    folder = store.run(stage("a"), Silent())
    assert sorted(path.name for path in folder.rglob("*")) == ["model", "out.txt", "stage.json"]


def test_a_planted_link_is_not_filled(tmp_path: Path) -> None:
    store, victim = Store(tmp_path), tmp_path / "victim"
    victim.mkdir()
    store.root.mkdir()
    store.partial(stage("a")).symlink_to(victim)
    with pytest.raises(UsageError, match="is a symbolic link, which is not followed"):
        store.run(stage("a"), Silent())
    assert list(victim.iterdir()) == []


def fail_once(folder: Path, *, log: object, source: Path) -> None:
    """Keep part of the input, fail the first time, then add the rest of the input."""
    text, kept = source.read_text("utf-8"), folder / "kept"
    if not kept.exists():
        kept.write_text(text[:3], "utf-8")
        raise ValueError("the first time")
    (folder / "out.txt").write_text(kept.read_text("utf-8") + text[3:], "utf-8")


def test_an_input_that_changes_before_a_resume_is_not_mixed_with_the_old(tmp_path: Path) -> None:
    file = tmp_path / "input.txt"
    for text in ("one", "two"):
        file.write_text(f"{text} {text}", "utf-8")
        with pytest.raises(ValueError, match="the first time"):
            Store(tmp_path).run(Stage("mix", "mix", fail_once, {"source": file}), Silent())
    folder = Store(tmp_path).run(Stage("mix", "mix", fail_once, {"source": file}), Silent())
    assert (folder / "out.txt").read_text("utf-8") == "two two"
