"""Our tools: each takes a job, loads what it needs, and returns the work to measure."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from pathlib import Path

from counting.jobs import Job, serve
from specialize import native
from specialize.corpus import open_corpus
from specialize.vocab.audit.audit import audit
from specialize.vocab.counting.words import count_words
from specialize.vocab.formats.tokenizer_json import read_wordpiece
from specialize.vocab.train.byte_pairs import train_wordpiece
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.wordpiece.replacements import Replacements, count_replacements

Work = Callable[[], dict[str, int]]


def floor(job: Job) -> Work:
    """The table of token types alone, a lower bound for the others."""

    def work() -> dict[str, int]:
        tokens = native.TokenCounts()
        with (
            open(job.text, "rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
            memoryview(data) as view,
        ):
            tokens.feed(view, whole=True)
        return {"types": len(tokens)}

    return work


def full_audit(job: Job) -> Work:
    vocabulary = _loaded(job.vocabulary)

    def work() -> dict[str, int]:
        found = audit(vocabulary, open_corpus(job.text))
        return {"pieces": found.pieces, "unknown": found.unknown_pieces}

    return work


def selection(job: Job) -> Work:
    """The 99 pieces of a given new vocabulary that replace the most unknowns, all words counted."""
    old, new = _loaded(job.vocabulary), _loaded(job.trained)

    def work() -> dict[str, int]:
        words = count_words(open_corpus(job.text))
        return _chosen(count_replacements(words, old, new, overall=False), old)

    return work


def _chosen(found: Replacements, old: WordPiece) -> dict[str, int]:
    return {"replaced": sum(found.replaced.values()), "chosen": len(found.ranked(old)[:99])}


def training(job: Job) -> Work:
    """Training a vocabulary of 5,000 pieces from the file."""

    def work() -> dict[str, int]:
        words = count_words(open_corpus(job.text))
        return {"trained": len(train_wordpiece(words, size=5_000, special=SPECIAL))}

    return work


def _loaded(folder: str) -> WordPiece:
    vocabulary = read_wordpiece(Path(folder))
    if native.core():
        _ = vocabulary.handle
    return vocabulary


TOOLS = {
    "floor": floor,
    "audit": full_audit,
    "selection": selection,
    "python": full_audit,  # the reference implementation, with SPECIALIZE_NATIVE=0
    "training": training,
}

if __name__ == "__main__":
    serve(TOOLS)
