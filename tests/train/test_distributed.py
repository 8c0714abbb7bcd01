"""LAPT in two processes: the loss and weights of one, whatever is cut, resumed or fails."""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from two_processes import Ended, in_two

from specialize import cli
from specialize.augment import tva
from specialize.corpus import CorpusFiles
from specialize.corpus.prepare import Prepared, prepare
from specialize.embed import mean
from specialize.errors import DataError
from specialize.model.install import install
from specialize.model.language_model import tables
from specialize.model.load import Checkpoint, load_checkpoint
from specialize.progress import Log, Silent
from specialize.toylang import ToyFiles
from specialize.train import distributed, language_model
from specialize.train.distributed import follow, joined, rank, together, world
from specialize.train.lapt import Lapt, lapt
from specialize.vocab.framing import moved

# steps of 79, 79 and 1 of the 159 sequences, none of which two processes can share equally
PLAN = Lapt(
    epochs=3, batch=79, length=32, rate=1e-2, fresh_rate=2.0, dev_lines=20, precision="float32"
)
SHARDED = replace(PLAN, shard=True)
LOSS_SUM, CALL = language_model.loss_sum, 4  # of the fifth step, the second of the second epoch
Result = tuple[dict[str, torch.Tensor], list[dict[str, Any]]]


class Said(Silent):
    """A log on stderr."""

    def say(self, text: str) -> None:
        print(text, file=sys.stderr)


def out_of_memory() -> None:
    raise torch.OutOfMemoryError("out of memory")


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def fail() -> None:
    raise DataError("text.txt: cannot be read any more")


def train(
    *,
    log: Log,
    base: Path,
    text: Path,
    folder: Path,
    plan: Lapt,
    disturb: Callable[[], None] | None = None,
) -> Result:
    """Return weights and history of LAPT, with which something happens in the last process."""
    folder.mkdir(exist_ok=True)
    read, loaded = Prepared(text), load_checkpoint(base)
    change = tva.change(loaded.vocabulary, read.train, pieces=10)
    install(loaded.model, change, mean.init(tables(loaded.model), change, []))
    checkpoint = Checkpoint(loaded.model, change.new, moved(loaded.framing, change), folder)
    calls = iter(range(100_000))

    def loss_sum(*given: Any) -> torch.Tensor:
        if next(calls) == CALL and disturb and rank() == world() - 1:
            disturb()
        return LOSS_SUM(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language_model, "loss_sum", loss_sum)
        history = lapt(checkpoint, change, read, plan, seed=1, folder=folder, log=log)
    return loaded.model.state_dict(), [epoch.to_json() for epoch in history]


Job = tuple[str, Lapt, Callable[[], None] | None]  # folder, plan, what happens
Given = dict[str, Path]


def do(given: Given, folder: Path, jobs: list[Job]) -> None:
    """Train in this process and others together, and write the results."""
    signal.signal(signal.SIGTERM, cli._terminate)
    with joined() as first:
        if not first:
            return follow()
        for name, plan, disturb in jobs:
            at = {"folder": folder / name, "plan": plan, "disturb": disturb}
            torch.save(together(train, log=Said(), **given, **at), folder / f"{name}.pt")
    return None


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("two")


@pytest.fixture(scope="module")
def given(toy: ToyFiles, base_folder: Path, folder: Path) -> Given:
    prepare(CorpusFiles((str(toy.corpus),), dev=0.2), (), folder / "text", lambda line: None)
    return {"base": base_folder, "text": folder / "text"}


@pytest.fixture(scope="module")
def one(given: Given, folder: Path) -> Result:
    return train(log=Silent(), folder=folder / "one", plan=PLAN, **given)


@pytest.fixture(scope="module")
def ended(given: Given, folder: Path) -> list[Ended]:
    """Two processes that train, run out of memory and at last are terminated."""
    jobs = [
        ("plain", PLAN, None),
        ("sharded", SHARDED, None),
        ("memory", PLAN, out_of_memory),
        ("cut", SHARDED, terminate),
    ]
    return in_two(lambda: do(given, folder, jobs), folder / "ended")


