"""WordPiece vocabularies as files: tokenizer.json read, both it and vocab.txt written.

A tokenizer.json is edited, not built anew, so that all its rules are kept; vocab.txt is written
too, for other readers (transformers 5 does not save it).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from specialize.errors import DataError, MissingError
from specialize.vocab.formats.json_files import Json, load_json, write_json
from specialize.vocab.formats.renumber import renumbered
from specialize.vocab.formats.vocab_txt import bert_config, made_json, name_fault, read_plain
from specialize.vocab.settings import Settings, read_settings, write_settings
from specialize.vocab.wordpiece.by_library import LibraryWordPiece
from specialize.vocab.wordpiece.model import WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules


def read_wordpiece(path: Path) -> WordPiece:
    """Return the WordPiece vocabulary of a directory, a tokenizer.json or a vocab.txt.

    A vocab.txt is read with BERT's rules and the settings of the tokenizer_config.json beside it.
    MissingError if there is no file, DataError if it is not a WordPiece.
    """
    file, settings = vocabulary_file(path), read_settings(path)
    if file.suffix == ".json":
        return wordpiece_of(load_json(file), file, settings)
    described, settings = read_plain(file, settings)
    return wordpiece_of(described, file, settings)


def model_type(described: Json, file: Path) -> str:
    """Return the type of the model of a tokenizer.json, "" if it names none."""
    return str(_part(described, "model", file).get("type") or "")


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
) -> list[str]:
    """Write the files of ``vocabulary`` to ``folder``; return their names.

    Post-processor, added tokens and settings are those that the vocabulary carries; if it was made
    in memory, those of ``source``, a directory or file, or BERT's.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    settings = vocabulary.settings
    if source and not (settings and settings.read):
        settings = read_wordpiece(source).settings
    described = describe_wordpiece(vocabulary, settings)
    if settings is None:
        settings = Settings(bert_config(vocabulary.rules, vocabulary.ids))
    write_json(folder / "tokenizer.json", described, indent=None)  # fast for 100,000 pieces
    (folder / "vocab.txt").write_text("".join(p + "\n" for p in vocabulary.pieces), "utf-8")
    return ["tokenizer.json", *write_settings(settings, folder, vocabulary.ids), "vocab.txt"]


def describe_wordpiece(vocabulary: WordPiece, settings: Settings | None = None) -> Json:
    """Return the tokenizer.json of ``vocabulary``, all else as in its settings, or BERT's."""
    settings = settings or vocabulary.settings
    described = settings.tokenizer if settings else made_json(vocabulary)
    model = described["model"] | {"vocab": dict(vocabulary.ids)}
    return renumbered(described | {"model": model}, vocabulary.ids)


# tokenizer.json -----------------------------------------------------------------------------------


def wordpiece_of(described: Json, file: Path, settings: Settings | None = None) -> WordPiece:
    """Return the WordPiece that a tokenizer.json describes; ``file`` is for the messages.

    One with other rules than BERT's, or with added tokens that are no special pieces, is segmented
    by the tokenizers library, and its settings note that.
    """
    model = _part(described, "model", file)
    if model.get("type") != "WordPiece":
        raise DataError(f"{file}:1: expected a WordPiece tokenizer, got {model.get('type')}")
    _require(model, "model", _MODEL_KEYS, file)
    settings = settings or Settings()
    if not has_bert_rules(described, file):
        return _by_library(described, file, settings)
    rules = _part(described, "normalizer", file)
    _require(rules, "normalizer", _RULE_KEYS, file)
    ids: Mapping[str, int] = _part(model, "vocab", file)
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
        special=[token["content"] for token in added_tokens(described, file)],
        settings=settings.described(described).opened(pieces),
    )


def _by_library(described: Json, file: Path, settings: Settings) -> WordPiece:
    what = ", ".join(_other_rules(described, file))
    note = f"{file}: a WordPiece with other rules than BERT's ({what}): segmented by the library"
    return LibraryWordPiece(described, source=str(file), settings=settings.noted(note))


def _other_rules(described: Json, file: Path) -> Iterator[str]:
    """Yield what a WordPiece has other than BERT's."""
    for name in ("normalizer", "pre_tokenizer"):
        kind = _part(described, name, file).get("type", "none")
        if not kind.startswith("Bert"):
            yield f"{name} {kind}"
    if token := _foreign_token(described, file):
        yield f"added token {token!r}"


def _part(described: Json, name: str, file: Path) -> Json:
    """Return an object within a JSON object, {} if it is null or missing."""
    part = described.get(name) or {}
    if not isinstance(part, dict):
        raise DataError(f"{file}:1: {name}: expected an object, got a {type(part).__name__}")
    return part


def added_tokens(described: Json, file: Path) -> list[Json]:
    """Return the added tokens of a tokenizer.json; DataError if they are no tokens."""
    tokens = described.get("added_tokens") or []
    if not isinstance(tokens, list) or not all(map(_is_token, tokens)):
        raise DataError(f"{file}:1: added_tokens: expected a list of objects with content")
    return tokens


def _is_token(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("content"), str)


def _foreign_token(described: Json, file: Path) -> str:
    """Return an added token that is matched unlike a special piece of the vocabulary, or ""."""
    pieces = _part(_part(described, "model", file), "vocab", file)
    foreign = (
        token["content"]
        for token in added_tokens(described, file)
        if not token.get("special")
        or token["content"] not in pieces
        or token.get("single_word")
        or token.get("normalized")
    )
    return next(foreign, "")


def _build(pieces: Sequence[str], file: Path, **settings: Any) -> WordPiece:
    if not all(pieces) or len(set(pieces)) != len(pieces):
        name_fault(pieces, file)
    try:
        return WordPiece(pieces, **settings)
    except DataError as error:
        raise DataError(f"{file}:1: {error}") from None


_MODEL_KEYS = ("vocab", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word")
_RULE_KEYS = ("clean_text", "handle_chinese_chars", "lowercase")


def _require(table: Json, name: str, keys: Sequence[str], file: Path) -> None:
    for key in keys:
        if key not in table:
            raise DataError(f"{file}:1: {name}.{key} is missing; is this a whole tokenizer?")
