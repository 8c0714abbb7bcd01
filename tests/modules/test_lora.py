"""LoRA: equal to weights with the product added, and to peft where that is installed."""

from pathlib import Path
from typing import Any

import pytest
import torch
from module_hosts import logits, new_host, randomise
from safetensors.torch import load_file
from tiny_models import write_model

from specialize.errors import UsageError
from specialize.model.load import load_checkpoint
from specialize.modules import lora, madx
from specialize.modules.attach import Table, attach
from specialize.modules.combine import combined, restricted
from specialize.modules.describe import ByKey
from specialize.modules.listing import lines
from specialize.modules.packs import open_packs, pack_of, read_pack, write_pack
from specialize.modules.peft_format import export_peft
from specialize.modules.scope import Scope
from specialize.modules.sites import sites

PIECES = [f"piece{i}" for i in range(20)]


def sources(table: Table) -> list[Any]:
    return [source for source in table.values() if isinstance(source, ByKey)]


def low_rank(host: Any, *, by: Any = "language", key: str = "ug", rank: int = 2) -> Table:
    table = lora.table(host, by, rank=rank, alpha=6.0)
    for source in sources(table):
        source.keyed.add(key)
    return table


def test_it_begins_as_the_host_and_leaves_it(host: Any) -> None:
    before = logits(host)
    modules = attach(host, low_rank(host))
    with modules.at(Scope("ug")):
        assert torch.equal(logits(host), before)
    randomise(modules.host.base_model.module_sources)
    with modules.at(Scope("ug")):
        assert not torch.allclose(logits(host), before, atol=1e-3)
    with pytest.raises(UsageError, match="no parameters of language 'mt'; known: ug"):
        modules.at(Scope("mt")).__enter__()
    modules.detach()
    assert torch.equal(logits(host), before)


def test_it_equals_weights_with_the_products_of_language_and_task_added(host: Any) -> None:
    parts = low_rank(host), low_rank(host, by="task", key="pos", rank=3)
    for table in parts:
        for source in sources(table):
            randomise(source)
    modules = attach(host, combined(*parts))
    with modules.at(Scope("ug", "pos")):
        found = logits(host)
    modules.detach()
    points = sites(host).points
    with torch.no_grad():
        for table, key in zip(parts, ("ug", "pos"), strict=True):
            for name, source in table.items():
                for layer, module in enumerate(points[name]):
                    part = source.keyed.at(layer, key)  # type: ignore[union-attr]
                    scale = 6.0 / len(part["a"])
                    module.weight += scale * part["b"] @ part["a"]  # type: ignore[operator]
    torch.testing.assert_close(found, logits(host))


def test_a_pack_holds_it(host: Any, tmp_path: Path) -> None:
    table = low_rank(host)
    for source in sources(table):
        randomise(source)
    modules = attach(host, table)
    with modules.at(Scope("ug")):
        expected = logits(host)
    write_pack(pack_of(host, restricted(table, "language", "ug"), PIECES), tmp_path / "ug")
    modules.detach()
    with (again := open_packs(host, PIECES, [tmp_path / "ug"])).at(Scope("ug")):
        assert torch.equal(logits(host), expected)
    again.detach()
    assert "    lora by language, rank 2, alpha 6: ug" in lines(read_pack(tmp_path / "ug"))


def test_the_rank_is_checked() -> None:
    with pytest.raises(UsageError, match="expected rank of at least 1, got 0"):
        lora.table(new_host("bert"), "language", rank=0, alpha=1.0)


@pytest.fixture(scope="module", params=["bert", "roberta", "modernbert"])
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with a pack of LoRA of a language and a task, beside it."""
    folder = tmp_path_factory.mktemp("lora")
    base = load_checkpoint(write_model(request.param, folder / "model"))
    parts = low_rank(base.model), low_rank(base.model, by="task", key="pos", rank=3)
    for table in parts:
        for source in sources(table):
            randomise(source)
    pack = pack_of(base.model, combined(*parts), base.vocabulary.pieces)
    write_pack(pack, folder / "all.safetensors")
    return folder


def test_what_peft_reads_has_the_names_of_the_hosts_layers(saved: Path, tmp_path: Path) -> None:
    count = export_peft(saved / "all.safetensors", Scope("ug"), saved / "model", tmp_path / "out")
    found = load_file(tmp_path / "out" / "adapter_model.safetensors")
    assert sum(tensor.numel() for tensor in found.values()) == count
    host = load_checkpoint(saved / "model").model
    for name, tensor in found.items():
        layer = host.get_submodule(name.removeprefix("base_model.model.").partition(".lora_")[0])
        side = tensor.shape[1] if "lora_A" in name else tensor.shape[0]
        assert side == layer.weight.shape["lora_A" in name]
    with pytest.raises(UsageError, match=r"all.safetensors: there are no modules of language 'mt'"):
        export_peft(saved / "all.safetensors", Scope("mt"), saved / "model", tmp_path / "no")
    adapters = madx.language_adapters(host)
    adapters.keyed.add("ug")
    pieces = load_checkpoint(saved / "model").vocabulary.pieces
    write_pack(pack_of(host, madx.table(host, adapters), pieces), tmp_path / "madx")
    with pytest.raises(UsageError, match=r"madx: expected LoRA, .* of the kind .adapters"):
        export_peft(tmp_path / "madx", Scope("ug"), saved / "model", tmp_path / "no")


@torch.no_grad()
def test_peft_computes_the_same(saved: Path, tmp_path: Path) -> None:
    peft = pytest.importorskip("peft")
    base = load_checkpoint(saved / "model")
    ids = torch.tensor([[2, 5, 6, 7, 3]])
    for scope in (Scope("ug"), Scope(task="pos")):
        by = "language" if scope.language else "task"
        out = tmp_path / by
        export_peft(saved / "all.safetensors", scope, saved / "model", out)
        table = restricted(read_pack(saved / "all.safetensors").table(), by, scope.key(by))
        modules = attach(base.model, table)
        with modules.at(scope):
            found = base.model(input_ids=ids).logits
        modules.detach()
        other = peft.PeftModel.from_pretrained(load_checkpoint(saved / "model").model, out)
        torch.testing.assert_close(found, other(input_ids=ids).logits)
