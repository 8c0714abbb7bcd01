"""On a GPU: training the bundled base twice gives the same weights, bit for bit."""

import random
from pathlib import Path

import pytest
import torch

from specialize.corpus import CorpusFiles
from specialize.corpus.prepare import Prepared, prepare
from specialize.embed import mean
from specialize.model.find import find_model
from specialize.model.install import install
from specialize.model.language_model import tables
from specialize.model.load import Checkpoint, load_checkpoint
from specialize.train.lapt import Lapt, lapt
from specialize.train.optim import device
from specialize.vocab.framing import moved

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


def adapted(folder: Path, text: Path) -> dict[str, torch.Tensor]:
    base = load_checkpoint(find_model("mini"))
    change = base.vocabulary.place(["ⴰⴱ", "##ⴱⴰ", "ⴰ", "##ⴱ"])
    install(base.model, change, mean.init(tables(base.model), change, []))
    base.model.to(device())
    framing = moved(base.framing, change)
    checkpoint = Checkpoint(base.model, change.new, framing, folder)
    prepare(CorpusFiles((str(text),), dev=0.1), [], folder / "text", print)
    plan = Lapt(epochs=1, rate=1e-3, warmup=2, fresh_rate=3.0)
    history = lapt(checkpoint, change, Prepared(folder / "text"), plan, seed=1, folder=folder)
    assert history[-1].score < history[0].score
    return base.model.state_dict()


def test_the_same_run_gives_the_same_weights(tmp_path: Path) -> None:
    rng = random.Random(0)
    words = ["".join(rng.choices("abegimorstuⴰⴱ", k=rng.randint(1, 7))) for _ in range(500)]

    documents = [
        "\n".join(" ".join(rng.choices(words, k=12)) for _ in range(5)) for _ in range(400)
    ]
    text = tmp_path / "text.txt"
    text.write_text("\n\n".join(documents), "utf-8")
    first, second = adapted(tmp_path / "a", text), adapted(tmp_path / "b", text)
    assert all(torch.equal(first[name], second[name]) for name in first)
