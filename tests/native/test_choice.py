"""Whether the native extension is used: disabled, required, missing, of a different version."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from specialize.errors import MissingError, SpecializeWarning, UsageError
from specialize.native import core, extension, threads

pytestmark = pytest.mark.usefixtures("extension")


def test_environment_variables_choose_the_extension_and_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPECIALIZE_NATIVE", "0")
    assert core() is None
    monkeypatch.setenv("SPECIALIZE_NATIVE", "yes")
    with pytest.raises(UsageError, match="expected SPECIALIZE_NATIVE=0 or 1, got 'yes'"):
        core()
    monkeypatch.setenv("SPECIALIZE_THREADS", "3")
    assert threads() == 3
    monkeypatch.setenv("SPECIALIZE_THREADS", "none")
    with pytest.raises(UsageError, match="SPECIALIZE_THREADS"):
        threads()


def test_a_missing_extension_is_an_error_if_required_else_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    extension._load.cache_clear()
    monkeypatch.setitem(sys.modules, "specialize_native", None)
    monkeypatch.setenv("SPECIALIZE_NATIVE", "1")
    with pytest.raises(MissingError, match="pip install"):
        core()
    monkeypatch.setenv("SPECIALIZE_NATIVE", "")
    with pytest.warns(SpecializeWarning, match="native extension is not installed"):
        assert core() is None
    extension._load.cache_clear()


def test_the_command_line_warns_once_of_counting_in_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from specialize.cli import main

    extension._load.cache_clear()
    monkeypatch.setitem(sys.modules, "specialize_native", None)
    monkeypatch.delenv("SPECIALIZE_NATIVE", raising=False)
    monkeypatch.setattr("warnings.showwarning", None)  # main sets it; restored after the test
    (tmp_path / "a.txt").write_text("Ein Text.\n", "utf-8")
    assert main(["inspect", "mini", "--text", str(tmp_path / "a.txt")]) == 0
    errors = capsys.readouterr().err
    assert errors.count("specialize: warning: the native extension is not installed") == 1
    assert "Warning" not in errors
    extension._load.cache_clear()


def test_an_extension_of_a_different_version_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extension, "INTERFACE", extension.INTERFACE + 1)
    extension._load.cache_clear()
    monkeypatch.delenv("SPECIALIZE_NATIVE", raising=False)
    with pytest.warns(SpecializeWarning, match="of a different version"):
        assert core() is None
    monkeypatch.setenv("SPECIALIZE_NATIVE", "1")
    with pytest.raises(MissingError, match="of a different version"):
        core()
    extension._load.cache_clear()


FEW_THREADS = """
import resource, sys
from specialize import audit, open_corpus
from specialize.native import core, threads
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
core()
(size,) = (int(line.split()[1]) for line in open("/proc/self/status") if "VmSize" in line)
resource.setrlimit(resource.RLIMIT_AS, (size * 1024 + (300 << 20),) * 2)
print(threads(), audit(WordPiece([*SPECIAL, "a"]), open_corpus(sys.argv[1])).words)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads its size from /proc")
def test_where_the_system_gives_no_more_threads_fewer_do_the_work(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a b\n" * 2_000_000, "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", FEW_THREADS, str(tmp_path / "a.txt")],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"SPECIALIZE_THREADS": "100000", "SPECIALIZE_NATIVE": "1"},
    )
    assert done.stdout.split() == [str(extension.MOST_THREADS), "4000000"], done.stderr
