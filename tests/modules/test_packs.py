"""Packs: the same logits after saving and loading, for their own base only."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from module_hosts import logits, new_host, randomise
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from specialize.errors import DataError, MissingError, UsageError
from specialize.modules import hyperx, lora, madx
from specialize.modules.attach import Attached, Table, attach
from specialize.modules.combine import combined, exchanged, restricted
from specialize.modules.describe import describe
from specialize.modules.packs import (
    check_base,
    host_hash,
    open_packs,
    pack_of,
    read_pack,
    write_pack,
)
from specialize.modules.scope import Scope
from specialize.modules.sources import Fuse, Invertible, Mean, Normed, PerKey, Source

PIECES = [f"piece{i}" for i in range(20)]
UG = Scope("ug", "pos")


def adapters(host: Any) -> tuple[PerKey, PerKey, Invertible]:
    languages, tasks = madx.language_adapters(host), madx.task_adapters(host, reduction=4)
    invertible = madx.invertible_adapters(host)
    for key in ("ug", "to"):
        languages.keyed.add(key)
        invertible.keyed.add(key)
    tasks.keyed.add("pos")
    for module in (languages, tasks, invertible):
        randomise(module)
    return languages, tasks, invertible


def madx_table(host: Any) -> Table:
    languages, tasks, invertible = adapters(host)
    return madx.table(host, languages, tasks=tasks, invertible=invertible)


def outputs(modules: Attached, scope: Scope) -> torch.Tensor:
    with modules.at(scope):
        return logits(modules.host)


def written(host: Any, table: Table, file: Path) -> Path:
    write_pack(pack_of(host, table, PIECES), file)
    return file


def table_with(kind: str, host: Any) -> Table:
    """A table with a source of each kind."""
    languages, tasks, _ = adapters(host)
    source: Source
    if kind == "hypernetwork":
        source = hyperx.Hypernetwork(8, 3, size=4, projected=5, embedding=6, by=("task",))
        source.tasks.add("pos")
        randomise(source)
        return {"ffn_h": source}
    if kind == "fusion":
        source = Fuse(languages, ("ug", "to"))
        randomise(source.maps)
        source.trained.fill_(True)
    elif kind == "norm":
        source = Normed(languages, eps=1e-5)
        randomise(source.norms)
    else:
        source = Mean(languages, ("ug", "to"))
    return madx.table(host, source, tasks=tasks)


def test_a_whole_table_computes_the_same_after_saving_and_loading(
    host: Any, tmp_path: Path
) -> None:
    modules = attach(host, madx_table(host))
    expected = outputs(modules, UG)
    file = written(host, modules.table, tmp_path / "all.safetensors")
    modules.detach()
    assert not torch.equal(logits(host), expected)
    again = open_packs(host, PIECES, [file])
    assert torch.equal(outputs(again, UG), expected)
    assert not torch.equal(outputs(again, Scope("to", "pos")), expected)


@pytest.mark.parametrize("kind", ["fusion", "mean", "norm", "hypernetwork"])
def test_every_kind_of_source_computes_the_same_after_saving_and_loading(
    kind: str, bert: Any, tmp_path: Path
) -> None:
    modules = attach(bert, table_with(kind, bert))
    expected = outputs(modules, UG)
    file = written(bert, modules.table, tmp_path / "all.safetensors")
    modules.detach()
    assert torch.equal(outputs(open_packs(bert, PIECES, [file]), UG), expected)


def test_packs_of_a_language_and_a_task_together_are_the_whole(host: Any, tmp_path: Path) -> None:
    modules = attach(host, madx_table(host))
    expected = {key: outputs(modules, Scope(key, "pos")) for key in ("ug", "to")}
    files = [
        written(host, restricted(modules.table, by, key), tmp_path / f"{key}.safetensors")
        for by, key in (("task", "pos"), ("language", "ug"), ("language", "to"))
    ]
    modules.detach()
    again = open_packs(host, PIECES, files)
    for key in ("ug", "to"):
        assert torch.equal(outputs(again, Scope(key, "pos")), expected[key])
    again.detach()
    one = open_packs(host, PIECES, files[:2])
    assert torch.equal(outputs(one, UG), expected["ug"])
    with pytest.raises(UsageError, match="no parameters of language 'to'; known: ug"):
        outputs(one, Scope("to", "pos"))


def test_the_counts_of_a_pack_are_those_of_its_modules(bert: Any, tmp_path: Path) -> None:
    table = restricted(madx_table(bert), "language", "ug")
    pack = read_pack(written(bert, table, tmp_path / "ug.safetensors"))
    assert pack.counts() == {
        "ffn_s": 3 * (8 * 4 + 4 + 4 * 8 + 8),
        "embeddings": 2 * (4 * 2 + 2 + 2 * 4 + 4),
    }
    assert pack.parts["ffn_s"]["keys"] == ["ug"]


def test_a_pack_for_another_base_is_refused(bert: Any, tmp_path: Path) -> None:
    file = written(bert, madx_table(bert), tmp_path / "all.safetensors")
    with torch.no_grad():
        bert.get_input_embeddings().weight[3, 3] += 1e-6
    with pytest.raises(DataError, match=r"all.safetensors: .* a base with other weights"):
        open_packs(bert, PIECES, [file])
    with pytest.raises(DataError, match="a base with another vocabulary"):
        check_base(read_pack(file), bert, PIECES[::-1], "it")


def test_the_hash_is_the_encoders_with_and_without_head_pooler_and_modules(bert: Any) -> None:
    before = host_hash(bert)
    assert host_hash(bert.base_model) == before
    bert.base_model.pooler = nn.Linear(8, 8)
    modules = attach(bert, madx_table(bert))
    assert host_hash(bert) == before
    modules.detach()
    assert host_hash(new_host("bert", layers=2)) != before


def test_packs_of_two_tasks_may_both_hold_their_language(host: Any, tmp_path: Path) -> None:
    languages, tasks, invertible = adapters(host)
    files, expected = [], {}
    for name in ("pos", "xpos"):
        own = madx.task_adapters(host, reduction=4)
        own.keyed.add(name, tensors=tasks.keyed.tensors_of("pos"))
        randomise(own, std=0.1 * len(name))
        modules = attach(host, madx.table(host, languages, tasks=own, invertible=invertible))
        expected[name] = outputs(modules, Scope("ug", name))
        files.append(written(host, modules.table, tmp_path / f"{name}.safetensors"))
        modules.detach()
    again = open_packs(host, PIECES, files)
    for name, logits_of in expected.items():
        assert torch.equal(outputs(again, Scope("ug", name)), logits_of)


def test_what_cannot_be_combined_is_refused(bert: Any) -> None:
    table = madx_table(bert)
    language = restricted(table, "language", "ug")
    other = restricted(table, "language", "ug")
    next(other["ffn_s"].parameters()).data[0] += 1
    with pytest.raises(UsageError, match="there are parameters of language 'ug' already"):
        combined(language, other)
    wider = madx.language_adapters(bert, reduction=1)
    wider.keyed.add("mt")
    with pytest.raises(UsageError, match="at ffn_s cannot be combined: they differ in size"):
        combined(language, {"ffn_s": wider})
    mean = Mean(adapters(bert)[0], ("ug", "to"))
    with pytest.raises(UsageError, match="at ffn_s cannot be combined: they differ in"):
        combined({"ffn_s": mean}, language)
    with pytest.raises(UsageError, match="there are no modules of language 'wo'; known: ug, to"):
        restricted(table, "language", "wo")
    with pytest.raises(UsageError, match="expected modules for the pack, got none"):
        pack_of(bert, {}, PIECES)


def lora_table(host: Any) -> Table:
    table = lora.table(host, "language", rank=2, alpha=4.0)
    for source in table.values():
        assert isinstance(source, lora.LowRank)
        source.keyed.add("ug")
    return table


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": True}, "expected version 1, got True"),
        ({"base": None}, "expected base to be a hash, got None"),
        ({"pieces": 3}, "expected pieces to be a hash, got 3"),
        ({"width": 8.0}, "expected width to be a whole number above 0, got 8.0"),
        ({"dropout": 2.0}, "expected dropout to be a number from 0 to below 1, got 2.0"),
        ({"dropout": float("nan")}, "expected dropout to be a number"),
        ({"dropout": "x"}, "expected dropout to be a number"),
        ({"layers": ["0", "1"]}, "expected layers to be whole numbers, each different"),
        ({"keys": ["ug", "ug", "to"]}, "expected keys to be a list of names, each different"),
        ({"reduction": 0}, "expected reduction to be a whole number above 0, got 0"),
        ({"rank": 0}, "expected rank to be a whole number above 0, got 0"),
        ({"alpha": 10**400}, "expected alpha to be a number, got 1000"),
        ({"alpha": "x"}, "expected alpha to be a number, got 'x'"),
    ],
)
def test_settings_without_a_meaning_are_refused(
    change: dict[str, Any], message: str, bert: Any, tmp_path: Path
) -> None:
    table = lora_table(bert) if {"rank", "alpha"} & {*change} else madx_table(bert)
    file = written(bert, restricted(table, "language", "ug"), tmp_path / "ug.safetensors")
    with safe_open(file, "pt") as opened:
        header = json.loads(opened.metadata()["specialize"])
    for place in (header, *header["parts"].values()):
        place |= {name: value for name, value in change.items() if name in place}
    save_file(load_file(file), file, {"specialize": json.dumps(header)})
    with pytest.raises(DataError, match=f"ug.safetensors: not a pack of modules .*{message}"):
        read_pack(file)


def test_tensors_are_floats_of_finite_values(bert: Any, tmp_path: Path) -> None:
    file = written(bert, table_with("fusion", bert), tmp_path / "all.safetensors")
    with safe_open(file, "pt") as opened:
        header = opened.metadata()
    tensors, other = load_file(file), tmp_path / "other.safetensors"
    name = next(iter(tensors))
    for kind in (torch.float8_e4m3fn, torch.complex64, torch.bool, torch.int64):
        save_file({**tensors, name: tensors[name].to(kind)}, other, header)
        with pytest.raises(DataError, match=f"of torch.float32, got {kind}"):
            read_pack(other)
    save_file({**tensors, name: tensors[name].double() + 1e300}, other, header)
    with pytest.raises(DataError, match="has values that are not finite in float32"):
        read_pack(other)
    save_file({**tensors, name: tensors[name].to(torch.bfloat16)}, other, header)
    assert read_pack(other).table()


def test_a_folder_is_no_pack_but_may_hold_some(bert: Any, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"is a folder; expected a pack, a .safetensors file"):
        read_pack(tmp_path)
    file = written(bert, madx_table(bert), tmp_path / "modules.safetensors")
    with pytest.raises(MissingError, match=f"is a folder; expected a pack: {file}"):
        read_pack(tmp_path)


def test_damaged_files_are_refused_by_name(bert: Any, tmp_path: Path) -> None:
    file = written(bert, madx_table(bert), tmp_path / "all.safetensors")
    with safe_open(file, "pt") as opened:
        header = json.loads(opened.metadata()["specialize"])
    tensors = load_file(file)

    def refused(header: Any, tensors: dict[str, torch.Tensor], message: str) -> None:
        other = tmp_path / "other.safetensors"
        save_file(tensors, other, {"specialize": json.dumps(header)})
        with pytest.raises(DataError, match=f"other.safetensors: {message}"):
            read_pack(other)

    refused({**header, "version": 2}, tensors, "not a pack .*expected version 1, got 2")
    refused({**header, "width": 12}, tensors, "not a pack of modules")
    refused({**header, "parts": {"ffn_s": {"kind": "x"}}}, tensors, "not a pack of modules")
    refused({**header, "parts": 3}, tensors, "not a pack of modules")
    refused([], tensors, "not a pack of modules")
    fewer = {name: tensor for name, tensor in tensors.items() if "[to]" not in name}
    refused(header, fewer, "not a pack of modules .*got None")
    name = next(iter(tensors))
    refused(header, {**tensors, name: tensors[name] * torch.nan}, ".* not finite")
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"all.safetensors: damaged"):
        read_pack(file)
    save_file(tensors, file)
    with pytest.raises(DataError, match="not a pack of modules"):
        read_pack(file)
    with pytest.raises(MissingError, match="no such file; expected a pack of modules"):
        read_pack(tmp_path / "none.safetensors")


def test_the_file_is_the_same_each_time_and_as_readable_as_others(
    bert: Any, tmp_path: Path
) -> None:
    table = madx_table(bert)
    first = written(bert, table, tmp_path / "a.safetensors")
    second = written(bert, table, tmp_path / "b.safetensors")
    assert first.read_bytes() == second.read_bytes()
    (tmp_path / "plain").write_text("")
    assert first.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_language_takes_the_place_of_another_behind_its_norms() -> None:
    tables = []
    for seed, language in enumerate(("aa", "bb")):
        source = PerKey("language", 8, range(2), size=4)
        source.keyed.add(language, seed=seed)
        norms = {f"{layer}.{name}": torch.full((8,), 2.0) for layer in (0, 1)
                 for name in ("scale", "bias")}  # fmt: skip
        tables.append({"ffn_u": Normed(source, eps=1e-5, tensors=norms)})
    found = exchanged(*tables, Scope("aa", "pos"), "bb")
    assert describe(found["ffn_u"])["source"]["keys"] == ["bb"]
    both = combined(*tables)
    assert describe(both["ffn_u"])["source"]["keys"] == ["aa", "bb"]
    with pytest.raises(UsageError, match="there are no modules of language 'cc'; known: bb"):
        exchanged(*tables, Scope("aa"), "cc")
