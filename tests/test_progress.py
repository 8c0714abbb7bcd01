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


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
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
