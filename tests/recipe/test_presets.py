"""Presets: options of the paper and of its code, complete and documented."""

from pathlib import Path

import pytest

from specialize.errors import UsageError
from specialize.recipe.methods import find
from specialize.recipe.presets import EMBED, PRESETS
from specialize.recipe.read import read_recipe, recipe_of
from specialize.recipe.recipe import Recipe
from specialize.recipe.table import build, keys_of
from specialize.train.finetune import Finetune
from specialize.train.lapt import Lapt

PAGE = (Path(__file__).parents[2] / "docs" / "paper.md").read_text("utf-8")
TEXT = """\
base = "mini"
preset = "as_released"

[corpus]
files = ["a.txt"]

[finetune]
schedule = "linear"

[task.pos]
train = "a.txt"
dev = "b.txt"
test = "b.txt"
sentence_mean = false

[task.trees]
method = "dep"
train = "a.txt"
dev = "b.txt"
test = "b.txt"

[arm.unadapted]
lapt = false

[arm.tva]
augment = { method = "tva", pieces = 7 }
lapt = { fresh_rate = 3.0 }

[arm.plain]
augment = { method = "tva", preset = "paper" }
"""


def read(folder: Path, text: str = TEXT) -> Recipe:
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text("one\n", "utf-8")
    (folder / "recipe.toml").write_text(text, "utf-8")
    return read_recipe(folder / "recipe.toml")


def test_a_preset_fills_in_what_the_recipe_does_not_set(tmp_path: Path) -> None:
    recipe = read(tmp_path)
    unadapted, tva, plain = recipe.arms
    assert unadapted.lapt is None
    assert unadapted.augment.options == {}
    assert tva.lapt == {"static": 5, "fresh_rate": 3.0}
    assert tva.augment.options == {"preset": "as_released", "pieces": 7}
    assert plain.lapt == {"static": 5, "fresh_rate": 1.0}
    assert plain.augment.options == {"preset": "paper"}
    assert {tva.embed.method, plain.embed.method} == {"unused"}
    finetune = build(Finetune, tva.finetune, "finetune")
    assert finetune == Finetune(schedule="linear", evaluation_dropout=True, bias_correction=False)
    pos, trees = recipe.tasks
    assert pos.choice.options == {"dropout_twice": True, "sentence_mean": False}
    assert set(trees.choice.options.values()) == {True}


def test_the_complete_recipe_of_a_preset_reads_as_the_same_without_it(tmp_path: Path) -> None:
    recipe = read(tmp_path)
    assert "preset" not in recipe.table
    again = recipe_of(recipe.table, folder=tmp_path / "elsewhere")
    assert (again.arms, again.tasks) == (recipe.arms, recipe.tasks)


def test_the_presets_set_the_same_options_and_the_papers_are_the_defaults() -> None:
    def names(preset: str) -> set[str]:
        return set(flat(PRESETS[preset])) - {"lapt.fresh_rate"}  # the paper leaves it open

    assert names("paper") == names("as_released")
    assert PRESETS["paper"]["embed"] == PRESETS["as_released"]["embed"] != EMBED
    defaults = {
        **{f"finetune.{name}": key.default for name, key in keys_of(Finetune).items()},
        **{f"lapt.{name}": key.default for name, key in keys_of(Lapt).items()},
    }
    for kind, methods in (("task", ("pos", "dep", "ner")), ("augment", ("tva",))):
        for method in methods:
            known = keys_of(find(kind, method))
            defaults |= {f"{kind}.{method}.{name}": key.default for name, key in known.items()}
    for name, value in flat(PRESETS["paper"]).items():
        if name == "embed":
            continue
        assert defaults[name] == value
        assert flat(PRESETS["as_released"])[name] != value


def flat(table: dict, prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in table.items():
        key = f"{prefix}{name}"
        found |= flat(value, f"{key}.") if isinstance(value, dict) else {key: value}
    return found


def test_every_option_of_the_presets_is_in_the_page_of_the_paper() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    for name, value in flat(PRESETS["as_released"]).items():
        if name == "augment.tva.preset":
            continue
        (row,) = [row for row in rows if f"`{name}`" in row]
        shown = (
            str(value).lower()
            if isinstance(value, bool)
            else f"{value:g}"
            if isinstance(value, int | float)
            else value
        )
        assert f"`{shown}`" in row or f"| {shown} |" in row


def test_an_unknown_preset_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown preset 'paperr'; known: paper, as_released; did"):
        read(tmp_path, TEXT.replace("as_released", "paperr"))
