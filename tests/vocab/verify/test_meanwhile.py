"""A check in a fork of the process: its outcome, its fault, and no answer."""

import os
import time

import pytest

from specialize.errors import SpecializeError
from specialize.vocab.verify.claims import Broken, Check
from specialize.vocab.verify.meanwhile import forked, later

PASSED = Check("AutoTokenizer", "BertTokenizer reads it like its source", {"lines": 3})
forking = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")


def fail() -> Check:
    raise Broken("AutoTokenizer", "length is 3, not 4")


@pytest.mark.parametrize("meanwhile", [later, pytest.param(forked, marks=forking)])
def test_a_check_passes_or_breaks_alike_in_either_process(meanwhile):
    with meanwhile(lambda: PASSED) as answer:
        assert answer() == PASSED
    with meanwhile(fail) as answer, pytest.raises(Broken, match=r"^'AutoTokenizer': length is 3"):
        answer()


@forking
def test_the_check_is_made_in_another_process_which_is_gone_at_the_end():
    with forked(lambda: Check(str(os.getpid()), "")) as answer:
        child = int(answer().name)
    assert child != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


@forking
def test_a_fork_that_ends_without_an_answer_is_an_error():
    with forked(lambda: os._exit(9)) as answer, pytest.raises(SpecializeError, match="without"):
        answer()


def asleep() -> Check:
    time.sleep(3600)
    return PASSED


@forking
def test_a_check_that_is_not_asked_for_is_stopped():
    with pytest.raises(Broken, match="another check"), forked(asleep):
        raise Broken("ids", "another check")
