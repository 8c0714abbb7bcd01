"""The checks of a written tokenizer, the same for all families.

Each returns the data it was verified on (None if nothing was claimed), or raises ``Broken`` with
the offending piece or words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import accumulate
from pathlib import Path

from specialize.errors import DataError
from specialize.vocab.audit.unreachable import why_never
from specialize.vocab.auto.settle import settled_here
from specialize.vocab.formats.detect import open_other, other_files
from specialize.vocab.guard import allowed_changes
from specialize.vocab.verify.claims import Broken, Check, Claims
from specialize.vocab.verify.written import Source, Written
from specialize.vocab.wordpiece.model import is_slot

SHOWN = 5  # pieces and words per message


def check_ids(written: Written) -> Check:
    """Every id from 0 is one piece for all readers."""
    pieces, library = written.new.pieces, written.library
    if len(pieces) != len(written.kept):
        raise Broken("ids", f"{len(pieces)} pieces, expected {len(written.kept)}")
    if (size := library.get_vocab_size()) != len(pieces):
        raise Broken("ids", f"the tokenizers library finds {size} pieces, not {len(pieces)}")
    for piece, at in written.new.ids.items():
        if (found := library.token_to_id(piece)) != at:
            raise Broken("ids", f"piece {piece!r} has the id {found} to the library, not {at}")
    plain = written.folder / "vocab.txt"
    if plain.is_file() and plain.read_bytes().decode() != "".join(p + "\n" for p in pieces):
        raise Broken("ids", "vocab.txt has other pieces than tokenizer.json")
    return Check("ids", "from 0 on, each piece once", {"pieces": len(pieces)})


def check_special(written: Written) -> Check:
    """Special pieces are those of the source; in an extension, with the same ids."""
    claims, old, new = written.claims, written.old, written.new
    for token in (*old.special, *filter(None, [old.unk])):
        at, before = new.ids.get(token), old.ids[token]
        if at is None or written.kept[at] != before or (claims.extends and at != before):
            raise Broken("special", f"{token!r} had the id {before}, and now {at}")
    if {*old.special} != {*new.special}:
        changed = ", ".join(sorted({*old.special} ^ {*new.special}))
        raise Broken("special", f"the special pieces differ in {changed}")
    return Check("special", "special pieces are as before", {"tokens": len(old.special)})


def check_kept(written: Written) -> Check:
    """Each id has the claimed old or new piece, and no piece is lost."""
    old, new, claims = written.old.pieces, written.new.pieces, written.claims
    if claims.extends:
        for at in claims.fresh.values():
            if at < len(old) and (not is_slot(old[at]) or old[at] in written.old.special):
                raise Broken("kept", f"piece {old[at]!r} has lost its id {at}")
    for at, before in enumerate(written.kept):
        if before >= 0 and new[at] != old[before]:
            raise Broken("kept", f"id {at} is {new[at]!r}, not {old[before]!r}")
    for piece, at in claims.fresh.items():
        if written.new.ids.get(piece) != at:
            raise Broken("kept", f"piece {piece!r} has the id {written.new.ids.get(piece)}")
    kept = sum(before >= 0 for before in written.kept)
    if len(new) != len(claims.fresh) + kept:
        raise Broken("kept", f"{len(new)} pieces, expected {kept} old ones and the new ones")
    slots = sum(at < len(old) for at in claims.fresh.values()) if claims.extends else 0
    facts = {"old pieces": kept, "slots taken": slots, "new pieces": len(claims.fresh)}
    return Check("kept", "old pieces have the ids claimed", facts)


def check_settings(written: Written) -> Check | None:
    """Rules, scores and the order of merges are those of the source."""
    if not written.claims.extends:
        return None
    if type(written.new) is not type(written.old):
        raise Broken("settings", f"the family has changed to {type(written.new).__name__}")
    if change := written.new.setting_changes(written.old):
        raise Broken("settings", change)
    facts = {"old pieces": len(written.old.pieces)}
    return Check("settings", "rules, scores and merges are as before", facts)


def check_reachable(written: Written) -> Check:
    """Each new piece is produced from its own text, and used in the words it was added for."""
    without_words = 0
    for piece in written.claims.fresh:
        if reason := why_never(written.speller, piece):
            raise Broken("reachable", f"piece {piece!r} can never be used: {reason}")
        words = written.claims.examples.get(piece, [])
        for word in words:
            if piece not in written.new.segment(word):
                raise Broken("reachable", f"piece {piece!r} is not used in {word!r}")
        without_words += not words
    facts = {"pieces": len(written.claims.fresh), "never in the text": without_words}
    return Check("reachable", "new pieces can be used", facts)


def check_readers(written: Written) -> Check:
    """Our reader, the library and files of other formats segment all available text alike."""
    claims, speller = written.claims, written.speller
    examples = [word for some in claims.examples.values() for word in some]
    own_texts = [text for piece in claims.fresh if (text := speller.text(piece))]
    texts = {"lines": claims.lines, "guard words": [*claims.guard]}
    texts["words of pieces"] = [*dict.fromkeys([*examples, *own_texts])]
    for kind, some in texts.items():
        for text, ids in zip(some, written.encode(some), strict=True):
            if written.new.encode(text) != ids:
                theirs = [written.library.id_to_token(i) for i in ids]
                raise Broken("readers", f"{kind}: {text!r} is {theirs} to the tokenizers library")
    others = other_files(written.folder)
    for other in others:
        found = open_other(other).encode_batch(written.lines, add_special_tokens=False)
        for line, ids, encoding in zip(written.lines, written.encoded, found, strict=True):
            if encoding.ids != ids:
                raise Broken("readers", f"{line!r} has other pieces by {other.name}")
    facts = {kind: len(some) for kind, some in texts.items()} | {"other files": len(others)}
    return Check("readers", "all readers segment alike", facts)


def check_known(written: Written) -> Check | None:
    """No known word of the sample becomes unknown, except in a new vocabulary."""
    if written.claims.fresh and not written.claims.extends:
        return None
    words = [word for word in written.words if written.before(word)]
    for word in words:
        if not written.now(word):
            raise Broken("known", f"word {word!r} was {written.before(word)}, now unknown")
    return Check("known", "no known word became unknown", {"words": len(words)})


def check_joined(written: Written) -> Check | None:
    """If claimed, new pieces only join old ones: no known word gets longer."""
    if not written.claims.coarsens:
        return None
    words = [w for w in (*written.words, *written.claims.guard) if written.before(w)]
    for word in words:
        before, now = (map(written.speller.bytes, of(word)) for of in (written.before, written.now))
        if not is_joined(before, now):
            was, is_now = written.before(word), written.now(word)
            raise Broken("joined", f"word {word!r} was {was}, now {is_now}")
    return Check("joined", "new pieces only join old ones", {"words": len(words)})


def is_joined(before: Iterable[bytes | None], now: Iterable[bytes | None]) -> bool:
    """Return whether every piece boundary of ``now`` is also one of ``before``.

    Compared in bytes, because a character may have had no piece.
    """
    ends = set(accumulate(len(piece or b"") for piece in before))
    return ends.issuperset(accumulate(len(piece or b"") for piece in now))


def check_guard(written: Written) -> Check | None:
    """The guard's known words keep their segmentation, up to the budget."""
    claims = written.claims
    if not claims.guard:
        return None
    known = {word: n for word, n in claims.guard.items() if written.before(word)}
    changed = {w: n for w, n in known.items() if written.now(w) != written.before(w)}
    allowed, count = allowed_changes(claims.budget, sum(known.values())), sum(changed.values())
    if count > allowed:
        words = sorted(changed, key=lambda word: -changed[word])[:SHOWN]
        pieces = dict.fromkeys(p for w in words for p in written.now(w) if p in claims.fresh)
        shown = f"pieces {', '.join([*pieces][:SHOWN])} change {count} occurrences of words"
        raise Broken("guard", f"{shown}: {', '.join(words)}")
    facts = {"words": len(known), "occurrences": sum(known.values()), "allowed": allowed}
    return Check("guard", "guarded words are segmented as before", facts | {"changed": count})


