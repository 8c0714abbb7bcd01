"""A check in a fork of the process: its outcome, its fault, and no answer."""

import os
import time
from dataclasses import replace
from typing import TextIO

import pytest

from specialize.errors import SpecializeError
from specialize.vocab.verify.claims import Broken, Check
from specialize.vocab.verify.meanwhile import forked, later

PASSED = Check("AutoTokenizer", "BertTokenizer reads it like its source", {"lines": 3})
forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")


def count(request: TextIO) -> Check:
    return replace(PASSED, on={"lines": len(request.readlines())})


def fail(request: TextIO) -> Check:
    raise Broken("AutoTokenizer", f"length is {request.read()}, not 4")


@pytest.mark.parametrize("meanwhile", [later, pytest.param(forked, marks=forking)])
def test_a_check_passes_or_breaks_alike_in_either_process(meanwhile):
    with meanwhile(count) as ask:
        assert ask("a\n" * 200_000)() == replace(PASSED, on={"lines": 200_000})
    with meanwhile(fail) as ask, pytest.raises(Broken, match=r"^'AutoTokenizer': length is 3"):
        ask("3")()


@forking
def test_the_check_is_made_in_another_process_which_is_gone_at_the_end():
    with forked(lambda _: Check(str(os.getpid()), "")) as ask:
        child = int(ask("")().name)
    assert child != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


@forking
def test_a_fork_that_ends_without_an_answer_is_an_error():
    with forked(lambda _: os._exit(9)) as ask, pytest.raises(SpecializeError, match="without"):
        ask("a\n" * 200_000)()


def asleep(_: TextIO) -> Check:
    time.sleep(3600)
    return PASSED


@forking
def test_a_check_that_is_not_asked_for_is_stopped():
    with pytest.raises(Broken, match="another check"), forked(asleep):
        raise Broken("ids", "another check")
