"""What ``specialize modules add`` does, as a recipe: one arm, without tasks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from specialize.errors import UsageError
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
    if not re.fullmatch(r"[^\W_][\w-]{0,63}", language):
        expected = "expected letters, digits, '_' and '-', at most 64, the first no '_'"
        raise UsageError(f"LANGUAGE {language!r}: {expected}")
    table: Table = {"augment": "extend", "embed": "overlap", "lapt": {"rate": RATE}}
    table = read_changes(changes, table)
    check_names(table, KEYS, "", what="--set")
    corpus = {**table.pop("corpus", {}), "files": list(files)}
    given = {"base": base, "corpus": corpus, "arm": {language: {}}}
    recipe = recipe_of(table | given, folder=Path())
    if len(seeds := recipe.arms[0].seeds) > 1:
        raise UsageError(f"seeds = {list(seeds)}: a language is added with one seed; name one")
    return recipe
