"""Recipes of transfer: those of the project, and their reference."""

from pathlib import Path

import pytest
from small_transfer import Ran

from specialize.errors import UsageError
from specialize.recipe.reference import meanings
from specialize.recipe.table import keys_of
from specialize.studies.transfer.recipe import (
    AdapterPlan,
    InterferencePlan,
    Mlm,
    TransferKeys,
    TreebankKeys,
    read_study,
)
from specialize.studies.transfer.treebanks import check_partners

ROOT = Path(__file__).parents[3]
DOCS = (ROOT / "docs" / "studies.md").read_text("utf-8")


@pytest.mark.parametrize("table", [TransferKeys, TreebankKeys, Mlm, AdapterPlan, InterferencePlan])
def test_every_key_has_a_meaning_that_the_documentation_states(table: type) -> None:
    found = meanings(table)
    assert found.keys() == keys_of(table).keys()
    for key, meaning in found.items():
        assert f"| `{key}` |" in DOCS
        assert f"| {meaning} |" in DOCS


def test_the_recipe_of_mini_has_ten_donors_and_twelve_targets(data: Path) -> None:
    study = read_study(ROOT / "recipes" / "transfer_mini.toml")
    assert len(study.transfer) >= 10
    assert len(study.targets) >= 12
    assert (study.steps, study.repeats) == ((1, 10, 100), 5)
    assert len(check_partners(study)) >= 10
    assert set(study.seen) < {*study.transfer, *(t.name for t in (*study.train, *study.targets))}


def test_treebanks_and_texts_that_are_false_are_left_out(ran: Ran) -> None:
    study = read_study(ran.recipe, ["treebank.bb=false", "transfer.aa=false"])
    assert [bank.name for bank in study.targets] == ["aa"]
    assert [*study.transfer] == ["bb"]
    with pytest.raises(UsageError, match=r"targets = .*expected one treebank or more"):
        read_study(ran.recipe, ["treebank.bb=false", "targets=['bb']"])
