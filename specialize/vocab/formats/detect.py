"""The format of a tokenizer's file or folder, and what it describes.

A folder that names a class of transformers and has no tokenizer.json is read by that class: its
vocabulary file alone is not the model's tokenizer (T5's sentinels, RoBERTa's and CLIP's rules,
Qwen's special tokens, fairseq's ids).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from specialize.errors import DataError
from specialize.vocab.auto.load import convert
from specialize.vocab.formats.gpt2 import END, MERGES, PIECES, read_gpt2
from specialize.vocab.formats.json_files import Json, load_json
from specialize.vocab.formats.sentencepiece import read_sentencepiece, special_names
from specialize.vocab.formats.tiktoken import is_ranks, read_ranks
from specialize.vocab.formats.tokenizer_json import (
    added_tokens,
    model_type,
    vocabulary_file,
)
from specialize.vocab.formats.vocab_txt import read_plain
from specialize.vocab.library import live_tokenizer, read_tokenizer
from specialize.vocab.settings import GENERIC, Settings, read_settings, undeclared

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_FAIRSEQ = "sentencepiece.bpe.model"  # file name of models whose pieces transformers renumbers


@dataclass(frozen=True)
class Described:
    """A tokenizer as its files describe it."""

    tokenizer: Json  # a tokenizer.json, as it is in the file
    settings: Settings
    file: Path  # with the pieces, or the folder that was read by its class

    def library(self) -> Tokenizer:
        """Return the tokenizer of the tokenizers library, without truncation and padding."""
        if self.file.is_file() and self.file.suffix == ".json" and self.file.name != PIECES:
            return read_tokenizer(self.file)
        return live_tokenizer(self.tokenizer, str(self.file))

    def as_written(self) -> Json:
        """Return the tokenizer.json as the library writes it; a WordPiece's as it is."""
        if model_type(self.tokenizer, self.file) == "WordPiece":
            return self.tokenizer
        described: Json = json.loads(self.library().to_str())
        return described


def describe(path: Path) -> Described:
    """Return what the folder or file at ``path`` describes; DataError if it is damaged."""
    folder, file = path.is_dir(), path
    if folder and (path / "tokenizer.json").is_file():
        file = path / "tokenizer.json"
    elif folder:
        settings, other = read_settings(path), other_file(path, plain=True)
        if settings.class_name not in ("", *GENERIC) or (other and _has_class(settings, other)):
            return _by_class(path, settings, path)
        file = other or path
    if not file.is_file():
        vocabulary_file(path)  # raises: what is missing
    if folder and file.name == _FAIRSEQ:
        raise DataError(
            f"{file}:1: the model beside it (XLM-R, mBART, ...) numbers pieces differently; "
            "write the tokenizer.json first, AutoTokenizer.from_pretrained(folder)"
            ".save_pretrained(folder), or name the file itself for its own ids"
        )
    if file.suffix == ".json" and file.name != PIECES:
        settings, described = read_settings(file), load_json(file)
        added_tokens(described, file)  # raises if they are damaged
        if file.name == "tokenizer.json" and undeclared(settings, described):
            return _by_class(file.parent, settings, path)
        return Described(described, replace(settings, origin=path), file)
    return _plain(file, path)


def open_other(file: Path) -> Tokenizer:
    """Return the library's tokenizer for a file of another format alone, without its folder."""
    return live_tokenizer(_other(file), str(file))


def other_file(path: Path, *, plain: bool = False) -> Path | None:
    """Return the file of another format at ``path``, a file or folder.

    GPT-2's merges.txt with its vocab.json, a SentencePiece model, or tiktoken's ranks; None if
    there is a tokenizer.json or vocab.txt. ``plain``: a vocab.txt counts as another format.
    """
    if path.is_dir():
        if (path / "tokenizer.json").is_file():
            return None
        if (path / "vocab.txt").is_file():
            return path / "vocab.txt" if plain else None
        return next(iter(other_files(path)), None)
    known = path.name in (PIECES, MERGES) or path.suffix in (".model", ".tiktoken")
    return path if known else None


def other_files(folder: Path) -> list[Path]:
    """Return the files of these formats in a folder, one per format."""
    patterns = (MERGES, "*.model", "*.tiktoken")
    return [file for each in patterns for file in sorted(folder.glob(each)) if file.is_file()]


def _has_class(settings: Settings, file: Path) -> bool:
    """Whether transformers has a class that says how ``file`` is read.

    The generic class says nothing of a vocab.txt.
    """
    generic = settings.class_name in GENERIC and file.suffix == ".txt"
    return settings.names_class and not generic


def _by_class(folder: Path, settings: Settings, path: Path) -> Described:
    found = convert(folder)
    config = (
        settings.config
        if settings.class_name
        else settings.config | {"tokenizer_class": found.config["tokenizer_class"]}
    )
    return Described(found.tokenizer, replace(settings, config=config, origin=path), folder)


def _plain(file: Path, path: Path) -> Described:
    """Describe a vocabulary file by itself, without what its folder may declare.

    The settings beside a vocab.txt are read; the others have names of special pieces themselves.
    """
    if file.suffix == ".txt" and file.name != MERGES:
        described, settings = read_plain(file, read_settings(file))
        return Described(described, replace(settings, origin=path), file)
    described = _other(file)
    names: Json = special_names(file) if file.suffix == ".model" and not is_ranks(file) else {}
    if file.name in (PIECES, MERGES) and END in described["model"]["vocab"]:
        names = dict.fromkeys(("bos_token", "eos_token"), END)
    return Described(described, Settings(names, origin=path, other=file), file)


def _other(file: Path) -> Json:
    if file.name in (PIECES, MERGES):
        described: Json = json.loads(read_gpt2(file).to_str())
        return described
    ranks = file.suffix == ".tiktoken" or is_ranks(file)  # Llama 3's are a tokenizer.model
    return read_ranks(file) if ranks else read_sentencepiece(file)
