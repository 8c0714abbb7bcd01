"""Files for TensorBoard: what is in them, and when they are written."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cli_calls
import pytest
from cli_calls import Call, contents

from specialize import atomic
from specialize.progress import Silent
from specialize.tensorboard import event_files

call, recipe = cli_calls.call, cli_calls.recipe  # fixtures

LAPT = {"time": 5.0, "stage": "tva: LAPT"}
ROWS = [
    LAPT | {"warmup": 3},
    LAPT | {"epoch": 0, "steps": 0, "train_loss": None, "score": 2.5, "seconds": 0.0},
    LAPT | {"step": 7, "steps": 40, "loss": 3.0, "tokens": 700.0, "padding": 0.25},
    LAPT | {"epoch": 2, "steps": 20, "train_loss": 2.0, "score": 1.5, "seconds": 9.0},
    LAPT | {"seconds": 30.0},
]
Scalars = dict[str, list[tuple[str, float, int]]]  # by folder: name, value, step


@pytest.fixture
def scalars(monkeypatch: pytest.MonkeyPatch) -> Scalars:
    """What was added by a writer in place of TensorBoard's, which may be missing."""
    found: Scalars = {}

    class Writer:
        def __init__(self, folder: str) -> None:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.added = found.setdefault(folder, [])

        def add_scalar(self, name: str, value: float, step: int, *, walltime: float) -> None:
            self.added.append((name, value, step))

        def flush(self) -> None: ...

        def close(self) -> None: ...

    module = ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = Writer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    return found


@pytest.fixture
def append(tmp_path: Path) -> Callable[..., None]:
    (tmp_path / "stages").mkdir()

    def rows(*found: dict, end: str = "\n") -> None:
        with (tmp_path / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write("\n".join(map(json.dumps, found)) + end)

    return rows


def test_figures_are_written_by_stage_and_step_each_once(
    scalars: Scalars, append: Callable[..., None], tmp_path: Path
) -> None:
    append(*ROWS[:3])
    with event_files(tmp_path, Silent()):
        append(ROWS[3], ROWS[4], end="\n{cut off")
    lapt = str(tmp_path / "tensorboard/tva/LAPT")
    assert scalars == {
        lapt: [
            ("stage/warmup", 3, 0),
            ("score", 2.5, 0),
            ("seconds", 0.0, 0),
            ("loss", 3.0, 7),
            ("tokens", 700.0, 7),
            ("padding", 0.25, 7),
            ("train_loss", 2.0, 40),
            ("score", 1.5, 40),
            ("seconds", 9.0, 40),
            ("stage/seconds", 30.0, 0),
        ]
    }
    scalars.clear()
    with event_files(tmp_path, Silent()):
        append({"time": 6.0, "stage": "", "warmup": 1})  # behind what was cut off: no row
        append({"time": 6.0, "stage": "", "warmup": 2})
        append({"time": 6.0, "stage": "tva: text", "seconds": 1.0})  # nothing to watch
    assert scalars == {str(tmp_path / "tensorboard/run"): [("stage/warmup", 2, 0)]}


def test_a_folder_that_holds_no_run_is_left_alone(scalars: Scalars, tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"mine": 1}\n', "utf-8")
    with event_files(tmp_path, Silent()):
        pass
    assert (scalars, contents(tmp_path)) == ({}, [str(tmp_path / "metrics.jsonl")])


def test_a_full_disk_ends_the_files_and_not_the_work(
    scalars: Scalars, append: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []

    class Noted(Silent):
        def say(self, text: str) -> None:
            lines.append(text)

    def full(path: Path, value: object) -> None:
        raise OSError(28, "No space left on device")

    append(ROWS[2])
    monkeypatch.setattr(atomic, "write_json", full)
    with event_files(tmp_path, Noted()):
        pass
    assert lines == ["no more files for TensorBoard: [Errno 28] No space left on device"]


def test_the_extra_is_named_before_work_starts(
    call: Call, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    before = contents(tmp_path)
    refused = call("run", recipe, "--out", tmp_path / "run", "--tensorboard")
    assert refused.code == 4
    assert "pip install specialize[tensorboard]" in refused.err
    assert contents(tmp_path) == before


def test_tensorboard_reads_what_was_written(append: Callable[..., None], tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    append(*ROWS)
    with event_files(tmp_path, Silent()):
        pass
    read = EventAccumulator(str(tmp_path / "tensorboard" / "tva" / "LAPT"))
    read.Reload()
    assert "loss" in read.Tags()["scalars"]
    scores = [(e.step, e.value, e.wall_time) for e in read.Scalars("score")]
    assert scores == [(0, 2.5, 5.0), (40, 1.5, 5.0)]
