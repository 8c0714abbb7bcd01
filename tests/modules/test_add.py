"""A language added to a host with modules: nothing of the others changes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from specialize.corpus import CorpusFiles
from specialize.corpus.prepare import Prepared, prepare
from specialize.embed import overlap
from specialize.errors import SpecializeError, UsageError
from specialize.model.language_model import output_bias, tables
from specialize.model.load import Checkpoint, load_checkpoint, save_model
from specialize.modules import add, xmod
from specialize.modules.add import Added, add_language, new_modules
from specialize.modules.attach import attach
from specialize.modules.packs import opened_at, pack_of, write_pack
from specialize.modules.scope import Scope
from specialize.modules.sources import PerKey
from specialize.toylang import ToyFiles
from specialize.train.lapt import Lapt
from specialize.vocab.base import VocabChange, unchanged

PLAN = Lapt(epochs=2, batch=16, length=32, rate=3e-2, dev_lines=20, precision="float32")
PIECES = ["qa", "##qa", *(f"{a}{b}q" for a in "abcde" for b in "xyzvw")]  # more than the slots


@pytest.fixture(scope="module")
def text(toy: ToyFiles, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("text")
    lines = toy.corpus.read_text("utf-8").replace(" ", " qaqa ", 400)
    (folder / "text.txt").write_text(lines, "utf-8")
    prepare(CorpusFiles((str(folder / "text.txt"),), dev=0.2), [], folder, lambda line: None)
    return Prepared(folder)


@pytest.fixture(params=["bert", "modernbert"])
def base(request: pytest.FixtureRequest) -> Checkpoint:
    """A checkpoint whose output bias is not zero."""
    name = "bert_folder" if request.param == "bert" else "base_folder"
    found = load_checkpoint(request.getfixturevalue(name))
    with torch.no_grad():
        output_bias(found.model).normal_(0, 0.1, generator=torch.Generator().manual_seed(1))
    return found


def modules_of(base: Checkpoint) -> PerKey:
    source = xmod.modules(base.model)
    for key in ("aa", "bb"):
        source.keyed.add(key, seed=1)
    return source


def added(
    base: Checkpoint, source: PerKey, text: Prepared, folder: Path, **how: Any
) -> tuple[VocabChange[Any], Added]:
    change = base.vocabulary.place(PIECES)
    rows = overlap.init(tables(base.model), change, [])
    table = {xmod.SITE: source}
    return change, add_language(base, table, "ug", change, rows, text, PLAN, folder=folder, **how)


@torch.no_grad()
def logits(base: Checkpoint, ids: torch.Tensor) -> torch.Tensor:
    found: torch.Tensor = base.model(input_ids=ids).logits
    return found


def test_the_language_learns_and_all_else_is_as_before(
    base: Checkpoint, text: Prepared, tmp_path: Path
) -> None:
    source = modules_of(base)
    size = len(base.vocabulary.pieces)
    ids = torch.randint(40, size, (3, 9), generator=torch.Generator().manual_seed(1))
    modules = attach(base.model, {xmod.SITE: source})
    with modules.at(Scope("aa")):
        before = logits(base, ids)
    modules.detach()
    old = {n: t.clone() for n, t in base.model.state_dict().items()}
    idle = {k: {n: t.clone() for n, t in source.keyed.tensors_of(k).items()} for k in ("aa", "bb")}
    change, found = added(base, source, text, tmp_path)
    assert found.history[-1].score < 0.98 * found.history[0].score
    kept = list(change.kept)
    with found.modules.at(Scope("aa")):
        after = logits(found.checkpoint, ids)
    torch.testing.assert_close(after[..., kept], before[..., kept], rtol=0, atol=1e-6)
    start = overlap.init(tables(load_checkpoint(base.folder).model), change, [])
    fresh = list(change.fresh)
    assert (tables(base.model).input[fresh] != start.input).any(1).sum() > 20
    assert (tables(base.model).bias[fresh] != float(start.bias.mean())).all()
    found.modules.detach()
    new = base.model.state_dict()
    assert len(change.new.pieces) > size > len(kept)
    for name, tensor in old.items():
        rows = kept if len(tensor) == size else slice(None)
        assert torch.equal(tensor[rows], new[name][rows]), name
    for key, tensors in idle.items():
        now = source.keyed.tensors_of(key)
        assert all(torch.equal(tensors[name], now[name]) for name in tensors)
    trained = source.keyed.tensors_of("ug")
    assert not any(torch.equal(trained[n], (idle["aa"][n] + idle["bb"][n]) / 2) for n in trained)


@pytest.mark.parametrize("start", ["mean", "random", "bb"])
def test_modules_start_as_the_mean_a_copy_or_drawn(start: str, bert_folder: Path) -> None:
    source = modules_of(load_checkpoint(bert_folder))
    (part,) = new_modules({xmod.SITE: source}, "ug", start=start, seed=3)
    given = {key: source.keyed.tensors_of(key) for key in ("aa", "bb", "ug")}
    for name, tensor in part.named_parameters():
        mean = (given["aa"][name] + given["bb"][name]) / 2
        assert torch.equal(tensor, given["bb"][name]) == (start == "bb" or name.endswith("bias"))
        assert torch.equal(tensor, mean) == (start == "mean" or name.endswith("bias"))


def test_a_pack_of_all_languages_and_its_host_compute_the_same_after_loading(
    bert_folder: Path, text: Prepared, tmp_path: Path
) -> None:
    base = load_checkpoint(bert_folder)
    change, found = added(base, modules_of(base), text, tmp_path)
    ids = torch.tensor([[2, 50, change.fresh[-1], 60, 3]])
    with found.modules.at(Scope("ug")):
        expected = logits(base, ids)
    found.modules.detach()
    save_model(base.model, change.new, tmp_path / "model", source=bert_folder)
    pack = pack_of(base.model, found.modules.table, change.new.pieces)
    write_pack(pack, tmp_path / "all.safetensors")
    for key in ("aa", "bb", "ug"):
        with opened_at(tmp_path / "model", [tmp_path / "all.safetensors"], Scope(key)) as loaded:
            assert torch.equal(logits(loaded, ids), expected) == (key == "ug")


def test_a_shared_module_stays_and_rows_alone_train(
    bert_folder: Path, text: Prepared, tmp_path: Path
) -> None:
    base = load_checkpoint(bert_folder)
    source = xmod.modules(base.model, by="all")
    before = {n: t.clone() for n, t in source.state_dict().items()}
    _, found = added(base, source, text, tmp_path)
    assert found.history[-1].score < found.history[0].score
    assert all(torch.equal(before[n], t) for n, t in source.state_dict().items())


def test_modules_alone_train_where_no_piece_is_fresh(
    bert_folder: Path, text: Prepared, tmp_path: Path
) -> None:
    base = load_checkpoint(bert_folder)
    before = {n: t.clone() for n, t in base.model.state_dict().items()}
    table, same = {xmod.SITE: modules_of(base)}, unchanged(base.vocabulary)
    found = add_language(base, table, "ug", same, None, text, PLAN, start="aa", folder=tmp_path)
    assert found.history[-1].score < found.history[0].score
    found.modules.detach()
    assert all(torch.equal(before[n], t) for n, t in base.model.state_dict().items())


def test_what_cannot_be_added_is_refused(bert_folder: Path, text: Prepared, tmp_path: Path) -> None:
    base = load_checkpoint(bert_folder)
    table = {xmod.SITE: modules_of(base)}
    with pytest.raises(UsageError, match="parameters of language 'aa' already"):
        new_modules(table, "aa", start="mean", seed=1)
    with pytest.raises(UsageError, match="no parameters of language 'cc'; known: aa, bb"):
        new_modules(table, "ug", start="cc", seed=1)
    with pytest.raises(UsageError, match=r'expected start = "random"'):
        new_modules({xmod.SITE: xmod.modules(base.model)}, "ug", start="mean", seed=1)
    same = unchanged(base.vocabulary)
    with pytest.raises(UsageError, match=r"lapt\.train = 'fresh'"):
        add.check(Lapt(train="fresh"), same)
    fewer = base.vocabulary.restricted([*base.vocabulary.pieces][:100])
    gone = VocabChange(base.vocabulary, fewer, {i: i for i in range(len(fewer.pieces))}, ())
    with pytest.raises(UsageError, match="has lost old pieces"):
        add.check(PLAN, gone)
    shared = {xmod.SITE: xmod.modules(base.model, by="all")}
    with pytest.raises(UsageError, match="nothing to train"):
        add_language(base, shared, "ug", same, None, text, PLAN, folder=tmp_path)


def test_a_change_elsewhere_is_noticed(
    bert_folder: Path, text: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(checkpoint: Checkpoint, *given: Any, **how: Any) -> list[Any]:
        norm = next(m for m in checkpoint.model.modules() if isinstance(m, nn.LayerNorm))
        norm.weight.data[3] += 1e-6
        return []

    monkeypatch.setattr(add, "lapt", careless)
    base = load_checkpoint(bert_folder)
    with pytest.raises(SpecializeError, match=r"LayerNorm.weight has changed while a language"):
        added(base, modules_of(base), text, tmp_path)
