"""Functions outside of the package: listed with their files, none of their code run."""

import sys
from pathlib import Path

import pytest

from specialize.recipe.outside import described, outside_methods
from specialize.recipe.read import recipe_of
from specialize.recipe.toml import read_table

BOMB = "raise AssertionError('this code ran')\n"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package, a module and a file, none of which may be imported."""
    for name in ("path/bomb/inner/mod.py", "path/bomb/inner/__init__.py", "path/bomb/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(BOMB, "utf-8")
    for name in ("path/single.py", "recipe/mine.py", "recipe/beside.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(BOMB, "utf-8")
    monkeypatch.syspath_prepend(tmp_path / "path")
    return tmp_path


def test_the_file_of_a_function_is_found_without_running_it(packages: Path) -> None:
    found = {
        "bomb.inner.mod:fn": packages / "path/bomb/inner/mod.py",
        "bomb:fn": packages / "path/bomb/__init__.py",
        "single:fn": packages / "path/single.py",
        f"{packages}/recipe/mine.py:fn": packages / "recipe/mine.py",
        "recipe/mine.py:fn": packages / "recipe/mine.py",
    }
    for name, file in found.items():
        assert described("task", name, packages) == f"task: function fn of {file}"
    for name in ("single.inner:fn", "bomb.other:fn", "nobodys.mod:fn", "sys:fn", ":fn", "..:fn"):
        module = name.removesuffix(":fn")
        assert described("task", name, packages) == f"task: function fn of the module {module!r}"
    assert described("mixin", "os:system", packages).startswith("mixin: function system of /")
    assert not {"bomb", "single", "mine"} & set(sys.modules)


def test_all_functions_of_a_recipe_are_listed(packages: Path) -> None:
    recipe = packages / "recipe" / "run.toml"
    recipe.write_text(
        'mixin = ["lower", "mine.py:mix"]\naugment = { method = "bomb:change", pieces = 3 }\n'
        'embed = "mean"\n[task.pos]\n[task.own]\nmethod = "beside:task"\n[task.no]\nmethod = 3\n'
        '[arm.one]\nembed = "single:init"\nmixin = ["mine.py:mix"]\n[arm]\ntwo = false\n',
        "utf-8",
    )
    table = read_table(recipe, ["arm.one.augment=none.py:change"])
    assert outside_methods(table, recipe.parent) == [
        f"mixin: function mix of {packages}/recipe/mine.py",
        f"augment: function change of {packages}/path/bomb/__init__.py",
        f"augment: function change of {packages}/recipe/none.py",
        f"embed: function init of {packages}/path/single.py",
        f"task: function task of {packages}/recipe/beside.py",
    ]


def test_functions_that_are_options_of_methods_are_listed(packages: Path) -> None:
    inner = {"method": "transliterated", "mixin": ["lower", "mine.py:mix"]}
    blend = {"method": "blend", "of": ["mean", "single:init", inner], "weights": ["bomb:fn"]}
    assert outside_methods({"arm": {"one": {"embed": blend}}}, packages / "recipe") == [
        f"embed: function init of {packages}/path/single.py",
        f"mixin: function mix of {packages}/recipe/mine.py",
    ]


def test_a_complete_recipe_lists_what_its_file_does(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def mix(line):\n    return line\n", "utf-8")
    (tmp_path / "text.txt").write_text("a\n", "utf-8")
    table = {"base": "mini", "corpus": {"files": ["text.txt"]}, "mixin": "mine:mix"}
    listed = [f"mixin: function mix of {tmp_path}/mine.py"]
    recipe = recipe_of(table, folder=tmp_path)
    assert outside_methods(table, tmp_path) == listed
    assert outside_methods(recipe.table, tmp_path / "elsewhere") == listed
