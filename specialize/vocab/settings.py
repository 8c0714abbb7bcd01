"""What belongs to a tokenizer's folder besides its pieces: read once, carried along, written back.

Names of special tokens, flags, chat templates, the class and the ids of a model's configuration.
A vocabulary opened from a folder, or from a live tokenizer, carries these as its ``settings``, and
so does every vocabulary made from it. Nothing is guessed when it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from specialize.errors import DataError
from specialize.vocab.formats.json_files import CONFIG, Json, load_json, read_text, write_json
from specialize.vocab.formats.renumber import moved_ids, renumbered_config

ADDED, NAMES, GENERATION = "added_tokens.json", "special_tokens_map.json", "generation_config.json"
MODEL = "config.json"
_TEXTS = ("chat_template.jinja", "additional_chat_templates/*.jinja")
GENERIC = ("PreTrainedTokenizerFast", "TokenizersBackend", "PreTrainedTokenizer")
_FLAGS = ("special", "lstrip", "rstrip", "normalized", "single_word")


@dataclass(frozen=True)
class Settings:
    """The settings of a tokenizer, as its folder has them."""

    config: Json = field(default_factory=dict)  # tokenizer_config.json
    files: Mapping[str, Any] = field(default_factory=dict)  # by name: objects, texts of templates
    model: Json = field(default_factory=dict)  # config.json, which is only read
    tokenizer: Json = field(default_factory=dict)  # tokenizer.json without its pieces, if known
    origin: Path | None = None  # the folder or file that was opened
    other: Path | None = None  # the file of another format that was read, such as a .model
    live: Any = None  # the tokenizer in memory that was opened
    pieces: Sequence[str] = ()  # the pieces at that time, in the order of their ids
    notes: tuple[str, ...] = ()  # what a user should know about how it was read

    @property
    def read(self) -> bool:
        """Whether they are those of a folder, a file or a live tokenizer."""
        return self.origin is not None or self.live is not None

    @property
    def class_name(self) -> str:
        """Return the class of transformers that the folder names, "" if it names none."""
        return self.config.get("tokenizer_class") or self.model.get("tokenizer_class") or ""

    @property
    def names_class(self) -> bool:
        """Whether transformers has a class for the folder, by its name or the model's type."""
        return bool(self.class_name or self.model.get("model_type"))

    def described(self, tokenizer: Json) -> Settings:
        """Return the settings with a tokenizer.json, of which the pieces are left out."""
        bare = tokenizer | {"model": tokenizer["model"] | {"vocab": {}}}
        return replace(self, tokenizer=bare)

    def opened(self, pieces: Sequence[str]) -> Settings:
        """Return the settings of a vocabulary with ``pieces``."""
        return replace(self, pieces=pieces)

    def noted(self, note: str) -> Settings:
        """Return the settings with one more note."""
        return replace(self, notes=(*self.notes, note))


def read_settings(path: Path) -> Settings:
    """Return the settings of a folder, or of the folder of a file; DataError if one is damaged."""
    folder = path if path.is_dir() else path.parent
    config = load_config(folder)
    files: dict[str, Any] = {}
    for name in (NAMES, ADDED, GENERATION):
        if (file := folder / name).is_file():
            files[name] = load_json(file)
    for pattern in _TEXTS:
        for file in sorted(folder.glob(pattern)):
            files[str(file.relative_to(folder))] = read_text(file)
    model = load_json(folder / MODEL) if (folder / MODEL).is_file() else {}
    return Settings(config, files, model, origin=path)


