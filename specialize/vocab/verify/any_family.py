"""The proof for any family: BPE, Unigram, and vocabularies whose ids have moved.

As in ``vocab.verify.run``, it reads what was written and what it was made from, and each check
returns what it was proved on or says what breaks it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from specialize.vocab.audit.unreachable import why_never
from specialize.vocab.bpe.model import BPE
from specialize.vocab.counting.by_library import open_library, other_files, read_tokenizer
from specialize.vocab.formats.tokenizer_json import describe_wordpiece
from specialize.vocab.open import AnyVocabulary, read_vocabulary
from specialize.vocab.piece_text import Speller
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.verify.claims import SHOWN, Broken, Check, Claims
from specialize.vocab.wordpiece.guard import allowed_changes
from specialize.vocab.wordpiece.model import WordPiece

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def prove_any(folder: Path, claims: Claims, old: AnyVocabulary) -> list[Check]:
    """Return the checks that the tokenizer in ``folder`` passes; ``Broken`` names one it fails.

    ``old``: what it was made from.
    """
    written = _Written(folder, claims, old)
    return [check for prove in CHECKS if (check := prove(written))]


class _Written:
    """The tokenizer in a folder, read anew, and the one it was made from."""

    def __init__(self, folder: Path, claims: Claims, old: AnyVocabulary) -> None:
        self.folder, self.claims = folder, claims
        self.old, self.new = old, read_vocabulary(folder)
        self.library = _open(read_tokenizer(folder / "tokenizer.json"))
        special = {*self.old.special, *self.new.special}
        self.lines = [line for line in claims.lines if not any(s in line for s in special)]
        self._segmented: dict[str, tuple[list[str], list[str]]] = {}

    @cached_property
    def words(self) -> list[str]:
        """Return the words of the sample and of the new pieces, each once."""
        found = (word for line in self.lines for word in self.old.words(line))
        examples = (word for some in self.claims.examples.values() for word in some)
        return list(dict.fromkeys([*found, *examples]))

    def before(self, word: str) -> list[str]:
        """Return the old pieces of ``word``; none where some of it was unknown."""
        return self._both(word)[0]

    def now(self, word: str) -> list[str]:
        """Return the new pieces of ``word``; none where some of it is unknown."""
        return self._both(word)[1]

    def _both(self, word: str) -> tuple[list[str], list[str]]:
        if word not in self._segmented:
            self._segmented[word] = (self.old.parts(word), self.new.parts(word))
        return self._segmented[word]

    @cached_property
    def extends(self) -> bool:
        """Whether every old piece is there still."""
        return {old for old in self.claims.olds if old >= 0} == set(range(len(self.old.pieces)))

    @cached_property
    def encoded(self) -> list[list[int]]:
        """Return the ids that the library has for each line."""
        found = self.library.encode_batch(self.lines, add_special_tokens=False)
        return [encoding.ids for encoding in found]


def _open(tokenizer: Tokenizer) -> Tokenizer:
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _ids(written: _Written) -> Check:
    """Every id from 0 is one piece, to the library too."""
    pieces, library = written.new.pieces, written.library
    if library.get_vocab_size() != len(pieces) or len(written.claims.olds) != len(pieces):
        raise Broken(
            "ids",
            f"the tokenizers library finds {library.get_vocab_size()} pieces, not {len(pieces)}",
        )
    for piece, at in written.new.ids.items():
        if library.token_to_id(piece) != at:
            found = library.token_to_id(piece)
            raise Broken("ids", f"piece {piece!r} has the id {found} to the library, not {at}")
    return Check("ids", "from 0 on, each piece once", {"pieces": len(pieces)})


def _kept(written: _Written) -> Check:
    """Each id has the old piece that it is said to have, or the new one."""
    old, new, claims = written.old.pieces, written.new.pieces, written.claims
    for at, before in enumerate(claims.olds):
        if before >= 0 and new[at] != old[before]:
            raise Broken("kept", f"id {at} is {new[at]!r}, where {old[before]!r} was said to be")
    for piece, at in claims.fresh.items():
        if written.new.ids.get(piece) != at:
            raise Broken("kept", f"piece {piece!r} has the id {written.new.ids.get(piece)}")
    if len(new) != len(claims.fresh) + sum(before >= 0 for before in claims.olds):
        raise Broken("kept", f"{len(new)} pieces, more than old and new ones")
    facts = {"old pieces": len(new) - len(claims.fresh), "new pieces": len(claims.fresh)}
    return Check("kept", "old pieces are where they are said to be", facts)


def _special(written: _Written) -> Check:
    """Special tokens are there; where nothing was taken out, with the ids they had."""
    for token in (*written.old.special, *filter(None, [written.old.unk])):
        at, before = written.new.ids.get(token), written.old.ids[token]
        if at is None or written.claims.olds[at] != before or (written.extends and at != before):
            raise Broken("special", f"{token!r} had the id {before}, and now {at}")
    if written.old.special != written.new.special:
        raise Broken("special", "other added tokens than before")
    facts = {"tokens": len(written.old.special)}
    return Check("special", "special tokens are what they were", facts)


def _settings(written: _Written) -> Check | None:
    """Old merges keep their order and old scores their value; nothing else changes."""
    old, new = written.old, written.new
    if not written.extends or not isinstance(old, BPE | Unigram) or type(old) is not type(new):
        return None
    assert isinstance(new, BPE | Unigram)  # for the type checker; said above
    for name in old.described.keys() - {"model", "added_tokens", "version"}:
        if old.described[name] != new.described[name]:
            raise Broken("settings", f"{name} has changed")
    own = old.described["model"].keys() - {"vocab", "merges"}
    if any(old.described["model"][name] != new.described["model"][name] for name in own):
        raise Broken("settings", "the model's settings have changed")
    if isinstance(old, Unigram) and isinstance(new, Unigram):
        if moved := [piece for piece, score in old.scores.items() if new.scores[piece] != score]:
            raise Broken("settings", f"piece {moved[0]!r} has another score than before")
        return Check(
            "settings", "old scores and all rules are as before", {"scores": len(old.scores)}
        )
    before, after = old.described["model"]["merges"], iter(new.described["model"]["merges"])
    if not all(merge in after for merge in before):  # as a subsequence
        raise Broken("settings", "old merges are not there in their old order")
    return Check("settings", "old merges and all rules are as before", {"merges": len(before)})


def _reachable(written: _Written) -> Check:
    """Each new piece is made of its own spelling, and stands in the words it was given for."""
    speller, never = Speller(written.library), 0
    for piece in written.claims.fresh:
        if reason := why_never(speller, piece):
            raise Broken("reachable", f"piece {piece!r} can never be used: {reason}")
        words = written.claims.examples.get(piece, [])
        for word in words:
            if piece not in written.new.segment(word):
                raise Broken("reachable", f"piece {piece!r} is not used in {word!r}")
        never += not words
    facts = {"pieces": len(written.claims.fresh), "never in the text": never}
    return Check("reachable", "new pieces can be used", facts)


def _readers(written: _Written) -> Check:
    """All that was written is one tokenizer: ours and the library, and files of other formats."""
    for line, ids in zip(written.lines, written.encoded, strict=True):
        if written.new.encode(line) != ids:
            raise Broken("readers", f"{line!r} has other pieces to the tokenizers library")
    for other in other_files(written.folder):
        found = _open(open_library(other)).encode_batch(written.lines, add_special_tokens=False)
        for line, ids, encoding in zip(written.lines, written.encoded, found, strict=True):
            if encoding.ids != ids:
                raise Broken("readers", f"{line!r} has other pieces by {other.name}")
    facts = {"lines": len(written.lines), "other files": len(other_files(written.folder))}
    return Check("readers", "all readers segment alike", facts)


def _known(written: _Written) -> Check | None:
    """No word of the sample is unknown now that was not, but by a new vocabulary."""
    if written.claims.fresh and not written.extends:
        return None
    words = [word for word in written.words if written.before(word)]
    for word in words:
        if not written.now(word):
            raise Broken("known", f"word {word!r} was {written.before(word)}, now unknown")
    return Check("known", "no known word became unknown", {"words": len(words)})


def _joined(written: _Written) -> Check | None:
    """Where that was claimed, old pieces are only joined: no word got longer."""
    if not written.claims.joins:
        return None
    words = [w for w in (*written.words, *written.claims.guard) if written.before(w)]
    bytes_of = Speller(written.library).bytes  # in bytes, as a character may have had no piece
    for word in words:
        before, now = (map(bytes_of, of(word)) for of in (written.before, written.now))
        if not is_joined(before, now):
            raise Broken(
                "joined", f"word {word!r} was {written.before(word)}, now {written.now(word)}"
            )
    return Check(
        "joined", "new pieces only join old ones, so nothing gets longer", {"words": len(words)}
    )


def is_joined(before: Iterable[bytes | None], now: Iterable[bytes | None]) -> bool:
    """Whether what ends where a piece of ``now`` ends is the end of one of ``before`` as well."""
    ends = set(accumulate(len(piece or b"") for piece in before))
    return ends.issuperset(accumulate(len(piece or b"") for piece in now))


def _guard(written: _Written) -> Check | None:
    """The guard's known words are segmented as before, but for the budget."""
    if not written.claims.guard:
        return None
    known = {word: n for word, n in written.claims.guard.items() if written.before(word)}
    changed = {w: n for w, n in known.items() if written.now(w) != written.before(w)}
    allowed, count = (
        allowed_changes(written.claims.budget, sum(known.values())),
        sum(changed.values()),
    )
    if count > allowed:
        words = ", ".join(sorted(changed, key=lambda w: -changed[w])[:SHOWN])
        raise Broken("guard", f"{count} occurrences of words have changed: {words}")
    facts = {"words": len(known), "occurrences": sum(known.values()), "allowed": allowed}
    return Check("guard", "guarded words are segmented as before", facts | {"changed": count})


