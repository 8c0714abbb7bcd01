"""Verdicts from the figures of a tokenizer and a text."""

import json

import pytest

from specialize.vocab.audit.audit import audit
from specialize.vocab.audit.recommend import (
    FERTILITY_HIGH,
    FERTILITY_LOW,
    PARITY_EVEN,
    PARITY_FAR,
    UNKNOWN_FEW,
    UNKNOWN_PROVEN,
    Figures,
    Needed,
    figures,
    verdict,
)
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

SMALL = WordPiece([*SPECIAL, "a", "b", "##b", "##c", ".", "ab"])


def known(**changes: object) -> Figures:
    plain = {"words": 100, "unknown_words": 0.0, "fertility": 1.8}
    return Figures(**plain | {"missing": 0, "missing_letters": 0.0} | changes)  # type: ignore[arg-type]


LETTERS = {"missing": 3, "missing_letters": 1.0}


@pytest.mark.parametrize(
    ("changes", "pays"),
    [
        ({"words": 0}, "not known"),
        ({"unknown_words": UNKNOWN_PROVEN, **LETTERS}, "yes"),
        ({"unknown_words": UNKNOWN_PROVEN - 0.01, **LETTERS}, "likely"),
        ({"unknown_words": UNKNOWN_FEW, **LETTERS}, "likely"),
        ({"unknown_words": 0.05, "missing": 3, "missing_letters": 0.01}, "no"),
        ({"unknown_words": 0.05}, "not known"),  # words too long
        ({"unknown_words": UNKNOWN_FEW / 2, **LETTERS}, "not known"),
        ({"fertility": FERTILITY_LOW}, "no"),
        ({"fertility": 1.8}, "not known"),
        ({"fertility": FERTILITY_HIGH}, "perhaps"),
        ({"fertility": 9.0, "parity": PARITY_EVEN}, "no"),
        ({"parity": 1.4}, "not known"),
        ({"fertility": 1.0, "parity": PARITY_FAR}, "perhaps"),
    ],
)
def test_verdicts_follow_what_was_measured(changes: dict[str, object], pays: str) -> None:
    found = verdict(known(**changes))
    assert found.pays == pays
    assert found.sentence.endswith(".")
    assert "nan" not in found.sentence
    assert json.loads(json.dumps(found.to_json()))["figures"]["words"] == changes.get("words", 100)


def test_a_verdict_says_how_many_pieces_are_needed() -> None:
    needed = Needed(pieces=425, left=0.0, slots=99, left_by_slots=0.0037)
    reason = verdict(known(unknown_words=0.355, needed=needed, **LETTERS)).reason
    assert "425 one-character pieces leave none, the first 99 (its free slots) 0.37 %" in reason
    reason = verdict(known(unknown_words=0.355, **LETTERS)).reason
    assert "they lack 3 characters" in reason


def test_figures_distinguish_letters_from_symbols() -> None:
    found = figures(audit(SMALL, ["a – – ۋ"]), parity=1.5)
    assert (found.words, found.unknown_words, found.missing) == (4, 0.75, 2)
    assert (found.missing_letters, found.parity) == (1 / 3, 1.5)
