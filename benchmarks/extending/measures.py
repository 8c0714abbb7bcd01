"""Gains and damage of an extended tokenizer, measured with the tokenizers library."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer

from extending.texts import Texts, lines_of, word_counts
from specialize.vocab.audit.unreachable import why_never
from specialize.vocab.piece_text import Speller

BATCH = 20_000
Pieces = list[tuple[int, ...]]


@dataclass(frozen=True)
class Row:
    """The figures of one tokenizer; shares are of word occurrences."""

    added: int
    moved: int  # old pieces whose id changed
    per_word: float  # pieces per white-space word of the new language
    unknown: float  # share of its words with an unknown piece
    changed: float  # share of known held-out words of other languages
    changed_guard: float
    longer: int  # types of these held-out words with more pieces
    unreachable: int
    unused: int
    lossy: int
    lines: int  # decoded lines
    seconds: float = 0.0


def pieces_of(tokenizer: Tokenizer, words: Sequence[str]) -> Pieces:
    """Return the ids of each word; a word with a leading space is encoded after the word a."""
    behind = tokenizer.encode("a", add_special_tokens=False).ids
    found: Pieces = []
    for batch in batches(words):
        texts = ["a" + word if word[0] == " " else word for word in batch]
        encoded = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        for word, ids in zip(batch, (e.ids for e in encoded), strict=True):
            if word[0] != " ":
                found.append(tuple(ids))
            elif ids[: len(behind)] == behind:
                found.append(tuple(ids[len(behind) :]))
            else:
                raise SystemExit(f"a{word} is not a and{word} to the tokenizer")
    return found


def batches(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield ``words`` in batches."""
    for start in range(0, len(words), BATCH):
        yield words[start : start + BATCH]


class Base:
    """A base tokenizer and its output on the texts, computed once for all ways."""

    def __init__(self, folder: Path, texts: Texts) -> None:
        """Open the tokenizer.json of ``folder``."""
        self.tokenizer, self.texts = Tokenizer.from_file(str(folder / "tokenizer.json")), texts
        self.vocab: dict[str, int] = self.tokenizer.get_vocab()
        unknown = Speller(self.tokenizer).unknown
        self.unknown = self.vocab.get(unknown, -1)
        self.unknown_text = unknown if self.unknown >= 0 else ""
        step = max(1, len(texts.others) // 3000)
        self.lines = [*texts.dev, *texts.others[::step]]

    @cached_property
    def others(self) -> tuple[Counter[str], Pieces]:
        """Return the held-out words of the other languages, and their pieces."""
        counts = word_counts(self.texts.others)
        return counts, pieces_of(self.tokenizer, [*counts])

    @cached_property
    def guard(self) -> tuple[Counter[str], Pieces]:
        """Return the words of the guard's text, and their pieces."""
        counts = word_counts(lines_of(self.texts.guard))
        return counts, pieces_of(self.tokenizer, [*counts])

    @cached_property
    def train(self) -> list[str]:
        """Return the words of the training text."""
        return [*word_counts(lines_of(self.texts.train))]

    @cached_property
    def decoded(self) -> list[str]:
        """Return lines of all languages, encoded and decoded."""
        return there_and_back(self.tokenizer, self.lines)

    def row(self, file: Path) -> Row:
        """Return the figures of an extended tokenizer."""
        new = Tokenizer.from_file(str(file))
        vocab = new.get_vocab()
        moved = sum(vocab.get(piece, i) != i for piece, i in self.vocab.items())
        added = vocab.keys() - self.vocab.keys()
        changed, longer = self.compare(new, *self.others)
        changed_guard, _ = self.compare(new, *self.guard)
        per_word, unknown = self.fertility(new)
        used = {i for ids in pieces_of(new, self.train) for i in ids}
        return Row(
            added=len(added),
            moved=moved,
            per_word=per_word,
            unknown=unknown,
            changed=changed,
            changed_guard=changed_guard,
            longer=longer,
            unreachable=unreachable(new, added),
            unused=sum(vocab[piece] not in used for piece in added),
            lossy=self.lossy(new),
            lines=len(self.lines),
        )

    def compare(self, new: Tokenizer, counts: Counter[str], before: Pieces) -> tuple[float, int]:
        """Return the share of known words whose pieces change, and the number of longer types."""
        known = changed = longer = 0
        vocab, moved = new.get_vocab(), dict[int, int]()
        if any(vocab.get(piece, i) != i for piece, i in self.vocab.items()):
            moved = {i: vocab.get(piece, -1) for piece, i in self.vocab.items()}
        after = pieces_of(new, [*counts])
        for count, old, now in zip(counts.values(), before, after, strict=True):
            if self.unknown not in old:
                known += count
                changed += count * (now != (tuple(map(moved.get, old)) if moved else old))
                longer += len(now) > len(old)
        return changed / known, longer

    def fertility(self, new: Tokenizer) -> tuple[float, float]:
        """Return pieces per held-out word of the new language, and the share of unknown words."""
        counts = word_counts(self.texts.dev)
        found = zip(counts.values(), pieces_of(new, [*counts]), strict=True)
        unknown = new.token_to_id(self.unknown_text)
        both = [(n * len(ids), n * (unknown in ids)) for n, ids in found]
        return sum(p for p, _ in both) / counts.total(), sum(u for _, u in both) / counts.total()

    def lossy(self, new: Tokenizer) -> int:
        """Return how many lines lose text in decoding."""
        found = zip(self.decoded, there_and_back(new, self.lines), strict=True)
        return sum(not keeps(now, then, self.unknown_text) for then, now in found)


def keeps(now: str, then: str, unknown: str) -> bool:
    """Whether ``now`` equals ``then``, except for text that was unknown."""
    if now == then or not unknown or unknown not in then:
        return now == then
    first, *rest = then.split(unknown)
    at = len(first)
    if not now.startswith(first):
        return False
    for part in rest:
        found = now.find(part.strip(), at)
        if found < 0:
            return False
        at = found + len(part.strip())
    return True


def there_and_back(tokenizer: Tokenizer, lines: Sequence[str]) -> list[str]:
    """Return ``lines`` encoded and decoded."""
    encoded = tokenizer.encode_batch_fast(lines, add_special_tokens=False)
    return tokenizer.decode_batch([e.ids for e in encoded], skip_special_tokens=False)


def unreachable(tokenizer: Tokenizer, pieces: Iterable[str]) -> int:
    """Return how many of ``pieces`` their own text does not yield."""
    speller = Speller(tokenizer)
    added = {token.content: i for i, token in tokenizer.get_added_tokens_decoder().items()}
    plain = [piece for piece in pieces if piece not in added]
    tokens = [piece for piece in pieces if piece in added]
    found = pieces_of(tokenizer, [f" {piece}" for piece in tokens])
    lost = sum(added[piece] not in ids for piece, ids in zip(tokens, found, strict=True))
    return lost + sum(bool(why_never(speller, piece)) for piece in plain)
