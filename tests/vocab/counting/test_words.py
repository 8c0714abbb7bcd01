"""What is taken for a text: lines, their counts, a corpus, or a path."""

from pathlib import Path

import pytest
from corpora import opened, write
from tokenizers_made import gpt2_like

from specialize.augment import extend
from specialize.corpus import count_lines
from specialize.vocab.audit.audit import audit
from specialize.vocab.base import Vocabulary
from specialize.vocab.bpe.model import BPE
from specialize.vocab.counting.words import as_text, counted
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

FAMILIES = [WordPiece([*SPECIAL, "a", "b", "##a"]), BPE(gpt2_like())]
TEXT = "ab ba ab\nba ab\n"


@pytest.mark.parametrize("vocabulary", FAMILIES)
@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_is_the_text_of_its_file(tmp_path: Path, vocabulary: Vocabulary, kind: type) -> None:
    path = write(tmp_path / "a.txt", TEXT)
    assert audit(vocabulary, kind(path)) == audit(vocabulary, opened(path))
    assert vocabulary.count_words(kind(path)) == vocabulary.count_words(opened(path))
    changes = [extend.change(vocabulary, text, pieces=2) for text in (kind(path), opened(path))]
    assert changes[0].fresh_pieces == changes[1].fresh_pieces


@pytest.mark.parametrize("vocabulary", FAMILIES)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ab ba ab", "got 'ab ba ab', which names no file; give a text as a list of lines"),
        ("a" * 5000, "which names no file"),
        (b"ab ba", "got bytes; give a list of lines"),
        (3, "got int"),
        (None, "got NoneType"),
    ],
)
def test_anything_else_is_a_type_error(vocabulary: Vocabulary, text: object, message: str) -> None:
    for use in (vocabulary.audit, vocabulary.count_words, as_text, counted):
        with pytest.raises(TypeError, match=rf"expected lines, a corpus or a path, .*{message}"):
            use(text)


def test_counts_and_lines_are_taken_as_they_are() -> None:
    counts = count_lines(["a b", "a"])
    assert as_text(counts) is counts
    assert dict(counted(["a b", "a"]).tokens) == {"a": 2, "b": 1}
    with pytest.raises(TypeError, match="expected a list of lines, got str"):
        count_lines("a b")