def _decode(written: _Written) -> Check:
    """A line whose pieces are all known is decoded as its characters, and with its old spaces.

    Without a decoder the library puts spaces between pieces, which are then no part of the text.
    """
    old, new = _old_library(written), written.library
    unknown = {written.new.ids[written.new.unk]} if written.new.unk else set[int]()
    both = zip(written.lines, written.encoded, strict=True)
    lines = [(line, ids) for line, ids in both if not unknown & {*ids}]
    before = old.encode_batch([line for line, _ in lines], add_special_tokens=False)
    told = old.decode_batch([e.ids for e in before], skip_special_tokens=False)
    tells = new.decode_batch([ids for _, ids in lines], skip_special_tokens=False)
    speller = Speller(new)
    lost = {written.old.ids[written.old.unk]} if written.old.unk else set[int]()

    def bare(text: str) -> str:
        return "".join(speller.normalized(text).split())

    for (line, _), encoding, then, now in zip(lines, before, told, tells, strict=True):
        meant = line if lost & {*encoding.ids} else then
        exact = meant is then and old.decoder is not None
        if now != meant and (exact or bare(now) != bare(meant)):
            raise Broken("decode", f"{line!r} is decoded as {now!r}")
    return Check("decode", "what is known is decoded as before", {"lines": len(lines)})


def _old_library(written: _Written) -> Tokenizer:
    """Return the old tokenizer, live; a vocab.txt is one with BERT's rules."""
    from tokenizers import Tokenizer

    old, source = written.old, Path(written.claims.source)
    if not isinstance(old, WordPiece):
        return old.tokenizer
    described = describe_wordpiece(old, source=source)
    return _open(Tokenizer.from_str(json.dumps(described)))


CHECKS: tuple[Callable[[_Written], Check | None], ...] = (
    _ids,
    _kept,
    _special,
    _settings,
    _reachable,
    _readers,
    _known,
    _joined,
    _guard,
    _decode,
)
