"""Characters that a tokenizer's normaliser changes: ӱ becomes у if accents are stripped.

White space and the audit's deleted characters (which vanish like control characters) are excluded.
Each character is tried alone, so compositions with a following mark (NFC) are not found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from specialize.vocab.counting.words import Text, counted, split_tokens
from specialize.vocab.wordpiece.model import WordPiece
from specialize.vocab.wordpiece.pretokenize import deleted_characters, words

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class CharacterChange:
    """A character of the text and its replacement by the normaliser."""

    character: str
    becomes: str  # "" for a mark that is stripped
    count: int

    def to_json(self) -> dict[str, str | int]:
        """Return the change as JSON values."""
        return {"from": self.character, "to": self.becomes, "count": self.count}


def changed_by_rules(vocabulary: WordPiece, text: Text) -> list[CharacterChange]:
    """Return the characters that BERT's rules change, most frequent first."""
    rules = vocabulary.rules
    if not rules.strip_accents and not rules.lowercase:
        return []
    tokens = counted(text).tokens
    found = _characters(tokens)
    for piece, count in split_tokens(tokens, rules, vocabulary.special).special.items():
        found.subtract({c: n * count for c, n in Counter(piece).items()})  # these are unchanged
    deleted = deleted_characters() if rules.clean else frozenset[str]()
    kept = {c: n for c, n in found.items() if n and c not in deleted}
    return _changes(kept, lambda character: "".join(words(character, rules)))


def changed_by_library(tokenizer: Tokenizer, lines: Iterable[str]) -> list[CharacterChange]:
    """Return the characters that a normaliser of the library changes, most frequent first."""
    normalizer = tokenizer.normalizer
    if normalizer is None:
        return []
    found: Counter[str] = Counter()
    for line in lines:
        found.update(line)
    before, _, after = normalizer.normalize_str("aa").partition("aa")

    def becomes(character: str) -> str:
        text: str = normalizer.normalize_str(f"a{character}a")
        return text[len(before) + 1 : len(text) - len(after) - 1]

    return [change for change in _changes(found, becomes) if change.becomes]


def _characters(tokens: Mapping[str, int]) -> Counter[str]:
    """Return the occurrences of each character: of tokens that are alike in theirs, together."""
    alike: dict[int, list[str]] = {}
    for token, count in tokens.items():
        alike.setdefault(count, []).append(token)
    found: Counter[str] = Counter()
    for count, group in alike.items():
        for character, n in Counter("".join(group)).items():
            found[character] += n * count
    return found


def _changes(counts: Mapping[str, int], becomes: Callable[[str], str]) -> list[CharacterChange]:
    found = [
        CharacterChange(character, new, count)
        for character, count in counts.items()
        if not character.isspace() and (new := becomes(character)) != character
    ]
    return sorted(found, key=lambda change: (-change.count, change.character))
