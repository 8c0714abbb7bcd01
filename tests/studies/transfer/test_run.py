"""A whole study of toy languages: controls, what is resumed, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from small_transfer import Ran, write_recipe

from specialize.errors import DataError, UsageError
from specialize.model.load import load_checkpoint
from specialize.store import Store
from specialize.studies.transfer.cells import cells, derived, open_bench, read_text, setting_of
from specialize.studies.transfer.recipe import read_study
from specialize.studies.transfer.run import facts_of, plan
from specialize.studies.transfer.trajectory import (
    batch_at,
    mlm_loss,
    perturb,
    putting_back,
    snapshot,
    trajectory,
)
from specialize.studies.transfer.treebanks import check_treebanks
from specialize.train.masking import mask_pieces
from specialize.train.optim import adamw, groups


def test_results_hold_a_score_for_every_cell(ran: Ran) -> None:
    own = ran.facts["tasks"]["pos"]["steps"]["2"]
    assert np.shape(own["scores"]) == (2, 2, 2)  # transfer languages, repeats, targets
    assert np.shape(own["ts"]) == np.shape(own["noise"]) == (2, 2)
    assert [d["language"] for d in own["donors"]] == ["aa", "bb"]
    assert json.loads((ran.out / "results.json").read_text("utf-8")) == ran.facts


def test_scores_after_no_step_are_those_of_the_base(ran: Ran) -> None:
    store = Store(ran.out)
    found = cells(ran.study)
    base = json.loads((store.folder(found.base) / "scores.json").read_text("utf-8"))
    for stage in found.trajectories.values():
        own = json.loads((store.folder(stage) / "scores.json").read_text("utf-8"))
        assert own["after"]["0"] == base["right"]


def test_a_trajectory_that_moves_the_base_is_noticed(ran: Ran) -> None:
    store = Store(ran.out)
    found = cells(ran.study)
    file = store.folder(found.trajectories["bb", 1]) / "scores.json"
    before = file.read_text("utf-8")
    changed = json.loads(before)
    changed["after"]["0"]["pos"]["aa"][0] += 1
    file.write_text(json.dumps(changed), "utf-8")
    try:
        with pytest.raises(DataError, match="bb, repeat 2: scores after 0 steps differ"):
            facts_of(ran.study, found, store)
    finally:
        file.write_text(before, "utf-8")


def test_one_more_repeat_or_language_runs_only_what_is_new(ran: Ran) -> None:
    store = Store(ran.out)
    more = read_study(ran.recipe, ["repeats=3"])
    new = [stage.label for stage in cells(more).all if not store.done(stage)]
    assert new == ["aa, repeat 3", "bb, repeat 3", "first-order screen"]
    other = read_study(ran.recipe, ['transfer.dd=["cc/corpus.txt"]'])
    new = [stage.label for stage in cells(other).all if not store.done(stage)]
    assert new == ["dd, repeat 1", "dd, repeat 2", "first-order screen"]


def test_a_plan_names_what_is_done_and_what_is_left(ran: Ran) -> None:
    found = plan(read_study(ran.recipe, ["repeats=3"]), ran.out)
    assert "aa, repeat 1        done" in found
    assert "3 stages to run" in found


def test_packed_text_is_padded_with_the_padding_piece(ran: Ran) -> None:
    store = Store(ran.out)
    padding = load_checkpoint(Path(ran.study.base)).framing.pad
    texts = [read_text(store.folder(stage)) for stage in cells(ran.study).texts.values()]
    assert all(text.min() >= 0 for text in texts)
    assert any((text[-1] == padding).any() for text in texts)


def test_a_snapshot_on_the_way_equals_a_run_that_ends_there(ran: Ran) -> None:
    store = Store(ran.out)
    found = cells(ran.study)
    text = read_text(store.folder(found.texts["bb"]))
    checkpoint = load_checkpoint(Path(ran.study.base))
    pieces = mask_pieces(checkpoint.vocabulary, checkpoint.framing)
    model, states = checkpoint.model, []
    for steps in ([1, 2], [2]):
        with putting_back(model) as start:
            for k in trajectory(model, text, pieces, ran.study.mlm, steps, seed=7):
                if k == 2:
                    states.append(snapshot(model))
        assert all(map(torch.equal, snapshot(model), start))
    assert all(map(torch.equal, *states))


def test_noise_is_as_far_from_the_base_as_the_change_it_replaces(ran: Ran) -> None:
    model = load_checkpoint(Path(ran.study.base)).model
    base = snapshot(model)
    changed = [tensor + 0.1 * number for number, tensor in enumerate(base)]
    length = perturb(model, base, changed, seed=1)
    for number, (start, now) in enumerate(zip(base, snapshot(model), strict=True)):
        wanted = 0.1 * number * start.numel() ** 0.5
        assert float((now - start).norm()) == pytest.approx(wanted, rel=1e-3, abs=1e-6)
    total = sum((0.1 * n) ** 2 * tensor.numel() for n, tensor in enumerate(base))
    assert length == pytest.approx(total**0.5, rel=1e-3)


def test_the_screen_is_the_change_of_the_loss_by_a_short_first_step(ran: Ran) -> None:
    """The first step of AdamW, at a rate at which the first order is all there is."""
    store = Store(ran.out)
    found = cells(ran.study)
    screen = json.loads((store.folder(found.screen) / "scores.json").read_text("utf-8"))
    adapters = {task: store.folder(stage) for task, stage in found.adapters.items()}
    bench = open_bench(Path(ran.study.base), adapters, setting_of(ran.study))
    model, adapter = bench.checkpoint.model, bench.adapters["dep"]
    pieces = mask_pieces(bench.checkpoint.vocabulary, bench.checkpoint.framing)
    text, rate = read_text(store.folder(found.texts["bb"])), 1e-4
    test = bench.tests["dep"]
    own = [test.sentences[i] for i in test.targets["aa"]]
    batch = bench.words.batch([s.words for s in own], torch.device("cpu"))

    @torch.no_grad()
    def loss() -> float:
        with adapter.on(model) as scope, scope():
            scores = adapter.module(batch)
            head = adapter.module.head
            return float(adapter.task.loss(head, scores, own, adapter.labels, batch.mask_BW))

    falls = []
    for repeat in range(ran.study.repeats):
        with putting_back(model):
            before = loss()
            seed = derived(ran.study.seed, "bb", repeat)
            mlm_loss(model, *batch_at(text, pieces, ran.study.mlm, 0, seed=seed)).backward()
            adamw(groups(model.named_parameters(), rate=rate, decay=0.0)).step()
            falls.append(before - loss())
            model.zero_grad(set_to_none=True)
    wanted = rate * screen["sign"]["dep"]["bb"]["aa"]
    assert sum(falls) / len(falls) == pytest.approx(wanted, rel=0.1)


# What is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("tasks=['pos','ner']", "unknown task 'ner' in tasks; known: pos, dep"),
        ("treebank.bb.tasks=['ner']", "treebank.bb.tasks has 'ner', for which there is no task"),
        ("targets=['aa','xx']", "unknown treebank 'xx' in targets; known: aa, bb, cc"),
        ("treebank.aa.tasks=['pos']", "no treebank of train has the task 'dep'"),
        ("steps=[0]", "steps = .*: expected one number or more above 0"),
        ("mlm.rates=1", "unknown key 'rates' in mlm"),
        ("adapter.epochs=0", "adapter.epochs of at least 1"),
        ("interference.sizes=[4]", "expected interference.sizes of 2 and 3"),
    ],
)
def test_recipes_that_cannot_work_are_refused(ran: Ran, change: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_study(ran.recipe, [change])


def test_a_treebank_without_forms_is_refused(base_folder: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, base_folder)
    file = tmp_path / "bb" / "test.conllu"
    rows = [line.split("\t") for line in file.read_text("utf-8").splitlines()]
    lines = ["\t".join([r[0], "_", *r[2:]]) if len(r) > 1 else r[0] for r in rows]
    file.write_text("\n".join([*lines, ""]), "utf-8")
    with pytest.raises(DataError, match=r"test.*:\d+: treebank\.bb, test: .* words have no form"):
        check_treebanks(read_study(recipe))


def test_test_sentences_in_train_are_refused(ran: Ran) -> None:
    (bank,) = ran.study.train
    study = read_study(ran.recipe, [f'treebank.bb.test="{bank.files["train"]}"'])
    with pytest.raises(DataError, match="6 of 6 test sentences are also trained on"):
        check_treebanks(study)


def test_a_target_of_another_annotation_is_refused(base_folder: Path, tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, base_folder)
    file = tmp_path / "bb" / "test.conllu"
    rows = [line.split("\t") for line in file.read_text("utf-8").splitlines()]
    lines = ["\t".join([*r[:3], "QQ", *r[4:]]) if len(r) > 1 else r[0] for r in rows]
    file.write_text("\n".join([*lines, ""]), "utf-8")
    with pytest.raises(DataError, match=r"treebank\.bb: no label of the pos adapter occurs"):
        check_treebanks(read_study(recipe))


def test_another_name_of_a_target_is_another_stage(ran: Ran) -> None:
    """Scores are stored by name."""
    text = ran.recipe.read_text("utf-8").replace("treebank.bb", "treebank.zz")
    renamed = ran.recipe.with_name("renamed.toml")
    renamed.write_text(text.replace('"bb"', '"zz"'), "utf-8")
    store = Store(ran.out)
    before, after = cells(ran.study), cells(read_study(renamed))
    assert store.key(after.base) != store.key(before.base)
