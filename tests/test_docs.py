"""The documentation is complete: commands in the README, every recipe key with its meaning."""

import re
from pathlib import Path

import pytest

from specialize.cli import _parser
from specialize.corpus import CorpusFiles
from specialize.recipe.keys import ArmKeys, RecipeKeys, TaskKeys
from specialize.recipe.methods import names
from specialize.recipe.reference import meanings, reference
from specialize.recipe.table import keys_of
from specialize.train.finetune import Finetune
from specialize.train.lapt import Lapt
from specialize.train.pretrain import Pretrain
from specialize.transliteration import page

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
TABLE = README.partition("| command | does |")[2].partition("\n\n")[0]
COMMANDS = next(a.choices for a in _parser()._actions if isinstance(a.choices, dict))


def test_every_command_is_in_the_table_of_the_readme() -> None:
    assert sorted(re.findall(r"^\| `specialize (\w+)", TABLE, re.MULTILINE)) == sorted(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_readme_names_no_option_that_a_command_lacks(name: str) -> None:
    (row,) = re.findall(rf"^\| `specialize {name}\b([^`]*)`", TABLE, re.MULTILINE)
    known = {option for action in COMMANDS[name]._actions for option in action.option_strings}
    assert set(re.findall(r"--[\w-]+", row)) <= known


def test_the_reference_of_recipes_is_current() -> None:
    current = (ROOT / "docs" / "recipes.md").read_text("utf-8")
    command = "python -m specialize.recipe.reference > docs/recipes.md"
    assert current == reference(), f"out of date; run: {command}"


def test_the_page_of_schemes_is_current() -> None:
    current = (ROOT / "docs" / "transliteration.md").read_text("utf-8")
    command = "python -m specialize.transliteration > docs/transliteration.md"
    assert current == page(), f"out of date; run: {command}"


@pytest.mark.parametrize(
    "table", [RecipeKeys, ArmKeys, TaskKeys, CorpusFiles, Lapt, Finetune, Pretrain]
)
def test_every_key_of_a_recipe_has_a_meaning(table: type) -> None:
    assert keys_of(table).keys() - meanings(table).keys() == set()


def test_the_meaning_of_a_key_is_the_comment_after_its_field() -> None:
    found = meanings(RecipeKeys)
    assert found["seeds"] == "one fine-tuned model of each task for each seed"
    assert found["lapt"] == "the table [lapt]; false: no arm runs LAPT"
    assert list(found) == list(keys_of(RecipeKeys))


def test_every_way_to_initialise_rows_is_in_its_page_and_the_readme() -> None:
    page = (ROOT / "docs" / "embed.md").read_text("utf-8")
    assert sorted(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == names("embed")
    (row,) = re.findall(r"^\| `embed` \| (.+) \|$", README, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", row)) == names("embed")
