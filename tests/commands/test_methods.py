"""``specialize methods``: lists every method, as text and as JSON."""

import json
import re
from pathlib import Path

import cli_calls
from cli_calls import Call

from specialize import cli

call = cli_calls.call  # fixture
KINDS = {
    "mixin": "mixins",
    "augment": "augment",
    "embed": "embed",
    "modules": "modules/systems",
    "task": "tasks",
}
PACKAGE = Path(cli.__file__).parent


def test_methods_lists_every_file_of_the_folders(call: Call) -> None:
    shown = call("methods").out
    for kind, folder in KINDS.items():
        names = [file.stem for file in sorted((PACKAGE / folder).glob("[!_]*.py"))]
        listed = call("methods", kind).out
        assert re.findall(r"^ {0,2}(\w+)", listed, re.MULTILINE) == [kind, *names]
        assert listed in shown
    assert "pieces = 99" in call("methods", "augment").out


def test_methods_are_listed_as_json(call: Call) -> None:
    found = json.loads(call("methods", "--json").out)
    assert list(found) == list(KINDS)
    tva = found["augment"]["tva"]
    assert tva["summary"].startswith("Add the n pieces")
    assert tva["options"]["pieces"] == {"type": "a whole number", "default": 99}
    assert tva["options"]["guard"] == {"type": "a list of files", "default": []}
