"""A changed vocabulary in a model: kept rows bit-equal, fresh rows in place, also reloaded."""

from pathlib import Path

import pytest
import torch
from tiny_models import SHAPES, change_of, write_model, write_tokenizer
from transformers import (
    AutoModelForMaskedLM,
    AutoTokenizer,
    IBertConfig,
    IBertForMaskedLM,
    MobileBertConfig,
    MobileBertForMaskedLM,
    RobertaConfig,
    RobertaForMaskedLM,
)

from specialize.embed import mean, random
from specialize.embed._rows import FreshRows
from specialize.errors import SpecializeError, UsageError
from specialize.model.install import install, snapshot, verify_installed
from specialize.model.language_model import logits_at, output_bias, output_biases, tables
from specialize.model.load import load_checkpoint, save_model
from specialize.vocab.base import VocabChange
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece


@torch.no_grad()
def test_kept_rows_are_bit_equal_and_fresh_ones_in_place_after_reload(
    folder: Path, shape: str, tmp_path: Path
) -> None:
    base = load_checkpoint(folder)
    before = snapshot(base.model)
    change = change_of(base.vocabulary, SHAPES[shape])
    ids = torch.tensor([[*base.framing.prefix, *base.vocabulary.encode("ab cab")]])
    logits = logits_at(base.model, ids, None, torch.tensor([1, 2]))
    rows = mean.init(tables(base.model), change, [], seed=1)
    install(base.model, change, rows)
    verify_installed(base.model, change, before, folder)
    save_model(base.model, change.new, tmp_path, source=folder)

    model = AutoModelForMaskedLM.from_pretrained(tmp_path).eval()
    size = max(len(change.new.pieces), len(before.input))
    assert model.config.vocab_size == size
    assert len(AutoTokenizer.from_pretrained(tmp_path)) == len(change.new.pieces)
    after, kept, fresh = tables(model), list(change.kept), list(change.fresh)
    assert fresh
    for name in ("input", "output", "bias"):
        old, new, made = (getattr(t, name) for t in (before, after, rows))
        assert (old is None) == (new is None) == (made is None), name
        if new is not None:
            assert len(new) == size
            assert torch.equal(new[kept], old[list(change.kept.values())]), name
            assert torch.equal(new[fresh], made), name
    found = logits_at(model, ids, None, torch.tensor([1, 2]))
    assert found.shape == (2, size)
    torch.testing.assert_close(found[:, kept], logits[:, kept], rtol=1e-5, atol=1e-5)


def test_an_untied_output_layer_gets_rows_of_its_own_table(tmp_path: Path) -> None:
    base = load_checkpoint(write_model("bert", tmp_path, tied=False))
    change = change_of(base.vocabulary, SHAPES["bert"])
    with torch.no_grad():
        base.model.get_output_embeddings().weight += 100
    rows = mean.init(tables(base.model), change, [], seed=1)
    install(base.model, change, rows)
    assert tables(base.model).input[list(change.fresh)].abs().max() < 50
    assert tables(base.model).output[list(change.fresh)].min() > 50


def test_both_biases_of_an_untied_head_grow(tmp_path: Path) -> None:
    """An untied BERT reads only one of its two biases, but saves both."""
    base = load_checkpoint(write_model("bert", tmp_path / "base", tied=False))
    assert len(output_biases(base.model)) == 2
    change = change_of(base.vocabulary, SHAPES["bert"])
    install(base.model, change, random.init(tables(base.model), change, []))
    assert [len(bias) for bias in output_biases(base.model)] == [len(change.new.pieces)] * 2


def test_a_tied_model_stays_tied_and_keeps_its_parameters(tiny: Path, shape: str) -> None:
    base = load_checkpoint(tiny)
    names = [name for name, _ in base.model.named_parameters()]
    change = change_of(base.vocabulary, SHAPES[shape])
    install(base.model, change, mean.init(tables(base.model), change, []))
    assert [name for name, _ in base.model.named_parameters()] == names
    assert tables(base.model).output is None
    assert base.model.get_input_embeddings().num_embeddings == len(change.new.pieces)


def test_rows_of_other_shapes_are_refused_before_anything_changes(tmp_path: Path) -> None:
    base = load_checkpoint(write_model("bert", tmp_path, tied=False))
    change = change_of(base.vocabulary, SHAPES["bert"])
    before = snapshot(base.model)
    rows = mean.init(before, change, [])
    for wrong in (
        FreshRows(rows.input, None, rows.bias),
        FreshRows(rows.input, rows.output, None),
        FreshRows(rows.input[:2], rows.output, rows.bias),
    ):
        with pytest.raises(ValueError, match=r"fresh rows: expected \(3"):
            install(base.model, change, wrong)
        assert torch.equal(tables(base.model).input, before.input)


