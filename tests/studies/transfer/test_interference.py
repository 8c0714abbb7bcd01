"""Interference between toy languages: stages, fusions, and what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small_transfer import Ran

from specialize.errors import UsageError
from specialize.model.load import load_checkpoint
from specialize.modules.scope import Scope
from specialize.store import Store
from specialize.studies.transfer import interference, report
from specialize.studies.transfer.fusions import _adapters
from specialize.studies.transfer.recipe import read_study


@pytest.fixture(scope="module")
def facts(ran: Ran) -> dict[str, Any]:
    return interference.run(ran.study, ran.out)


def test_each_language_is_scored_alone_and_each_pair_with_every_fusion(
    facts: dict[str, Any], ran: Ran
) -> None:
    assert {task: set(own) for task, own in facts["alone"].items()} == {
        "pos": {"aa", "bb"},
        "dep": {"aa", "bb"},
    }
    kinds = [(run["members"], run["fusion"]) for run in facts["combinations"]]
    assert kinds == [(["aa", "bb"], fusion) for fusion in ("trained", "mean", "untrained")]
    assert json.loads((ran.out / "interference.json").read_text("utf-8")) == facts


def test_an_adapter_is_scored_whole_in_part_and_not_at_all(facts: dict[str, Any]) -> None:
    for task, own in facts["single"].items():
        assert {name: scores["alone"] for name, scores in own.items()} == facts["alone"][task]
        assert all(set(scores) == {"alone", "half", "third", "base"} for scores in own.values())


def test_a_share_of_an_adapter_adds_that_share(ran: Ran) -> None:
    model = load_checkpoint(Path(ran.study.base)).model
    pair = interference.stages(ran.study)["aa", "bb"]
    folder = Store(ran.out).folder(pair.arguments["languages"]["aa"])
    tensors = {"aa": load_file(folder / "language.safetensors")}
    whole, third = (_adapters(model, ran.study.interference, tensors, s) for s in (1.0, 1 / 3))
    states, scope = torch.randn(2, 3, whole.width), Scope("aa")
    layer = whole.layers[0]
    added = whole.delta(states, layer, scope)
    assert added.abs().max() > 0
    torch.testing.assert_close(third.delta(states, layer, scope), added / 3)


def test_gains_have_intervals_over_test_sentences(facts: dict[str, Any]) -> None:
    for run in facts["combinations"]:
        for task, scores in run["scores"].items():
            for name, score in scores.items():
                low, high = run["intervals"][task][name]
                assert low <= score - facts["alone"][task][name] <= high


def test_counts_are_of_one_partner_or_a_tie(facts: dict[str, Any]) -> None:
    for own in facts["found"]:
        for row in own["rows"]:
            assert sum(row["counts"]) + row["ties"] == 1


def test_task_adapters_of_a_study_of_transfer_are_used_again(ran: Ran) -> None:
    plan = interference.plan(read_study(ran.recipe, ["interference.steps=9"]), ran.out)
    assert "pos adapter  done" in plan
    assert "dep adapter  done" in plan
    assert "aa+bb fused  ~" in plan


def test_language_adapters_learn(facts: dict[str, Any], ran: Ran) -> None:
    store = Store(ran.out)
    pair = interference.stages(ran.study)["aa", "bb"]
    found = {
        name: load_file(store.folder(stage) / "language.safetensors")
        for name, stage in pair.arguments["languages"].items()
    }
    name = next(name for name in found["aa"] if name.endswith("up"))
    assert found["aa"][name].shape == found["bb"][name].shape
    assert not torch.equal(found["aa"][name], found["bb"][name])


def test_results_are_written_as_page_and_table(facts: dict[str, Any], ran: Ran) -> None:
    text = report.write_interference(facts, ran.out)
    assert "pos, 2 languages, fusion untrained" in text
    assert (ran.out / "interference.html").is_file()
    assert (ran.out / "interference.csv").read_text("utf-8").count("\n") == 1 + 2 * 3 * 2


def test_too_few_languages_with_text_and_target_are_refused(ran: Ran) -> None:
    study = read_study(ran.recipe, ['targets=["aa"]'])
    with pytest.raises(UsageError, match=r"interference needs 2 languages or more.*got: aa"):
        interference.plan(study, ran.out)


def test_options_of_other_combinations_redo_none(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interference, "check_partners", lambda _: ["aa", "bb"])
    store = Store(ran.out)
    before = interference.stages(ran.study)

    def same(change: str) -> set[tuple[str, ...]]:
        after = interference.stages(read_study(ran.recipe, [change]))
        return {m for m in before if m in after and store.key(before[m]) == store.key(after[m])}

    assert same("interference.sizes=[2,3]") == {*before}
    assert same("interference.fusion_steps=7") == {("aa",), ("bb",)}
    assert same("interference.rate=0.1") == set()
