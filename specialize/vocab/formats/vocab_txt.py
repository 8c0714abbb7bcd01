"""A bare vocab.txt, read with BERT's rules, and BERT's settings for a vocabulary without any."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from specialize.errors import DataError
from specialize.vocab.formats.json_files import CONFIG, Json, read_text
from specialize.vocab.settings import (
    ADDED,
    GENERIC,
    Settings,
    content,
    declared_names,
    undeclared,
)
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules

_SPACE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_NAMES = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
UNCASED = (
    "{file} has no capital letters and no setting do_lower_case: it is read as uncased, letters "
    "lower-cased{accents}; set do_lower_case in tokenizer_config.json if that is wrong"
)


def read_plain(file: Path, settings: Settings) -> tuple[Json, Settings]:
    """Return the tokenizer.json of a vocab.txt as BERT's tokenizer reads it, and its settings.

    White space behind a piece is no part of it. Without do_lower_case in tokenizer_config.json, a
    vocabulary without capital letters is uncased; the settings note it.
    """
    lines = read_text(file).split("\n")
    pieces = [line.rstrip(_SPACE) for line in (lines[:-1] if not lines[-1] else lines)]
    if pieces and pieces[0].startswith("\ufeff"):
        raise DataError(
            f"{file}:1: a byte order mark before the first piece, {pieces[0][1:]!r}; save the file "
            "as UTF-8 without it"
        )
    config = settings.config
    lowercase = config.get("do_lower_case")
    strip = config.get("strip_accents")
    if lowercase is None and _has_no_capitals(pieces):
        lowercase, strip = True, not _has_accents(pieces) if strip is None else strip
        accents = ", accents stripped" if strip else ""
        settings = settings.noted(UNCASED.format(file=file, accents=accents))
    rules = BertRules(
        ideographs=bool(config.get("tokenize_chinese_chars", True)),
        strip_accents=bool(lowercase if strip is None else strip),
        lowercase=bool(lowercase),
    )
    ids = {piece: i for i, piece in enumerate(pieces)}
    if not all(pieces) or len(ids) != len(pieces):
        name_fault(pieces, file)
    described = _described_plain(ids, rules, settings)
    if token := undeclared(settings, described):
        _refuse_declared(token, file, settings)
    return described, replace(settings, config=bert_config(rules, ids) | config)


def _refuse_declared(token: str, file: Path, settings: Settings) -> None:
    """Raise DataError: a token that is declared beside ``file`` is not a piece in it."""
    if token in settings.files.get(ADDED, {}):
        raise DataError(
            f"{file.parent / ADDED}:1: 1 tokens, such as {token!r}, are not in the vocabulary; "
            f"append them to {file.name} in the order of their ids, as pieces, and delete this file"
        )
    raise DataError(
        f"{file.parent / CONFIG}:1: {token!r} is not in {file.name} as declared; name the class, "
        '"tokenizer_class": "BertTokenizer", so that transformers says how it is read'
    )


def _described_plain(ids: Mapping[str, int], rules: BertRules, settings: Settings) -> Json:
    """Return the tokenizer.json of the pieces of a vocab.txt."""
    config = settings.config
    names = {kind: content(config.get(f"{kind}_token")) or _NAMES[kind] for kind in _NAMES}
    table = {t["content"]: t for t in (config.get("added_tokens_decoder") or {}).values()}
    special = dict.fromkeys([*names.values(), *table, *declared_names(settings), *SPECIAL])
    described = _bert_json(ids, rules, special, cls=names["cls"], sep=names["sep"])
    described["added_tokens"] = [t | table.get(t["content"], {}) for t in described["added_tokens"]]
    described["model"] |= {"unk_token": names["unk"], "vocab": ids}
    return described


def _has_no_capitals(pieces: Sequence[str]) -> bool:
    letters = set("".join(piece for piece in pieces if not piece.startswith("[")))
    return any(c.islower() for c in letters) and all(c.lower() == c for c in letters)


def _has_accents(pieces: Sequence[str]) -> bool:
    marks = (unicodedata.normalize("NFD", c) for c in set("".join(pieces)))
    return any(unicodedata.category(c) == "Mn" for parts in marks for c in parts)


def name_fault(pieces: Sequence[str], file: Path) -> None:
    """Raise DataError at the first piece that is empty or a duplicate."""
    first: dict[str, int] = {}
    for number, piece in enumerate(pieces, 1):
        if not piece:
            raise DataError(f"{file}:{number}: empty piece")
        if first.setdefault(piece, number) != number:
            raise DataError(
                f"{file}:{number}: duplicate piece {piece!r}, first on line {first[piece]}"
            )


# BERT's settings ------------------------------------------------------------------------------


def made_json(vocabulary: WordPiece) -> Json:
    """Return BERT's tokenizer.json with the settings of a vocabulary made from pieces alone."""
    described = _bert_json(vocabulary.ids, vocabulary.rules, vocabulary.special)
    described["decoder"] |= {"prefix": vocabulary.prefix}
    described["model"] |= {
        "unk_token": vocabulary.unk,
        "continuing_subword_prefix": vocabulary.prefix,
        "max_input_chars_per_word": vocabulary.max_chars,
    }
    return described


def bert_config(rules: BertRules, ids: Mapping[str, int]) -> Json:
    """Return the settings of BERT, for a vocabulary that has none."""
    names = {f"{kind}_token": piece for kind, piece in _NAMES.items() if piece in ids}
    generic = {"tokenizer_class": GENERIC[0], "model_max_length": 512}
    return generic | {"do_lower_case": rules.lowercase} | names


def _bert_json(
    ids: Mapping[str, int],
    rules: BertRules,
    special: Iterable[str],
    *,
    cls: str = "[CLS]",
    sep: str = "[SEP]",
) -> Json:
    """Return BERT's tokenizer.json, without its pieces."""
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    tokens = [{"id": ids[s], "content": s, **flags, "special": True} for s in special if s in ids]
    post = {"type": "BertProcessing", "sep": [sep, ids.get(sep)], "cls": [cls, ids.get(cls)]}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": sorted(tokens, key=lambda token: token["id"]),
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": rules.clean,
            "handle_chinese_chars": rules.ideographs,
            "strip_accents": rules.strip_accents,
            "lowercase": rules.lowercase,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": post if cls in ids and sep in ids else None,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {},
        },
    }
