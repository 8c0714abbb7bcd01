"""Estimates of time follow what is known of the texts."""

import json
import shutil
from pathlib import Path

import pytest

from specialize.executors import run_all
from specialize.model.find import find_model
from specialize.pipeline.estimate import with_work
from specialize.pipeline.plan import plan_arms
from specialize.progress import Silent
from specialize.recipe.read import read_recipe
from specialize.store import Store
from specialize.toylang import ToyFiles

RECIPE = """\
base = "BASE"
[task.pos]
train = "train.conllu"
dev = "dev.conllu"
test = "test.conllu"
[arm.unadapted]
lapt = false
"""


def test_fine_tuning_is_estimated_by_the_audited_pieces_per_word(
    base_folder: Path, toy: ToyFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("specialize.pipeline.estimate.flops_per_second", lambda: 1e9)
    shutil.copytree(toy.corpus.parent, tmp_path / "data")
    path = tmp_path / "data" / "run.toml"
    path.write_text(RECIPE.replace("BASE", str(base_folder)), "utf-8")
    recipe, store = read_recipe(path), Store(tmp_path / "out")
    (plan,) = plan_arms(recipe, {recipe.base: find_model(recipe.base)}, store)

    def seconds() -> float:
        return with_work(plan, store, words={"pos": 10**6}).heads["pos", 1].work - 1

    before = seconds()
    audit = plan.audits["pos dev"]
    run_all([audit], store, Silent())
    facts = json.loads((store.folder(audit) / "audit.json").read_text("utf-8"))
    assert seconds() == pytest.approx(before * facts["after"]["fertility"] / 2)
    assert facts["after"]["fertility"] != 2
