"""The tables of keys in docs/studies.md: ``python -m specialize.studies.reference``."""

from __future__ import annotations

from specialize.recipe.reference import keys_table
from specialize.studies.sharing import recipe as sharing
from specialize.studies.sharing.training import Training
from specialize.studies.transfer import recipe as transfer
from specialize.studies.zeroshot import plans
from specialize.studies.zeroshot import recipe as zeroshot

_TABLES = {
    "Recipes of transfer and interference": transfer.TransferKeys,
    "Transfer: `[treebank.NAME]`": transfer.TreebankKeys,
    "Transfer: `[mlm]`": transfer.Mlm,
    "Transfer: `[adapter]`": transfer.AdapterPlan,
    "Interference: `[interference]`": transfer.InterferencePlan,
    "Recipes of sharing": sharing.SharingKeys,
    "Sharing: `[treebank.NAME]`": sharing.TreebankKeys,
    "Sharing: `[training]`": Training,
    "Recipes of zero-shot transfer": zeroshot.ZeroshotKeys,
    "Zero-shot: `[treebank.LANGUAGE]` and `[ner.LANGUAGE]`": zeroshot.FilesKeys,
    "Zero-shot: `[training]`": plans.Training,
    "Zero-shot: `[mlm]`": plans.Mlm,
    "Zero-shot: `[few]`": plans.Few,
    **{f"Zero-shot: `[system.NAME]` of kind `{k}`": c for k, c in plans.KINDS.items()},
}


def reference() -> str:
    """Return the keys of the recipes of studies, as Markdown."""
    return "\n".join(f"### {title}\n\n{keys_table(cls)}" for title, cls in _TABLES.items())


if __name__ == "__main__":
    print(reference(), end="")
