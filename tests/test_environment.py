"""Threads: their number and where it comes from."""

import os
import subprocess
import sys

import pytest
import torch

from specialize import environment
from specialize.environment import Threads, machine_facts, set_threads


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of eight cores; restores the threads of the tests."""
    monkeypatch.setattr(environment, "cores", lambda: 8)
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)
    for name in (*environment._VARIABLES, "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_threads_are_the_cores_shared_by_the_jobs() -> None:
    assert set_threads() == Threads(8, "8 cores")
    del os.environ["OMP_NUM_THREADS"]
    assert set_threads(jobs=3) == Threads(2, "8 cores, 3 jobs")
    del os.environ["OMP_NUM_THREADS"]
    assert set_threads(jobs=20) == Threads(1, "8 cores, 20 jobs")


def test_the_option_overrides_the_variable_which_overrides_the_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert set_threads() == Threads(3, "OMP_NUM_THREADS")
    assert set_threads(5, jobs=2) == Threads(5, "--threads")
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert set_threads() == Threads(8, "8 cores")


def test_libraries_loaded_later_get_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    set_threads(2)
    assert {os.environ[name] for name in environment._VARIABLES} == {"2"}
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    set_threads(2)
    assert os.environ["OMP_WAIT_POLICY"] == "active"  # the user's choice


def test_torch_has_as_many_threads_as_chosen() -> None:
    code = (
        "from specialize.environment import machine_facts, set_threads; set_threads(1); "
        "print(machine_facts()['threads'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


def test_the_facts_of_the_machine_name_every_library() -> None:
    facts = machine_facts()
    assert {"processor", "cores", "device", "native", "torch", "transformers"} <= facts.keys()
