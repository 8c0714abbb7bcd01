"""``specialize modules``: languages are added; packs are listed, exported, made of an X-MOD."""

import json
import shutil
from pathlib import Path

import cli_calls
import pytest
import torch
from cli_calls import Call
from module_hosts import new_host
from tiny_models import write_model
from transformers import AutoModelForMaskedLM

from specialize.model.load import load_checkpoint
from specialize.modules import madx, xmod
from specialize.modules.packs import open_packs, opened_at, pack_of, read_pack, write_pack
from specialize.modules.scope import Scope
from specialize.toylang import ToyFiles

call = cli_calls.call  # fixture


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    host = new_host("bert")
    languages, tasks = madx.language_adapters(host), madx.task_adapters(host, reduction=4)
    for key in ("ug", "mt"):
        languages.keyed.add(key)
    tasks.keyed.add("pos")
    table = madx.table(host, languages, tasks=tasks)
    write_pack(pack_of(host, table, ["a", "b"]), file := tmp_path / "all.safetensors")
    return file


def test_list_shows_sites_keys_and_counts(call: Call, pack: Path) -> None:
    out = call("modules", "list", pack).out.splitlines()
    assert out[0].startswith(f"{pack}: 582 parameters, width 8, base ")
    assert out[1:] == [
        "  ffn_s: 582 parameters",
        "    adapters by language, bottleneck 4, relu: ug, mt",
        "    adapters by task, bottleneck 2, relu: pos",
    ]
    found = json.loads(call("modules", "list", pack, "--json").out)
    assert found["sites"]["ffn_s"]["parameters"] == found["parameters"] == 582
    assert found["sites"]["ffn_s"]["source"]["sources"][1]["keys"] == ["pos"]


def test_export_writes_one_language_or_task(call: Call, pack: Path, tmp_path: Path) -> None:
    out = tmp_path / "ug.safetensors"
    assert call("modules", "export", pack, "--language", "ug", "--out", out).code == 0
    listed = call("modules", "list", out).out
    assert "228 parameters" in listed
    assert listed.splitlines()[-1].endswith("relu: ug")
    refused = call("modules", "export", pack, "--task", "ner", "--out", out)
    assert refused.code == 2
    assert f"{pack}: there are no modules of task 'ner'; known: pos" in refused.err
    empty = call("modules", "export", pack, "--language", "", "--out", out)
    assert (empty.code, "expected the name of a language or a task, got ''" in empty.err) == (2, 1)
    assert call("modules", "export", pack, "--out", out).code == 2
    assert call("modules", "export", pack, "--task", "pos", "--out", pack).code == 2
    model = write_model("bert", tmp_path / "model")
    given = ("modules", "export", pack, "--task", "pos", "--peft", model, "--out", tmp_path / "out")
    message = "the modules belong to a base with another vocabulary; load the base they were"
    assert f"{pack}: {message}" in call(*given).err
    named = ("mini" if word == model else word for word in given)
    assert f"{pack}: {message}" in call(*named).err
    assert not (tmp_path / "out").exists()


@torch.no_grad()
def test_import_makes_a_plain_model_and_a_pack_of_an_xmod(call: Call, tmp_path: Path) -> None:
    source = write_model("x-mod", tmp_path / "xmod", hidden_dropout_prob=0.0)
    out = tmp_path / "out"
    done = call("modules", "import", source, "--out", out)
    assert (done.code, done.out) == (0, f"{out}: a plain model, and the modules of 2 languages\n")
    base = load_checkpoint(out / "model")
    assert base.model.config.model_type == "xlm-roberta"
    packs = open_packs(base.model, base.vocabulary.pieces, [out / "modules.safetensors"])
    theirs = AutoModelForMaskedLM.from_pretrained(source).eval()
    ids = torch.tensor([[0, 5, 6, 7, 2]])
    for index, language in enumerate(("en_XX", "de_DE")):
        with packs.at(Scope(language)):
            found = base.model(input_ids=ids).logits
        expected = theirs(input_ids=ids, lang_ids=torch.tensor([index])).logits
        assert torch.equal(found, expected)
    again = call("modules", "import", source, "--out", out)
    assert (again.code, "is not an empty folder" in again.err) == (2, True)
    other = write_model("bert", tmp_path / "bert")
    assert call("modules", "import", other, "--out", tmp_path / "no").code == 3
    assert not (tmp_path / "no").exists()


