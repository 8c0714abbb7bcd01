"""Bases of every tokenizer family: new pieces, LAPT, fine-tuning, and loading with transformers."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from specialize.augment import extend
from specialize.corpus import CorpusFiles, open_corpus
from specialize.corpus.prepare import Prepared, prepare
from specialize.embed import subwords
from specialize.model.install import install
from specialize.model.language_model import tables
from specialize.model.load import Checkpoint, load_checkpoint, save_model
from specialize.model.word_encoder import WordEncoder
from specialize.pipeline.pretrain import pretrain
from specialize.tasks import pos
from specialize.toylang import ToyFiles, to_latin
from specialize.train.finetune import Data, Finetune, finetune
from specialize.train.lapt import Lapt, lapt
from specialize.train.pretrain import Pretrain
from specialize.vocab.framing import moved

SHAPES = {"wordpiece": "modernbert", "unigram": "xlm-roberta", "bpe": "roberta"}


@pytest.fixture(scope="module", params=SHAPES)
def base(
    request: pytest.FixtureRequest, toy: ToyFiles, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A base that covers the toy language in Latin letters only."""
    folder = tmp_path_factory.mktemp("base")
    documents = open_corpus(CorpusFiles((str(toy.corpus),))).documents()
    latin = folder / "latin.txt"
    latin.write_text("\n\n".join("\n".join(map(to_latin, lines)) for lines in documents), "utf-8")
    recipe = Pretrain(
        {"x": (str(latin),)},
        tokenizer=request.param,
        shape=SHAPES[request.param],
        pieces=400,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        length=32,
        steps=20,
        epochs=1,
        warmup=2,
        seed=2,
    )
    return pretrain(recipe, folder / "out")


def test_new_pieces_are_trained_and_the_result_is_fine_tuned(
    base: Path, toy: ToyFiles, tmp_path: Path
) -> None:
    prepare(CorpusFiles((str(toy.corpus),), dev=0.2), [], tmp_path / "text", lambda line: None)
    text, loaded = Prepared(tmp_path / "text"), load_checkpoint(base)
    change = extend.change(loaded.vocabulary, text.train, pieces=50)
    assert len(change.fresh) == 50
    install(loaded.model, change, subwords.init(tables(loaded.model), change, []))
    framing = moved(loaded.framing, change)
    adapted = Checkpoint(loaded.model, change.new, framing, tmp_path)
    rows = loaded.model.get_input_embeddings().weight.detach().clone()
    plan = Lapt(epochs=1, length=32, batch=4, rate=1e-2, dev_lines=20)
    history = lapt(adapted, change, text, plan, seed=1, folder=tmp_path)
    assert history[1].score < history[0].score
    trained = loaded.model.get_input_embeddings().weight.detach()
    assert not torch.equal(trained[list(change.fresh)], rows[list(change.fresh)])

    folder = tmp_path / "model"
    save_model(loaded.model, change.new, folder, source=base)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForMaskedLM.from_pretrained(folder)
    assert model.get_input_embeddings().weight.shape[0] == len(tokenizer)
    line = next(iter(text.train))
    assert tokenizer(line, add_special_tokens=False)["input_ids"] == change.new.encode(line)

    result = load_checkpoint(folder)
    task = pos.task()
    data = Data(*(task.read(path)[:12] for path in (toy.train, toy.dev, toy.test)))
    words = WordEncoder(result.vocabulary, result.framing, length=64)
    tuning = Finetune(epochs=1, patience=0, rate=1e-3, length=64)
    found = finetune(result, words, task, data, tuning, seed=1, folder=tmp_path / "pos")
    assert [len(s.gold) for s in found.predicted] == [len(s.words) for s in data.test]
