"""WordPiece: longest match, left to right; a word not covered is unknown."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from specialize import native
from specialize.errors import DataError, UsageError
from specialize.vocab.base import Extension, VocabChange, Vocabulary
from specialize.vocab.counting.words import Text, count_words, counted, split_tokens
from specialize.vocab.library import encode_lines, live_tokenizer
from specialize.vocab.piece_text import visible
from specialize.vocab.wordpiece.longest_match import longest_first
from specialize.vocab.wordpiece.pretokenize import BertRules, special_parts, tokens_of, words

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from specialize.vocab.audit.audit import Audit
    from specialize.vocab.settings import Settings

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_SLOT = re.compile(r"\[unused\d+\]")


def is_slot(piece: str) -> bool:
    """Return whether ``piece`` only reserves an id, as [unused1] does."""
    return piece.startswith("[unused") and bool(_SLOT.fullmatch(piece))


class WordPiece:
    """A WordPiece vocabulary with BERT's pre-tokenisation.

    It segments as Hugging Face's fast tokenizer does: words of more than ``max_chars`` code points
    are unknown, and special pieces in the text (``[MASK]``) are kept whole.
    """

    by_library = False  # whether the tokenizers library pre-tokenises, under other rules

    def __init__(
        self,
        pieces: Sequence[str],
        *,
        unk: str = "[UNK]",
        prefix: str = "##",
        max_chars: int = 100,
        rules: BertRules = BertRules(),  # noqa: B008 (frozen)
        special: Sequence[str] = SPECIAL,
        settings: Settings | None = None,
    ) -> None:
        """Take ``pieces`` in the order of their ids; missing ``special`` pieces are ignored.

        ``settings``: of the folder it came from; None is BERT's.
        """
        self.pieces = tuple(pieces)
        self.ids = {piece: i for i, piece in enumerate(self.pieces)}
        if len(self.ids) != len(self.pieces):
            duplicate = next(p for i, p in enumerate(self.pieces) if self.ids[p] != i)
            raise DataError(f"duplicate piece {duplicate!r}")
        if unk not in self.ids:
            raise DataError(f"the vocabulary has no unknown piece {unk!r}")
        self.unk, self.prefix, self.max_chars, self.rules = unk, prefix, max_chars, rules
        self.special = tuple(s for s in dict.fromkeys(special) if s in self.ids)
        self.settings = settings
        self._parts = special_parts(self.special)
        self._encoded: dict[str, tuple[int, ...]] = {}

    def words(self, text: str) -> list[str]:
        """Return the pre-tokenised words of ``text``."""
        found = []
        for i, part in enumerate(self._parts(text)):
            found += [part] if i % 2 else words(part, self.rules)
        return found

    def segment(self, word: str) -> list[str]:
        """Return the pieces of one word: ``"unaffable"`` -> ``["un", "##aff", "##able"]``."""
        if word in self.special:
            return [word]
        if len(word) > self.max_chars:
            return [self.unk]
        return self.cover(word) or [self.unk]

    def cover(self, text: str, *, continuing: bool = False) -> list[str]:
        """Return the pieces that cover ``text``, longest first; none if they do not.

        ``continuing``: the text is inside a word, so its first piece has the prefix too.
        """
        path, end = longest_first(
            text, self.ids, prefix=self.prefix, longest=self.longest, continuing=continuing
        )
        return path if end == len(text) else []

    def parts(self, piece: str, text: str | None = None) -> list[str]:
        """Return the pieces of the text of ``piece``, or of ``text``, in its position."""
        inside = bool(self.prefix) and piece.startswith(self.prefix)
        words = [piece[len(self.prefix) * inside :]] if text is None else self.words(text)
        found: list[str] = []
        for i, word in enumerate(words):
            covered = self.cover(word, continuing=inside and i == 0)
            if not covered:
                return []
            found += covered
        return found

    def text(self, piece: str) -> str:
        """Return ``piece`` without the prefix; "" for control pieces and slots."""
        apart = piece in self.special or piece == self.unk or is_slot(piece)
        return "" if apart else piece.removeprefix(self.prefix)

    def encode(self, text: str) -> list[int]:
        """Return the ids of the pieces of ``text``, without [CLS] and [SEP]."""
        ids: list[int] = []
        for i, part in enumerate(self._parts(text)):
            if i % 2:
                ids.append(self.ids[part])
                continue
            for token in tokens_of(part, self.rules):
                known = self._encoded.get(token)
                if known is None:
                    found = (p for word in words(token, self.rules) for p in self.segment(word))
                    known = self._encoded[token] = tuple(self.ids[piece] for piece in found)
                ids += known
        return ids

    def encode_lines(self, lines: Sequence[str]) -> list[list[int]]:
        """Return ``encode`` of each line, by the tokenizers library in parallel."""
        return encode_lines(self.tokenizer, lines)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """Return the same vocabulary and rules in the tokenizers library."""
        from specialize.vocab.formats.tokenizer_json import describe_wordpiece  # imports this

        return live_tokenizer(describe_wordpiece(self), "tokenizer.json")

    def encode_words(self, words: Sequence[str]) -> list[list[int]]:
        """Return the ids of each word: no rule looks across the spaces of a sentence.

        A word that the rules delete is unknown.
        """
        return [self.encode(word) or [self.ids[self.unk]] for word in words]

    def continues(self, id: int) -> bool:
        """Return whether the piece is not the first of its word: it has the prefix."""
        return bool(self.prefix) and self.pieces[id].startswith(self.prefix)

    def unknown_text(self, text: str) -> str:
        """Return the unknown words of ``text``, concatenated."""
        return "".join(word for word in self.words(text) if self.segment(word) == [self.unk])

    def count_words(self, text: Text) -> Mapping[str, int]:
        """Return the occurrences of each word, by first occurrence."""
        if self._special_in_words:
            return split_tokens(counted(text).tokens, self.rules, self.special).words
        return count_words(text, self.rules)

    @cached_property
    def _special_in_words(self) -> bool:
        """Whether a special piece can be inside a word; by BERT's rules ``[MASK]`` cannot."""
        around = (words(f"a{piece}a", self.rules) for piece in self.special)
        return not all(found[0] == found[-1] == "a" for found in around)

    def audit(self, text: Text) -> Audit:
        """Return the audit of ``text``: lines, or their counts."""
        from specialize.vocab.audit.audit import audit_wordpiece  # audits this

        return audit_wordpiece(self, text)

    @cached_property
    def control_pieces(self) -> list[str]:
        """Return the special pieces and the unknown piece, by id."""
        control = {*self.special, self.unk, *SPECIAL}
        return sorted(control & self.ids.keys(), key=self.ids.__getitem__)

    def readable(self, piece: str) -> str:
        """Return ``piece`` on one line."""
        return visible(piece)

    def extended(self, words: Mapping[str, int], options: Extension) -> VocabChange[WordPiece]:
        """Return the change that adds pieces, characters first (``wordpiece.extend``)."""
        from specialize.vocab.wordpiece.extend import extend_wordpiece  # extends this

        return extend_wordpiece(self, words, options)

    def retrained(self, words: Mapping[str, int], *, size: int, min_count: int) -> WordPiece:
        """Return a vocabulary of ``size`` pieces trained on ``words``, with the same rules."""
        from specialize.vocab.train.retrain import retrain_wordpiece  # trains this

        return retrain_wordpiece(self, words, size=size, min_count=min_count)

    def restricted(self, keep: Collection[str]) -> WordPiece:
        """Return the vocabulary with the pieces of ``keep`` and control pieces."""
        wanted = {*keep, *self.control_pieces}
        return self.with_pieces([piece for piece in self.pieces if piece in wanted])

    def base_pieces(self, letters: Iterable[str]) -> set[str]:
        """Return the pieces of ``letters``, word-initial and continuing."""
        letters = {*letters}
        return letters | {self.prefix + letter for letter in letters}

    def trace(self, word: str) -> list[str]:
        """Return the pieces of ``word``, or those before its dead end."""
        if len(word) > self.max_chars:
            return []
        return longest_first(word, self.ids, prefix=self.prefix, longest=self.longest)[0]

    def setting_changes(self, old: WordPiece) -> str:
        """Return the first rule or setting that differs from ``old``, or ""."""
        for name in ("rules", "prefix", "unk", "max_chars", "special"):
            before, now = getattr(old, name), getattr(self, name)
            if before != now:
                return f"{name} was {before}, and now is {now}"
        return ""

    def place(self, new: Iterable[str], *, slots: bool = True) -> VocabChange[WordPiece]:
        """Return the change that adds ``new`` pieces: [unusedN] slots first, then appended.

        The slots are the original's (ids 1..99 of mBERT); unused slots stay, so no
        other id changes.
        """
        pieces, fresh = list(self.pieces), []
        free = self.slot_ids if slots else ()
        for i, piece in enumerate(new):
            if piece in self.ids:
                raise DataError(f"duplicate piece {piece!r}; leave it out")
            if i < len(free):
                pieces[free[i]] = piece
                fresh.append(free[i])
            else:
                fresh.append(len(pieces))
                pieces.append(piece)
        kept = {i: i for i in range(len(self.pieces))}
        for i in fresh:
            kept.pop(i, None)
        return VocabChange(self, self.with_pieces(pieces), kept, tuple(fresh))

    def with_pieces(self, pieces: Sequence[str]) -> WordPiece:
        """Return a vocabulary of other pieces under the same rules."""
        return WordPiece(
            pieces,
            unk=self.unk,
            prefix=self.prefix,
            max_chars=self.max_chars,
            rules=self.rules,
            special=self.special,
            settings=self.settings,
        )

    @cached_property
    def slot_ids(self) -> tuple[int, ...]:
        """Return the ids of free [unusedN] slots: those that no setting declares as a token."""
        free = (i for i, piece in enumerate(self.pieces) if is_slot(piece))
        return tuple(i for i in free if self.pieces[i] not in self.special)

    @property
    def slots(self) -> int:
        """Return the number of free [unusedN] slots."""
        return len(self.slot_ids)

    @cached_property
    def closed_alphabet(self) -> frozenset[str] | None:
        """Return the alphabet if each character has both forms as pieces, else None.

        With a closed alphabet a word is unknown exactly if it is too long or contains another
        character, and no new piece can make a word unknown.
        """
        apart = {*self.special, *(self.pieces[i] for i in self.slot_ids)}
        letters = frozenset[str]().union(
            *(p.removeprefix(self.prefix) for p in self.pieces if p not in apart)
        )
        closed = all(c in self.ids and self.prefix + c in self.ids for c in letters)
        return letters if closed else None

    @cached_property
    def longest(self) -> int:
        """Return the length of the longest piece, including the prefix."""
        return max(map(len, self.pieces))

    @cached_property
    def handle(self) -> Any:
        """Return the native extension's handle of the vocabulary."""
        special = [self.ids[piece] for piece in self.special]
        longest = min(self.max_chars, native.MOST_CHARACTERS)
        return native.core().wordpiece_new(
            self.pieces, self.prefix, self.ids[self.unk], longest, special
        )


def require_wordpiece(vocabulary: Vocabulary) -> WordPiece:
    """Return ``vocabulary`` if it is a WordPiece: UsageError if not."""
    if isinstance(vocabulary, WordPiece):
        return vocabulary
    raise UsageError(
        f"expected a WordPiece vocabulary, got {type(vocabulary).__name__}; use extend, which is "
        "for any family"
    )
