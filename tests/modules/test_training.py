"""Modules in LAPT and fine-tuning: the host stays, a language's adapter is exchanged."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from specialize.corpus import CorpusFiles
from specialize.corpus.prepare import Prepared, prepare
from specialize.embed import mean
from specialize.model.install import install
from specialize.model.language_model import tables
from specialize.model.load import Checkpoint, load_checkpoint
from specialize.model.word_encoder import WordEncoder
from specialize.modules import hyperx, madx, xmod
from specialize.modules.attach import Attached, Table, attach
from specialize.modules.policy import Policy, training
from specialize.modules.scope import Scope
from specialize.modules.sources import Fuse, Invertible, PerKey, Stack
from specialize.tasks import pos
from specialize.tasks._base import Sentence
from specialize.toylang import ToyFiles
from specialize.train import language_model as masked
from specialize.train import loop
from specialize.train.finetune import Data, Finetune, Finetuned, finetune, predict
from specialize.train.lapt import Lapt, lapt
from specialize.vocab.base import unchanged
from specialize.vocab.framing import moved

LAPT = Lapt(epochs=2, batch=16, length=32, rate=3e-2, dev_lines=20, precision="float32")
TUNE = Finetune(
    epochs=5,
    patience=0,
    batch=8,
    rate=1e-2,
    head_rate=1e-2,
    freeze=0,
    length=64,
    precision="float32",
)
State = dict[str, torch.Tensor]


class Killed(Exception):
    """A simulated power cut."""


@pytest.fixture(scope="module")
def text(toy: ToyFiles, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("text")
    prepare(CorpusFiles((str(toy.corpus),), dev=0.2), [], folder, lambda line: None)
    return Prepared(folder)


@pytest.fixture(scope="module")
def data(toy: ToyFiles) -> Data:
    read = pos.task().read
    return Data(read(toy.train)[:20], read(toy.dev)[:10], read(toy.test)[:10])


@pytest.fixture(params=["bert", "modernbert"])
def base(request: pytest.FixtureRequest) -> Checkpoint:
    name = "bert_folder" if request.param == "bert" else "base_folder"
    return load_checkpoint(request.getfixturevalue(name))


def state(module: Any) -> State:
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}


def host_state(host: Any) -> State:
    return {n: t for n, t in state(host).items() if "module_sources" not in n}


def equal(left: State, right: State) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[n], right[n]) for n in left)


def languages_of(host: Any) -> tuple[PerKey, Invertible]:
    languages, invertible = madx.language_adapters(host), madx.invertible_adapters(host)
    for key in ("toy", "other"):
        languages.keyed.add(key, seed=1)
        invertible.keyed.add(key, seed=1)
    return languages, invertible


def adapted(base: Checkpoint, text: Prepared, folder: Path) -> tuple[Attached, list[Any]]:
    """Return the language's adapters after LAPT with all else frozen."""
    languages, invertible = languages_of(base.model)
    modules = attach(base.model, madx.table(base.model, languages, invertible=invertible))
    policies = [Policy(source.keyed.set_of("toy")) for source in (languages, invertible)]
    with training(modules, Scope("toy"), policies):
        history = lapt(base, unchanged(base.vocabulary), text, LAPT, seed=1, folder=folder)
    return modules, history


def test_lapt_trains_a_languages_adapters_and_nothing_else(
    base: Checkpoint, text: Prepared, tmp_path: Path
) -> None:
    before = host_state(base.model)
    languages, _ = languages_of(base.model)
    idle = state(languages.keyed.set_of("other"))
    modules, history = adapted(base, text, tmp_path)
    assert history[-1].score < 0.99 * history[0].score
    assert equal(host_state(base.model), before)
    (source,) = (s for s in modules.table.values() if isinstance(s, PerKey))
    assert equal(state(source.keyed.set_of("other")), idle)
    assert not equal(state(source.keyed.set_of("toy")), state(languages.keyed.set_of("toy")))
    assert all(p.requires_grad for n, p in base.model.named_parameters() if "sources" not in n)


