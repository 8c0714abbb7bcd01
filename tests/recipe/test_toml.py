"""TOML files and overrides; the line of an error."""

from pathlib import Path

import pytest

from specialize.errors import DataError, MissingError, UsageError
from specialize.recipe.toml import line_of, read_changes, read_table

RECIPE = """\
base = "mini"
corpus.files = ["a"]

[lapt]
epochs = 2

[arm."a b"]
augment = { method = "tva",
            pieces = 3 }
"""


def test_overrides_are_parsed_as_toml_else_as_text() -> None:
    changes = read_changes(["a.b=2", "c=[1, 2]", "d=tva", 'e="x"', "f=true", "g=a=b"])
    assert changes == {"a": {"b": 2}, "c": [1, 2], "d": "tva", "e": "x", "f": True, "g": "a=b"}


@pytest.mark.parametrize("change", ["abc", "=3", " = 3"])
def test_a_change_without_a_key_is_refused(change: str) -> None:
    with pytest.raises(UsageError, match=r"expected name\.of\.key=value"):
        read_changes([change])


def test_a_change_below_a_value_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--set a\.b=2: a = 1 is not a table"):
        read_changes(["a=1", "a.b=2"])


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("base", 1),
        ("corpus.files", 2),
        ("lapt", 4),
        ("lapt.epochs", 5),
        ("lapt.rate", 4),  # not set: the table
        ("arm.ab.augment", 8),
        ("arm.ab.augment.guard", 8),
        ("seeds", 0),
    ],
)
def test_the_line_of_a_key_is_found(key: str, line: int) -> None:
    assert line_of(RECIPE.replace("a b", "ab"), key) == line


def test_files_that_are_not_recipes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="no such recipe"):
        read_table(tmp_path / "none.toml")
    (tmp_path / "latin1.toml").write_bytes("a = 'ö'".encode("latin1"))
    with pytest.raises(DataError, match="not UTF-8"):
        read_table(tmp_path / "latin1.toml")
    (tmp_path / "broken.toml").write_text("a = 1\nb = \n", "utf-8")
    with pytest.raises(UsageError, match=r"broken\.toml:2: "):
        read_table(tmp_path / "broken.toml")
