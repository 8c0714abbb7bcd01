"""The PyTorch operators agree with the functions for files and lines."""

import numpy as np
import pytest
import torch

from specialize import operators
from specialize.errors import DataError, MissingError, UsageError
from specialize.tasks._mst import single_root_trees
from specialize.vocab.audit.audit import audit
from specialize.vocab.counting.words import count_words
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules
from specialize.vocab.wordpiece.replacements import count_replacements

OLD = WordPiece([*SPECIAL, *"ab", "##a", "##b", "."])
NEW = WordPiece([*SPECIAL, *"abش", "##a", "##bش", "##ش", "."])
LINES = ["ab. ašb [UNK]", "", "  aش abش b. [MASK]b ", "世ab"]


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    try:
        operators.load()
    except MissingError as error:
        pytest.skip(str(error))


def as_tensor(text: str) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(text.encode(), np.uint8).copy())


def test_the_audit_equals_that_of_lines() -> None:
    found = operators.audit(as_tensor("\n".join(LINES)), OLD)
    expected = audit(OLD, [line.strip() for line in LINES]).to_json()
    assert found == {name: expected[name] for name in operators.AUDIT}


def test_replacements_equal_those_of_words() -> None:
    replaced, overall = operators.count_replacements(as_tensor("\n".join(LINES)), OLD, NEW)
    expected = count_replacements(count_words(LINES), OLD, NEW)
    for counts, sums in ((replaced, expected.replaced), (overall, expected.overall)):
        named = {NEW.pieces[i]: n for i, n in enumerate(counts.tolist()) if n}
        assert named == sums


def test_unsupported_text_and_vocabularies_are_refused() -> None:
    with pytest.raises(UsageError, match="uint8 tensor on the CPU, got float32 on cpu"):
        operators.audit(torch.zeros(3), OLD)
    bad = torch.tensor([255], dtype=torch.uint8)
    with pytest.raises(DataError, match="UTF-8"):
        operators.audit(bad, OLD)
    with pytest.raises(DataError, match="UTF-8"):
        operators.count_replacements(bad, OLD, NEW)
    uncased = WordPiece(OLD.pieces, rules=BertRules(lowercase=True))
    with pytest.raises(UsageError, match="cased"):
        operators.audit(as_tensor("a"), uncased)
    with pytest.raises(UsageError, match="got different rules"):
        operators.count_replacements(as_tensor("a"), OLD, uncased)
    worded = WordPiece(["[UNK]", "ab"], special=["ab"])
    with pytest.raises(UsageError, match="'ab' can occur inside a word"):
        operators.count_replacements(as_tensor("abab"), worded, worded)


def test_trees_equal_those_of_the_parser() -> None:
    scores = torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(0))
    lengths = [7, 3, 0, 1]
    heads = operators.single_root_trees(scores, torch.tensor(lengths))
    expected = single_root_trees(scores.double().numpy(), lengths)
    assert heads.tolist() == [tree + [0] * (7 - len(tree)) for tree in expected]


def test_unsupported_scores_of_trees_are_refused() -> None:
    one, scores = torch.tensor([1]), torch.zeros(1, 3, 3)
    for bad in (scores[0], scores[:, :2], scores[:, :0, :0]):
        with pytest.raises(UsageError, match=r"expected scores \[B, n \+ 1, n \+ 1\], got"):
            operators.single_root_trees(bad, one)
    with pytest.raises(UsageError, match=r"expected 1 lengths, got \[2\]"):
        operators.single_root_trees(scores, torch.tensor([1, 1]))
    with pytest.raises(UsageError, match=r"expected lengths from 0 to 2, got \[3\]"):
        operators.single_root_trees(scores, torch.tensor([3]))
    with pytest.raises(DataError, match="diverged"):
        operators.single_root_trees(torch.full((1, 2, 2), torch.nan), one)
