"""Models that predict the next piece: loaded, changed, saved, and read by plain transformers."""

import json
from pathlib import Path

import pytest
import torch
from causal_models import SHAPES, write_model
from tokenizers_made import lines_in
from transformers import AutoModelForCausalLM, AutoTokenizer

from specialize.augment import extend, prune
from specialize.augment import replace as replacing
from specialize.embed import mean, subwords
from specialize.model.install import install, snapshot, verify_installed
from specialize.model.language_model import FULL, head_of, is_causal, logits_at, tables
from specialize.model.load import load_checkpoint, save_model
from specialize.model.loss import loss_sum

TOY, LATIN = lines_in("toy")[:60], lines_in("Latin")[:60]
CHANGES = {
    "extend": lambda old: extend.change(old, TOY, pieces=60),
    "replace": lambda old: replacing.change(old, TOY, pieces=420),
    "prune": lambda old: prune.change(old, LATIN[:20]),
}


@pytest.fixture(scope="module", params=SHAPES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model of every shape."""
    return write_model(request.param, tmp_path_factory.mktemp("base") / request.param)


def test_every_shape_loads_with_its_head_and_the_piece_that_ends_a_document(folder: Path) -> None:
    base, tokenizer = load_checkpoint(folder), AutoTokenizer.from_pretrained(folder)
    shape = SHAPES[folder.name]
    assert is_causal(base.model.config)
    assert base.model.chosen_head == head_of(base.model) != FULL
    assert (base.framing.mask, base.framing.suffix) == (None, ())
    assert base.framing.separator == (tokenizer.convert_tokens_to_ids(shape.end),)
    assert [*base.framing.prefix, *base.vocabulary.encode(LATIN[0])] == tokenizer(LATIN[0])[
        "input_ids"
    ]


@pytest.mark.parametrize("kind", CHANGES)
def test_a_changed_model_computes_the_same_for_kept_pieces(
    kind: str, folder: Path, tmp_path: Path
) -> None:
    base, source = load_checkpoint(folder), AutoModelForCausalLM.from_pretrained(folder).eval()
    change = CHANGES[kind](base.vocabulary)
    before = snapshot(base.model)
    rows = subwords.init(tables(base.model), change, TOY)
    install(base.model, change, rows)
    verify_installed(base.model, change, before, folder)
    save_model(base.model, change.new, tmp_path / "new", source=folder)

    model = AutoModelForCausalLM.from_pretrained(tmp_path / "new").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "new")
    assert len(tokenizer) == len(change.new.pieces) <= model.config.vocab_size
    assert tokenizer(TOY[0], add_special_tokens=False)["input_ids"] == change.new.encode(TOY[0])
    new_ids, old_ids = map(list, zip(*sorted(change.kept.items()), strict=True))
    with torch.no_grad():
        found = model(torch.tensor([new_ids[:50]])).logits[..., new_ids]
        expected = source(torch.tensor([old_ids[:50]])).logits[..., old_ids]
    assert torch.equal(found, expected)
    tied = source.config.tie_word_embeddings
    assert (model.lm_head.weight is model.get_input_embeddings().weight) == tied
    fresh = list(change.fresh)
    assert torch.equal(model.get_input_embeddings().weight[fresh], rows.input)
    if not tied:
        assert torch.equal(model.lm_head.weight[fresh], rows.output)
        assert not change.fresh or not torch.equal(rows.output, rows.input)


def test_new_pieces_take_the_padded_rows(folder: Path) -> None:
    base = load_checkpoint(folder)
    pieces, rows = len(base.vocabulary.pieces), base.model.config.vocab_size
    change = extend.change(base.vocabulary, TOY, pieces=rows - pieces or 7)
    install(base.model, change, mean.init(tables(base.model), change, ()))
    assert base.model.config.vocab_size == (rows if rows > pieces else pieces + 7)
    fresh = base.model.get_input_embeddings().weight[list(change.fresh)]
    assert torch.equal(fresh, mean.init(snapshot(load_checkpoint(folder).model), change, ()).input)


def test_ids_of_generation_and_chat_templates_follow(tmp_path: Path) -> None:
    folder = write_model("qwen2", tmp_path / "base")
    base = load_checkpoint(folder)
    change = CHANGES["replace"](base.vocabulary)
    install(base.model, change, subwords.init(tables(base.model), change, ()))
    save_model(base.model, change.new, tmp_path / "new", source=folder)
    end = change.new.ids["<|im_end|>"]
    assert end != base.vocabulary.ids["<|im_end|>"]
    generation = json.loads((tmp_path / "new" / "generation_config.json").read_text("utf-8"))
    assert (generation["eos_token_id"], generation["pad_token_id"]) == ([end], end)
    assert base.model.generation_config.eos_token_id == [end]
    config = json.loads((tmp_path / "new" / "config.json").read_text("utf-8"))
    assert config["eos_token_id"] == end
    tokenizers = [AutoTokenizer.from_pretrained(f) for f in (folder, tmp_path / "new")]
    talk = [{"role": "user", "content": "hi"}]
    chats = [tokenizer.apply_chat_template(talk, tokenize=False) for tokenizer in tokenizers]
    assert chats[0] == chats[1]
    assert tokenizers[1].eos_token_id == end


def test_the_loss_is_that_of_transformers(folder: Path) -> None:
    base = load_checkpoint(folder)
    ids = torch.randint(3, 100, (2, 9), generator=torch.Generator().manual_seed(0))
    expected = base.model(input_ids=ids, labels=ids).loss
    places = torch.tensor([*range(8), *range(9, 17)])
    found = loss_sum(base.model, ids, None, places, ids[:, 1:].flatten())
    assert torch.allclose(found / 16, expected, rtol=1e-5)
    with torch.no_grad():
        logits = base.model(input_ids=ids).logits.flatten(0, 1)[places]
        assert torch.allclose(logits_at(base.model, ids, None, places), logits, rtol=1e-5)
