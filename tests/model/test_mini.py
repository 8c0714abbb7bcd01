"""The bundled base: its layout, unseen letters, and that it has learned something."""

from pathlib import Path

import pytest

from specialize.model.find import find_model
from specialize.model.load import Checkpoint, load_checkpoint, new_modernbert
from specialize.train.bits_per_byte import bits_per_byte, held_out

# sentences of our own, in languages that mini has seen
SEEN = [
    "The weather was very good, and we went to the sea with our children.",
    "Mein Bruder wohnt in einer kleinen Stadt und arbeitet in der Schule.",
    "Nous avons mangé du pain et du fromage dans la maison de mon père.",
    "El libro que me diste es muy bueno y lo voy a leer otra vez.",
    "Сегодня утром мы пошли в город и купили хлеб, молоко и сыр.",
    "Bugün hava çok güzel, bu yüzden çocuklar parkta oynuyorlar.",
    "Hari ini kami pergi ke pasar untuk membeli ikan dan sayur.",
    "Tänään on kaunis päivä, ja lapset leikkivät pihalla.",
] * 3
UNSEEN_LETTERS = {"ug": "ەۇۆۈۋېڭ", "mt": "ħġċ", "mhr": "ӱҥ", "sah": "ҕҥ", "dv": "އަން"}


@pytest.fixture(scope="module")
def mini() -> Checkpoint:
    return load_checkpoint(find_model("mini"))


def test_mini_has_the_layout_of_mberts_vocabulary(mini: Checkpoint) -> None:
    slots = [f"[unused{i}]" for i in range(1, 100)]
    head = ["[PAD]", *slots, "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    assert list(mini.vocabulary.pieces[:104]) == head
    assert mini.model.get_input_embeddings().weight.shape[0] == len(mini.vocabulary.pieces)


def test_the_alphabet_of_mini_is_closed_and_lacks_unseen_letters(mini: Checkpoint) -> None:
    alphabet = mini.vocabulary.closed_alphabet
    assert alphabet is not None
    for language, letters in UNSEEN_LETTERS.items():
        assert not alphabet & set(letters), language
    assert set("ئاбçèñđ한の你தर") <= alphabet


def test_mini_fits_in_the_package() -> None:
    folder: Path = find_model("mini")
    assert sum(file.stat().st_size for file in folder.iterdir()) < 20_000_000
    assert (folder / "README.md").exists()


def test_mini_knows_far_more_than_its_random_weights(mini: Checkpoint) -> None:
    config = mini.model.config
    untrained = new_modernbert(
        mini.vocabulary,
        mini.framing,
        seed=1,
        hidden_size=config.hidden_size,
        num_hidden_layers=config.num_hidden_layers,
        num_attention_heads=config.num_attention_heads,
        intermediate_size=config.intermediate_size,
    )
    text = held_out(SEEN, SEEN, seed=0)
    known, random = (
        bits_per_byte(model, mini.vocabulary, mini.framing, text, length=128)
        for model in (mini.model, untrained)
    )
    assert known < 0.8 * random
