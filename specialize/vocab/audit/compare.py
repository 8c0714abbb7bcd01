"""Compare two tokenizers on one text: words that they segment differently."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from heapq import nlargest
from itertools import islice
from typing import Any

from specialize.vocab.audit.inspected import Inspected
from specialize.vocab.audit.segmentation import Segment
from specialize.vocab.counting.words import Text, counted, split_tokens
from specialize.vocab.library import BLOCK

EXAMPLES = 10
TOKENS = 50_000  # types; 391,000 of 35 MB of Uyghur took the tokenizers library 20 s


@dataclass(frozen=True)
class SegmentationChange:
    """A word that two tokenizers segment differently, with the pieces of each."""

    word: str
    count: int
    before: list[str]
    after: list[str]


@dataclass(frozen=True)
class Differences:
    """How a text's words are segmented by one tokenizer and by another, in occurrences.

    ``unit``: "word" (pre-tokenised) if both use the same rules, else "token" (white-space token).
    Pieces are compared by their text, so ``Ġof`` equals ``of``; a changed letter (lower case) or an
    unknown is a difference.
    """

    unit: str
    covered: float  # share of occurrences whose types were compared, from 0 to 1
    words: int  # compared
    changed: int
    longer: int  # with more pieces under the second
    shorter: int  # with fewer pieces
    types: int
    changed_types: int
    examples: list[SegmentationChange]  # the most frequent

    @property
    def share(self) -> float:
        """Return the share of word occurrences that are segmented differently, from 0 to 1."""
        return self.changed / self.words if self.words else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as JSON values."""
        return {"share": self.share, **asdict(self)}


def differences(
    first: Inspected, second: Inspected, text: Text, *, tokens: int = TOKENS
) -> Differences:
    """Return how ``second`` segments the words of ``text`` differently from ``first``.

    All words are compared; of tokens, the ``tokens`` most frequent types. Tokens are
    segmented as after another token and a space, not as at the beginning of a line.
    """
    found = counted(text).tokens
    if first.word_rules and first.word_rules == second.word_rules:
        words = split_tokens(found, *first.word_rules).words
        return _compare("word", words, first.segment_words(), second.segment_words())
    most = nlargest(tokens, found, key=found.__getitem__)
    types = {token: found[token] for token in most}
    compared = _compare("token", types, first.segment_tokens(), second.segment_tokens())
    total = sum(found.values())
    return replace(compared, covered=compared.words / total if total else 1.0)


def _compare(unit: str, words: Mapping[str, int], first: Segment, second: Segment) -> Differences:
    total = changed = longer = shorter = types = 0
    found: list[SegmentationChange] = []
    for block in _blocks(words):
        for word, before, after in zip(block, first(block), second(block), strict=True):
            count = words[word]
            total += count
            types += 1
            if before.letters != after.letters:
                changed += count
                longer += count * (len(after.pieces) > len(before.pieces))
                shorter += count * (len(after.pieces) < len(before.pieces))
                found.append(SegmentationChange(word, count, [*before.pieces], [*after.pieces]))
    most = nlargest(EXAMPLES, found, key=lambda change: change.count)
    return Differences(unit, 1.0, total, changed, longer, shorter, types, len(found), most)


def _blocks(words: Iterable[str]) -> Iterator[list[str]]:
    waiting = iter(words)
    while block := list(islice(waiting, BLOCK)):
        yield block
