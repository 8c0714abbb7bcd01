"""Control characters in texts and names never reach the terminal as such."""

import json
from pathlib import Path

import cli_calls
import pytest
from cli_calls import Call

from specialize.terminal import escaped

call = cli_calls.call  # fixture

RED = "\x1b[31m"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("grün, ئۇيغۇر\u200f\n", "grün, ئۇيغۇر\u200f\n"),
        ("a\tb\nc", "a\tb\nc"),
        (f"{RED}a\x07", "\\u001b[31ma\\u0007"),
        ("\x9b31m\x7f", "\\u009b31m\\u007f"),
        ("\r50 %\r", "\r50 %\r"),
        ("a.txt\rfine", "a.txt\\u000dfine"),
    ],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_names_are_escaped_in_messages_tables_and_json(
    tmp_path: Path, base_folder: Path, call: Call
) -> None:
    path = tmp_path / f"a{RED}b.txt"
    missing = call("inspect", base_folder, "--text", path)
    path.write_text(f"a {RED}b\u009b c\n", "utf-8")
    table = call("inspect", base_folder, "--text", path, "--details")
    for shown in (missing.err, table.out):
        assert "a\\u001b[31mb.txt" in shown
        assert not set(shown) & {"\x1b", "\u009b"}
    lines = call("inspect", base_folder, "--text", path, "--json").out
    assert "\u009b" not in lines
    assert json.loads(lines)["text"] == str(path)