def write_settings(settings: Settings, folder: Path, ids: Mapping[str, int]) -> list[str]:
    """Write all but the tokenizer itself for a vocabulary of ``ids``; return the names.

    DataError if a new piece would get an id that the model's configuration uses already.
    """
    _check_reserved(settings, ids)
    config = {name: value for name, value in settings.config.items() if name != "auto_map"}
    config = renumbered_config(config, ids)  # transformers' own class reads the files
    if not config.get("tokenizer_class") and not settings.model.get("model_type"):
        config["tokenizer_class"] = settings.class_name or GENERIC[0]
    elif not config.get("tokenizer_class") and settings.class_name:
        config["tokenizer_class"] = settings.class_name
    write_json(folder / CONFIG, config, indent=1)
    for name, value in settings.files.items():
        file = folder / name
        if isinstance(value, str):
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(value.encode("utf-8"))
            continue
        if name == ADDED:
            value = {token: ids.get(token, at) for token, at in value.items()}
        elif name == GENERATION:
            value = moved_ids(value, settings.pieces, ids)
        write_json(file, value, indent=1)
    return [CONFIG, *settings.files]


def load_config(folder: Path) -> Json:
    """Return the tokenizer_config.json in ``folder``, {} if there is none."""
    if not (file := folder / CONFIG).is_file():
        return {}
    config = load_json(file)
    table = config.get("added_tokens_decoder") or {}
    fine = isinstance(table, dict) and all(map(str.isdecimal, table))
    if not fine or not all(map(_is_token, table.values())):
        raise DataError(f"{file}:1: added_tokens_decoder: expected a table of ids and tokens")
    return config


# What the settings declare ------------------------------------------------------------------------


def undeclared(settings: Settings, described: Json) -> str:
    """Return a token that the settings declare otherwise than a tokenizer.json, or "".

    transformers adds such tokens on loading: the file alone is not the tokenizer that users open.
    """
    listed = described.get("added_tokens") or ()
    added = {content(token): token for token in listed if isinstance(token, dict)}
    for at, token in (settings.config.get("added_tokens_decoder") or {}).items():
        known = added.get(token["content"])
        if known is None or known.get("id") != int(at):
            return str(token["content"])
        if any(known.get(flag) != token.get(flag, known.get(flag)) for flag in _FLAGS):
            return str(token["content"])
    for token, at in settings.files.get(ADDED, {}).items():
        if _id_of(token, described, added) != at:
            return str(token)
    names = (name for name in declared_names(settings) if name not in added)
    return next(names, "")


def _id_of(token: str, described: Json, added: Mapping[str, Json]) -> Any:
    if token in added:
        return added[token].get("id")
    vocab = described["model"]["vocab"]
    pieces = vocab if isinstance(vocab, dict) else {piece: i for i, (piece, _) in enumerate(vocab)}
    return pieces.get(token)


def declared_names(settings: Settings) -> Iterator[str]:
    """Yield the special tokens that the settings name."""
    tables = [settings.config, settings.files.get(NAMES, {})]
    for name, value in (item for table in tables for item in table.items()):
        if name.endswith("_token") and (token := content(value)):
            yield token
        if name in ("additional_special_tokens", "extra_special_tokens"):
            listed = value.values() if isinstance(value, dict) else value or ()
            yield from filter(None, map(content, listed))


def content(token: Any) -> str:
    """Return the text of a token, which is a string or an object with content; "" for others."""
    found = token.get("content") if isinstance(token, dict) else token
    return found if isinstance(found, str) else ""


def _check_reserved(settings: Settings, ids: Mapping[str, int]) -> None:
    """Raise DataError if a new piece has an id of a configuration that no old piece had."""
    old = len(settings.pieces)
    if not old or len(ids) <= old:
        return
    for file, table in ((MODEL, settings.model), (GENERATION, settings.files.get(GENERATION, {}))):
        for key, value in table.items():
            for at in value if isinstance(value, list) else [value]:
                if key.endswith("_token_id") and type(at) is int and old <= at < len(ids):
                    raise DataError(
                        f"{settings.origin}: {file}: {key} is {at}, the id of no piece, and a new "
                        "piece would get it; add its piece to the tokenizer, or correct the id"
                    )


def _is_token(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("content"), str)