def test_lapt_of_an_adapter_resumes_to_the_same_weights(
    bert_folder: Path, text: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load_checkpoint(bert_folder)
    _, history = adapted(whole, text, tmp_path / "whole")
    calls, loss_sum = [], masked.loss_sum

    def killing(*given: Any) -> torch.Tensor:
        calls.append(1)
        if len(calls) > history[1].steps + 2:
            raise Killed
        return loss_sum(*given)

    monkeypatch.setattr(loop, "Plan", partial(loop.Plan, checkpoint_seconds=0.0))
    monkeypatch.setattr(masked, "loss_sum", killing)
    with pytest.raises(Killed):
        adapted(load_checkpoint(bert_folder), text, tmp_path / "cut")
    assert (tmp_path / "cut" / "checkpoint.pt").exists()
    monkeypatch.undo()
    resumed = load_checkpoint(bert_folder)
    adapted(resumed, text, tmp_path / "cut")
    assert equal(state(resumed.model), state(whole.model))


def test_fresh_rows_and_biases_train_beside_an_adapter_and_kept_ones_stay(
    base: Checkpoint, text: Prepared, tmp_path: Path
) -> None:
    change = base.vocabulary.place(["qa", "##qa"])
    install(base.model, change, mean.init(tables(base.model), change, []))
    checkpoint = Checkpoint(base.model, change.new, moved(base.framing, change), base.folder)
    before = host_state(base.model)
    languages = madx.language_adapters(base.model)
    languages.keyed.add("toy")
    modules = attach(base.model, madx.table(base.model, languages))
    with training(modules, Scope("toy"), [Policy(languages)]):
        lapt(checkpoint, change, text, LAPT, seed=1, folder=tmp_path)
    after = host_state(base.model)
    assert after.keys() == before.keys()
    table = next(
        n for n in after if n.endswith(("word_embeddings.weight", "tok_embeddings.weight"))
    )
    kept = [i for i in range(len(after[table])) if i not in change.fresh]
    assert torch.equal(after[table][kept], before[table][kept])
    others = {n for n in after if not torch.equal(after[n], before[n])} - {table}
    biases = {n for n in others if after[n].shape == after[table].shape[:1]}
    assert biases
    assert all(after[name].shape == after[table].shape for name in others - biases)
    for name in others:
        assert torch.equal(after[name][kept], before[name][kept])
        assert (after[name] != before[name])[list(change.fresh)].any(-1).all()
    assert all(p.requires_grad for n, p in base.model.named_parameters() if "sources" not in n)


def tuned(base: Checkpoint, modules: Attached, policies: list[Policy], data: Data, folder: Path,
          scope: Scope) -> Finetuned:  # fmt: skip
    words = WordEncoder(base.vocabulary, base.framing, length=TUNE.length)
    with training(modules, scope, policies):
        return finetune(base, words, pos.task(), data, TUNE, seed=1, folder=folder)


def with_task(host: Any) -> tuple[PerKey, PerKey, Table]:
    languages, tasks = languages_of(host)[0], madx.task_adapters(host, reduction=4)
    tasks.keyed.add("pos")
    return languages, tasks, madx.table(host, languages, tasks=tasks)


def tags(
    found: Finetuned, base: Checkpoint, modules: Attached, data: Data, scope: Scope
) -> list[Sentence[Any]]:
    words = WordEncoder(base.vocabulary, base.framing, length=TUNE.length)
    with modules.at(scope):
        return predict(found.module, words, pos.task(), found.labels, data.test)


def test_a_task_adapter_trains_on_a_fixed_language_adapter_and_runs_on_another(
    base: Checkpoint, data: Data, tmp_path: Path
) -> None:
    languages, tasks, table = with_task(base.model)
    with torch.no_grad():
        for parameter in languages.keyed.set_of("other").parameters():
            parameter.normal_(0, 3.0, generator=torch.Generator().manual_seed(2))
    modules = attach(base.model, table)
    host, fixed, own = host_state(base.model), state(languages), state(tasks)
    found = tuned(base, modules, [Policy(tasks)], data, tmp_path, Scope("toy", "pos"))
    assert found.history[-1].train_loss < found.history[1].train_loss
    assert equal(host_state(base.model), host)
    assert equal(state(languages), fixed)
    assert not equal(state(tasks), own)
    same = tags(found, base, modules, data, Scope("toy", "pos"))
    assert [s.gold for s in same] == [s.gold for s in found.predicted]
    other = tags(found, base, modules, data, Scope("other", "pos"))
    assert [s.gold for s in other] != [s.gold for s in found.predicted]
    assert [s.words for s in other] == [s.words for s in data.test]


def test_a_fusion_trains_with_its_task_and_is_then_used(
    bert_folder: Path, data: Data, tmp_path: Path
) -> None:
    base = load_checkpoint(bert_folder)
    languages, tasks, _ = with_task(base.model)
    fusion = Fuse(languages, ("toy", "other"))
    modules = attach(base.model, madx.table(base.model, fusion, tasks=tasks))
    fixed = state(languages)
    policies = [Policy(fusion.maps), Policy(tasks)]
    found = tuned(base, modules, policies, data, tmp_path, Scope("toy", "pos"))
    assert equal(state(languages), fixed)
    assert bool(fusion.trained)
    again = tags(found, base, modules, data, Scope("toy", "pos"))
    assert [s.gold for s in again] == [s.gold for s in found.predicted]


def test_an_xmod_host_is_fine_tuned_around_its_frozen_modules(
    bert_folder: Path, data: Data, tmp_path: Path
) -> None:
    base = load_checkpoint(bert_folder)
    source = xmod.modules(base.model)
    source.keyed.add("toy")
    modules = attach(base.model, {xmod.SITE: source})
    fixed, embeddings = state(source), state(base.model.base_model.embeddings)
    found = tuned(base, modules, xmod.policies(base.model), data, tmp_path, Scope("toy", "pos"))
    assert found.history[-1].train_loss < found.history[1].train_loss
    assert equal(state(source), fixed)
    assert equal(state(base.model.base_model.embeddings), embeddings)


def test_hyperx_learns_a_task_and_masked_pieces_in_one_network(
    bert_folder: Path, text: Prepared, data: Data, tmp_path: Path
) -> None:
    base = load_checkpoint(bert_folder)
    network = hyperx.Hypernetwork(16, 2, size=4, projected=6, embedding=5)
    network.languages.add("toy")
    for task in ("mlm", "pos"):
        network.tasks.add(task)
    modules = attach(base.model, {hyperx.SITE: network})
    policies = hyperx.policies(base.model, network)
    first = state(network)
    with training(modules, Scope("toy", "mlm"), policies):
        history = lapt(
            base, unchanged(base.vocabulary), text, LAPT, seed=1, folder=tmp_path / "mlm"
        )
    assert history[-1].score < history[0].score
    assert torch.equal(
        state(network)["tasks.sets.[pos].0.embedding"], first["tasks.sets.[pos].0.embedding"]
    )
    found = tuned(base, modules, policies, data, tmp_path / "pos", Scope("toy", "pos"))
    assert found.history[-1].train_loss < found.history[1].train_loss


def test_stacks_may_share_nothing_but_the_width(bert_folder: Path) -> None:
    host = load_checkpoint(bert_folder).model
    with pytest.raises(ValueError, match=r"expected sources of one width, got \[8, 16\]"):
        Stack(madx.language_adapters(host), PerKey("task", 8, [0], size=2))
