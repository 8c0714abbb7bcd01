"""The proof that an extended tokenizer does what it should, before anyone sees it.

It reads what was written, not what was meant: by the tokenizers library and by this package's own
reader, in a process of its own (``python -m specialize.vocab.verify.run SOURCE`` with the folder
and the claims as JSON on stdin). Each check returns what it was proved on, or says which piece and
words break it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path

from specialize.errors import DataError, MissingError, SpecializeError
from specialize.vocab.verify.any_family import prove_any
from specialize.vocab.verify.claims import (
    SHOWN,
    Broken,
    Check,
    Claims,
    Source,
    Written,
    read_source,
)
from specialize.vocab.wordpiece.guard import allowed_changes
from specialize.vocab.wordpiece.model import is_slot


def prove(folder: Path, claims: Claims, source: Source | None = None) -> list[Check]:
    """Return the checks that the tokenizer in ``folder`` passes: all, or DataError names one.

    ``source``: what it was made from, where that has been read already.
    """
    try:
        source = source or read_source(Path(claims.source))
        if claims.olds:
            return prove_any(folder, claims, source.vocabulary)
        written = Written(folder, claims, source)
        return [check(written) for check in CHECKS if claims.guard or check is not _guard]
    except Broken as broken:
        raise DataError(f"{claims.source}: not written: check {broken}") from None
    except (DataError, MissingError) as error:
        raise DataError(f"{claims.source}: not written: check 'files': {error}") from None


Prover = Callable[[Path, Claims], list[Check]]


@contextmanager
def prover(source: Path) -> Iterator[Prover]:
    """Yield what does as ``prove``, once, in a fresh process, which reads ``source`` meanwhile."""
    package = str(Path(__file__).parents[3])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "specialize.vocab.verify.run", str(source)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
    )
    with process:
        try:
            yield partial(_prove_by, process)
        finally:
            process.kill()


def _prove_by(process: subprocess.Popen[str], folder: Path, claims: Claims) -> list[Check]:
    told, complaints = process.communicate(json.dumps([str(folder), asdict(claims)]))
    if process.returncode == DataError.exit_code:
        raise DataError(json.loads(told)["broken"])
    if process.returncode:
        last = (complaints.splitlines() or ["it said nothing"])[-1]
        raise SpecializeError(f"the proof ended with status {process.returncode}: {last}")
    return [Check(**check) for check in json.loads(told)]


def _ids(written: Written) -> Check:
    """Every id from 0 is one piece, in tokenizer.json and in vocab.txt."""
    at = dict(enumerate(written.new.pieces))
    for token in written.added:
        if at.setdefault(token["id"], token["content"]) != token["content"]:
            raise Broken(
                "ids", f"id {token['id']} is {at[token['id']]!r} and also {token['content']!r}"
            )
    if sorted(at) != list(range(len(at))) or len(set(at.values())) != len(at):
        raise Broken("ids", f"the {len(at)} pieces do not have the ids 0 to {len(at) - 1}")
    if tuple(written.plain) != written.new.pieces:
        raise Broken("ids", "vocab.txt has other pieces than tokenizer.json")
    if written.library.get_vocab_size() != len(at):
        size = written.library.get_vocab_size()
        raise Broken("ids", f"the tokenizers library finds {size} pieces, not {len(at)}")
    return Check("ids", "from 0 on, each piece once", {"pieces": len(at)})


def _special(written: Written) -> Check:
    """Special and added tokens have the ids they had."""
    before = {piece: written.old.ids[piece] for piece in (*written.old.special, written.old.unk)}
    before |= {token["content"]: token["id"] for token in written.added_before}
    now = {token["content"]: token["id"] for token in written.added}
    for token, at in before.items():
        found = (written.library.token_to_id(token), written.new.ids.get(token, now.get(token)))
        if found != (at, at):
            raise Broken("special", f"{token!r} had the id {at}, and now {found[0]}")
    return Check("special", "special tokens have the ids they had", {"tokens": len(before)})


def _kept(written: Written) -> Check:
    """Old pieces have their ids, but for slots, new ones those they were given; rules stay."""
    pieces, old, fresh = written.new.pieces, written.old.pieces, written.claims.fresh
    for name in ("rules", "prefix", "unk", "max_chars", "special"):
        before, now = getattr(written.old, name), getattr(written.new, name)
        if before != now:
            raise Broken("kept", f"{name} was {before}, and now is {now}")
    for piece, at in fresh.items():
        if written.new.ids.get(piece) != at:
            raise Broken("kept", f"piece {piece!r} has the id {written.new.ids.get(piece)}")
    taken = set(fresh.values())
    for at, piece in enumerate(old):
        if pieces[at : at + 1] != (piece,) and not (at in taken and is_slot(piece)):
            raise Broken("kept", f"piece {piece!r} has lost its id {at}")
    if len(pieces) != len({*range(len(old)), *taken}):
        raise Broken("kept", f"{len(pieces)} pieces, more than old and new ones")
    slots = sum(at < len(old) for at in taken)
    facts = {"old pieces": len(old) - slots, "slots taken": slots, "new pieces": len(fresh)}
    return Check("kept", "old pieces have their ids, but for slots taken", facts)


def _readers(written: Written) -> Check:
    """The library and our reader segment everything at hand alike."""
    claims = written.claims
    words = [word for some in claims.examples.values() for word in some]
    words += map(written.probe, claims.fresh)
    texts = {"tokens": claims.tokens, "guard words": [*claims.guard], "words of pieces": words}
    for kind, some in texts.items():
        for text, ids in zip(some, written.encoded(some), strict=True):
            if written.new.encode(text) != ids:
                theirs = [written.library.id_to_token(i) for i in ids]
                raise Broken("readers", f"{kind}: {text!r} is {theirs} to the tokenizers library")
    facts = {kind: len(some) for kind, some in texts.items()}
    return Check("readers", "the tokenizers library and this package segment alike", facts)


def _known(written: Written) -> Check:
    """No word of the sample is unknown now that was not."""
    words = [word for word in written.words if written.knew(word)]
    for word in words:
        if written.now(word) == [written.new.unk]:
            raise Broken("known", f"word {word!r} was {written.old.segment(word)}, now unknown")
    return Check("known", "no known word became unknown", {"words": len(words)})


def _guard(written: Written) -> Check:
    """The guard's known words are segmented as before, but for the budget.

    Words that are old pieces themselves need no look: what ``_kept`` found stays the longest match.
    """
    known = {word: n for word, n in written.claims.guard.items() if written.knew(word)}
    changed = {w: n for w, n in known.items() if written.now(w) != written.old.segment(w)}
    allowed = allowed_changes(written.claims.budget, sum(known.values()))
    if sum(changed.values()) > allowed:
        words = ", ".join(sorted(changed, key=lambda w: -changed[w])[:SHOWN])
        pieces = ", ".join(written.fresh_in(*changed)[:SHOWN])
        count = sum(changed.values())
        raise Broken("guard", f"pieces {pieces} change {count} occurrences of words: {words}")
    facts = {"words": len(known), "occurrences": sum(known.values()), "allowed": allowed}
    facts |= {"changed": sum(changed.values())}
    return Check("guard", "guarded words are segmented as before", facts)


def _decode(written: Written) -> Check:
    """The pieces of a word that is known, joined, are the word."""
    prefix = written.new.prefix
    known = [word for word in written.words if written.now(word) != [written.new.unk]]
    for word in known:
        first, *rest = written.now(word)
        if first + "".join(piece.removeprefix(prefix) for piece in rest) != word:
            raise Broken("decode", f"word {word!r} is {written.now(word)}, which is another")
    facts = {"words": len(known)}
    if written.decodes:
        encoded = [[written.new.ids[piece] for piece in written.now(word)] for word in known]
        decoded = written.library.decode_batch(encoded, skip_special_tokens=False)
        for word, text in zip(known, decoded, strict=True):
            if text != word:
                raise Broken("decode", f"word {word!r} is decoded as {text!r}")
        facts["by the library"] = len(known)
    return Check("decode", "pieces joined give the word back", facts)


def _reachable(written: Written) -> Check:
    """Each new piece can stand in a word, and does in those that it was given for."""
    never = 0
    for piece in written.claims.fresh:
        if reason := written.never(piece):
            raise Broken("reachable", f"piece {piece!r} can never be used: {reason}")
        words = written.claims.examples.get(piece, [])
        for word in words:
            if piece not in written.now(word):
                raise Broken("reachable", f"piece {piece!r} is not used in {word!r}")
        never += not words
    facts = {"pieces": len(written.claims.fresh), "never in the text": never}
    return Check("reachable", "new pieces are used in words of the text", facts)


CHECKS: tuple[Callable[[Written], Check], ...] = (
    _ids,
    _special,
    _kept,
    _reachable,
    _readers,
    _known,
    _guard,
    _decode,
)


def _main() -> int:
    source = None
    with suppress(DataError, MissingError):  # the proof finds them again
        source = read_source(Path(sys.argv[1]))
        source.vocabulary.words("\u00e9")  # so that the tables of its rules are made
    folder, claims = json.loads(sys.stdin.buffer.read())
    try:
        checks = prove(Path(folder), Claims(**claims), source)
    except DataError as error:
        print(json.dumps({"broken": str(error)}))
        return error.exit_code
    print(json.dumps([asdict(check) for check in checks]))
    return 0


if __name__ == "__main__":
    raise SystemExit(_main())
