"""Whether the native extension is used: forbidden, demanded, missing, or of another version."""

import sys
from pathlib import Path

import pytest

from specialize.errors import MissingError, SpecializeWarning, UsageError
from specialize.native import core, threads

pytestmark = pytest.mark.usefixtures("extension")


def test_what_the_environment_may_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPECIALIZE_NATIVE", "0")
    assert core() is None
    monkeypatch.setenv("SPECIALIZE_NATIVE", "yes")
    with pytest.raises(UsageError, match="SPECIALIZE_NATIVE is 0 or 1, not 'yes'"):
        core()
    monkeypatch.setenv("SPECIALIZE_THREADS", "3")
    assert threads() == 3
    monkeypatch.setenv("SPECIALIZE_THREADS", "none")
    with pytest.raises(UsageError, match="SPECIALIZE_THREADS"):
        threads()


def test_a_demanded_extension_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from specialize import native

    native._load.cache_clear()
    monkeypatch.setitem(sys.modules, "specialize_native", None)
    monkeypatch.setenv("SPECIALIZE_NATIVE", "1")
    with pytest.raises(MissingError, match="pip install"):
        core()
    monkeypatch.setenv("SPECIALIZE_NATIVE", "")
    with pytest.warns(SpecializeWarning, match="native extension is not there"):
        assert core() is None
    native._load.cache_clear()


def test_the_command_line_says_once_that_it_counts_in_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from specialize import native
    from specialize.cli import main

    native._load.cache_clear()
    monkeypatch.setitem(sys.modules, "specialize_native", None)
    monkeypatch.delenv("SPECIALIZE_NATIVE", raising=False)
    monkeypatch.setattr("warnings.showwarning", None)  # main sets it: put back after the test
    (tmp_path / "a.txt").write_text("Ein Text.\n", "utf-8")
    assert main(["inspect", "mini", "--text", str(tmp_path / "a.txt")]) == 0
    said = capsys.readouterr().err
    assert said.count("specialize: the native extension is not there") == 1
    assert "Warning" not in said
    native._load.cache_clear()


def test_an_extension_of_another_version_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from specialize import native

    monkeypatch.setattr(native, "INTERFACE", native.INTERFACE + 1)
    native._load.cache_clear()
    monkeypatch.delenv("SPECIALIZE_NATIVE", raising=False)
    with pytest.warns(SpecializeWarning, match="of another version"):
        assert native.core() is None
    monkeypatch.setenv("SPECIALIZE_NATIVE", "1")
    with pytest.raises(MissingError, match="of another version"):
        native.core()
    native._load.cache_clear()
