"""Progress lines and metrics, written to memory."""

import io
import json
import time
from pathlib import Path

import pytest
import torch

from specialize import progress
from specialize.progress import Printer, duration, terminal_log


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def wait_for(out: io.StringIO, text: str) -> None:
    for _ in range(500):
        if text in out.getvalue():
            return
        time.sleep(0.01)
    raise AssertionError(f"{text!r} is not in {out.getvalue()!r}")


def wait_for_rows(metrics: Path, step: int) -> None:
    for _ in range(500):
        if metrics.exists() and f'"step": {step}' in metrics.read_text("utf-8"):
            return
        time.sleep(0.01)
    raise AssertionError(f"no row of step {step}")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "LIVE", 0.01)
    monkeypatch.setattr(progress, "LINE", 0.05)


def test_lines_carry_seconds_and_stages_their_time() -> None:
    out = io.StringIO()
    log = Printer(out, None)
    log.say("hello")
    with log.stage("tva: LAPT"):
        pass
    log.stop()
    assert out.getvalue().splitlines() == ["     0s  hello", "     0s  tva: LAPT: done in 0.0 s"]


@pytest.mark.usefixtures("quick")
def test_a_silent_stage_still_shows_that_it_runs() -> None:
    out = io.StringIO()
    log = Printer(out, None)
    with log.stage("tva: vocabulary"):
        wait_for(out, "tva: vocabulary: 0.")
    log.stop()


@pytest.mark.usefixtures("quick")
def test_steps_show_rate_loss_and_time_left(tmp_path: Path) -> None:
    out = io.StringIO()
    log = Printer(out, tmp_path / "metrics.jsonl")
    log.left = 3600.0
    with log.stage("tva: LAPT"):
        log.step(0, 1000, loss=9.0, tokens=0)
        time.sleep(0.03)
        log.step(10, 1000, loss=torch.tensor(3.25), tokens=4000)
        wait_for(out, "step 10 of 1,000, loss 3.250")
        log.record(epoch=1, bits_per_byte=2.5)
    log.stop()
    line = next(line for line in out.getvalue().splitlines() if "step 10" in line)
    assert "tokens/s" in line
    assert "stage " in line
    assert "run 1 h " in line
    rows = [json.loads(row) for row in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert all(row["stage"] == "tva: LAPT" for row in rows)
    assert any(row.get("step") == 10 and row["loss"] == 3.25 for row in rows)
    assert any(row.get("bits_per_byte") == 2.5 for row in rows)
    assert "seconds" in rows[-1]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("out", [io.StringIO(), Terminal()], ids=["file", "terminal"])
def test_steps_show_score_memory_and_the_padding_since_the_last_row(
    out: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "peak_memory", lambda: 1_900_000_000)
    monkeypatch.setattr(progress, "peak_gpu_memory", lambda: 0)
    metrics = tmp_path / "metrics.jsonl"
    log = Printer(out, metrics)
    with log.stage("tva: LAPT"):
        log.read(75, 100)
        log.step(1, 9, loss=2.0, tokens=100, **{"bits/byte": 1.625})
        wait_for(out, "bits/byte 1.625, padding 25.0 %, memory 1.9 GB")
        wait_for_rows(metrics, 1)
        log.read(99, 100)
        log.step(2, 9, loss=2.0, tokens=200, **{"bits/byte": 1.625})
        wait_for(out, "padding 1.0 %")
        wait_for_rows(metrics, 2)
    log.stop()
    rows = [json.loads(row) for row in metrics.read_text("utf-8").splitlines()]
    first = next(row for row in rows if row.get("step") == 1)
    assert (first["padding"], first["tokens"]) == (0.25, 100)
    assert (first["bits_per_byte"], first["peak_memory"]) == (1.625, 1_900_000_000)
    assert "tokens_per_second" in first
    assert "peak_gpu_memory" not in first
    assert next(row for row in rows if row.get("step") == 2)["padding"] == 0.01


@pytest.mark.usefixtures("quick")
def test_a_narrow_terminal_keeps_what_matters_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "width", lambda out: 30)
    out = Terminal()
    log = Printer(out, None)
    with log.stage("LAPT"):
        log.step(1, 9, loss=2.0, score=1.5)
        wait_for(out, "\rLAPT: step 1 of 9, loss 2.000")
    log.stop()
    assert "score" not in out.getvalue()


@pytest.mark.usefixtures("quick")
def test_a_dumb_terminal_has_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    out = Terminal()
    log = Printer(out, None)
    with log.stage("LAPT"):
        log.step(1, 9)
        wait_for(out, "0s  LAPT: step 1 of 9")
    log.stop()
    assert "\r" not in out.getvalue()


@pytest.mark.usefixtures("quick")
def test_a_terminal_has_one_live_line_that_gives_way_to_others() -> None:
    out = Terminal()
    log = Printer(out, None)
    with log.stage("lapt: LAPT"):
        log.step(1, 9)
        wait_for(out, "\rlapt: LAPT: step 1 of 9")
        log.say("a line")
    log.stop()
    assert "\r     " in out.getvalue()
    assert out.getvalue().count("a line\n") == 1


def test_the_last_step_of_a_short_stage_has_a_row(tmp_path: Path) -> None:
    log = Printer(io.StringIO(), tmp_path / "metrics.jsonl")
    with log.stage("pos, seed 1"):
        log.read(3, 4)
        log.step(2, 2, loss=1.5)
    log.stop()
    text = (tmp_path / "metrics.jsonl").read_text("utf-8")
    last, end = map(json.loads, text.splitlines())
    assert (last["step"], last["loss"], last["padding"]) == (2, 1.5, 0.25)
    assert "seconds" in end


def test_nothing_is_written_after_a_log_has_stopped(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with terminal_log(tmp_path) as log:
        log.say("begun")
    assert not log._thread.is_alive()
    assert capsys.readouterr().err == "     0s  begun\n"
    assert not (tmp_path / "metrics.jsonl").exists()


def test_durations_are_for_people() -> None:
    assert [duration(s) for s in (0.04, 4.2, 65, 3599.7, 7800)] == [
        "0.0 s",
        "4.2 s",
        "1 min 05 s",
        "1 h 00 min",
        "2 h 10 min",
    ]
