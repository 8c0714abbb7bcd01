"""A whole study of toy languages: who is scored on what, what is resumed, what is noticed."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small_zeroshot import Ran

from specialize.errors import DataError, UsageError
from specialize.modules.policy import trained
from specialize.modules.psf import Divergences
from specialize.modules.scope import Scope
from specialize.progress import Silent
from specialize.store import Store
from specialize.studies.zeroshot.bench import Bench, open_bench
from specialize.studies.zeroshot.cells import cells
from specialize.studies.zeroshot.partition import Part
from specialize.studies.zeroshot.recipe import read_study
from specialize.studies.zeroshot.run import _undrawn, facts_of, plan
from specialize.studies.zeroshot.steps import loss_of, prior


def test_every_pair_is_scored_by_both_models_and_unseen_by_the_one_that_did_not_see_it(
    ran: Ran,
) -> None:
    rows = [row for row in ran.facts["rows"] if not row["few"]]
    assert len(rows) == len(ran.study.systems) * 2 * 6  # models, pairs
    seen = {(r["task"], r["language"]): "" for r in rows}
    for row in rows:
        if row["seen"] and row["system"] == "madx":
            seen[row["task"], row["language"]] += row["model"]
    wanted = {"aa": ("a", "b"), "bb": ("b", "a"), "cc": ("ab", "ab")}
    assert seen == {
        (task, name): own[i]
        for name, own in wanted.items()
        for i, task in enumerate(("pos", "dep"))
    }
    assert json.loads((ran.out / "results.json").read_text("utf-8")) == ran.facts


def test_no_pair_may_be_seen_and_unseen(ran: Ran) -> None:
    with pytest.raises(AssertionError):
        Part(ran.study.pairs[:2], ran.study.pairs[1:])


def test_a_pair_that_was_trained_on_is_not_counted_as_unseen(ran: Ran) -> None:
    store = Store(ran.out)
    found = cells(ran.study)
    file = store.folder(found.models["madx", "a", 1]) / "scores.json"
    before = file.read_text("utf-8")
    changed = json.loads(before)
    changed["trained"].append(["bb", "pos"])
    file.write_text(json.dumps(changed), "utf-8")
    try:
        message = "madx, model a, seed 1: pos of bb is scored as unseen, against the partition"
        with pytest.raises(DataError, match=message):
            facts_of(ran.study, found, store)
    finally:
        file.write_text(before, "utf-8")


def test_one_more_seed_or_system_runs_only_what_is_new(ran: Ran) -> None:
    store = Store(ran.out)

    def new(*changes: str) -> list[str]:
        found = cells(read_study(ran.recipe, changes))
        stages = [*found.adapters["madx"].values(), *found.all]
        return [stage.label for stage in stages if not store.done(stage)]

    assert new("seeds=[1,2]") == [
        f"{name}, model {model}, seed 2" for name in ran.study.systems for model in "ab"
    ]
    assert new("system.slow.kind=full") == [f"slow, model {model}, seed 1" for model in "ab"]
    assert not new("system.full.rate=1e-3", "system.full.kind=full")
    changed = new("mlm.steps=3")  # full reads no text
    assert changed[:3] == [f"{name}: language adapter" for name in ("cc", "aa", "bb")]
    assert not [label for label in changed if label.startswith("full")]
    assert "full, model a, seed 1    done" in plan(ran.study, ran.out)


def test_a_model_is_the_same_again_and_only_its_adapters_train(ran: Ran, tmp_path: Path) -> None:
    store = Store(ran.out)
    stage = cells(ran.study).models["madx", "b", 1]
    result = json.loads((store.folder(stage) / "scores.json").read_text("utf-8"))
    again = Store(tmp_path)
    torch.manual_seed(99)
    for need in (*(n for s in stage.needs for n in s.needs), *stage.needs, stage):
        again.run(need, Silent())
    assert json.loads((again.folder(stage) / "scores.json").read_text("utf-8")) == result


def opened(ran: Ran, system: str, *, without: str = "") -> Bench:
    """Return model a of a system, untrained, without the adapters of a language."""
    store, study = Store(ran.out), ran.study
    found = cells(study).adapters[system]
    adapters = {name: store.folder(s) for name, s in found.items() if name != without}
    plan, part = study.systems[system], study.part("a")
    own = {"adapters": adapters, "texts": {}}
    return open_bench(Path(study.base), plan, part, study.training, study.mlm, **own, seed=1)


@pytest.mark.parametrize(
    ("system", "trains"),
    [
        ("full", {"embeddings", "layers", "final_norm"}),
        ("madx", {"ffn_h.sources.1.keyed"}),
        ("hyperx", {"norm", "ffn_h.languages", "ffn_h.projector", "ffn_h.generators"}),
    ],
)
def test_each_system_trains_what_it_says_and_nothing_else(
    ran: Ran, system: str, trains: set[str]
) -> None:
    bench = opened(ran, system)
    with trained(bench.host, bench.system.policies):
        names = [n for n, p in bench.host.named_parameters() if p.requires_grad]
    assert all(any(part in name for name in names) for part in trains)
    others = {"full": "module_sources", "madx": "sources.0", "hyperx": "layers.0.mlp.W"}
    assert not [name for name in names if others[system] in name]
    assert ("embeddings.tok_embeddings.weight" in " ".join(names)) == (system == "full")


def test_the_last_layers_of_a_factorization_are_those_of_the_pair(ran: Ran) -> None:
    """Draws differ in training; the means at test depend on the language, and heads do not."""
    bench = opened(ran, "psf")
    sentences = bench.data[Scope("aa", "pos")].dev
    for task in ("pos", "dep"):
        member = bench.members[task]
        head = member.model.head.eval()
        names = [name for name, _ in head.named_parameters()]
        assert not [n for n in names if "linear" in n or "relation_weight" in n]
        batch = bench.words.batch([s.words for s in sentences], torch.device("cpu"))
        found = {}
        with torch.no_grad():
            states = member.model.eval().states(batch)
            for name in ("aa", "aa", "bb"):
                with bench.system.at(Scope(name, task)):
                    scores = head(states, batch.mask_BW)
                    if task == "dep":
                        scores = head.all_relations(scores.words_BWK[0], scores.heads_BHK[0])
                assert name not in found or torch.equal(found[name], scores)
                found[name] = scores
        assert not torch.equal(found["aa"], found["bb"])
    first, second = (loss_of(bench, Scope("aa", "pos"), np.arange(2)) for _ in range(2))
    assert first.requires_grad
    assert torch.equal(first, second)  # in evaluation mode
    bench.members["pos"].model.train()
    assert not torch.equal(loss_of(bench, Scope("aa", "pos"), np.arange(2)), first)


def test_every_unseen_pair_is_also_scored_after_a_few_sentences(ran: Ran) -> None:
    rows = [row for row in ran.facts["rows"] if row["few"]]
    assert len(rows) == len(ran.study.systems) * 2 * 2  # models, unseen pairs
    assert not any(row["seen"] for row in rows)
    unseen = {(r["language"], r["task"], r["model"]) for r in ran.facts["rows"] if not r["seen"]}
    assert {(row["language"], row["task"], row["model"]) for row in rows} == unseen


def test_text_is_one_of_the_tasks_of_a_hypernetwork(ran: Ran) -> None:
    updates = {name: own["updates"] for name, own in ran.facts["systems"].items()}
    assert updates["madx"].pop("mlm") == ran.study.mlm.steps * len(ran.study.languages)
    assert updates["hyperx"].pop("mlm") > 0
    assert updates["hyperx"] == updates["madx"] == updates["full"]


def test_all_metrics_are_kept_with_the_number_of_words(ran: Ran) -> None:
    for row in ran.facts["rows"]:
        assert row["score"] == row["metrics"]["las" if row["task"] == "dep" else "upos"]
        assert 0 < row["sentences"] <= row["words"]


@pytest.mark.parametrize("rank", [0, 2])
def test_the_divergence_of_variables_counts_once_for_all_that_they_are_of(
    ran: Ran, rank: int
) -> None:
    """Over a pass over all pairs, weighted by their words, each divergence adds up to itself."""
    plan = replace(ran.study.systems["psf"], rank=rank)
    bench = opened(ran._replace(study=replace(ran.study, systems={"psf": plan})), "psf")
    source = bench.system.factorized
    assert source
    source.divergences = Divergences(*torch.tensor([1.0, 10.0, 100.0]))
    total = sum(words * prior(bench, source, scope) for scope, words in bench.units.items())
    pairs = len(bench.units)
    languages = 1 if rank else len({scope.language for scope in bench.units})
    tasks = 1 if rank else len({scope.task for scope in bench.units})
    assert float(total) == pytest.approx(pairs + 10 * languages + 100 * tasks)


def test_a_language_without_an_adapter_is_an_error(ran: Ran) -> None:
    bench = opened(ran, "madx", without="bb")
    with pytest.raises(UsageError, match="no parameters of language 'bb'; known: cc, aa"):
        bench.predict(Scope("bb", "pos"), [])


def test_models_of_a_seed_draw_different_numbers(ran: Ran) -> None:
    """Their scores are taken as independent."""
    found = cells(ran.study).models
    assert found["madx", "a", 1].arguments["seed"] != found["madx", "b", 1].arguments["seed"]


def test_text_depends_on_the_test_sentences_of_its_language_alone(ran: Ran) -> None:
    before, after = (
        cells(read_study(ran.recipe, changes)).texts for changes in ([], ["treebank.cc=false"])
    )
    store = Store(ran.out)
    assert [store.key(after[name]) == store.key(before[name]) for name in after] == [True, True]


def test_a_seen_pair_that_no_update_was_of_is_told(ran: Ran) -> None:
    store, found = Store(ran.out), cells(ran.study)
    file = store.folder(found.models["full", "a", 1]) / "scores.json"
    before = file.read_text("utf-8")
    changed = json.loads(before)
    changed["trained"] = [pair for pair in changed["trained"] if pair != ["aa", "pos"]]
    file.write_text(json.dumps(changed), "utf-8")
    try:
        told = [line for line in _undrawn(found, store) if line.startswith("full, model a, seed 1")]
    finally:
        file.write_text(before, "utf-8")
    assert "pos of aa" in told[0]