def check_decode(written: Written) -> Check:
    """The pieces of a known word give its text, and a known line decodes as before."""
    known = [word for word in written.words if written.now(word)]
    spell = written.speller.bytes
    for word in known:
        if b"".join(spell(piece) or b"" for piece in written.now(word)) != spell(word):
            raise Broken("decode", f"word {word!r} is {written.now(word)}, which is another")
    lines = _check_lines(written)
    return Check("decode", "pieces give the text back", {"words": len(known), "lines": lines})


def _check_lines(written: Written) -> int:
    """Decode the lines whose pieces are all known; return their number.

    A line that was known before must decode as before, any other to its characters. Without a
    decoder the library inserts spaces between pieces, which are ignored.
    """
    old, new = written.source.tokenizer, written.library
    unknown = {written.new.ids[written.new.unk]} if written.new.unk else set[int]()
    lost = {written.old.ids[written.old.unk]} if written.old.unk else set[int]()
    both = zip(written.lines, written.encoded, strict=True)
    lines = [(line, ids) for line, ids in both if not unknown & {*ids}]
    before = old.encode_batch_fast([line for line, _ in lines], add_special_tokens=False)
    decoded_then = old.decode_batch([e.ids for e in before], skip_special_tokens=False)
    decoded_now = new.decode_batch([ids for _, ids in lines], skip_special_tokens=False)

    def bare(text: str) -> str:
        return "".join(written.speller.normalized(text).split())

    found = zip(lines, before, decoded_then, decoded_now, strict=True)
    for (line, _), encoding, then, now in found:
        was_known = not lost & {*encoding.ids}
        expected = then if was_known else line
        exact = was_known and old.decoder is not None
        if now != expected and (exact or bare(now) != bare(expected)):
            raise Broken("decode", f"{line!r} is decoded as {now!r}")
    return len(lines)


def check_auto(folder: Path, claims: Claims, source: Source) -> Check:
    """transformers reads the folder like its source, by its own class or the generic one."""
    try:
        name = settled_here(source.opened, folder, claims.lines, unk=source.vocabulary.unk)
    except DataError as error:
        raise Broken("AutoTokenizer", str(error)) from None
    facts = {"lines": len(claims.lines)}
    return Check("AutoTokenizer", f"{name} reads it like its source", facts)


CHECKS: tuple[Callable[[Written], Check | None], ...] = (
    check_ids,
    check_special,
    check_kept,
    check_settings,
    check_reachable,
    check_readers,
    check_known,
    check_joined,
    check_guard,
    check_decode,
)
