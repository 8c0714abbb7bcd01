"""Installing a changed vocabulary, tiered rows, logits at chosen positions, words from pieces."""

from itertools import chain
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from specialize.embed import mean, random, subwords, unused
from specialize.errors import DataError, MissingError, UsageError
from specialize.model.find import find_model
from specialize.model.install import install, verify_installed, snapshot
from specialize.model.load import load_checkpoint, save_model
from specialize.model.mlm import logits_at, positions
from specialize.model.tiers import merge, tier
from specialize.model.word_model import ScalarMix, WordEncoder, WordModel
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

NEW = ["ⴰⴱ", "##ⴱⴰ", "ⴰ"]


@pytest.fixture(params=["base_folder", "bert_folder"])
def folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


def masked_batch(mask_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.tensor([[22, 30, mask_id, 40, 50, 23], [22, mask_id, 31, 41, 51, 23]])
    return ids, positions(ids == mask_id)


@pytest.mark.parametrize("slots", [True, False])
def test_kept_rows_are_bit_equal_after_install_save_and_reload(folder: Path, slots: bool) -> None:
    base = load_checkpoint(folder)
    before = snapshot(base.model)
    change = base.vocabulary.place(NEW, slots=slots)
    ids, chosen = masked_batch(base.vocabulary.ids["[MASK]"])
    logits = logits_at(base.model, ids, None, chosen)
    install(base.model, change, random.init(before.tables[0], change, [], seed=1))
    verify_installed(base.model, change, before, folder)
    after = logits_at(base.model, ids, None, chosen)
    kept_new, kept_old = list(change.kept), list(change.kept.values())
    torch.testing.assert_close(after[:, kept_new], logits[:, kept_old], rtol=1e-5, atol=1e-6)


def test_the_proof_notices_a_moved_row(base_folder: Path) -> None:
    base = load_checkpoint(base_folder)
    before = snapshot(base.model)
    change = base.vocabulary.place(NEW)
    install(base.model, change, random.init(before.tables[0], change, []))
    with torch.no_grad():
        base.model.get_input_embeddings().weight[60, 3] += 1e-6
    with pytest.raises(ValueError, match="differs from the base"):
        verify_installed(base.model, change, before, base_folder)


def test_plain_transformers_load_what_was_saved(folder: Path, tmp_path: Path) -> None:
    base = load_checkpoint(folder)
    change = base.vocabulary.place(NEW, slots=False)
    table = base.model.get_input_embeddings().weight.detach()
    install(base.model, change, mean.init(table, change, []))
    save_model(base.model, change.new, tmp_path / "new", source=folder)
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "new")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "new")
    assert len(tokenizer) == model.config.vocab_size == len(change.new.pieces)
    assert tokenizer.tokenize("ⴰⴱⴱⴰ") == ["ⴰⴱ", "##ⴱⴰ"]
    pieces = (tmp_path / "new" / "vocab.txt").read_text("utf-8").splitlines()
    assert pieces == list(change.new.pieces)


def test_logits_at_positions_equal_the_models_own(folder: Path) -> None:
    base = load_checkpoint(folder)
    ids, chosen = masked_batch(base.vocabulary.ids["[MASK]"])
    with torch.no_grad():
        ours = logits_at(base.model, ids, torch.ones_like(ids), chosen)
        theirs = base.model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    torch.testing.assert_close(ours, theirs.flatten(0, 1)[chosen])


def test_fresh_rows_have_their_own_rate_and_kept_rows_theirs(folder: Path) -> None:
    base = load_checkpoint(folder)
    fresh = [5, 6]
    start = base.model.get_input_embeddings().weight.detach().clone()
    rows = tier(base.model, fresh)
    rest = [p for p in base.model.parameters() if p is not rows]
    plain = {"weight_decay": 0.0}
    optimizer = torch.optim.AdamW(
        [{"params": rest, "lr": 1e-3} | plain, {"params": [rows], "lr": 5e-3} | plain]
    )
    ids = torch.tensor([[22, 5, 6, 40, 23]])
    logits_at(base.model, ids, None, positions(ids == 6)).logsumexp(-1).sum().backward()
    optimizer.step()
    merge(base.model)
    moved = (base.model.get_input_embeddings().weight - start).abs().amax(dim=1)
    # Adam's first step is the rate itself, whatever the gradient: five times for fresh rows
    torch.testing.assert_close(moved[fresh], torch.full((2,), 5e-3), rtol=1e-3, atol=0)
    others = [i for i in range(len(moved)) if i not in fresh]
    torch.testing.assert_close(moved[others], torch.full((len(others),), 1e-3), rtol=2e-2, atol=0)


