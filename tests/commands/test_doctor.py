"""``specialize doctor``: versions, and threads with their source."""

import json

import cli_calls
import pytest
import torch
from cli_calls import Call

call = cli_calls.call  # fixture


def test_doctor_lists_versions_and_threads(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    shown = call("doctor")
    assert shown.code == 0
    assert torch.__version__ in shown.out
    assert "1 (OMP_NUM_THREADS)" in shown.out
    facts = json.loads(call("doctor", "--json").out)
    assert facts["torch"] == torch.__version__
    assert [line.split()[0] for line in shown.out.splitlines()] == list(facts)
