"""The extension's functions refuse arguments that they would use out of bounds."""

from collections.abc import Callable
from typing import Any

import pytest

from specialize import native

pytestmark = pytest.mark.usefixtures("extension")

LETTERS = ["[UNK]", "[MASK]", "a", "##a", "b", "##b"]
FOUR = (0).to_bytes(4, "little")


class Made:
    """Handles of the extension's values."""

    def __init__(self) -> None:
        self.core: Any = native.core()
        self.words = self.core.words_new()
        self.core.words_add(self.words, [("ab", 2, 0), ("ca", 1, 1)])
        self.vocabulary = self.wordpiece(LETTERS)
        self.rules = self.core.rules_new([(32, 32, 2)], [])
        self.text = self.core.text_new()
        self.core.text_feed(self.text, b"ab [MASK]\n", True, 1)
        self.units = self.core.units_new(bytes(0x20000))
        self.bytes = self.core.byte_bpe_new(FOUR * 256, b"", [])

    def wordpiece(
        self, pieces: list[str], unk: int = 0, special: tuple[int, ...] = (0,), prefix: str = "##"
    ) -> Any:
        return self.core.wordpiece_new(pieces, prefix, unk, 100, special)


REFUSED: dict[str, Callable[[Made], object]] = {
    "an unknown piece beyond the pieces": lambda m: m.wordpiece(LETTERS, unk=6),
    "a negative unknown piece": lambda m: m.wordpiece(LETTERS, unk=-1),
    "a special piece beyond the pieces": lambda m: m.wordpiece(LETTERS, special=(6,)),
    "a negative special piece": lambda m: m.wordpiece(LETTERS, special=(-1,)),
    "an id of more than 32 bits": lambda m: m.wordpiece(LETTERS, special=(2**32,)),
    "an id of more than 64 bits": lambda m: m.wordpiece(LETTERS, special=(2**64,)),
    "an empty special piece": lambda m: m.wordpiece(["[UNK]", ""], special=(1,)),
    "a piece twice": lambda m: m.wordpiece([*LETTERS, "a"]),
    "no pieces": lambda m: m.wordpiece([], special=()),
    "an empty special piece of a text": lambda m: m.core.words_of_text(m.text, m.rules, [""], 1),
    "an unknown rule": lambda m: m.core.rules_new([(0, 9, 6)], []),
    "a negative rule": lambda m: m.core.rules_new([(0, 9, -250)], []),
    "a rule without its text": lambda m: m.core.rules_new([(0, 9, 4)], []),
    "a fresh piece beyond the pieces": lambda m: m.core.explain_pieces(
        m.words, m.vocabulary, m.vocabulary, [6], 3, 1
    ),
    "a covering piece beyond the pieces": lambda m: m.core.cover_words(
        m.words, m.vocabulary, [6], [0, 1], 1
    ),
    "no points": lambda m: m.core.cover_words(m.words, m.vocabulary, [2], [], 1),
    "points that do not begin at 0": lambda m: m.core.cover_words(
        m.words, m.vocabulary, [2], [1], 1
    ),
    "points before the last piece": lambda m: m.core.cover_words(
        m.words, m.vocabulary, [2, 3], [0, 1], 1
    ),
    "points that decrease": lambda m: m.core.cover_words(
        m.words, m.vocabulary, [2, 3], [0, 2, 1, 2], 1
    ),
    "a special piece that is no new piece": lambda m: m.core.count_replacements(
        m.text, m.wordpiece(LETTERS, special=(0, 1)), m.wordpiece(["[UNK]"]), m.rules, 0, True, 1
    ),
    "an unknown unit": lambda m: m.core.count_replacements(
        m.words, m.vocabulary, m.vocabulary, None, 3, True, 1
    ),
    "solid characters of another number": lambda m: m.core.units_new(b"\1" * 9),
    "255 bytes": lambda m: m.core.byte_bpe_new(FOUR * 255, b"", []),
    "half an id": lambda m: m.core.byte_bpe_new(FOUR * 256 + b"\0", b"", []),
    "half a merge": lambda m: m.core.byte_bpe_new(FOUR * 256, FOUR * 2, []),
    "words of no digits": lambda m: m.core.byte_bpe_count(
        m.units, m.bytes, (True, True, True, 0, True), b"", [], 1
    ),
    "a negative size": lambda m: m.core.train_wordpiece(m.words, -1, [], 1, 9, True, "##"),
    "a negative alphabet": lambda m: m.core.train_wordpiece(m.words, 9, [], 1, -9, True, "##"),
    "a negative number of merges": lambda m: m.core.merge_further(m.words, [], -1, 1, []),
    "a unigram piece twice": lambda m: m.core.unigram_new([("a", -1.0), ("a", -2.0)], -9.0),
    "another kind of value": lambda m: m.core.words_size(m.units),
}


MESSAGES = (
    *("an id is out of range", "a special piece is (empty|not in the new vocabulary)"),
    *(
        "a piece occurs twice",
        "unknown (rule|unit)",
        "points increase from 0",
        "a size is negative",
    ),
    *("expected (the ids of the 256 bytes|32-bit numbers|three ids of each merge)",),
    *("expected (a byte for each listed character|at least one digit)",),
    "PyCapsule_GetPointer called with incorrect name",
)


@pytest.mark.parametrize("what", REFUSED)
def test_arguments_out_of_bounds_are_refused(what: str) -> None:
    with pytest.raises(ValueError, match=f"^({'|'.join(MESSAGES)})"):
        REFUSED[what](Made())


def test_sound_arguments_are_taken() -> None:
    made = Made()
    special = made.wordpiece(LETTERS, special=(0, 1))
    core, words, vocabulary = made.core, made.words, made.vocabulary
    assert core.wordpiece_segment(vocabulary, "ab") == [2, 5]
    assert core.cover_words(words, vocabulary, [5], [0, 1], 1) == [(2 + 1, 2 + 1), (4 + 1, 0 + 1)]
    ((replaced, _),) = core.explain_pieces(words, vocabulary, vocabulary, [5], 3, 1)
    assert replaced == 0
    assert core.count_replacements(made.text, special, special, made.rules, 0, True, 1)[1] == [
        (2, 1),
        (5, 1),
        (1, 1),
    ]
    assert core.wordpiece_segment(made.wordpiece([*LETTERS, "", "##"]), "##") == [7]