def test_the_verification_finds_a_changed_entry(tmp_path: Path) -> None:
    folder = write_model("bert", tmp_path, tied=False)
    for name in ("input", "output", "bias"):
        base = load_checkpoint(folder)
        before = snapshot(base.model)
        change = change_of(base.vocabulary, SHAPES["bert"])
        install(base.model, change, random.init(before, change, []))
        verify_installed(base.model, change, before, folder)
        getattr(tables(base.model), name)[6] += 1e-3
        with pytest.raises(SpecializeError, match=f"kept {name} rows"):
            verify_installed(base.model, change, before, folder)


def test_ids_in_the_configuration_follow_their_pieces(tmp_path: Path) -> None:
    """All pieces move except x, which is dropped. Ids of padding rows, and beyond them, stay."""
    old = WordPiece(["x", "a", *SPECIAL, "b"])
    new = WordPiece([*SPECIAL, "b", "a", "y"])
    kept = {i: old.ids[piece] for i, piece in enumerate(new.pieces) if piece in old.ids}
    change = VocabChange(old, new, kept, (7,))
    base = load_checkpoint(write_model("bert", tmp_path, padding=0))
    model = base.model
    model.resize_token_embeddings(9, mean_resizing=False)  # one row of padding
    model.config.pad_token_id = model.get_input_embeddings().padding_idx = old.ids["[PAD]"]
    model.config.unk_token_id = old.ids["x"]
    model.config.eos_token_id = [old.ids["[SEP]"], old.ids["[MASK]"], old.ids["x"]]
    model.config.bos_token_id = 8
    model.config.sep_token_id = 99
    before = snapshot(model)
    install(model, change, mean.init(before, change, []))
    config = model.config
    assert config.pad_token_id == model.get_input_embeddings().padding_idx == 0
    assert config.unk_token_id is None
    assert config.eos_token_id == [new.ids["[SEP]"], new.ids["[MASK]"]]
    assert (config.bos_token_id, config.sep_token_id) == (8, 99)
    assert torch.equal(tables(model).input[8], before.input[8])


@pytest.mark.parametrize("name", ["roberta", "xlm-r", "camembert", "mpnet", "x-mod"])
def test_a_model_that_counts_positions_from_its_padding_keeps_its_id(
    name: str, tmp_path: Path
) -> None:
    base = load_checkpoint(write_model(name, tmp_path))
    size = len(base.vocabulary.pieces)
    kept = {0: 1, 1: 0} | {i: i for i in range(2, size)}
    change = VocabChange(base.vocabulary, base.vocabulary, kept, ())
    before = snapshot(base.model)
    with pytest.raises(UsageError, match="counts positions from the id of the padding piece"):
        install(base.model, change, mean.init(before, change, []))
    assert torch.equal(tables(base.model).input, before.input)


def test_pieces_before_the_padding_may_be_replaced_where_they_stand() -> None:
    old = WordPiece(["x", *SPECIAL, "a"])
    new = WordPiece(["y", *SPECIAL, "a"])
    change = VocabChange(old, new, {i: i for i in range(1, 7)}, (0,))
    config = RobertaConfig(
        vocab_size=7,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=20,
        pad_token_id=1,
    )
    model = RobertaForMaskedLM(config)
    rows = random.init(tables(model), change, [])
    install(model, change, rows)
    assert torch.equal(tables(model).input[0], rows.input[0])


def test_a_head_with_another_matrix_per_piece_is_refused() -> None:
    config = MobileBertConfig(
        vocab_size=13,
        hidden_size=16,
        embedding_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        intra_bottleneck_size=8,
        true_hidden_size=8,
    )
    model = MobileBertForMaskedLM(config)
    old = WordPiece([*SPECIAL, *"abcdefgh"])
    change = old.place(["ab"])
    with pytest.raises(UsageError, match=r"cls\.predictions\.dense\.weight \(8, 13\)"):
        install(model, change, mean.init(tables(model), change, []))


def test_a_model_with_further_tables_is_noticed_when_reloaded(tmp_path: Path) -> None:
    """I-BERT stores the input table a second time, as integers."""
    write_tokenizer(SHAPES["bert"], tmp_path)
    config = IBertConfig(
        vocab_size=18,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=20,
        pad_token_id=0,
    )
    IBertForMaskedLM(config).save_pretrained(tmp_path)
    base = load_checkpoint(tmp_path)
    before = snapshot(base.model)
    change = change_of(base.vocabulary, SHAPES["bert"])
    install(base.model, change, mean.init(before, change, []))
    with pytest.raises(SpecializeError, match="IBertForMaskedLM cannot be changed to 21 pieces"):
        verify_installed(base.model, change, before, tmp_path)


def test_a_smaller_vocabulary_has_tables_of_just_its_size(tmp_path: Path) -> None:
    base = load_checkpoint(write_model("electra", tmp_path, padding=3))
    old = base.vocabulary
    new = old.with_pieces([piece for piece in old.pieces if piece != "b"])
    kept = {i: old.ids[piece] for i, piece in enumerate(new.pieces)}
    before = snapshot(base.model)
    install(base.model, change := VocabChange(old, new, kept, ()), mean.init(before, change, []))
    verify_installed(base.model, change, before, tmp_path)
    assert len(tables(base.model).input) == len(output_bias(base.model)) == len(new.pieces)
