"""LoRA: equal to weights with the product added, and to peft where that is installed."""

from pathlib import Path
from typing import Any

import pytest
import torch
from module_hosts import logits, new_host, randomise

from specialize.errors import UsageError
from specialize.modules import lora
from specialize.modules.attach import Table, attach
from specialize.modules.combine import combined, restricted
from specialize.modules.describe import ByKey
from specialize.modules.listing import lines
from specialize.modules.packs import open_packs, pack_of, read_pack, write_pack
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


@pytest.mark.parametrize("name", ["bert", "roberta", "modernbert"])
def test_it_equals_peft(name: str) -> None:
    peft = pytest.importorskip("peft")
    host = new_host(name)
    table = low_rank(host)
    for source in sources(table):
        randomise(source)
    modules = attach(host, table)
    with modules.at(Scope("ug")):
        found = logits(host)
    modules.detach()
    names = {"qkv": "Wqkv"}
    config = peft.LoraConfig(r=2, lora_alpha=6, target_modules=[names.get(n, n) for n in table])
    made = peft.inject_adapter_in_model(config, host)
    with torch.no_grad():
        for site, source in table.items():
            for layer, module in enumerate(sites(made).points[site]):
                part = source.keyed.at(layer, "ug")  # type: ignore[union-attr]
                module.lora_A["default"].weight.copy_(part["a"])  # type: ignore[index]
                module.lora_B["default"].weight.copy_(part["b"])  # type: ignore[index]
    torch.testing.assert_close(found, logits(made))
