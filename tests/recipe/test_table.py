"""The validator: values of the right type, or an error message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from specialize.errors import MissingError, UsageError
from specialize.recipe.table import build, in_words, keys_of, locate, shown
from specialize.train.finetune import Finetune
from specialize.train.lapt import Lapt


@dataclass(frozen=True)
class Settings:
    size: int
    rate: float = 0.5
    mode: Literal["fast", "slow"] = "fast"
    files: tuple[Path, ...] = ()
    nested: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    either: bool | str | None = None
    anything: Any = None

    def __post_init__(self) -> None:
        if self.size > 100:
            raise UsageError(f"size is at most 100, not {self.size}")


def test_a_table_becomes_a_dataclass() -> None:
    table = {"size": 3, "rate": 2, "mode": "slow", "nested": {"a": [1, 2]}, "either": "x"}
    found = build(Settings, table, "t")
    assert found == Settings(3, 2.0, "slow", nested={"a": (1, 2)}, either="x")
    assert type(found.rate) is float


@pytest.mark.parametrize(
    ("table", "message", "key"),
    [
        ({}, "t lacks 'size': expected a whole number; add size = ...", "t"),
        ({"size": "x"}, "t.size = 'x': expected a whole number", "t.size"),
        ({"size": 1, "mode": "medium"}, "t.mode = 'medium': expected 'fast' or 'slow'", "t.mode"),
        ({"size": 1, "nested": [1]}, "t.nested = [1]: expected a table of lists", "t.nested"),
        (
            {"size": 1, "nested": {"a": [1], "b": 1}},
            "t.nested.b = 1: expected a list",
            "t.nested.b",
        ),
        ({"size": 1, "either": 3}, "t.either = 3: expected true or false or text", "t.either"),
        ({"size": 1, "sise": 2}, "unknown key 'sise' in t; known: size, rate", "t.sise"),
        ({"size": 101}, "size is at most 100, not 101", "t"),
    ],
)
def test_values_that_do_not_fit_are_refused(table: dict, message: str, key: str) -> None:
    with pytest.raises(UsageError) as raised:
        build(Settings, table, "t")
    assert str(raised.value).startswith(message)
    assert raised.value.key.startswith(key)


def test_files_are_located_if_there_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    table = {"size": 1, "files": ["a.txt"]}
    assert build(Settings, table, "t").files == (Path("a.txt"),)
    assert build(Settings, table, "t", folder=tmp_path).files == (tmp_path / "a.txt",)
    with pytest.raises(MissingError, match=r"^t\.files: .*b\.txt: no such file"):
        build(Settings, {"size": 1, "files": ["b.txt"]}, "t", folder=tmp_path)


def test_variables_and_parents_of_file_names_are_resolved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPECIALIZE_TEST", str(tmp_path))
    (tmp_path / "inner").mkdir()
    assert locate("$SPECIALIZE_TEST/inner", Path("/")) == tmp_path / "inner"
    assert locate("../inner", tmp_path / "inner") == tmp_path / "inner"


def test_types_and_values_are_shown_as_a_recipe_has_them() -> None:
    types = [key.type for key in keys_of(Settings).values()]
    assert [in_words(t) for t in types] == [
        "a whole number",
        "a number",
        "'fast' or 'slow'",
        "a list of files",
        "a table of lists of whole numbers",
        "true or false or text",
        "anything",
    ]
    assert shown({"a": [True, "b", 1.5], "c": Path("d")}) == "{a = [true, 'b', 1.5], c = 'd'}"
    assert len(shown("x" * 1000)) == 80


@pytest.mark.parametrize(
    ("plan", "table", "message"),
    [
        (Lapt, {"batch": 0}, "expected lapt.batch of at least 1, got 0"),
        (Lapt, {"mask": 2.0}, "expected lapt.mask above 0 and at most 1, got 2.0"),
        (Lapt, {"precision": "int4"}, "unknown precision 'int4'; known: auto, float32, bfloat16"),
        (Finetune, {"length": 2}, "expected finetune.length of at least 3, got 2"),
        (Finetune, {"schedule": "x"}, "unknown finetune.schedule 'x'; known: inverse_sqrt"),
    ],
)
def test_meaningless_values_are_refused(plan: type, table: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build(plan, table, "table")
