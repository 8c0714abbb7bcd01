"""Fixtures: a tiny synthetic language and tiny base models, built offline in a second."""

import os
from collections.abc import Iterator

# Models here are tiny: more threads only slow them down. Must be set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from pathlib import Path

import pytest
import torch
from hypothesis import settings
from tiny_models import framing_of

from specialize.corpus import CorpusFiles, open_corpus
from specialize.model.load import new_modernbert, save_model
from specialize.native import core
from specialize.toylang import ToyFiles, to_latin, write_language
from specialize.vocab.counting.words import count_words
from specialize.vocab.train.byte_pairs import train_wordpiece
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

settings.register_profile("any machine", deadline=None)  # a busy machine is no bug
settings.register_profile("many", deadline=None, max_examples=20_000)  # --hypothesis-profile=many
settings.load_profile("any machine")

SHAPE = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data; skips the test without it."""
    folder = Path(os.environ.get("SPECIALIZE_DATA", "../shared/data")).absolute()
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; set SPECIALIZE_DATA")
    return folder


@pytest.fixture(scope="module")
def extension() -> None:
    """Skip if the native extension is disabled or missing."""
    if core() is None:
        pytest.skip("the native extension is not installed: pip install ./cpp_ext")


@pytest.fixture(scope="module", params=["python", "native"])
def both_ways(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run each test of the module with the Python reference, then with the native extension."""
    if request.param == "native" and core() is None:
        pytest.skip("the native extension is not installed: pip install ./cpp_ext")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPECIALIZE_NATIVE", "1" if request.param == "native" else "0")
        yield


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> ToyFiles:
    return write_language(
        tmp_path_factory.mktemp("toy"), seed=3, documents=60, sentences=(60, 20, 20)
    )


@pytest.fixture(scope="session")
def vocabulary(toy: ToyFiles) -> WordPiece:
    """A vocabulary with mBERT's layout that covers the toy language in Latin letters only."""
    lines = [to_latin(line) for line in open_corpus(CorpusFiles((str(toy.corpus),)))]
    slots = [f"[unused{i}]" for i in range(1, 21)]
    special = [SPECIAL[0], *slots, *SPECIAL[1:]]
    return WordPiece(train_wordpiece(count_words(lines), size=300, special=special, closed=True))


@pytest.fixture(scope="session")
def base_folder(vocabulary: WordPiece, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny untrained ModernBERT as a directory."""
    folder = tmp_path_factory.mktemp("base") / "model"
    model = new_modernbert(vocabulary, framing_of(vocabulary), seed=0, **SHAPE)
    save_model(model, vocabulary, folder)
    return folder


@pytest.fixture(scope="session")
def bert_folder(vocabulary: WordPiece, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny untrained BERT as a directory."""
    from transformers import BertConfig, BertForMaskedLM

    folder = tmp_path_factory.mktemp("bert") / "model"
    torch.manual_seed(0)
    config = BertConfig(vocab_size=len(vocabulary.pieces), max_position_embeddings=128, **SHAPE)
    save_model(BertForMaskedLM(config), vocabulary, folder)
    return folder