def test_a_file_that_is_no_pack_is_bad_data(call: Call, tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(b"text")
    assert call("modules", "list", tmp_path / "x.safetensors").code == 3
    assert call("modules", "list", tmp_path / "none.safetensors").code == 4


def test_add_writes_a_base_and_a_pack_with_one_more_language(
    call: Call, toy: ToyFiles, base_folder: Path, tmp_path: Path
) -> None:
    base = load_checkpoint(base_folder)
    source = xmod.modules(base.model)
    for key in ("aa", "bb"):
        source.keyed.add(key, seed=1)
    pieces = base.vocabulary.pieces
    write_pack(
        pack_of(base.model, {xmod.SITE: source}, pieces), pack := tmp_path / "two.safetensors"
    )
    out = tmp_path / "out"
    given = ["--base", base_folder, "--pack", pack, "--text", toy.corpus, "--out", out]
    small = ["lapt.steps=4", "lapt.epochs=2", "lapt.batch=4", "lapt.length=32", "augment.pieces=30"]
    changes = [word for change in small for word in ("--set", change)]
    done = call("modules", "add", "ug", *given, *changes)
    assert (done.code, done.out) == (0, f"{out / 'model'}\n{out / 'modules.safetensors'}\n"), (
        done.err
    )
    assert "ug: text: corpus: " in done.err
    whole = out / "modules.safetensors"
    (part,) = read_pack(whole).parts.values()
    assert part["keys"] == ["aa", "bb", "ug"]
    facts = json.loads((out / "training.json").read_text("utf-8"))
    assert (facts["fresh_pieces"], len(facts["history"])) == (30, 3)
    assert list(facts["bits_per_byte"]) == ["ug"]
    ids = torch.tensor([[50, 60, 70, 80]])
    kept = [i for i, piece in enumerate(pieces) if not piece.startswith("[unused")]
    found = []
    for folder, file in ((base_folder, pack), (out / "model", whole)):
        with opened_at(folder, [file], Scope("aa")) as opened, torch.no_grad():
            found.append(opened.model(input_ids=ids).logits[..., kept])
    torch.testing.assert_close(*found, rtol=0, atol=1e-6)
    stages = {path: path.stat().st_mtime_ns for path in out.glob("stages/*/stage.json")}
    assert call("modules", "add", "ug", *given, *changes).code == 0
    assert stages == {path: path.stat().st_mtime_ns for path in out.glob("stages/*/stage.json")}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["aa"], "two.safetensors: there are parameters of language 'aa' already"),
        (["ug", "--start", "cc"], "no parameters of language 'cc'; known: aa"),
        (["ug", "--set", "task.pos.test=x"], "unknown key 'task' in --set; known: augment, embed"),
        (["ug", "--set", "lapt=false"], "a language is added by training"),
        (["ug", "--set", "lapt.length=900"], "lapt.length = 900"),
        (["a/b"], "LANGUAGE 'a/b': expected letters, digits, '_' and '-'"),
        (["a.b"], "LANGUAGE 'a.b': expected letters, digits, '_' and '-'"),
        (["mean"], "'mean' is a value of start; choose another name"),
        (["ug", "--set", "seeds=[3,4]"], "seeds = [3, 4]: a language is added with one seed"),
    ],
)
def test_add_refuses_before_it_writes(
    words: list[str], message: str, call: Call, toy: ToyFiles, base_folder: Path, tmp_path: Path
) -> None:
    base = load_checkpoint(base_folder)
    source = xmod.modules(base.model)
    source.keyed.add("aa")
    packed = pack_of(base.model, {xmod.SITE: source}, base.vocabulary.pieces)
    write_pack(packed, pack := tmp_path / "two.safetensors")
    out = tmp_path / "out"
    given = ["--base", base_folder, "--pack", pack, "--text", toy.corpus, "--out", out]
    refused = call("modules", "add", *words, *given)
    assert (refused.code, message in refused.err) == (2, True), refused.err
    assert not (out / "stages").exists()


