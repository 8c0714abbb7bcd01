"""The families of vocabularies behind one door: opened, counted in, audited and written alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from specialize.errors import DataError
from specialize.vocab.audit.audit import Audit, audit, audit_opened
from specialize.vocab.bpe.model import BPE
from specialize.vocab.counting.by_library import open_library, other_file
from specialize.vocab.counting.words import Text, count_words
from specialize.vocab.formats.renumber import renumbered_config
from specialize.vocab.formats.sentencepiece import lowest_score, write_sentencepiece
from specialize.vocab.formats.tiktoken import is_ranks, write_ranks
from specialize.vocab.formats.tokenizer_json import (
    CONFIG,
    find_wordpiece,
    has_bert_rules,
    load_config,
    vocabulary_file,
    wordpiece_of,
    write_json,
    write_wordpiece,
)
from specialize.vocab.piece_text import Speller, visible
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import WordPiece

AnyVocabulary = WordPiece | BPE | Unigram
_FAIRSEQ = "sentencepiece.bpe.model"  # so transformers names those that are numbered anew
_FAMILIES: dict[str, type[BPE] | type[Unigram]] = {"BPE": BPE, "Unigram": Unigram}


def read_vocabulary(path: Path) -> AnyVocabulary:
    """Return the vocabulary of a directory or file: tokenizer.json, vocab.txt, GPT-2's two files, a
    SentencePiece model or tiktoken's ranks.

    DataError where it is of no family that can be extended, or damaged.
    """
    other = other_file(path)
    if not other and (wordpiece := find_wordpiece(path)):
        return wordpiece
    if other and path.is_dir() and other.name == _FAIRSEQ:
        raise DataError(
            f"{other}:1: a model beside it (XLM-R, mBART, ...) counts pieces otherwise than this "
            "file; write the tokenizer.json first, AutoTokenizer.from_pretrained(folder)"
            ".save_pretrained(folder), or name the file itself for its own ids"
        )
    file = other or vocabulary_file(path)
    return _of(json.loads(open_library(file).to_str()), str(file))


def vocabulary_of(tokenizer: Any) -> AnyVocabulary:
    """Return the vocabulary of a live fast tokenizer, the tokenizers library's or transformers'."""
    backend = getattr(tokenizer, "backend_tokenizer", tokenizer)
    described, name = json.loads(backend.to_str()), type(tokenizer).__name__
    if has_bert_rules(described, Path(name)):
        return wordpiece_of(described, Path(name))
    return _of(described, name)


def _of(described: dict[str, Any], source: str) -> BPE | Unigram:
    kind = described["model"]["type"]
    family = _FAMILIES.get(kind)
    if kind == "WordPiece":
        wordpiece_of(described, Path(source))  # says which rule, or added token, is another
    if family is None:
        raise DataError(
            f"{source}:1: a {kind} tokenizer with other rules than BERT's; WordPiece with BERT's "
            "rules, BPE and Unigram can be extended"
        )
    return family(described, source=source)


def words_of(vocabulary: AnyVocabulary, text: Text) -> Mapping[str, int]:
    """Return how often each pre-tokenised word occurs in ``text``, in order of first occurrence."""
    if isinstance(vocabulary, WordPiece):
        return count_words(text, vocabulary.rules)
    return vocabulary.count_words(text)


def audit_vocabulary(vocabulary: AnyVocabulary, text: Text) -> Audit:
    """Return the audit of ``text``."""
    if isinstance(vocabulary, WordPiece):
        return audit(vocabulary, text)
    return audit_opened(vocabulary.tokenizer, text, Path(vocabulary.source))


def piece_reader(vocabulary: AnyVocabulary) -> Callable[[str], str]:
    """Return the function that shows a piece as people read it, in one line: bytes as text."""
    if isinstance(vocabulary, WordPiece):
        return visible
    shown = Speller(vocabulary.tokenizer).shown
    return lambda piece: visible(shown(piece))


def write_vocabulary(
    vocabulary: AnyVocabulary, folder: Path | str, *, source: Path | None = None
) -> None:
    """Write ``vocabulary`` to ``folder`` so that every reader finds the same there.

    tokenizer.json and tokenizer_config.json; vocab.txt for a WordPiece, vocab.json and merges.txt
    for a byte-level BPE. Settings are those of ``source`` (where the vocabulary came from).
    """
    if isinstance(vocabulary, WordPiece):
        write_wordpiece(vocabulary, folder, source=source)
    else:
        write_fast(vocabulary, Path(folder), source=source)


def write_fast(vocabulary: BPE | Unigram, folder: Path, *, source: Path | None) -> None:
    """Write tokenizer.json and tokenizer_config.json of a BPE or Unigram, and what it came as.

    That is GPT-2's two files, a SentencePiece model or tiktoken's ranks; tokenizer.json then says
    what is read of these, so that there are no two tokenizers in one folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    home = source if source is None or source.is_dir() else source.parent
    config = (load_config(home) if home else {}) or _config(vocabulary)
    config.pop("auto_map", None)  # the class is none of someone's code any more
    config = renumbered_config(config, vocabulary.ids)
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    other = other_file(source) if source else None
    made = _write_other(vocabulary, folder, other) if other else None
    described = json.loads(open_library(made).to_str()) if made else vocabulary.described
    write_json(folder / "tokenizer.json", described, indent=None)
    write_json(folder / CONFIG, config, indent=1)


def _write_other(vocabulary: BPE | Unigram, folder: Path, other: Path) -> Path | None:
    """Write the file that ``other`` is with the new pieces, and return where.

    None for GPT-2's files, which hold no rules, and where pieces have gone or moved.
    """
    made = folder / other.name
    if made.name in ("vocab.json", "merges.txt"):
        model = vocabulary.described["model"]
        write_json(folder / "vocab.json", model["vocab"], indent=None)
        merges = "".join(f"{left} {right}\n" for left, right in model["merges"])
        (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}", "utf-8")
        return None
    before = read_vocabulary(other)
    size = len(before.pieces)
    if vocabulary.pieces[:size] != before.pieces:
        return None
    fresh = vocabulary.pieces[size:]
    if is_ranks(other):
        write_ranks(other, fresh, made)
    elif isinstance(vocabulary, Unigram):
        write_sentencepiece(other, [(piece, vocabulary.scores[piece]) for piece in fresh], made)
    else:
        lowest = lowest_score(other)
        write_sentencepiece(other, [(p, lowest - 1 - i) for i, p in enumerate(fresh)], made)
    return made


def _config(vocabulary: BPE | Unigram) -> dict[str, Any]:
    """Return the special tokens under transformers' names, as far as they are known by theirs."""
    named = _NAMED | (dict.fromkeys(("bos", "eos"), _GPT2) if _GPT2 in vocabulary.special else {})
    found = {f"{k}_token": v for k, v in named.items() if v in vocabulary.special}
    return found | ({"unk_token": vocabulary.unk} if vocabulary.unk else {})


_GPT2 = "<|endoftext|>"
_NAMED = {"bos": "<s>", "eos": "</s>", "pad": "<pad>", "mask": "<mask>"}
