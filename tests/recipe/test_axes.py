"""A recipe with axes is the recipes of its points."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from specialize.errors import UsageError
from specialize.recipe.axes import expand, merged
from specialize.recipe.read import read_recipe, read_recipes
from specialize.recipe.reference import AXES

ARMS = """
[arm.unadapted]
lapt = false

[arm.tva]
augment = "tva"
"""


def arms(text: str) -> dict[str, Any]:
    """Return the arms of the only recipe of ``text``."""
    (table,) = expand(tomllib.loads(text)).values()
    return table["arm"]


def test_values_of_a_key_multiply_the_arms_they_concern() -> None:
    assert arms('[axes]\n"augment.pieces" = [9, 99]\n' + ARMS) == {
        "unadapted": {"lapt": False, "augment": "none"},
        "tva-pieces_9": {"augment": {"method": "tva", "pieces": 9}},
        "tva-pieces_99": {"augment": {"method": "tva", "pieces": 99}},
    }


def test_a_dotted_key_needs_no_quotes() -> None:
    assert arms("[axes]\naugment.pieces = [9, 99]\n" + ARMS) == arms(
        '[axes]\n"augment.pieces" = [9, 99]\n' + ARMS
    )


def test_two_axes_make_a_product_in_their_order() -> None:
    text = '[axes]\nembed = ["mean", "random"]\n"lapt.fresh_rate" = [1, 3.0]\n' + ARMS
    assert list(arms(text)) == [
        "unadapted-mean",
        "unadapted-random",
        "tva-mean-fresh_rate_1",
        "tva-mean-fresh_rate_3.0",
        "tva-random-fresh_rate_1",
        "tva-random-fresh_rate_3.0",
    ]


def test_keys_of_multitask_leave_arms_that_train_each_task_alone() -> None:
    text = '[axes]\n"multitask.sampling" = ["interleave", "upsample"]\n'
    made = arms(f"{text}[arm.alone]\n[arm.off]\nmultitask = false\n[arm.mtl]\nmultitask = true\n")
    assert made == {
        "alone": {},
        "off": {"multitask": False},
        "mtl-interleave": {"multitask": {"sampling": "interleave"}},
        "mtl-upsample": {"multitask": {"sampling": "upsample"}},
    }


def test_options_of_modules_leave_arms_that_train_the_model() -> None:
    text = '[axes]\n"modules.reduction" = [2, 4]\n[arm.lapt]\n[arm.madx]\nmodules = "madx"\n'
    made = arms(text)
    assert made["lapt"]["modules"] == "none"
    assert made["madx-reduction_4"] == {"modules": {"method": "madx", "reduction": 4}}


def test_without_arms_the_points_are_the_arms() -> None:
    text = '[axes]\naugment = ["none", { method = "tva", pieces = 9 }]\nlapt = [false, true]\n'
    assert arms(text) == {
        "none-no_lapt": {"augment": "none", "lapt": False},
        "none-lapt": {"augment": "none", "lapt": True},
        "tva_pieces_9-no_lapt": {"augment": {"method": "tva", "pieces": 9}, "lapt": False},
        "tva_pieces_9-lapt": {"augment": {"method": "tva", "pieces": 9}, "lapt": True},
    }


def test_a_point_without_changes_adds_nothing_to_a_name() -> None:
    text = '[axes.script.original]\n[axes.script.latin]\nmixin = "lower"\n' + ARMS
    assert list(arms(text)) == ["unadapted", "unadapted-latin", "tva", "tva-latin"]


def test_other_axes_make_recipes_that_may_change_arms_and_axes() -> None:
    text = """
        title = "T"
        [axes.language.mt]
        corpus.files = ["mt.txt"]
        [axes.language.ug]
        corpus.files = ["ug.txt"]
        axes.script.latin.mixin = "lower"
        arm.more = { augment = "extend" }
        [axes.script.original]
        [axes.size.a]
        corpus.lines = 10
        [axes.size.b]
        corpus.lines = 20
        [arm.lapt]
    """
    found = expand(tomllib.loads(text))
    assert list(found) == ["mt-a", "mt-b", "ug-a", "ug-b"]
    assert found["mt-b"] == {
        "title": "T mt b",
        "language": "mt",
        "corpus": {"files": ["mt.txt"], "lines": 20},
        "arm": {"lapt": {}},
    }
    assert list(found["ug-a"]["arm"]) == ["lapt", "lapt-latin", "more", "more-latin"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[axes.one.a-b]\nnote = 'x'\n[axes.one.a]\nnote = 'y'\n"
            "[axes.two.c]\ntitle = 'x'\n[axes.two.b-c]\ntitle = 'y'\n",
            "several points are named 'a-b-c'",
        ),
        (
            "[axes.one.x]\nlapt.epochs = 1\n[axes.one.y]\nlapt.epochs = 2\n"
            "[arm.tva]\n[arm.tva-x]\nlapt = false\n",
            "several arms are named 'tva-x'",
        ),
        (
            f"[axes.language.{'a' * 64}]\n[axes.two.{'b' * 64}]\nnote = 'x'\n"
            f"[axes.three.{'c' * 64}]\ntitle = 'x'\n[axes.four.{'d' * 64}]\nresult = 'x'\n",
            "at most 200 bytes, got 259",
        ),
        ("[axes.language.'comparison.html']\n", "runs have a file or folder of that name"),
        ("[axes.language.Stages]\n", "runs have a file or folder of that name"),
    ],
)
def test_joined_names_that_collide_are_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        expand(tomllib.loads(text))


def test_an_error_names_its_point(tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text(
        'base = "mini"\n[axes.language.aa]\narm.a = false\n[axes.language.bb]\n[arm.a]\n', "utf-8"
    )
    with pytest.raises(UsageError, match=r"r\.toml:.* at the point aa: every arm is false"):
        read_recipes(recipe)


def test_the_example_of_the_page_has_the_arms_it_names() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", AXES, re.S)
    found = expand(tomllib.loads(example))
    named = re.findall(r"`((?:lapt|tva)-?[\w-]*)`", AXES.rpartition("```")[2])
    assert list(found["mt"]["arm"]) == named[:3]
    assert set(found["ug"]["arm"]) == set(named)


@pytest.mark.parametrize(
    ("old", "changes", "new"),
    [
        ({"augment": "tva"}, {"augment": {"pieces": 9}}, {"method": "tva", "pieces": 9}),
        ({"augment": "tva"}, {"augment": "extend"}, "extend"),
        ({"augment": "none"}, {"augment": {"pieces": 9}}, "none"),
        (
            {"augment": {"method": "tva", "pieces": 9}},
            {"augment": {"method": "extend", "guard": True}},
            {"method": "extend", "guard": True},
        ),
        (
            {"augment": {"method": "tva", "pieces": 9}},
            {"augment": {"method": "tva", "slots": False}},
            {"method": "tva", "pieces": 9, "slots": False},
        ),
    ],
)
def test_options_are_added_and_another_method_replaces_them(
    old: dict[str, Any], changes: dict[str, Any], new: Any
) -> None:
    assert merged(old, changes) == {"augment": new}


def test_a_key_of_lapt_changes_nothing_where_it_is_off() -> None:
    assert merged({"lapt": False}, {"lapt": {"epochs": 2}}) == {"lapt": False}
    assert merged({"lapt": True}, {"lapt": {"epochs": 2}}) == {"lapt": {"epochs": 2}}


def test_a_point_is_left_out_by_false() -> None:
    text = "[axes.language]\nmt = false\nug = {}\n"
    assert list(expand(tomllib.loads(text))) == ["ug"]


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ("axes = 3", "expected a table of axes"),
        ("axes.augment = 3", r"axes.augment = 3: expected a list of values, or tables"),
        ("axes.agument = ['tva']", r"unknown key 'agument' in \[axes\]; .*'augment'\?"),
        ("axes.seeds = [1, 2]", r"every arm runs all seeds.*write seeds = \[1, 2\]"),
        ("axes.augment = []", "expected one value or more"),
        ("axes.augment = ['tva', 'tva']", "expected values that differ"),
        ("axes.x.one = 'tva'", r"axes.x.one = 'tva': expected a table of changes"),
        ("axes.x.one.agument = 'tva'", r"unknown key 'agument' in \[axes.x.one\]"),
        ("axes.x.one = false", "axes.x has no points"),
        ("axes.language.stages.base = 'mini'", "'stages': expected another name"),
        ("axes.language.'a/b'.base = 'mini'", "'a/b': expected a name of letters"),
    ],
)
def test_what_is_no_axis_is_refused(axes: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        expand(tomllib.loads(axes))


GRID = """\
base = "mini"
[corpus]
files = ["one.txt"]
[axes.language.aa]
[axes.language.bb]
axes.rate.high.lapt.fresh_rate = 3.0
[axes.rate.low]
lapt.fresh_rate = 1.0
[arm.lapt]
[arm.tva]
augment = "tva"
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "one.txt").write_text("a b c\n", "utf-8")
    (tmp_path / "grid.toml").write_text(GRID, "utf-8")
    return tmp_path / "grid.toml"


