"""docs/studies.md lists every key of the recipes, and its commands fit them."""

import re
import shlex
from pathlib import Path

import pytest

from specialize.cli import _parser
from specialize.commands.study import _study
from specialize.studies.reference import reference

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "studies.md"
COMMANDS = re.findall(r"^specialize study (?:.*\\\n)*.*$", PAGE.read_text("utf-8"), re.MULTILINE)


def test_the_page_ends_with_the_current_keys() -> None:
    command = "python -m specialize.studies.reference"
    assert PAGE.read_text("utf-8").endswith(reference()), (
        f"out of date; put in the output of {command}"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_page_are_those_of_recipes(
    command: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPECIALIZE_DATA", str(data))
    monkeypatch.chdir(ROOT)
    options = _parser().parse_args(shlex.split(command.replace("\\\n", " "))[1:])
    assert _study(options.kind, options.recipe, options.set)[0]