def test_merging_keeps_the_tie_and_the_logits(folder: Path) -> None:
    base = load_checkpoint(folder)
    ids, chosen = masked_batch(base.vocabulary.ids["[MASK]"])
    before = logits_at(base.model, ids, None, chosen)
    names = [name for name, _ in base.model.named_parameters()]
    tier(base.model, [5, 6])
    assert torch.equal(logits_at(base.model, ids, None, chosen), before)
    merge(base.model)
    assert torch.equal(logits_at(base.model, ids, None, chosen), before)
    assert [name for name, _ in base.model.named_parameters()] == names
    assert base.model.get_output_embeddings().weight is base.model.get_input_embeddings().weight


def small() -> tuple[WordPiece, torch.Tensor]:
    old = WordPiece([*SPECIAL, "[unused1]", "a", "b", "##a", "##b"])
    return old, torch.arange(20.0).reshape(10, 2)


def test_unused_takes_the_slots_rows_and_refuses_appended_pieces() -> None:
    old, table = small()
    change = old.place(["ab"])
    assert unused.init(table, change, []).input_rows(table).tolist() == [[10.0, 11.0]]
    with pytest.raises(UsageError, match="1 of 2 pieces"):
        unused.init(table, old.place(["ab", "ba"]), [])


def test_subwords_average_the_old_pieces_in_context() -> None:
    old, table = small()
    rows = subwords.init(table, old.place(["ab", "##ab", "xa"], slots=False), [])
    a, b, cont_a, cont_b = table[6], table[7], table[8], table[9]
    mixed = rows.input_rows(table)
    assert torch.equal(mixed[0], (a + cont_b) / 2)
    assert torch.equal(mixed[1], (cont_a + cont_b) / 2)
    assert not torch.equal(mixed[2], b)  # x was never a piece: a drawn row
    bias = torch.arange(10.0)
    assert rows.biases(bias).tolist() == [7.5, 8.5, 4.5]


def test_drawn_rows_depend_on_the_seed_and_not_on_the_global_generator() -> None:
    old, table = small()
    change = old.place(["ab", "ba"], slots=False)
    first = random.init(table, change, [], seed=1).input_rows(table)
    torch.manual_seed(5)
    assert torch.equal(first, random.init(table, change, [], seed=1).input_rows(table))
    assert not torch.equal(first, random.init(table, change, [], seed=2).input_rows(table))


def test_a_words_state_is_the_mean_of_its_pieces(base_folder: Path) -> None:
    base = load_checkpoint(base_folder)
    encoder = WordEncoder(base.vocabulary, length=64)
    sentences = [["ev", "kitaplar", "\u200b"], ["su"]]
    batch = encoder.batch(sentences, torch.device("cpu"))
    model = WordModel(
        base.model, torch.nn.Identity(), layer_dropout=0.0, precision="float32"
    ).eval()
    states = model.states(batch)
    assert batch.mask_BW.tolist() == [[True, True, True], [True, False, False]]
    pieces = [base.vocabulary.encode(word) for word in sentences[0]]
    pieces[2] = [base.vocabulary.ids["[UNK]"]]  # a word that the normaliser deletes has a state
    flat = [
        base.vocabulary.ids["[CLS]"],
        *chain.from_iterable(pieces),
        base.vocabulary.ids["[SEP]"],
    ]
    ids = torch.tensor([flat])
    every = base.model.base_model(input_ids=ids, output_hidden_states=True).hidden_states[1:]
    mixed = torch.stack(every).mean(0)[0]
    stop = 1 + len(pieces[0])
    torch.testing.assert_close(states[0, 0], mixed[1:stop].mean(0))
    torch.testing.assert_close(states[0, 1], mixed[stop : stop + len(pieces[1])].mean(0))


def test_long_sentences_are_read_in_parts_and_no_word_is_lost(base_folder: Path) -> None:
    base = load_checkpoint(base_folder)
    encoder = WordEncoder(base.vocabulary, length=12)
    batch = encoder.batch([["kitaplar"] * 9, ["su"]], torch.device("cpu"))
    assert batch.ids_RL.shape[1] <= 12
    assert batch.mask_BW.sum() == 10
    assert len(set(batch.place_BW[0].tolist())) == 9


def test_layer_dropout_rests_in_evaluation() -> None:
    mix = ScalarMix(3, dropout=0.9)
    states = [torch.full((1, 1, 1), float(i)) for i in range(3)]
    mix.eval()
    assert {mix(states).item() for _ in range(20)} == {1.0}
    mix.train()
    assert len({mix(states).item() for _ in range(50)}) > 1


def test_a_missing_model_is_said_at_once_with_where_was_looked(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="hf download no/such-model"):
        find_model("no/such-model")
    with pytest.raises(MissingError, match=r"no config\.json"):
        find_model(str(tmp_path))


def test_a_model_with_fewer_rows_than_pieces_is_refused(base_folder: Path, tmp_path: Path) -> None:
    base = load_checkpoint(base_folder)
    more = base.vocabulary.place(NEW, slots=False).new
    save_model(base.model, more, tmp_path / "bad")
    with pytest.raises(DataError, match="pieces but"):
        load_checkpoint(tmp_path / "bad")
