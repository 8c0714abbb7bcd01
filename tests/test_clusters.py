"""Stages as jobs of SLURM or Ray, each played by processes of this machine."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from specialize import clusters
from specialize.cli import main
from specialize.errors import DataError, SpecializeError
from specialize.executors import Executor, run_all
from specialize.progress import Log, Silent
from specialize.store import Stage, Store


def write(folder: Path, *, log: Log, text: str, sources: tuple[Path, ...] = ()) -> None:
    before = "".join((source / "out.txt").read_text("utf-8") for source in sources)
    (folder / "out.txt").write_text(before + text, "utf-8")


def fail(folder: Path, *, log: Log, error: Exception) -> None:
    raise error


def end(folder: Path, *, log: Log) -> None:
    os._exit(9)


def stage(text: str, *sources: Stage) -> Stage:
    return Stage("write", text, write, {"text": text, "sources": sources})


class Noting(Silent):
    """A log that keeps its lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


def _slurm() -> Executor:
    pytest.importorskip("submitit")
    return partial(clusters.slurm, cluster="local")


def _ray() -> Executor:
    pytest.importorskip("ray")
    return clusters.executor("ray")


@pytest.fixture(params=[_slurm, _ray], ids=["slurm", "ray"])
def executor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Executor]:
    tests = str(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", f"{tests}:{Path(__file__).parent.parent}")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found: Callable[[], Executor] = request.param
    yield found()
    if request.param is _ray:
        import ray

        ray.shutdown()


@pytest.mark.slow
def test_stages_run_as_jobs_and_their_errors_come_back(executor: Executor, tmp_path: Path) -> None:
    store = Store(tmp_path / "run")
    first = stage("a")
    wanted = [stage("b", first), stage("c", first)]
    last = stage("d", *wanted)
    finished: list[str] = []
    run_all(
        [last], store, Silent(), jobs=2, executor=executor, after=lambda s: finished.append(s.label)
    )
    assert (store.folder(last) / "out.txt").read_text("utf-8") == "abacd"
    assert (finished[0], sorted(finished[1:3]), finished[3]) == ("a", ["b", "c"], "d")

    bad = Stage("bad", "bad", partial(fail, error=DataError("a.txt:3: bad line")), {})
    with pytest.raises(DataError, match=r"a\.txt:3: bad line"):
        run_all([bad], store, Silent(), executor=executor)
    bug = Stage("bug", "bug", partial(fail, error=ValueError("a bug")), {})
    with pytest.raises(ValueError, match="a bug") as caught:
        run_all([bug], store, Silent(), executor=executor)
    assert "test_clusters.py" in caught.value.__notes__[0]

    log = Noting()
    gone = Stage("end", "ends early", end, {})
    with pytest.raises(SpecializeError, match="the job of ends early ended without a result"):
        run_all([gone], store, log, executor=executor)
    assert log.lines[0].startswith("ends early: ")


def test_a_missing_sbatch_or_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "run.toml"
    (tmp_path / "text.txt").write_text("a b c\n" * 40, "utf-8")
    recipe.write_text('base = "mini"\n[corpus]\nfiles = ["text.txt"]\n', "utf-8")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    command = ["run", str(recipe), "--out", str(tmp_path / "out"), "--executor"]
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main([*command, "ray"]) == 4
    assert "pip install specialize[ray]" in capsys.readouterr().err
    pytest.importorskip("submitit")
    assert main([*command, "slurm"]) == 4
    assert "there is no sbatch here" in capsys.readouterr().err