def test_add_refuses_modules_of_tasks_and_sites_that_the_base_lacks(
    call: Call, toy: ToyFiles, base_folder: Path, bert_folder: Path, tmp_path: Path
) -> None:
    bert, base = load_checkpoint(bert_folder), load_checkpoint(base_folder)
    languages, tasks = madx.language_adapters(bert.model), madx.task_adapters(bert.model)
    languages.keyed.add("aa")
    tasks.keyed.add("pos")
    pack, out = tmp_path / "head.safetensors", tmp_path / "out"
    for folder, of, table, message in (
        (bert_folder, bert, madx.table(bert.model, languages, tasks=tasks), "export PACK --lang"),
        (base_folder, base, madx.table(bert.model, languages), "the host has no site 'ffn_s'"),
    ):
        write_pack(pack_of(of.model, table, of.vocabulary.pieces), pack)
        given = ["--base", folder, "--pack", pack, "--text", toy.corpus, "--out", out]
        refused = call("modules", "add", "ug", *given)
        assert (refused.code, f"{pack}: " in refused.err) == (2, True)
        assert message in refused.err
        assert not (out / "stages").exists()


def test_add_to_a_shared_module_needs_fresh_pieces_and_no_start(
    call: Call, toy: ToyFiles, base_folder: Path, tmp_path: Path
) -> None:
    base = load_checkpoint(base_folder)
    table = {xmod.SITE: xmod.modules(base.model, by="all")}
    pack, out = tmp_path / "shared.safetensors", tmp_path / "out"
    write_pack(pack_of(base.model, table, base.vocabulary.pieces), pack)
    given = ["--base", base_folder, "--pack", pack, "--text", toy.corpus, "--out", out]
    for words, message in (
        (["--start", "zz"], "one module is for all languages: there is none of 'zz' to copy"),
        (["--set", "augment=none"], "no piece is fresh: nothing to train"),
    ):
        refused = call("modules", "add", "ug", *given, *words)
        assert (refused.code, message in refused.err) == (2, True), refused.err
        assert not (out / "stages").exists()


def test_add_refuses_a_method_that_drops_pieces_before_other_stages(
    call: Call, toy: ToyFiles, base_folder: Path, tmp_path: Path
) -> None:
    base = load_checkpoint(base_folder)
    source = xmod.modules(base.model)
    source.keyed.add("aa")
    pack, out = tmp_path / "one.safetensors", tmp_path / "out"
    write_pack(pack_of(base.model, {xmod.SITE: source}, base.vocabulary.pieces), pack)
    given = ["--base", base_folder, "--pack", pack, "--text", toy.corpus, "--out", out]
    refused = call("modules", "add", "ug", *given, "--set", "augment=replace")
    assert (refused.code, "has lost old pieces" in refused.err) == (2, True), refused.err
    made = {path.name.partition("-")[0] for path in out.glob("stages/*-*")}
    assert made == {"text", "vocabulary"}


def test_add_replaces_neither_its_inputs_nor_other_results(
    call: Call, toy: ToyFiles, base_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    (out / "stages" / ".locks").mkdir(parents=True)
    shutil.copytree(base_folder, out / "model")
    base = load_checkpoint(base_folder)
    source = xmod.modules(base.model)
    source.keyed.add("aa")
    pack = out / "modules.safetensors"
    write_pack(pack_of(base.model, {xmod.SITE: source}, base.vocabulary.pieces), pack)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    given = ["--text", toy.corpus, "--out", out, "--pack"]
    held = call("modules", "add", "ug", *given, pack, "--base", base_folder)
    assert (held.code, f"{out} holds {pack}, which is an input" in held.err) == (2, True), held.err
    shutil.copy(pack, other := tmp_path / "other.safetensors")
    held = call("modules", "add", "ug", *given, other, "--base", out / "model")
    assert (held.code, "which is an input; name another --out" in held.err) == (2, True), held.err
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    for name, text in (("report.json", "{}"), ("training.json", '{"history": []}')):
        (out / name).write_text(text, "utf-8")
        held = call("modules", "add", "ug", *given, other, "--base", base_folder)
        assert (held.code, f"{out} holds " in held.err) == (2, True), held.err
        (out / name).unlink()
