"""Plain text to annotate: named ``.txt``, one sentence a line."""

from dataclasses import dataclass
from pathlib import Path

from specialize.corpus.columns import is_columns
from specialize.corpus.conllu import is_conllu
from specialize.corpus.files import plain_name, read_lines
from specialize.errors import DataError
from specialize.tasks._pretokenize import Style, pretokenize


@dataclass(frozen=True)
class PlainSentence:
    """A line of text as words."""

    line: int
    words: tuple[str, ...]
    glued: tuple[bool, ...]  # of each word, whether the next one follows without white space

    @property
    def text(self) -> str:
        """The line with single spaces."""
        pairs = zip(self.words, self.glued, strict=True)
        return "".join(word if glued else f"{word} " for word, glued in pairs).rstrip(" ")


def is_plain(path: Path | str) -> bool:
    """Return whether a file is plain text: named ``.txt``, without CoNLL-U or tagged columns."""
    named = plain_name(Path(path)).lower().endswith(".txt")
    return named and not is_conllu(path) and not is_columns(path)


def read_plain(path: Path | str, style: Style = "spaces") -> list[PlainSentence]:
    """Return the sentences of plain text, split into words by ``style``."""
    sentences = []
    for number, line in read_lines(path):
        tokens = pretokenize(line, style)
        if tokens:
            words = tuple(word for token in tokens for word in token)
            glued = tuple(i < len(token) - 1 for token in tokens for i in range(len(token)))
            sentences.append(PlainSentence(number, words, glued))
    if not sentences:
        raise DataError(f"{path}:1: no sentence in the file")
    return sentences


def plain_note(path: Path | str, style: Style) -> str:
    """Return how the words of a file to annotate were found; "" unless it is plain text."""
    if not is_plain(path):
        return ""
    if style == "spaces":
        return "plain text: words are separated by white space, as in the training data"
    glued = sum(sum(sentence.glued) for sentence in read_plain(path, style))
    return (
        f"plain text: punctuation was separated from words in {glued:,} places, as in the "
        "training data"
    )
