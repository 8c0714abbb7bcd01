"""LAPT: original bytes, fresh rows, a capped warm-up, and an interrupted call that resumes."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_models import write_model

from specialize.augment import tva
from specialize.corpus import CorpusFiles
from specialize.corpus.prepare import Prepared, prepare
from specialize.embed import mean
from specialize.errors import DataError, UsageError
from specialize.model.install import install
from specialize.model.language_model import logits_at, tables
from specialize.model.load import Checkpoint, load_checkpoint
from specialize.progress import Silent
from specialize.toylang import ToyFiles, to_latin
from specialize.train import language_model
from specialize.train.language_model import documents_of
from specialize.train.lapt import Lapt, check, lapt, measured_text
from specialize.train.packing import PADDING
from specialize.vocab.base import unchanged
from specialize.vocab.framing import moved

PLAN = Lapt(epochs=2, batch=4, length=32, rate=1e-2, dev_lines=20, precision="float32")


class Killed(Exception):
    """A simulated power cut."""


@pytest.fixture(scope="module")
def text(toy: ToyFiles, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared(toy, tmp_path_factory.mktemp("text"))


def prepared(toy: ToyFiles, folder: Path, *mixins: object) -> Prepared:
    files = CorpusFiles((str(toy.corpus),), dev=0.2)
    prepare(files, mixins, folder, lambda line: None)
    return Prepared(folder)


def adapted(
    base_folder: Path, text: Prepared, folder: Path, plan: Lapt = PLAN, **options: object
) -> tuple[dict[str, torch.Tensor], list]:
    base = load_checkpoint(base_folder)
    history = lapt(base, unchanged(base.vocabulary), text, plan, seed=1, folder=folder, **options)
    return base.model.state_dict(), history


def test_training_lowers_the_bits_of_the_held_out_text(
    base_folder: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    text = prepared(toy, tmp_path / "text", to_latin)
    _, history = adapted(base_folder, text, tmp_path, mix=to_latin)
    assert [epoch.epoch for epoch in history] == [0, 1, 2]
    assert history[-1].score < 0.95 * history[0].score


def test_a_killed_call_resumes_to_the_same_weights(
    base_folder: Path,
    text: Prepared,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, history = adapted(base_folder, text, tmp_path / "whole")
    calls, loss_sum = [], language_model.loss_sum

    def killing(*given: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if len(calls) > history[1].steps + 2:
            raise Killed
        return loss_sum(*given)

    monkeypatch.setattr(language_model, "loss_sum", killing)
    with pytest.raises(Killed):
        adapted(base_folder, text, tmp_path / "cut")
    monkeypatch.undo()
    resumed, again = adapted(base_folder, text, tmp_path / "cut")
    assert [epoch.score for epoch in again] == [epoch.score for epoch in history]
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_a_step_that_runs_out_of_memory_is_repeated_in_smaller_parts(
    base_folder: Path, text: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = replace(PLAN, steps=6)
    whole, history = adapted(base_folder, text, tmp_path / "whole", plan)
    loss_sum, sizes, lines = language_model.loss_sum, list[int](), list[str]()

    class Noted(Silent):
        def say(self, text: str) -> None:
            lines.append(text)

    def limited(model: object, ids: torch.Tensor, *rest: torch.Tensor) -> torch.Tensor:
        sizes.append(len(ids))
        if len(sizes) > 4 and len(ids) > 1:
            raise torch.OutOfMemoryError("out of memory")
        return loss_sum(model, ids, *rest)

    monkeypatch.setattr(language_model, "loss_sum", limited)
    found, again = adapted(base_folder, text, tmp_path / "cut", plan, log=Noted())
    assert sizes == [4, 4, 4, 4, 4, 2, 1, 1, 1, 1, 1, 1, 1, 1]
    said = [line for line in lines if line.startswith("out of memory")]
    assert said == [f"out of memory: batches in {n} parts from step 4 on" for n in (2, 4)]
    for name in whole:
        torch.testing.assert_close(found[name], whole[name], rtol=0, atol=1e-6)
    assert again[-1].score == pytest.approx(history[-1].score, rel=1e-6)
    monkeypatch.setattr(language_model, "loss_sum", out_of_memory)
    with pytest.raises(torch.OutOfMemoryError):
        adapted(base_folder, text, tmp_path / "never", plan)


def out_of_memory(*given: object) -> torch.Tensor:
    raise torch.OutOfMemoryError("out of memory")


def test_a_number_of_steps_is_measured_in_parts(
    base_folder: Path, text: Prepared, tmp_path: Path
) -> None:
    _, history = adapted(base_folder, text, tmp_path / "few", replace(PLAN, steps=6, epochs=3))
    assert [epoch.steps for epoch in history] == [0, 2, 2, 2]
    passes = adapted(base_folder, text, tmp_path / "one", replace(PLAN, batch=1, epochs=1))[1]
    length = passes[-1].steps
    plan = replace(PLAN, batch=1, epochs=1, steps=length)
    assert adapted(base_folder, text, tmp_path / "all", plan)[1][-1].score == passes[-1].score
    with pytest.raises(UsageError, match=r"lapt\.epochs from 1 to lapt\.steps, 2, got 3"):
        replace(PLAN, steps=2, epochs=3)
    with pytest.raises(UsageError, match=r"lapt\.static of at least 0, got -3"):
        replace(PLAN, static=-3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"steps": 39},
            "lapt.epochs, 20 by default, got 39; set lapt.steps = 20 or 40, or lapt.ep",
        ),
        ({"steps": 7, "epochs": 3}, "lapt.epochs, 3, got 7; set lapt.steps = 6 or 9, or lapt.epo"),
    ],
)
def test_steps_that_are_no_multiple_of_epochs_are_refused(
    given: dict[str, int], message: str
) -> None:
    with pytest.raises(UsageError, match=f"expected lapt.steps to be a multiple of {message}"):
        Lapt(**given)


def test_fresh_rows_train_at_their_own_rate_and_are_masked(
    base_folder: Path, text: Prepared, tmp_path: Path
) -> None:
    base = load_checkpoint(base_folder)
    change = tva.change(base.vocabulary, text.train, pieces=10)
    install(base.model, change, mean.init(tables(base.model), change, []))
    before = base.model.get_input_embeddings().weight.detach().clone()
    checkpoint = Checkpoint(base.model, change.new, moved(base.framing, change), tmp_path)
    plan = replace(PLAN, fresh_rate=0.0, decay=0.0)
    lapt(checkpoint, change, text, plan, seed=1, folder=tmp_path)
    after = base.model.get_input_embeddings().weight.detach()
    fresh = list(change.fresh)
    assert torch.equal(after[fresh], before[fresh])
    assert not torch.equal(after, before)
    with pytest.raises(UsageError, match="special"):
        lapt(replace(checkpoint, framing=base.framing), change, text, plan, seed=1, folder=tmp_path)


def test_fresh_rows_can_be_all_that_trains(
    base_folder: Path, text: Prepared, tmp_path: Path
) -> None:
    base = load_checkpoint(base_folder)
    change = tva.change(base.vocabulary, text.train, pieces=10)
    install(base.model, change, mean.init(tables(base.model), change, []))
    before = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    checkpoint = Checkpoint(base.model, change.new, moved(base.framing, change), tmp_path)
    plan = replace(PLAN, epochs=1, train="fresh")
    lapt(checkpoint, change, text, plan, seed=1, folder=tmp_path)
    after = base.model.state_dict()
    changed = {name for name in before if not torch.equal(after[name], before[name])}
    table = base.model.get_input_embeddings().weight
    assert changed == {name for name in after if after[name].data_ptr() == table.data_ptr()}
    rows = (table != before[min(changed)]).any(1).nonzero().flatten().tolist()
    assert rows == sorted(change.fresh)


def test_all_padding_behind_the_text_is_reported(
    base_folder: Path, text: Prepared, tmp_path: Path
) -> None:
    read: list[tuple[int, int]] = []

    class Noted(Silent):
        def read(self, pieces: int, positions: int) -> None:
            read.append((pieces, positions))

    _, history = adapted(base_folder, text, tmp_path, replace(PLAN, epochs=1), log=Noted())
    pieces, positions = map(sum, zip(*read, strict=True))
    assert len(read) == history[1].steps
    assert positions % PLAN.length == 0
    assert 0 < positions - pieces < PLAN.length  # the last sequence alone is not full


def test_warm_up_is_capped_at_a_tenth_of_the_steps(
    base_folder: Path, text: Prepared, tmp_path: Path
) -> None:
    found: dict[str, list] = {"lines": [], "figures": []}

    class Noted(Silent):
        def say(self, text: str) -> None:
            found["lines"].append(text)

        def record(self, **figures: object) -> None:
            found["figures"].append(figures)

    _, history = adapted(base_folder, text, tmp_path / "a", log=Noted())
    steps = 2 * history[1].steps
    assert {"warmup": steps // 10} in found["figures"]
    assert f"warm-up shortened from 1000 to {steps // 10} steps, a tenth of all" in found["lines"]
    found["lines"].clear()
    adapted(base_folder, text, tmp_path / "b", replace(PLAN, warmup=1), log=Noted())
    assert {"warmup": 1} in found["figures"]
    assert not any("warm-up" in line for line in found["lines"])


def test_arms_with_and_without_a_mix_in_are_measured_on_the_same_original_bytes(
    toy: ToyFiles, text: Prepared, tmp_path: Path
) -> None:
    mixed = prepared(toy, tmp_path, to_latin)
    plain = measured_text(text, PLAN, seed=1, mix=lambda line: line)
    latin = measured_text(mixed, PLAN, seed=1, mix=to_latin)
    originals = [
        [(t.original, t.masked) for chunk in found.chunks for t in chunk]
        for found in (plain, latin)
    ]
    assert originals[0] == originals[1]
    assert {t.shown for chunk in latin.chunks for t in chunk} == {
        to_latin(original) for original, _ in originals[0]
    }


def test_other_mix_ins_than_the_texts_are_refused(text: Prepared) -> None:
    with pytest.raises(UsageError, match="mix-ins"):
        measured_text(text, PLAN, seed=1, mix=to_latin)


def test_held_out_text_without_a_masked_token_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("a\n\n" * 9, "utf-8")
    prepare(CorpusFiles((str(file),), dev=0.3), [], tmp_path / "text", lambda line: None)
    with pytest.raises(DataError, match=r"raise corpus\.dev"):
        measured_text(Prepared(tmp_path / "text"), replace(PLAN, dev_lines=1), seed=1, mix=str)


def test_lengths_beyond_the_positions_and_tokenizers_without_a_mask_are_refused(
    base_folder: Path,
) -> None:
    base = load_checkpoint(base_folder)
    check(PLAN, base)
    with pytest.raises(UsageError, match=r"lapt\.length = 1000"):
        check(replace(PLAN, length=1000), base)
    with pytest.raises(UsageError, match="mask piece"):
        check(PLAN, replace(base, framing=replace(base.framing, mask=None)))


def test_the_attention_implementation_is_restored(
    base_folder: Path, text: Prepared, tmp_path: Path
) -> None:
    base = load_checkpoint(base_folder)
    before = base.model.config._attn_implementation
    plan = replace(PLAN, epochs=1)
    lapt(base, unchanged(base.vocabulary), text, plan, seed=1, folder=tmp_path)
    assert base.model.config._attn_implementation == before


@pytest.mark.parametrize("window", [8, 200])
def test_documents_apart_keep_the_windows_of_attention_or_are_refused(
    window: int, tmp_path: Path
) -> None:
    kinds = ["full_attention", "sliding_attention"]
    folder = write_model(
        "modernbert", tmp_path, positions=64, local_attention=window, layer_types=kinds
    )
    base, plan = load_checkpoint(folder), replace(PLAN, documents=True)
    if window == 200:
        check(plan, base)
        return
    with pytest.raises(UsageError, match=r"lapt\.documents: ModernBertForMaskedLM cannot keep"):
        check(plan, base)


@pytest.mark.parametrize("name", ["bert", "roberta", "xlm-r"])
def test_a_document_apart_is_read_as_if_it_were_alone(name: str, tmp_path: Path) -> None:
    base = load_checkpoint(write_model(name, tmp_path))
    end = base.framing.suffix[0]
    first, second = [6, 7, 8, end], [9, 6, end]
    both, places = torch.tensor([[*first, *second, PADDING]]), torch.arange(3)
    apart = documents_of(both, end)
    with torch.no_grad():
        alone = logits_at(base.model, torch.tensor([second]), None, places)
        shown = both.clamp(min=base.framing.pad)
        beside = logits_at(base.model, shown, None, places + 4, apart)
        together = logits_at(base.model, shown, None, places + 4)
    assert torch.allclose(beside, alone, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(together, alone, rtol=1e-4, atol=1e-5)
