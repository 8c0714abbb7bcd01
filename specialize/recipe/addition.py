"""What ``specialize modules add`` does, as a recipe: one arm, without tasks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from specialize.recipe.read import recipe_of
from specialize.recipe.recipe import Recipe
from specialize.recipe.table import Table, check_names
from specialize.recipe.toml import read_changes

KEYS = ("augment", "embed", "lapt", "corpus", "seeds")
RATE = 1e-4  # Pfeiffer et al. 2022, section 4.2: of added languages


def read_addition(
    base: str, language: str, files: Sequence[str], changes: Sequence[str] = ()
) -> Recipe:
    """Return the recipe with one arm, the language's: ``extend``, ``overlap``, LAPT on ``files``.

    ``changes``: ``"augment.pieces=200"``, of the keys `KEYS`. Errors as of `read_recipe`.
    """
    table: Table = {"augment": "extend", "embed": "overlap", "lapt": {"rate": RATE}}
    table = read_changes(changes, table)
    check_names(table, KEYS, "", what="--set")
    corpus = {**table.pop("corpus", {}), "files": list(files)}
    given = {"base": base, "corpus": corpus, "arm": {language: {}}}
    return recipe_of(table | given, folder=Path())
