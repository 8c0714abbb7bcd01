"""``specialize run`` in two processes: one run, one log, one message for one error."""

from pathlib import Path

import pytest
import torch
from cli_calls import recipe  # noqa: F401 (a fixture)
from two_processes import in_two

from specialize import atomic, cli
from specialize.errors import DataError
from specialize.train import language_model
from specialize.train.distributed import rank

LAPT = ["lapt.steps=4", "lapt.epochs=1", "lapt.length=32", "arm.only.lapt=true"]


def command(recipe: Path, out: Path) -> list[str]:  # noqa: F811
    options = [word for value in LAPT for word in ("--set", value)]
    return ["run", str(recipe), "--out", str(out), *options]


def test_the_first_process_does_and_says_all(recipe: Path, tmp_path: Path) -> None:  # noqa: F811
    words = command(recipe, tmp_path / "out")
    first, second = in_two(lambda: cli.main(words), tmp_path / "logs")
    assert (first.code, second) == (0, (0, "", ""))
    assert "only: LAPT: 2 processes share each batch (gloo)" in first.err
    assert first.err.count("only: LAPT: epoch 1 of 1") == 1
    assert f"model: {tmp_path / 'out' / 'model'}" in first.out
    (model,) = (tmp_path / "out" / "stages").glob("model-*")
    history = atomic.read_json(model / "history.json")
    assert [epoch.get("processes") for epoch in history] == [None, 2]


def test_an_error_of_the_second_is_said_once(
    recipe: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loss_sum = language_model.loss_sum

    def failing(*given: torch.Tensor) -> torch.Tensor:
        if rank():
            raise DataError("ids.bin: cannot be read any more")
        return loss_sum(*given)

    monkeypatch.setattr(language_model, "loss_sum", failing)
    words = command(recipe, tmp_path / "out")
    first, second = in_two(lambda: cli.main(words), tmp_path / "logs")
    assert (first.code, second.code) == (1, 3)
    assert "specialize: " not in first.err
    assert second.err == "specialize: process 1: ids.bin: cannot be read any more\n"


def test_other_commands_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"WORLD_SIZE": 2, "MASTER_ADDR": "localhost", "LOCAL_RANK": 0}.items():
        monkeypatch.setenv(name, str(value))
    for rank_, message in (("0", f"specialize: {cli.ALONE}\n"), ("1", "")):
        monkeypatch.setenv("RANK", rank_)
        assert cli.main(["doctor"]) == 2
        assert capsys.readouterr() == ("", message)
