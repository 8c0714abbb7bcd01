"""WordPiece vocabularies as files: reads a folder, tokenizer.json or vocab.txt; writes both.

Under transformers 5 a saved tokenizer has no vocab.txt, and classes such as ``BertTokenizer`` drop
custom rules on loading; so tokenizer.json is edited in place, the class is
``PreTrainedTokenizerFast`` (which keeps all rules), and vocab.txt is written for other readers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from specialize.errors import DataError, MissingError
from specialize.vocab.formats.json_files import CONFIG, Json, load_json, read_text, write_json
from specialize.vocab.formats.renumber import renumbered, renumbered_config
from specialize.vocab.wordpiece.model import WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules


def read_wordpiece(path: Path) -> WordPiece:
    """Return the WordPiece vocabulary of a directory, a tokenizer.json or a vocab.txt.

    A bare vocab.txt is read as cased, with BERT's defaults, unless tokenizer_config.json says
    otherwise. MissingError if there is no file, DataError if it is not a WordPiece.
    """
    file = vocabulary_file(path)
    if file.suffix == ".json":
        return wordpiece_of(load_json(file), file)
    lines = read_text(file).split("\n")
    pieces = lines[:-1] if lines and not lines[-1] else lines
    lowercase = bool(load_config(file.parent).get("do_lower_case"))
    return _build(pieces, file, rules=BertRules(strip_accents=lowercase, lowercase=lowercase))


def find_wordpiece(path: Path) -> WordPiece | None:
    """Return the WordPiece vocabulary at ``path``, None if it is not one with BERT's rules.

    None too if it has added tokens, since these are matched in the text first.
    """
    file = vocabulary_file(path)
    if file.suffix != ".json":
        return read_wordpiece(path)
    described = load_json(file)
    return wordpiece_of(described, file) if has_bert_rules(described, file) else None


def has_bert_rules(described: Json, file: Path) -> bool:
    """Return whether a tokenizer.json is a WordPiece with BERT's rules, without tokens added."""
    parts = [_part(described, name, file) for name in ("model", "normalizer", "pre_tokenizer")]
    types = tuple(part.get("type") for part in parts)
    if types != ("WordPiece", "BertNormalizer", "BertPreTokenizer"):
        return False
    return not _foreign_token(described, file)


def vocabulary_file(path: Path) -> Path:
    """Return the file with the pieces: tokenizer.json, else vocab.txt."""
    if path.is_file():
        return path
    for name in ("tokenizer.json", "vocab.txt"):
        if (path / name).is_file():
            return path / name
    where = "holds no tokenizer.json or vocab.txt" if path.is_dir() else "is not there"
    raise MissingError(
        f"{path}: {where}; name a tokenizer's folder or file (also .model, .tiktoken, merges.txt)"
    )


def write_wordpiece(
    vocabulary: WordPiece, folder: Path | str, *, source: Path | None = None
) -> None:
    """Write tokenizer.json, tokenizer_config.json and vocab.txt of ``vocabulary`` to ``folder``.

    Post-processor, added tokens and settings are those of ``source`` (a directory or file the
    vocabulary came from) if it has them, otherwise BERT's, with the ids of ``vocabulary``.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    described = describe_wordpiece(vocabulary, source=source)
    config = load_config(vocabulary_file(source).parent) if source else {}
    config = renumbered_config(config, vocabulary.ids)
    config = _bert_config(vocabulary) | config | {"tokenizer_class": "PreTrainedTokenizerFast"}
    write_json(folder / "tokenizer.json", described, indent=None)  # fast for 100,000 pieces
    write_json(folder / CONFIG, config, indent=1)
    (folder / "vocab.txt").write_text("".join(p + "\n" for p in vocabulary.pieces), "utf-8")


def describe_wordpiece(vocabulary: WordPiece, *, source: Path | None = None) -> Json:
    """Return the tokenizer.json of ``vocabulary``; all else is as in ``source``, or BERT's."""
    file = vocabulary_file(source) if source else None
    described = load_json(file) if file and file.suffix == ".json" else _bert_json(vocabulary)
    described["model"]["vocab"] = dict(vocabulary.ids)
    return renumbered(described, vocabulary.ids)


