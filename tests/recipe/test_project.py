"""The recipes in recipes/ can be read."""

from pathlib import Path

import pytest

from specialize.recipe.pretrain import read_pretrain
from specialize.recipe.read import read_recipes

RECIPES = Path(__file__).parents[2] / "recipes"
STUDIES = ("sharing", "transfer", "madx", "hyperx")  # tests/studies reads theirs
OWN_FILES = (  # in place of the user's
    "corpus.files=['$SPECIALIZE_DATA/raw/wikipedia/wo.txt.xz']",
    "task.pos.folder='$SPECIALIZE_DATA/ud/UD_Wolof-WTB'",
)


@pytest.mark.parametrize(
    "path",
    sorted(path for path in RECIPES.glob("*.toml") if not path.name.startswith(STUDIES)),
    ids=lambda p: p.name,
)
def test_every_recipe_of_the_project_reads(
    path: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for base in ("be_vectors", "be_scratch"):  # made by recipes that baselines.toml names
        (tmp_path / base / "model").mkdir(parents=True)
    monkeypatch.setenv("BASES", str(tmp_path))
    if path.name.startswith("pretrain"):
        assert read_pretrain(path).languages
    else:
        changes = OWN_FILES if path.name == "my_language.toml" else ()
        assert all(recipe.table for recipe in read_recipes(path, changes).values())
