"""Recipes: read, overridden, refused."""

from pathlib import Path

import pytest

from specialize.errors import MissingError, UsageError
from specialize.recipe.read import build, read_changes, read_pretrain, read_recipe
from specialize.toylang import ToyFiles
from specialize.train.finetune import Finetune
from specialize.train.lapt import Lapt

RECIPES = Path(__file__).parents[2] / "recipes"


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text('base = "mini"\n' + text, "utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("one\n\ntwo\n", "utf-8")
    return tmp_path


CORPUS = '[corpus]\nfiles = ["a.txt"]\n'


def test_a_recipe_without_arms_has_one(folder: Path) -> None:
    recipe = read_recipe(write(folder, 'augment = "tva"\n' + CORPUS))
    (arm,) = recipe.arms
    assert (arm.augment.method, arm.embed.method, arm.lapt) == ("tva", "unused", {})
    assert recipe.corpus.files == (str(folder / "a.txt"),)


def test_an_arm_overrides_the_recipe_and_set_overrides_both(folder: Path) -> None:
    text = CORPUS + (
        "[lapt]\nepochs = 3\nrate = 1e-4\n[arm.plain]\nlapt = false\n"
        '[arm.tva]\naugment = { method = "tva", pieces = 7 }\nlapt = { fresh_rate = 5 }\n'
    )
    recipe = read_recipe(write(folder, text), ["lapt.epochs=9"])
    plain, tva = recipe.arms
    assert plain.lapt is None
    assert build(Lapt, tva.lapt, "lapt") == Lapt(epochs=9, rate=1e-4, fresh_rate=5.0)
    assert tva.augment.options == {"pieces": 7}


def test_tasks_and_arms_that_are_false_are_left_out(folder: Path) -> None:
    text = CORPUS + '[task.pos]\ntrain = "a.txt"\n[arm.plain]\n[arm.tva]\naugment = "tva"\n'
    recipe = read_recipe(write(folder, text), ["task.pos=false", "arm.plain=false"])
    assert [arm.name for arm in recipe.arms] == ["tva"]
    assert not recipe.tasks


def test_evaluation_files_are_taken_out_of_the_corpus(folder: Path, toy: ToyFiles) -> None:
    task = f'[task.pos]\ntrain = "{toy.train}"\ndev = "{toy.dev}"\ntest = "{toy.test}"\n'
    recipe = read_recipe(write(folder, CORPUS + task))
    assert recipe.corpus.remove == (str(toy.dev), str(toy.test))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("corpsu = 1\n", r"recipe\.toml:2: unknown key 'corpsu' in the recipe; known: .*'corpus'"),
        (CORPUS + "fiels = 1\n", r"recipe\.toml:4: unknown key 'fiels' in corpus; known: files, "),
        (CORPUS + "dev = true\n", r"corpus\.dev = True is not of type float"),
        (CORPUS + '[arm.x]\naugment = "tav"\n', "unknown augment 'tav'; known: .*'tva'"),
        (CORPUS + '[arm.x]\naugment = { method = "tva", peices = 3 }\n', "peices.*pieces"),
        (CORPUS + '[arm.x]\naugment = { method = "tva", pieces = "3" }\n', "pieces"),
        (CORPUS + '[arm."a/b"]\n', "arm 'a/b'"),
        ('corpus = "a.txt"\n', r"corpus = 'a.txt' is not a table; write it as \[corpus\]"),
        ('[corpus]\nfiles = "a.txt"\n', "corpus.files = 'a.txt' is not of type tuple"),
        ("seeds = 1\n" + CORPUS, "seeds = 1 is not of type tuple"),
        ("seeds = []\n" + CORPUS, "seeds is empty"),
        ("seeds = ['a']\n" + CORPUS, "seeds = 'a' is not of type int"),
        ("title = 1\n" + CORPUS, "title = 1 is not of type str"),
        ("lapt = 3\n" + CORPUS, "lapt = 3 is not a table"),
        ("task = 'pos'\n" + CORPUS, "task = 'pos' is not a table"),
        (CORPUS + "[task]\npos = 1\n", "task.pos = 1 is not a table"),
        (CORPUS + "[arm]\na = 1\n", "arm.a = 1 is not a table"),
        ("[corpus\n", r"recipe\.toml:2"),
        ("", "lacks 'corpus'"),
        (CORPUS + "[task.pos]\n", "task.pos lacks the file 'train'"),
    ],
)
def test_a_wrong_recipe_is_refused_saying_what_where_and_what_is_known(
    folder: Path, text: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        read_recipe(write(folder, text))


def test_a_base_that_is_a_path_is_found_from_anywhere(folder: Path) -> None:
    (folder / "recipe.toml").write_text('base = "./a.txt"\n' + CORPUS, "utf-8")
    recipe = read_recipe(folder / "recipe.toml")
    assert recipe.base == recipe.table["base"] == str(folder / "a.txt")


@pytest.mark.parametrize(
    ("plan", "table", "message"),
    [
        (Lapt, {"batch": 0}, "lapt.batch is at least 1, not 0"),
        (Lapt, {"mask": 2.0}, "lapt.mask is a share"),
        (Lapt, {"precision": "int4"}, "unknown precision 'int4'; known: auto, float32, bfloat16"),
        (Finetune, {"length": 2}, "finetune.length is at least 3, not 2"),
        (Finetune, {"schedule": "x"}, "unknown finetune.schedule 'x'; known: inverse_sqrt"),
    ],
)
def test_values_that_mean_nothing_are_refused(plan: type, table: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build(plan, table, "table")


def test_missing_files_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingError, match="no such recipe"):
        read_recipe(folder / "none.toml")
    with pytest.raises(MissingError, match=r"b\.txt: no such file"):
        read_recipe(write(folder, '[corpus]\nfiles = ["b.txt"]\n'))
    monkeypatch.setenv("SPECIALIZE_DATA", str(folder / "nowhere"))
    with pytest.raises(MissingError, match="set SPECIALIZE_DATA"):
        read_recipe(write(folder, '[corpus]\nfiles = ["$SPECIALIZE_DATA/x.txt"]\n'))


def test_changes_are_toml_or_else_text() -> None:
    said = read_changes(["a.b=2", "c=[1, 2]", "d=tva", 'e="x"', "f=true"])
    assert said == {"a": {"b": 2}, "c": [1, 2], "d": "tva", "e": "x", "f": True}
    with pytest.raises(UsageError, match=r"name\.of\.key=value"):
        read_changes(["abc"])


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda p: p.name)
def test_every_recipe_of_the_project_reads(path: Path, data: Path) -> None:
    recipe = read_pretrain(path) if path.name.startswith("pretrain") else read_recipe(path)
    assert recipe
