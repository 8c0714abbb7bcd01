"""States of words: the mean over a word's pieces of a mix of the layers."""

from pathlib import Path

import pytest
import torch

from specialize.model import word_model as module
from specialize.model.language_model import layers
from specialize.model.load import load_checkpoint
from specialize.model.word_encoder import WordEncoder
from specialize.model.word_model import ScalarMix, WordModel

CPU = torch.device("cpu")


def test_layer_dropout_rests_in_evaluation_unless_told() -> None:
    mix = ScalarMix(3, dropout=0.9)
    states = [torch.full((1, 1, 1), float(i)) for i in range(3)]
    mix.eval()
    assert {mix(states).item() for _ in range(20)} == {1.0}
    mix.train()
    assert len({mix(states).item() for _ in range(50)}) > 1
    always = ScalarMix(3, dropout=0.9, always=True).eval()
    assert len({always(states).item() for _ in range(50)}) > 1


@torch.no_grad()
def test_a_words_state_is_the_mean_of_its_pieces(tiny: Path) -> None:
    base = load_checkpoint(tiny)
    words = WordEncoder(base.vocabulary, base.framing, length=20)
    sentences = [["ab", "cab", "\u200b", "fed"], ["d"]]
    model = WordModel(base.model, torch.nn.Identity(), layer_dropout=0.0, precision="float32")
    states = model.eval().states(words.batch(sentences, CPU))
    assert states.shape == (2, 4, 8)
    pieces = base.vocabulary.encode_words(sentences[0])
    flat = [*base.framing.prefix, *(i for word in pieces for i in word), *base.framing.suffix]
    ids = torch.tensor([flat])
    mixed = torch.stack(layers(base.model, ids, torch.ones_like(ids))).mean(0)[0]
    start = len(base.framing.prefix)
    for w, word in enumerate(pieces):
        expected = mixed[start : start + len(word)].mean(0)
        torch.testing.assert_close(states[0, w], expected, rtol=1e-4, atol=1e-5)
        start += len(word)


@torch.no_grad()
def test_states_do_not_depend_on_the_rest_of_the_batch(tiny: Path) -> None:
    base = load_checkpoint(tiny)
    words = WordEncoder(base.vocabulary, base.framing, length=12)
    model = WordModel(base.model, torch.nn.Identity(), layer_dropout=0.0, precision="float32")
    model.eval()
    alone = model.states(words.batch([["ab", "d"]], CPU))
    beside = model.states(words.batch([["cab"] * 9, ["ab", "d"]], CPU))
    torch.testing.assert_close(beside[1, :2], alone[0], rtol=1e-4, atol=1e-5)


def test_kernels_of_attention_give_equal_states_and_gradients(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for short in (0, 96):
        monkeypatch.setattr(module, "_SHORT", short)
        base = load_checkpoint(tiny)
        batch = WordEncoder(base.vocabulary, base.framing, length=20).batch(
            [["ab"] * 5, ["d"]], CPU
        )
        model = WordModel(base.model, torch.nn.Identity(), layer_dropout=0.0, precision="float32")
        states = model.eval().states(batch)
        states.square().sum().backward()
        found.append((states, model.encoder.get_input_embeddings().weight.grad))
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


def test_a_frozen_encoder_gets_no_gradient(tiny: Path) -> None:
    base = load_checkpoint(tiny)
    batch = WordEncoder(base.vocabulary, base.framing, length=20).batch([["ab", "d"]], CPU)
    model = WordModel(base.model, torch.nn.Identity(), layer_dropout=0.0, precision="float32")
    model.states(batch, frozen=True).sum().backward()
    assert all(parameter.grad is None for parameter in model.encoder.parameters())
    assert model.mix.weights.grad is not None
    model.states(batch).sum().backward()
    assert model.encoder.get_input_embeddings().weight.grad is not None
