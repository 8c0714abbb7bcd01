"""The commands of docs/studies.md: their recipes are read, and the text on them is true."""

import re
import shlex
from pathlib import Path

import pytest

from specialize.commands.study import _study
from specialize.studies.zeroshot.recipe import read_study

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "studies.md").read_text("utf-8")


def commands() -> list[list[str]]:
    """Return the words of each command of a study, as a shell reads them."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("specialize study ")]


def changes_of(words: list[str]) -> list[str]:
    return [words[i + 1] for i, word in enumerate(words) if word == "--set"]


@pytest.mark.parametrize("words", commands(), ids=lambda words: "-".join(words[2:3]))
def test_the_recipe_of_each_command_is_read(
    words: list[str], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPECIALIZE_DATA", str(data))
    recipes = [ROOT / word for word in words if word.endswith(".toml")]
    assert _study(words[2], recipes, changes_of(words))


def test_the_first_look_at_zero_shot_has_two_systems_and_five_languages(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "two systems in five languages" in PAGE
    monkeypatch.setenv("SPECIALIZE_DATA", str(data))
    (words,) = (own for own in commands() if own[2] == "zeroshot" and "--set" in own)
    study = read_study(ROOT / words[3], changes_of(words))
    assert len(study.systems) == 2
    assert len(study.languages) == 5
