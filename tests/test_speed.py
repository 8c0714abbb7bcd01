"""The native operators are as much faster as they are said to be: ratios of CPU time, no seconds.

The bars lie far below what an idle machine shows, and each side has its best of some rounds, so
that a busy machine passes too. benchmarks/count.py measures.
"""

import random
import time
from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from vocab_oracle import library_tokenizer

from specialize.corpus import open_corpus
from specialize.native import core
from specialize.vocab.audit import Audit, audit
from specialize.vocab.count import count_words
from specialize.vocab.train import train_wordpiece
from specialize.vocab.unk import Replacements, count_replacements, count_unknown
from specialize.vocab.wordpiece import SPECIAL, WordPiece

LETTERS = "ئابپتجچخدرزژسشغفقكگڭلمنھوۇۆۈۋېىي"


@pytest.fixture(scope="module", autouse=True)
def one_native_thread() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPECIALIZE_THREADS", "1")
        patch.setenv("TOKENIZERS_PARALLELISM", "false")
        if core() is None:
            pytest.skip("the native extension is not installed: pip install ./cpp_ext")
        yield


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A text of 5 MB whose words follow Zipf's law, and its first tenth."""
    chance = random.Random(5)
    types = ["".join(chance.choices(LETTERS, k=chance.randint(1, 12))) for _ in range(30_000)]
    weights = list(accumulate(1 / rank for rank in range(1, len(types) + 1)))
    lines = [" ".join(chance.choices(types, cum_weights=weights, k=12)) for _ in range(39_000)]
    folder = tmp_path_factory.mktemp("speed")
    long, short = folder / "long.txt", folder / "short.txt"
    long.write_text(".\n".join(lines), "utf-8")
    short.write_text(".\n".join(lines[::10]), "utf-8")
    return long, short


@pytest.fixture(scope="module")
def vocabulary(texts: tuple[Path, Path]) -> WordPiece:
    """Pieces for most of the letters: words with the others are unknown."""
    words = count_words(open_corpus(texts[0]))
    return WordPiece(train_wordpiece(words, size=1_000, special=SPECIAL, alphabet=31))


def cpu_seconds(work: Callable[[], Any], rounds: int) -> float:
    """Return the least CPU time of some rounds, all threads together."""
    taken = []
    for _ in range(rounds):
        begin = time.process_time()
        work()
        taken.append(time.process_time() - begin)
    return min(taken)


def in_python(work: Callable[[], Any]) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPECIALIZE_NATIVE", "0")
        return work()


def library_totals(tokenizer: Tokenizer, path: Path) -> tuple[int, int]:
    unknown, lines = tokenizer.token_to_id("[UNK]"), path.read_text("utf-8").split("\n")
    found = [e.ids for e in tokenizer.encode_batch_fast(lines, add_special_tokens=False)]
    return sum(map(len, found)), sum(ids.count(unknown) for ids in found)


def test_an_audit_is_eight_times_as_fast_as_the_library(
    texts: tuple[Path, Path], vocabulary: WordPiece
) -> None:
    tokenizer = library_tokenizer(vocabulary)

    def ours() -> Audit:
        return audit(vocabulary, open_corpus(texts[0]))

    def theirs() -> tuple[int, int]:
        return library_totals(tokenizer, texts[0])

    assert (ours().pieces, ours().unknown_pieces) == theirs()
    assert ours().unknown_pieces > 1_000
    assert cpu_seconds(theirs, 2) > 8 * cpu_seconds(ours, 5)


def test_an_audit_is_five_times_as_fast_as_its_definition(
    texts: tuple[Path, Path], vocabulary: WordPiece
) -> None:
    def work() -> Audit:
        return audit(vocabulary, open_corpus(texts[1]))

    assert work() == in_python(work)
    assert cpu_seconds(lambda: in_python(work), 2) > 5 * cpu_seconds(work, 5)


def test_choosing_pieces_is_five_times_as_fast_as_its_definition(
    texts: tuple[Path, Path], vocabulary: WordPiece
) -> None:
    def work() -> Any:
        words = count_words(open_corpus(texts[1]))
        pieces = train_wordpiece(words, size=1_500, special=SPECIAL)
        return count_replacements(words, vocabulary, vocabulary.with_pieces(pieces))

    assert work() == in_python(work)
    assert cpu_seconds(lambda: in_python(work), 1) > 5 * cpu_seconds(work, 5)


def test_unknown_words_alone_are_counted_in_two_thirds_of_the_time(
    texts: tuple[Path, Path],
) -> None:
    """Letters tell: one word in seven has the one that is no piece."""
    letters = [*LETTERS[:-1], "."]
    old = WordPiece([*SPECIAL, *letters, *("##" + letter for letter in letters)])
    new = old.with_pieces([*SPECIAL, LETTERS[-1], "##" + LETTERS[-1], *old.pieces[len(SPECIAL) :]])

    def of_all() -> Replacements:
        return count_replacements(count_words(open_corpus(texts[0])), old, new, overall=False)

    def of_unknown() -> Replacements:
        unknown = count_unknown(open_corpus(texts[0]), old)
        return count_replacements(unknown, old, new, overall=False)

    assert of_unknown() == of_all()
    assert of_unknown().replaced[LETTERS[-1]] > 1_000
    assert cpu_seconds(of_all, 5) > 1.5 * cpu_seconds(of_unknown, 5)
