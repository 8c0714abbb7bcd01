"""LAPT of models that predict the next piece, and what they spend on a byte."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from causal_models import write_model
from tokenizers_made import lines_in
from transformers import GPT2LMHeadModel

from specialize.augment import extend
from specialize.corpus import CorpusFiles
from specialize.corpus.prepare import Prepared, prepare
from specialize.embed import subwords
from specialize.errors import UsageError
from specialize.model.install import install
from specialize.model.language_model import tables
from specialize.model.load import Checkpoint, load_checkpoint
from specialize.train.bits_per_byte import WHOLE, HeldOut, encode_following, held_out, score
from specialize.train.language_model import documents_of, following
from specialize.train.lapt import Lapt, check, lapt
from specialize.train.packing import PADDING
from specialize.vocab.base import VocabChange, unchanged
from specialize.vocab.framing import moved

PLAN = Lapt(epochs=1, batch=4, length=32, rate=1e-2, dev_lines=10, precision="float32")
TOY = lines_in("toy")[:80]


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model("gpt2", tmp_path_factory.mktemp("base") / "gpt2")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("text")
    (folder / "toy.txt").write_text("\n\n".join(TOY), "utf-8")
    files = CorpusFiles((str(folder / "toy.txt"),), dev=0.1)
    prepare(files, [], folder / "text", lambda line: None)
    return Prepared(folder / "text")


def extended(folder: Path, text: Prepared) -> tuple[Checkpoint, VocabChange]:
    base = load_checkpoint(folder)
    change = extend.change(base.vocabulary, text.train, pieces=40)
    install(base.model, change, subwords.init(tables(base.model), change, ()))
    return Checkpoint(base.model, change.new, moved(base.framing, change), folder), change


def run(
    checkpoint: Checkpoint, change: VocabChange, text: Prepared, plan: Lapt, folder: Path
) -> list:
    return lapt(checkpoint, change, text, plan, seed=1, folder=folder)


# Bits per byte ------------------------------------------------------------------------------------


def whole(*lines: str) -> HeldOut:
    return held_out(lines, lines, seed=0, **WHOLE)


def nats_by_transformers(model: GPT2LMHeadModel, ids: list[int]) -> float:
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
    return -float(logits[torch.arange(len(ids) - 1), ids[1:]].sum())


def test_the_bits_of_a_line_are_the_models_for_all_its_pieces(gpt2: Path) -> None:
    base = load_checkpoint(gpt2)
    lines = [" ".join(line.split()[:3]) for line in TOY[:3]]
    rows = encode_following(whole(*lines), base.vocabulary, base.framing, length=64)
    end = base.framing.separator[0]
    nats = sum(nats_by_transformers(base.model, [end, *base.vocabulary.encode(x)]) for x in lines)
    size = sum(len(line.encode()) for line in lines)
    assert score(base.model, rows, base.framing.pad) == pytest.approx(
        nats / math.log(2) / size, rel=1e-5
    )


@pytest.mark.parametrize("length", [2, 3, 7, 10, 64])
def test_a_long_line_is_asked_for_once_with_half_a_window_before_each_piece(
    length: int, gpt2: Path
) -> None:
    base = load_checkpoint(gpt2)
    line = " ".join(TOY[0].split()[:6])
    ids = base.vocabulary.encode(line)
    rows = encode_following(whole(line), base.vocabulary, base.framing, length=length)
    assert sorted(i for row in rows for i in row.targets if i >= 0) == sorted(ids)
    assert sum(row.size for row in rows) == len(line.encode())
    for row in rows:
        assert len(row.ids) == len(row.targets) <= length
        asked = [j for j, target in enumerate(row.targets) if target >= 0]
        assert row.targets[asked[0] : len(row.ids) - 1] == row.ids[asked[0] + 1 :]
        assert row.ids[1 : length // 2 + 1] == ids[: length // 2] or asked[0] >= (length - 1) // 2


def test_vocabularies_are_measured_on_the_same_bytes(tmp_path: Path) -> None:
    measured = whole(*TOY[:5])
    sizes, uniform = set(), {}
    for name in ("gpt2", "llama2", "llama3"):
        base = load_checkpoint(write_model(name, tmp_path / name))
        rows = encode_following(measured, base.vocabulary, base.framing, length=48)
        sizes.add(sum(row.size for row in rows))
        pieces = sum(len(base.vocabulary.encode(line)) for line in TOY[:5])
        assert sum(i >= 0 for row in rows for i in row.targets) == pieces
        for parameter in base.model.parameters():
            parameter.data.zero_()
        uniform[name] = score(base.model, rows, base.framing.pad)
        bits = pieces * math.log2(base.model.config.vocab_size)
        assert uniform[name] == pytest.approx(bits / max(sizes), rel=1e-4)
    assert sizes == {sum(len(line.encode()) for line in TOY[:5])}


# Training -----------------------------------------------------------------------------------------


def test_the_piece_that_follows_is_asked_for_and_no_padding() -> None:
    ids = torch.tensor([[5, 6, 7], [8, 9, PADDING]])
    shown, asked = following(ids, None, 0, 0)
    assert shown.tolist() == ids.tolist()
    assert asked.tolist() == [[6, 7, PADDING], [9, PADDING, PADDING]]


@pytest.mark.parametrize("name", ["llama2", "qwen2"])
def test_training_lowers_the_bits_of_the_held_out_text(
    name: str, text: Prepared, tmp_path: Path
) -> None:
    checkpoint, change = extended(write_model(name, tmp_path / "base"), text)
    history = run(checkpoint, change, text, PLAN, tmp_path / "run")
    assert history[1].score < 0.97 * history[0].score
    assert history[1].train_loss < math.log(checkpoint.model.config.vocab_size) * 1.1


@pytest.mark.parametrize("name", ["gpt2", "qwen3"])  # tied and untied
@pytest.mark.parametrize("train", ["embeddings", "fresh"])
def test_only_what_is_named_is_trained(
    train: str, name: str, text: Prepared, tmp_path: Path
) -> None:
    checkpoint, change = extended(write_model(name, tmp_path / "base"), text)
    before = {n: p.detach().clone() for n, p in checkpoint.model.named_parameters()}
    run(checkpoint, change, text, replace(PLAN, train=train, decay=0.0), tmp_path / "run")
    after = dict(checkpoint.model.named_parameters())
    moved_rows = {n: (p != before[n]).flatten(1).any(1) for n, p in after.items() if p.ndim > 1}
    changed = {name for name, moved in moved_rows.items() if moved.any()}
    assert changed == {n for n in after if "wte" in n or "embed_tokens" in n or "lm_head" in n}
    assert all(torch.equal(after[n], before[n]) for n in after if n not in changed)
    assert all(parameter.requires_grad for parameter in after.values())
    for table in changed:
        rows = set(moved_rows[table].nonzero().flatten().tolist())
        if train == "fresh":
            assert rows == set(change.fresh)
        else:
            assert set(change.fresh) < rows


def test_fresh_rows_need_fresh_pieces(gpt2: Path, text: Prepared, tmp_path: Path) -> None:
    base = load_checkpoint(gpt2)
    with pytest.raises(UsageError, match=r'lapt\.train = "fresh", but no piece is fresh'):
        run(base, unchanged(base.vocabulary), text, replace(PLAN, train="fresh"), tmp_path)


@pytest.mark.parametrize("changed", [{"parts": 3}, {"recompute": True}], ids=str)
def test_less_memory_gives_the_same_model(
    changed: dict, gpt2: Path, text: Prepared, tmp_path: Path
) -> None:
    weights = []
    for plan in (PLAN, replace(PLAN, **changed)):
        base = load_checkpoint(gpt2)
        base.model.eval()
        for module in base.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        run(base, unchanged(base.vocabulary), text, plan, tmp_path / str(len(weights)))
        weights.append(base.model.state_dict())
    start = load_checkpoint(gpt2).model.state_dict()
    for name, tensor in weights[0].items():
        assert torch.allclose(weights[1][name], tensor, atol=1e-4), name
    assert not torch.allclose(weights[0]["lm_head.weight"], start["lm_head.weight"], atol=1e-3)


# Documents apart ----------------------------------------------------------------------------------


def test_documents_end_with_their_separator() -> None:
    ids = torch.tensor([[4, 5, 9, 6, 9, 7], [9, 4, 5, 6, PADDING, PADDING]])
    expected = [[0, 0, 0, 1, 1, 2], [0, 1, 1, 1, -1, -1]]
    assert documents_of(ids, 9).tolist() == expected


def test_documents_apart_are_learned_as_each_by_itself(
    gpt2: Path, text: Prepared, tmp_path: Path
) -> None:
    check(replace(PLAN, documents=True), load_checkpoint(gpt2))
    base = load_checkpoint(gpt2)
    history = run(
        base, unchanged(base.vocabulary), text, replace(PLAN, documents=True), tmp_path / "run"
    )
    assert history[1].score < history[0].score


def test_a_model_that_cannot_keep_documents_apart_is_refused(gpt2: Path) -> None:
    base = load_checkpoint(gpt2)
    plan = replace(PLAN, documents=True)
    with pytest.raises(UsageError, match="no piece that ends a document"):
        check(plan, replace(base, framing=replace(base.framing, end=None)))
    forward = base.model.base_model.forward
    base.model.base_model.forward = lambda input_ids, **others: forward(input_ids)
    with pytest.raises(UsageError, match="GPT2LMHeadModel cannot keep documents apart"):
        check(plan, base)
