"""Write vocabularies of any family to a folder, identically for every reader."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from specialize.vocab.base import Vocabulary
from specialize.vocab.formats.detect import open_library, other_file
from specialize.vocab.formats.gpt2 import END, MERGES, PIECES, write_gpt2
from specialize.vocab.formats.json_files import CONFIG, write_json
from specialize.vocab.formats.renumber import renumbered_config
from specialize.vocab.formats.sentencepiece import lowest_score, write_sentencepiece
from specialize.vocab.formats.tiktoken import is_ranks, write_ranks
from specialize.vocab.formats.tokenizer_json import load_config, write_wordpiece
from specialize.vocab.library_vocabulary import LibraryVocabulary
from specialize.vocab.open import read_vocabulary
from specialize.vocab.wordpiece.model import WordPiece

JSON = "tokenizer.json"
_NAMES = {"bos": "<s>", "eos": "</s>", "pad": "<pad>", "mask": "<mask>"}


def write_vocabulary(
    vocabulary: Vocabulary, folder: Path | str, *, source: Path | None = None
) -> list[str]:
    """Write ``vocabulary`` to ``folder``; return the names of the files.

    Always tokenizer.json and tokenizer_config.json; vocab.txt for a WordPiece; GPT-2's two files, a
    SentencePiece model or tiktoken's ranks if ``source``, the original file or folder, has that
    format. Settings are those of ``source``.
    """
    folder = Path(folder)
    if isinstance(vocabulary, WordPiece):
        write_wordpiece(vocabulary, folder, source=source)
        return [JSON, CONFIG, "vocab.txt"]
    if isinstance(vocabulary, LibraryVocabulary):
        return [JSON, CONFIG, *_write_library(vocabulary, folder, source)]
    raise TypeError(f"expected a vocabulary of this package, got {type(vocabulary).__name__}")


def _write_library(
    vocabulary: LibraryVocabulary, folder: Path, source: Path | None
) -> Sequence[str]:
    """Write a BPE or Unigram; tokenizer.json describes the file of another format, if there is one.

    So all files of the folder hold the same tokenizer. Returns the names of the additional files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    home = source if source is None or source.is_dir() else source.parent
    config = (load_config(home) if home else {}) or _config(vocabulary)
    config.pop("auto_map", None)  # transformers' own class reads the files
    config = renumbered_config(config, vocabulary.ids)
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    other = other_file(source) if source else None
    names = _write_other(vocabulary, folder, other) if other else []
    described = vocabulary.described
    if len(names) == 1:
        described = json.loads(open_library(folder / names[0]).to_str())
    write_json(folder / JSON, described, indent=None)
    write_json(folder / CONFIG, config, indent=1)
    return names


def _write_other(vocabulary: LibraryVocabulary, folder: Path, other: Path) -> Sequence[str]:
    """Write the file ``other`` with the new pieces, or GPT-2's two; return their names.

    Nothing is written if old pieces were dropped or moved, which these formats cannot express.
    """
    if other.name in (PIECES, MERGES):
        write_gpt2(vocabulary.described["model"], folder)
        return [PIECES, MERGES]
    before = read_vocabulary(other).pieces
    if vocabulary.pieces[: len(before)] != before:
        return []
    written, fresh = folder / other.name, vocabulary.pieces[len(before) :]
    if is_ranks(other):
        write_ranks(other, fresh, written)
    else:
        scores = vocabulary.sentencepiece_scores(fresh, below=lowest_score(other))
        write_sentencepiece(other, scores, written)
    return [other.name]


def _config(vocabulary: LibraryVocabulary) -> dict[str, Any]:
    """Return the special tokens by their names in transformers."""
    names = _NAMES | (dict.fromkeys(("bos", "eos"), END) if END in vocabulary.special else {})
    found = {f"{name}_token": p for name, p in names.items() if p in vocabulary.special}
    return found | ({"unk_token": vocabulary.unk} if vocabulary.unk else {})
