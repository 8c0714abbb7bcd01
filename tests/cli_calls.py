"""Calling the command line from tests: fixtures, a recipe and a treebank."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from specialize import cli
from specialize.toylang import ToyFiles

GOLD = """\
1\tOgüt\to\tPROPN\tN\t_\t2\tnsubj\t_\t_
2\tkeldi\tk\tVERB\tV\t_\t0\troot\t_\tSpaceAfter=No
3\t.\t.\tPUNCT\tY\t_\t2\tpunct\t_\t_

"""


class Outcome(NamedTuple):
    """What a command printed, and its exit code."""

    code: int | str | None
    out: str
    err: str


Call = Callable[..., Outcome]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Run a command line in this process, offline."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    terminate = signal.getsignal(signal.SIGTERM)

    def run(*words: object) -> Outcome:
        try:
            code: int | str | None = cli.main([str(word) for word in words])
        except SystemExit as stop:
            code = stop.code
        return Outcome(code, *capsys.readouterr())

    yield run
    signal.signal(signal.SIGTERM, terminate)


@pytest.fixture
def recipe(tmp_path: Path, base_folder: Path, toy: ToyFiles) -> Path:
    """A recipe that runs in a second: no LAPT, one task."""
    path = tmp_path / "toy.toml"
    files = "\n".join(f'{part} = "{getattr(toy, part)}"' for part in ("train", "dev", "test"))
    path.write_text(
        f'base = "{base_folder}"\n[corpus]\nfiles = ["{toy.corpus}"]\ndev = 0.2\n'
        "[finetune]\nepochs = 1\n[lapt]\nepochs = 1\nwarmup = 1\n"
        f"[arm.only]\nlapt = false\n[task.pos]\n{files}\n",
        "utf-8",
    )
    return path


def contents(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.rglob("*"))
