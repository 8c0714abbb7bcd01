"""The tables of keys in docs/studies.md: ``python -m specialize.studies.reference``."""

from __future__ import annotations

from specialize.recipe.reference import keys_table
from specialize.studies.sharing.recipe import SharingKeys, TreebankKeys
from specialize.studies.sharing.training import Training


def reference() -> str:
    """Return the keys of recipes of sharing, as Markdown."""
    tables = {
        "The recipe": SharingKeys,
        "`[treebank.NAME]`": TreebankKeys,
        "`[training]`": Training,
    }
    return "\n".join(f"### {title}\n\n{keys_table(cls)}" for title, cls in tables.items())


if __name__ == "__main__":
    print(reference(), end="")
