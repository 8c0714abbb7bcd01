"""The README is correct: its Python runs, its commands parse, its files exist."""

import re
import shlex
from pathlib import Path

import pytest

from specialize.cli import _parser
from specialize.toylang import ToyFiles

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", blocks("python"))
def test_the_python_runs(
    code: str,
    toy: ToyFiles,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(toy.corpus.read_text("utf-8"), "utf-8")
    exec(compile(code, "README.md", "exec"), {})
    before, after = map(int, re.findall(r"\d+", capsys.readouterr().out)[:2])
    assert before > 0 == after


def commands() -> list[str]:
    lines = [line for block in blocks("sh") for line in block.replace("\\\n", " ").splitlines()]
    return [line.removeprefix("$ ") for line in lines if "specialize " in line]


@pytest.mark.parametrize("line", commands())
def test_the_commands_parse(line: str) -> None:
    words = shlex.split(line, comments=True)
    words = words[words.index("specialize") + 1 :]
    if words and words != ["--help"] and "install" not in line:
        _parser().parse_args(words)


def test_the_files_it_names_are_there() -> None:
    for name in re.findall(r"\]\(((?!http|#)[^)]+)\)", README):
        assert (ROOT / name).exists(), name
