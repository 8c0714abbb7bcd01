"""A base of static word vectors below a BiLSTM: what each stage of making it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from specialize import atomic
from specialize.errors import DataError, UsageError
from specialize.model.load import save_model
from specialize.progress import Log
from specialize.train.optim import at_least
from specialize.train.pretrain import VOCABULARY, Languages, limited, open_languages
from specialize.vectors.files import read_vectors
from specialize.vectors.skipgram import skipgram
from specialize.vectors.training import in_smaller_steps
from specialize.vocab.counting.words import count_words
from specialize.vocab.formats.tokenizer_json import write_wordpiece
from specialize.vocab.open import read_vocabulary
from specialize.vocab.wordpiece.model import WordPiece
from specialize.vocab.wordpiece.pretokenize import CASED, words

_SPECIAL = ("[PAD]", "[UNK]")  # no frame and no mask piece
_TOKENS, _VECTORS = "tokens.npz", "vectors.npy"
_BATCHES = (1024, 256, 64)  # words of a step, in turn: skip-gram of Uyghur diverges with 1,024
_CHARACTERS = 100  # of a word; a longer one is unknown, as in BERT


@dataclass(frozen=True)
class Vectors:
    """A recipe for a base of word vectors below a BiLSTM, without a masked language model.

    The vectors are trained on `[languages]` (skip-gram with subwords, as fastText), or those of a
    file. The BiLSTM is drawn at random: heads train it, and the vectors.
    """

    shape: Literal["bilstm"]
    languages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # code = [files]
    remove: tuple[str, ...] = ()  # evaluation files whose sentences are removed
    bytes_per_language: int = 0  # bound on the text of one language; 0 = none
    vectors: str = ""  # a file in fastText's text format (.vec), instead of languages and training
    pieces: int = 100_000  # at most so many words, the most frequent or the file's first
    min_count: int = 5  # occurrences of a word in the text, at least
    vector_size: int = 100  # width of the vectors to train
    epochs: int = 5  # passes over the text
    hidden_size: int = 400  # width of the states, both directions together; the paper's UD: 800
    num_hidden_layers: int = 2  # BiLSTM layers; the paper's UD: 3
    highway: bool = False  # around every layer; the paper's UD: true
    dropout: float = 0.3  # of vectors and states; the paper: 0.5, UD 0.3
    seed: int = 1  # of vectors and BiLSTM

    def __post_init__(self) -> None:
        """Refuse values without a meaning."""
        least = {"pieces": len(_SPECIAL) + 1, "min_count": 1, "vector_size": 1, "epochs": 1}
        at_least("", self, least | {"hidden_size": 2, "num_hidden_layers": 1, "dropout": 0})
        if self.hidden_size % 2 or self.dropout >= 1:
            raise UsageError(
                f"expected an even hidden_size and dropout below 1, got {self.hidden_size} and "
                f"{self.dropout}"
            )
        if bool(self.vectors) == bool(self.languages):
            got = "both" if self.vectors else "neither"
            raise UsageError(f"expected vectors = 'FILE' or a table [languages], got {got}")


def write_words(
    folder: Path,
    *,
    log: Log,
    languages: Languages,
    remove: Sequence[Path],
    bytes_per_language: int,
    pieces: int,
    min_count: int,
    seed: int,
) -> None:
    """Write a tokenizer whose pieces are the words of the text, and the text in their ids."""
    corpora = open_languages(languages, remove, seed, dev=0).values()
    lines = [
        line
        for corpus in corpora
        for document in limited(corpus, bytes_per_language)
        for line in document
    ]
    counts = count_words(lines, CASED)
    frequent = [w for w, n in counts.items() if n >= min_count and len(w) <= _CHARACTERS]
    frequent.sort(key=lambda word: (-counts[word], word))
    vocabulary = WordPiece([*_SPECIAL, *frequent[: pieces - len(_SPECIAL)]], rules=CASED)
    if len(vocabulary.pieces) == len(_SPECIAL):
        raise DataError(f"expected words that occur {min_count} times, got none; lower min_count")
    write_wordpiece(vocabulary, folder / VOCABULARY)
    ids = vocabulary.encode_lines(lines)
    known = [[i - len(_SPECIAL) for i in line if i >= len(_SPECIAL)] for line in ids]
    np.savez_compressed(
        folder / _TOKENS,
        allow_pickle=False,
        ids=np.concatenate([np.array(line, np.int32) for line in known]),
        sizes=np.array([len(line) for line in known]),
    )
    share = sum(map(len, known)) / max(1, sum(map(len, ids)))
    found = len(vocabulary.pieces) - len(_SPECIAL)
    log.say(f"{found:,} words, which are {share:.1%} of the text")


def write_vectors(
    folder: Path, *, log: Log, words: Path, vector_size: int, epochs: int, seed: int
) -> None:
    """Write vectors trained on the text that `write_words` wrote."""
    pieces = read_vocabulary(words / VOCABULARY).pieces[len(_SPECIAL) :]
    with np.load(words / _TOKENS) as saved:
        lines = np.split(saved["ids"], saved["sizes"].cumsum()[:-1])

    def made(batch: int) -> Tensor:
        return skipgram(
            lines, pieces, width=vector_size, epochs=epochs, batch=batch, seed=seed, log=log
        )

    try:
        vectors = in_smaller_steps(made, _BATCHES, log)
    except DataError as error:
        raise DataError(f'{error}; give more varied text, or a file: vectors = "FILE"') from None
    np.save(folder / _VECTORS, vectors.numpy())


def take_vectors(folder: Path, *, log: Log, file: Path, pieces: int) -> None:
    """Write a tokenizer of the first words of a file of vectors, and their vectors."""
    found, vectors = read_vectors(file, limit=pieces - len(_SPECIAL), wanted=_is_piece)
    write_wordpiece(WordPiece([*_SPECIAL, *found], rules=CASED), folder / VOCABULARY)
    np.save(folder / _VECTORS, vectors.numpy())
    log.say(
        f"{len(found):,} words with vectors of {vectors.shape[1]} dimensions; those with "
        "punctuation inside are left out, since the tokenizer splits them"
    )


def write_bilstm(
    folder: Path,
    *,
    log: Log,
    words: Path,
    vectors: Path,
    hidden_size: int,
    num_hidden_layers: int,
    highway: bool,
    dropout: float,
    seed: int,
) -> None:
    """Write the model to ``folder/model``; the unknown word begins as the mean of all."""
    from specialize.model.bilstm import new_bilstm

    rows = torch.from_numpy(np.load(vectors / _VECTORS))
    special = torch.stack([torch.zeros(rows.shape[1]), rows.mean(0)])
    model = new_bilstm(
        torch.cat([special, rows]),
        pad=_SPECIAL.index("[PAD]"),
        seed=seed,
        hidden_size=hidden_size,
        lstm_layers=num_hidden_layers,
        highway=highway,
        dropout=dropout,
    )
    source = words / VOCABULARY
    save_model(model, read_vocabulary(source), folder / "model", source=source)
    atomic.write_json(folder / "training.json", {"words": len(rows), "width": rows.shape[1]})


def _is_piece(word: str) -> bool:
    """Return whether BERT's pre-tokenisation keeps ``word``; others are never a piece."""
    return words(word, CASED) == [word] and len(word) <= _CHARACTERS and word not in _SPECIAL
