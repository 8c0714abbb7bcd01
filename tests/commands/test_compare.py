"""``specialize compare``: results on stdout, files, refusals."""

import json
from pathlib import Path

import cli_calls
import pytest
from cli_calls import Call
from compared_runs import arm, write_run

call = cli_calls.call  # fixture


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder of two runs."""
    write_run(tmp_path / "runs" / "ug", arm("lapt", 10, 11, 15), arm("tva", 12, 14, 16))
    write_run(tmp_path / "runs" / "mt", arm("lapt", 1), arm("tva", 2), language="mt")
    return tmp_path / "runs"


def test_json_is_an_array_and_cautions_go_to_stderr(call: Call, runs: Path) -> None:
    done = call("compare", runs, "--json", "--baseline", "tva")
    assert done.code == 0
    found = json.loads(done.out)
    assert [(row["language"], row["arm"], row["baseline"]) for row in found] == [
        ("mt", "tva", "tva"),
        ("mt", "lapt", "tva"),
        ("ug", "tva", "tva"),
        ("ug", "lapt", "tva"),
    ]
    assert found[3] | {"p": 0, "p_holm": 0, "p_bonferroni": 0} == {
        "language": "ug",
        "arm": "lapt",
        "baseline": "tva",
        "task": "dep",
        "metric": "LAS",
        "mean": 12,
        "sd": pytest.approx(7**0.5),
        "n": 3,
        "difference": -2,
        "p": 0,
        "p_holm": 0,
        "p_bonferroni": 0,
        "bootstrap_low": None,
        "bootstrap_high": None,
    }
    assert found[1]["p"] is None
    assert "one seed is no test: mt dep (lapt)" in done.err


def test_tables_are_printed_and_files_written(call: Call, runs: Path, tmp_path: Path) -> None:
    files = tmp_path / "out.csv", tmp_path / "out.tex"
    done = call("compare", runs / "ug", runs / "mt", "--csv", files[0], "--latex", files[1])
    assert done.code == 0
    assert "ug      12.00 ± 2.65   14.00 ± 2.00*" in done.out
    assert done.out.splitlines()[-2:] == list(map(str, files))
    assert files[0].read_text("utf-8").startswith("language,arm,baseline,task,metric,mean,sd,n,")
    assert r"\toprule" in files[1].read_text("utf-8")


def test_what_cannot_be_compared_is_refused(call: Call, runs: Path, tmp_path: Path) -> None:
    refused = call("compare", runs, "--baseline", "x")
    assert (refused.code, "arms with scores: lapt, tva" in refused.err) == (2, True)
    assert call("compare", tmp_path / "none").code == 2
    (runs / "ug" / "report.json").write_text("{", "utf-8")
    damaged = call("compare", runs)
    assert (damaged.code, damaged.out) == (3, "")
    assert "report.json: damaged" in damaged.err


def test_inputs_and_folders_are_not_written_to(call: Call, runs: Path, tmp_path: Path) -> None:
    before = (runs / "ug" / "report.json").read_bytes()
    (runs / "ug" / "scores.json").write_text("{}", "utf-8")
    assert call("compare", runs, "--csv", runs / "ug" / "scores.json").code == 2
    refused = call("compare", runs, "--csv", runs / "ug" / "report.json")
    assert (refused.code, "is an input" in refused.err) == (2, True)
    assert (runs / "ug" / "report.json").read_bytes() == before
    assert call("compare", runs, "--latex", runs).code == 2
    same = tmp_path / "same"
    assert call("compare", runs, "--csv", same, "--latex", same).code == 2
    assert not same.exists()