def test_arms_of_axes_that_do_the_same_are_one(recipe: Path) -> None:
    aa, bb = read_recipes(recipe).values()
    assert [arm.name for arm in aa.arms] == ["lapt", "tva"]
    assert aa.same == {}
    assert [arm.name for arm in bb.arms] == ["lapt-low", "tva-low", "tva-high"]
    assert bb.same == {"lapt-high": "lapt-low"}  # without fresh pieces the rate concerns nothing
    assert (aa.title, aa.language) == ("grid aa", "aa")


def test_points_can_be_left_out_from_the_command_line(recipe: Path) -> None:
    (only,) = read_recipes(recipe, ["axes.language.bb=false"])
    assert only == "aa"
    assert read_recipe(recipe, ["axes.language.bb=false"]).language == "aa"


def test_one_recipe_is_not_read_from_several(recipe: Path) -> None:
    with pytest.raises(UsageError, match=r"its axes make 2 recipes \(aa, bb\), not one"):
        read_recipe(recipe)


def test_faults_of_axes_are_named_with_their_line(recipe: Path) -> None:
    recipe.write_text(GRID.replace("lapt.fresh_rate = 1.0", "lapt.fresh_rat = 1.0"), "utf-8")
    with pytest.raises(UsageError, match=r"grid\.toml:.*'fresh_rat'.*'fresh_rate'"):
        read_recipes(recipe)
    recipe.write_text(GRID.replace("[axes.rate.low]", "[axes.rate.low]\nbas = 1"), "utf-8")
    with pytest.raises(UsageError, match=r"grid\.toml:8: unknown key 'bas'"):
        read_recipes(recipe)