def wordpiece_of(described: Json, file: Path) -> WordPiece:
    """Return the WordPiece that a tokenizer.json describes; ``file`` is for the messages."""
    model, rules = _part(described, "model", file), _part(described, "normalizer", file)
    if model.get("type") != "WordPiece":
        raise DataError(f"{file}:1: expected a WordPiece tokenizer, got {model.get('type')}")
    if rules.get("type") != "BertNormalizer":
        raise DataError(f"{file}:1: expected a BertNormalizer, got {rules.get('type')}")
    _require(model, "model", _MODEL_KEYS, file)
    _require(rules, "normalizer", _RULE_KEYS, file)
    ids: Mapping[str, int] = _part(model, "vocab", file)
    if token := _foreign_token(described, file):
        raise DataError(
            f"{file}:1: expected special pieces of the vocabulary as added tokens, got {token!r}; "
            "take it out of added_tokens"
        )
    pieces = list(ids)
    if list(ids.values()) != list(range(len(ids))):
        pieces.sort(key=ids.__getitem__)
        if [ids[p] for p in pieces] != list(range(len(pieces))):
            raise DataError(f"{file}:1: expected the ids 0 to {len(pieces) - 1}, each once")
    lowercase = bool(rules["lowercase"])
    strip = rules.get("strip_accents")
    return _build(
        pieces,
        file,
        unk=model["unk_token"],
        prefix=model["continuing_subword_prefix"],
        max_chars=model["max_input_chars_per_word"],
        rules=BertRules(
            clean=rules["clean_text"],
            ideographs=rules["handle_chinese_chars"],
            strip_accents=lowercase if strip is None else strip,
            lowercase=lowercase,
        ),
        special=[token["content"] for token in _added(described, file)],
    )


def _part(described: Json, name: str, file: Path) -> Json:
    """Return an object within a JSON object, {} if it is null or missing."""
    part = described.get(name) or {}
    if not isinstance(part, dict):
        raise DataError(f"{file}:1: {name}: expected an object, got a {type(part).__name__}")
    return part


def _added(described: Json, file: Path) -> list[Json]:
    tokens = described.get("added_tokens") or []
    if not isinstance(tokens, list) or not all(map(_is_token, tokens)):
        raise DataError(f"{file}:1: added_tokens: expected a list of objects with content")
    return tokens


def _is_token(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("content"), str)


def _foreign_token(described: Json, file: Path) -> str:
    """Return an added token that is not a special piece of the vocabulary, or ""."""
    pieces = _part(_part(described, "model", file), "vocab", file)
    foreign = (
        token["content"]
        for token in _added(described, file)
        if not token.get("special") or token["content"] not in pieces
    )
    return next(foreign, "")


def _build(pieces: Sequence[str], file: Path, **settings: Any) -> WordPiece:
    if not all(pieces) or len(set(pieces)) != len(pieces):
        _name_fault(pieces, file)
    try:
        return WordPiece(pieces, **settings)
    except DataError as error:
        raise DataError(f"{file}:1: {error}") from None


def _name_fault(pieces: Sequence[str], file: Path) -> None:
    """Raise DataError at the first piece that is empty or a duplicate."""
    first: dict[str, int] = {}
    for number, piece in enumerate(pieces, 1):
        if not piece:
            raise DataError(f"{file}:{number}: empty piece")
        if first.setdefault(piece, number) != number:
            raise DataError(
                f"{file}:{number}: duplicate piece {piece!r}, first on line {first[piece]}"
            )


_MODEL_KEYS = ("vocab", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word")
_RULE_KEYS = ("clean_text", "handle_chinese_chars", "lowercase")


def _require(table: Json, name: str, keys: Sequence[str], file: Path) -> None:
    for key in keys:
        if key not in table:
            raise DataError(f"{file}:1: {name}.{key} is missing; is this a whole tokenizer?")


def _bert_json(vocabulary: WordPiece) -> Json:
    rules = vocabulary.rules
    special = [
        {"id": vocabulary.ids[s], "content": s, "single_word": False, "lstrip": False}
        | {"rstrip": False, "normalized": False, "special": True}
        for s in vocabulary.special
    ]
    framed = "[CLS]" in vocabulary.ids and "[SEP]" in vocabulary.ids
    post = {
        "type": "BertProcessing",
        "sep": ["[SEP]", vocabulary.ids.get("[SEP]")],
        "cls": ["[CLS]", vocabulary.ids.get("[CLS]")],
    }
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": sorted(special, key=lambda token: token["id"]),
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": rules.clean,
            "handle_chinese_chars": rules.ideographs,
            "strip_accents": rules.strip_accents,
            "lowercase": rules.lowercase,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": post if framed else None,
        "decoder": {"type": "WordPiece", "prefix": vocabulary.prefix, "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": vocabulary.unk,
            "continuing_subword_prefix": vocabulary.prefix,
            "max_input_chars_per_word": vocabulary.max_chars,
            "vocab": {},
        },
    }


def _bert_config(vocabulary: WordPiece) -> Json:
    named = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    tokens = {f"{k}_token": v for k, v in named.items() if v in vocabulary.ids}
    return {"model_max_length": 512, "do_lower_case": vocabulary.rules.lowercase, **tokens}


def load_config(folder: Path) -> Json:
    """Return the tokenizer_config.json in ``folder``, {} if there is none."""
    if not (file := folder / CONFIG).is_file():
        return {}
    config = load_json(file)
    table = _part(config, "added_tokens_decoder", file)
    if not all(map(str.isdecimal, table)) or not all(map(_is_token, table.values())):
        raise DataError(f"{file}:1: added_tokens_decoder: expected a table of ids and tokens")
    return config
