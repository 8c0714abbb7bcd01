"""Arms on X-MOD: the model is fine-tuned around the modules of a language, which are exchanged."""

import json
import shutil
from pathlib import Path

import cli_calls
import pytest
import torch
from cli_calls import Call
from safetensors.torch import load_file

from specialize.cli import main
from specialize.errors import UsageError
from specialize.model.load import load_checkpoint
from specialize.modules import madx, xmod
from specialize.modules.packs import pack_of, write_pack
from specialize.specialization import Specialization
from specialize.toylang import ToyFiles

call = cli_calls.call  # fixture

RECIPE = """\
base = "BASE"
language = "toy"
seeds = [1, 2]

[finetune]
epochs = 2
batch = 8
freeze = 0
rate = 1e-2
head_rate = 1e-2

[task.pos]
train = "train.conllu"
dev = "dev.conllu"
test = "test.conllu"

[arm.xmod]
lapt = false
modules = { method = "xmod", pack = "all.safetensors" }

[arm.shared]
lapt = false
modules = { method = "xmod", pack = "shared.safetensors" }

[arm.tasks]
lapt = false
modules = "madx"

[arm.plain]
lapt = false
"""


@pytest.fixture(scope="module")
def folder(base_folder: Path, toy: ToyFiles, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("xmod") / "data"
    shutil.copytree(toy.corpus.parent, folder)
    base = load_checkpoint(base_folder)
    source = xmod.modules(base.model)
    for seed, language in enumerate(("toy", "other")):
        source.keyed.add(language, seed=seed)
    again = xmod.modules(base.model)
    again.keyed.add("toy", seed=9)
    adapters = madx.language_adapters(base.model)
    adapters.keyed.add("toy")
    shared = xmod.modules(base.model, by="all")
    for name, table in {
        "all": {xmod.SITE: source},
        "again": {xmod.SITE: again},
        "madx": madx.table(base.model, adapters),
        "shared": {xmod.SITE: shared},
    }.items():
        pack = pack_of(base.model, table, base.vocabulary.pieces)
        write_pack(pack, folder / f"{name}.safetensors")
    (folder / "run.toml").write_text(RECIPE.replace("BASE", str(base_folder)), "utf-8")
    return folder


@pytest.fixture(scope="module")
def out(folder: Path) -> Path:
    out = folder.parent / "out"
    assert main(["run", str(folder / "run.toml"), "--out", str(out)]) == 0
    return out


def test_the_encoder_trains_without_its_embeddings_around_the_frozen_modules(
    out: Path, folder: Path, base_folder: Path
) -> None:
    head = out / "arms" / "xmod" / "heads" / "pos"
    whole = load_file(base_folder / "model.safetensors")
    before = {name.removeprefix("model."): tensor for name, tensor in whole.items()}
    after = {
        name.removeprefix("encoder."): tensor
        for name, tensor in load_file(head / "model.safetensors").items()
        if name.startswith("encoder.")
    }
    assert not any("module_sources" in name for name in after)
    shared = after.keys() & before.keys()
    changed = {name for name in shared if not torch.equal(after[name], before[name])}
    assert changed
    assert not any("embeddings" in name for name in changed)
    assert any("embeddings" in name for name in shared)
    whole, own = load_file(folder / "all.safetensors"), load_file(head / "modules.safetensors")
    assert own
    assert all("toy" in name and torch.equal(own[name], whole[name]) for name in own)
    assert json.loads((head / "head.json").read_text("utf-8"))["whole"] is True


def test_the_published_model_is_the_base(out: Path, base_folder: Path) -> None:
    before = load_file(base_folder / "model.safetensors")
    after = load_file(out / "arms" / "xmod" / "model" / "model.safetensors")
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_predictions_are_those_that_were_scored(
    out: Path, folder: Path, call: Call, tmp_path: Path
) -> None:
    scores = json.loads((out / "scores.json").read_text("utf-8"))
    made = tmp_path / "made.conllu"
    for arm in ("xmod", "shared", "plain"):
        given = (out / "arms" / arm, folder / "test.conllu", "--task", "pos", "--out", made)
        assert call("predict", *given).code == 0
        seed = scores[arm]["pos"]["best_seed"]
        scored = out / "arms" / arm / "predictions" / f"pos-{seed}.conllu"
        assert made.read_bytes() == scored.read_bytes()


def test_the_modules_of_another_language_take_their_place(
    out: Path, folder: Path, call: Call, tmp_path: Path
) -> None:
    arm, pack = Specialization(out / "arms" / "xmod"), folder / "all.safetensors"
    found = []
    again = folder / "again.safetensors"
    for language, given in (("", None), ("toy", pack), ("other", pack), ("toy", again)):
        head = arm.head("pos", language=language, pack=given)
        with head.within():
            batch = head.words.batch([["a", "b"]], torch.device("cpu"))
            found.append(head.module.states(batch).detach())
    assert torch.equal(found[0], found[1])
    assert len({states.sum().item() for states in found[1:]}) == 3
    test, made = folder / "test.conllu", tmp_path / "made.conllu"
    given = ("predict", out / "arms" / "xmod", test, "--task", "pos", "--out", made)
    assert call(*given, "--language", "other", "--pack", pack).code == 0
    refused = call(*given, "--language", "other")
    assert refused.code == 2
    assert "there are no modules of language 'other'; known: toy" in refused.err
    assert "name a pack that has them (--pack)" in refused.err
    assert "--pack needs --language" in call(*given, "--pack", pack).err
    refused = call(*given, "--language", "toy", "--pack", folder / "madx.safetensors")
    assert "the modules of 'toy' differ from those of 'toy' at ffn_h in" in refused.err
    before = pack.read_bytes()
    refused = call(*given[:-1], pack, "--language", "other", "--pack", pack)
    assert (refused.code, pack.read_bytes() == before) == (2, True)
    for name in ("plain", "tasks"):
        with pytest.raises(UsageError, match="the head has no modules by language to exchange"):
            Specialization(out / "arms" / name).head("pos", language="other", pack=pack)


def test_a_run_does_not_replace_its_base_or_its_pack(
    folder: Path, base_folder: Path, call: Call, tmp_path: Path
) -> None:
    shutil.copytree(base_folder, tmp_path / "out" / "model")
    shutil.copyfile(folder / "all.safetensors", tmp_path / "out" / "modules.safetensors")
    (tmp_path / "out" / "stages" / ".locks").mkdir(parents=True)
    for change in (
        f"base={tmp_path / 'out' / 'model'}",
        f"arm.xmod.modules.pack={tmp_path / 'out' / 'modules.safetensors'}",
    ):
        refused = call("run", folder / "run.toml", "--out", tmp_path / "out", "--set", change)
        assert (refused.code, "which is an input; name another --out" in refused.err) == (2, True)


# Refused before work


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        (["arm.xmod.lapt={}", 'corpus.files=["corpus.txt"]'], 2, "set lapt = false and augment ="),
        (["language="], 2, "expected the language whose modules are used; add language = 'CODE'"),
        (["language=en"], 2, "no modules of language 'en'; known: toy, other"),
        (["base=mini"], 3, "the modules belong to a base with another vocabulary"),
        (["arm.xmod.modules.pack=none.safetensors"], 4, "none.safetensors"),
        (["arm.xmod.modules.pack=madx.safetensors"], 2, "expected modules of an X-MOD, at ffn_u"),
        (["base=mini", "arm.xmod.tasks=[]"], 3, "belong to a base with another vocabulary"),
    ],
)
def test_arms_that_cannot_work_are_refused(
    changes: list[str], code: int, message: str, folder: Path, call: Call, tmp_path: Path
) -> None:
    given = [word for change in changes for word in ("--set", change)]
    refused = call("run", folder / "run.toml", "--out", tmp_path / "out", *given)
    assert (refused.code, message in refused.err) == (code, True), refused.err
    assert not (tmp_path / "out" / "stages").exists()
