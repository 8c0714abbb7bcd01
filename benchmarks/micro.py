"""Cost of single operations on a small synthetic text, beside the tokenizers library.

    pytest benchmarks/micro.py --benchmark-group-by=group --benchmark-columns=median,rounds

CPU seconds, one thread; equality is checked before timing. The text is random and represents no
language: benchmarks/count.py measures real text and more tools.
"""

import random
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from specialize.corpus import open_corpus
from specialize.model.find import find_model
from specialize.vocab.audit.audit import audit
from specialize.vocab.counting.words import count_words
from specialize.vocab.formats.tokenizer_json import read_wordpiece
from specialize.vocab.train.byte_pairs import train_wordpiece
from specialize.vocab.wordpiece.model import SPECIAL
from specialize.vocab.wordpiece.replacements import count_replacements

LETTERS = "абвгдежзийклмноѯ"  # the last is not in mini's alphabet
pytestmark = pytest.mark.benchmark(timer=time.process_time, min_rounds=3)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPECIALIZE_THREADS", "1")
        patch.setenv("TOKENIZERS_PARALLELISM", "false")
        yield


@pytest.fixture(scope="module", params=[20_000, 200_000], ids=["few-types", "many-types"])
def text(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About 5 MB whose words follow Zipf's law."""
    chance = random.Random(3)
    types = [
        "".join(chance.choices(LETTERS, k=chance.randint(2, 12))) for _ in range(request.param)
    ]
    weights = list(accumulate(1 / rank for rank in range(1, len(types) + 1)))
    lines = (" ".join(chance.choices(types, cum_weights=weights, k=12)) for _ in range(28_000))
    path = tmp_path_factory.mktemp("micro") / "text.txt"
    path.write_text(".\n".join(lines), "utf-8")
    return path


@pytest.fixture(scope="module")
def library() -> Tokenizer:
    return Tokenizer.from_file(str(find_model("mini") / "tokenizer.json"))


def pieces_of(tokenizer: Tokenizer, path: Path) -> int:
    lines = path.read_text("utf-8").split("\n")
    return sum(len(e.ids) for e in tokenizer.encode_batch_fast(lines, add_special_tokens=False))


@pytest.mark.benchmark(group="audit")
@pytest.mark.parametrize("tool", ["ours", "python", "library"])
def test_audit(
    tool: str, text: Path, library: Tokenizer, benchmark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    vocabulary = read_wordpiece(find_model("mini"))
    assert audit(vocabulary, open_corpus(text)).pieces == pieces_of(library, text)
    if tool == "python":
        monkeypatch.setenv("SPECIALIZE_NATIVE", "0")
    if tool == "library":
        benchmark(lambda: pieces_of(library, text))
    else:
        benchmark(lambda: audit(vocabulary, open_corpus(text)))


@pytest.mark.benchmark(group="training 2,000 pieces")
@pytest.mark.parametrize("tool", ["ours", "library"])
def test_training(tool: str, text: Path, benchmark: Any) -> None:
    def ours() -> int:
        words = count_words(open_corpus(text))
        return len(train_wordpiece(words, size=2_000, special=SPECIAL))

    def library() -> int:
        tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(
            vocab_size=2_000, special_tokens=list(SPECIAL), show_progress=False
        )
        tokenizer.train([str(text)], trainer)
        return tokenizer.get_vocab_size()

    work = ours if tool == "ours" else library
    assert work() == 2_000
    benchmark(work)


@pytest.mark.benchmark(group="replacements counted")
def test_replacements(text: Path, benchmark: Any) -> None:
    old, words = read_wordpiece(find_model("mini")), count_words(open_corpus(text))
    new = old.with_pieces(train_wordpiece(words, size=2_000, special=SPECIAL))
    assert sum(count_replacements(words, old, new).replaced.values()) > 0
    benchmark(lambda: count_replacements(words, old, new))


@pytest.mark.benchmark(group="vocabulary read")
@pytest.mark.parametrize("tool", ["ours", "library"])
def test_reading(tool: str, benchmark: Any) -> None:
    file = find_model("mini") / "tokenizer.json"
    if tool == "ours":
        benchmark(lambda: read_wordpiece(file.parent).handle)
    else:
        benchmark(lambda: Tokenizer.from_file(str(file)))