@pytest.fixture(scope="module")
def resumed(given: Given, folder: Path, ended: list[Ended]) -> list[Ended]:
    """Two processes that go on where those were terminated, one of which fails at last."""
    for name in ("again", "unsharded", "alone"):
        shutil.copytree(folder / "cut", folder / name)
    jobs = [("again", SHARDED, None), ("unsharded", PLAN, None), ("failed", PLAN, fail)]
    return in_two(lambda: do(given, folder, jobs), folder / "resumed")


def assert_equal(found: Result, expected: Result, processes: int = 2) -> None:
    """Compare within what the order of float32 sums allows after all steps."""
    for name, tensor in expected[0].items():
        torch.testing.assert_close(found[0][name], tensor, rtol=0, atol=2e-6)
    for epoch, other in zip(found[1][1:], expected[1][1:], strict=True):
        assert epoch["train_loss"] == pytest.approx(other["train_loss"], rel=1e-6)
        assert epoch["score"] == pytest.approx(other["score"], rel=1e-6)
    assert found[1][-1].get("processes", 1) == processes


@pytest.mark.parametrize("count", [1, 2, 5, 32])
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_each_row_of_a_batch_is_read_once(
    count: int, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = []
    for number in range(processes):
        monkeypatch.setattr(distributed, "rank", lambda number=number: number)
        monkeypatch.setattr(distributed, "world", lambda: processes)
        shares.append(distributed.share(count).tolist())
    assert [row for share in shares for row in share if row >= 0] == list(range(count))
    assert len(set(map(len, shares))) == 1


@pytest.mark.usefixtures("ended")
@pytest.mark.parametrize("name", ["plain", "sharded", "memory"])
def test_two_processes_learn_what_one_learns(name: str, folder: Path, one: Result) -> None:
    assert_equal(torch.load(folder / f"{name}.pt"), one)


def test_a_signal_to_one_process_ends_all_and_only_the_first_speaks(
    ended: list[Ended], folder: Path
) -> None:
    assert [(end.code, end.out) for end in ended] == [(143, ""), (143, "")]
    assert ended[0].err.count("2 processes share each batch (gloo)") == 4
    assert ended[1].err == ""
    saved = torch.load(folder / "cut" / "checkpoint.pt")
    assert (saved["processes"], saved["step"]) == (2, CALL + 1)
    assert not (folder / "cut.pt").exists()


@pytest.mark.usefixtures("resumed")
@pytest.mark.parametrize(("name", "exactly"), [("again", True), ("unsharded", False)])
def test_two_processes_resume_where_they_were_cut(
    name: str, exactly: bool, folder: Path, one: Result
) -> None:
    found, whole = torch.load(folder / f"{name}.pt"), torch.load(folder / "sharded.pt")
    assert_equal(found, one)
    if exactly:
        assert all(torch.equal(found[0][name], whole[0][name]) for name in whole[0])


@pytest.mark.usefixtures("resumed")
def test_one_process_resumes_what_two_began_and_says_so(
    given: Given, folder: Path, one: Result, capsys: pytest.CaptureFixture[str]
) -> None:
    found = train(log=Said(), folder=folder / "alone", plan=SHARDED, **given)
    assert_equal(found, one, processes=1)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("lapt.shard: one process holds all parameters; ")
    assert "begun by 2 processes, continued by 1 process: " in lines[2]


@pytest.mark.parametrize("plan", [PLAN, SHARDED], ids=["plain", "sharded"])
def test_a_batch_without_a_question_changes_nothing(
    plan: Lapt, given: Given, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = language_model._mask

    def nothing_in_the_fourth(*given: Any) -> tuple[torch.Tensor, torch.Tensor]:
        inputs, chosen = drawn(*given)
        return inputs, chosen & (given[-1][1] != 3)

    monkeypatch.setattr(language_model, "_mask", nothing_in_the_fourth)
    name = f"silent-{plan.shard}"
    ends = in_two(lambda: do(given, folder, [(name, plan, None)]), folder / f"ends-{name}")
    assert [end.code for end in ends] == [0, 0]
    whole = train(log=Silent(), folder=folder / f"{name}-one", plan=PLAN, **given)
    assert_equal(torch.load(folder / f"{name}.pt"), whole)


def test_the_error_of_one_process_ends_all_and_is_the_only_one(resumed: list[Ended]) -> None:
    first, second = resumed
    assert first.code == 1
    assert "Error" not in first.err
    last = second.err.splitlines()[-1]
    assert last.endswith("DataError: process 1: text.txt: cannot be read any more")
