"""Write vocabularies of any family to a folder, identically for every reader."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from specialize.vocab.auto.settle import settle
from specialize.vocab.base import Vocabulary
from specialize.vocab.formats.detect import open_other
from specialize.vocab.formats.gpt2 import MERGES, PIECES, write_gpt2
from specialize.vocab.formats.json_files import write_json
from specialize.vocab.formats.sentencepiece import lowest_score, write_sentencepiece
from specialize.vocab.formats.tiktoken import is_ranks, write_ranks
from specialize.vocab.formats.tokenizer_json import write_wordpiece
from specialize.vocab.library_vocabulary import LibraryVocabulary
from specialize.vocab.open import read_vocabulary
from specialize.vocab.settings import Settings, write_settings
from specialize.vocab.wordpiece.model import WordPiece

JSON = "tokenizer.json"


def write_vocabulary(
    vocabulary: Vocabulary, folder: Path | str, *, source: Path | str | None = None
) -> list[str]:
    """Write ``vocabulary`` to ``folder``, as ``write_files``; return the names of the files.

    Where transformers opens what the vocabulary was read from, AutoTokenizer must find the same
    special tokens, templates and settings in ``folder``, or nothing is written: DataError names
    what differs. The class is kept only if it reads the new files rightly (``auto.settle``).
    """
    with tempfile.TemporaryDirectory() as temporary:
        names = write_files(vocabulary, temporary, source=Path(source) if source else None)
        settle(vocabulary, Path(temporary))
        for name in names:
            file = Path(folder) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(temporary) / name, file)
    return names


def write_files(
    vocabulary: Vocabulary, folder: Path | str, *, source: Path | None = None
) -> list[str]:
    """Write ``vocabulary`` to ``folder``, without a proof; return the names of the files.

    Always tokenizer.json and tokenizer_config.json, and what else its settings hold; vocab.txt for
    a WordPiece; GPT-2's two files, a SentencePiece model or tiktoken's ranks if it was read from
    such a file. ``source``: a file or folder with settings for a vocabulary made in memory.
    """
    folder = Path(folder)
    if isinstance(vocabulary, WordPiece):
        return write_wordpiece(vocabulary, folder, source=source)
    if isinstance(vocabulary, LibraryVocabulary):
        return _write_library(vocabulary, folder, source)
    raise TypeError(f"expected a vocabulary of this package, got {type(vocabulary).__name__}")


def _write_library(vocabulary: LibraryVocabulary, folder: Path, source: Path | None) -> list[str]:
    """Write a BPE or Unigram; tokenizer.json describes the file of another format, if there is one.

    So all files of the folder hold the same tokenizer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = vocabulary.settings or Settings()
    if source and not settings.read:
        settings = read_vocabulary(source).settings or settings
    names = _write_other(vocabulary, folder, settings.other) if settings.other else []
    described = vocabulary.described
    if len(names) == 1:
        described = json.loads(open_other(folder / names[0]).to_str())
    write_json(folder / JSON, described, indent=None)
    return [JSON, *write_settings(settings, folder, vocabulary.ids), *names]


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
