"""Text for training, measuring and guarding, from the data folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from specialize.corpus import read_lines
from specialize.corpus.conllu import read_blocks

NEW = {  # new languages: treebank of the held-out text, raw training text
    "ug": ("Uyghur-UDT", "wikipedia/ug common_voice/ug"),
    "mt": ("Maltese-MUDT", "wikipedia/mt other/mt-parseme"),
    "wo": ("Wolof-WTB", "wikipedia/wo other/wo-bible_nt other/wo-lacuna other/wo-lafand"),
}
SERVED = {  # languages already served: held-out text, raw text for bases and guard
    "English-EWT": "common_voice/en",
    "French-GSD": "common_voice/fr",
    "German-GSD": "common_voice/de",
    "Spanish-GSD": "common_voice/es",
    "Italian-ISDT": "common_voice/it",
    "Dutch-Alpino": "common_voice/nl",
    "Indonesian-GSD": "wikipedia/id common_voice/id",
    "Turkish-IMST": "common_voice/tr",
    "Finnish-TDT": "common_voice/fi other/fi-leipzig_sample",
    "Estonian-EWT": "common_voice/et other/et-leipzig_sample",
    "Vietnamese-VTB": "wikipedia/vi common_voice/vi",
    "Russian-GSD": "common_voice/ru",
    "Ukrainian-IU": "wikipedia/uk common_voice/uk",
    "Greek-GDT": "wikipedia/el common_voice/el",
    "Persian-Seraji": "common_voice/fa",
    "Urdu-UDTB": "common_voice/ur other/ur-leipzig_sample",
}
ALSO = ("common_voice/ar", "common_voice/pt", "common_voice/pl", "common_voice/bg other/bg-parseme")
ALSO += ("common_voice/hi", "common_voice/zh")  # for the bases only, neither guarded nor held out


class Texts(NamedTuple):
    """The texts of one base and new language."""

    train: Path
    dev: list[str]
    guard: Path
    others: list[str]  # held-out text of the languages already served


def new_text(data: Path, folder: Path, code: str, megabytes: float) -> tuple[Path, list[str]]:
    """Return ``megabytes`` of training text in a new language, and its held-out text."""
    treebank, names = NEW[code]
    file = folder / f"{code}-{megabytes:g}.txt"
    return write_lines(file, raw_lines(data, names, megabytes)), held_out(data, treebank)


def served_text(
    data: Path, folder: Path, served: Sequence[str], megabytes: float
) -> tuple[Path, list[str]]:
    """Return a guard of ``megabytes`` in total, in the languages ``served``, and their dev text.

    Each language has the same share, or all of its text.
    """
    share = megabytes / len(served)
    lines = chain.from_iterable(raw_lines(data, SERVED[name], share) for name in served)
    guard = write_lines(folder / f"guard-{len(served)}-{megabytes:g}.txt", lines)
    return guard, [line for name in served for line in held_out(data, name)]


def base_text(data: Path, folder: Path, *, megabytes: float) -> Path:
    """Return the text that base tokenizers are trained on: ``megabytes`` of each language."""
    names = (*SERVED.values(), *ALSO)
    lines = chain.from_iterable(raw_lines(data, name, megabytes) for name in names)
    return write_lines(folder / f"bases-{megabytes:g}.txt", lines)


def raw_lines(data: Path, names: str, megabytes: float) -> Iterator[str]:
    """Yield the first ``megabytes`` of raw texts, with single spaces between words."""
    left = megabytes * 1e6
    for name in names.split():
        for _, line in read_lines(data / "raw" / f"{name}.txt.xz"):
            left -= len(line.encode()) + 1
            if left < 0:
                return
            if line := " ".join(line.split()):
                yield line


def held_out(data: Path, treebank: str) -> list[str]:
    """Return the sentences of a treebank's dev set, with single spaces."""
    sentences = read_blocks(data / "ud" / f"UD_{treebank}" / "dev.conllu.xz")
    return [" ".join(sentence.text.split()) for sentence in sentences]


def write_lines(file: Path, lines: Iterable[str]) -> Path:
    """Write ``lines`` to ``file`` unless it exists."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return file


def lines_of(file: Path) -> list[str]:
    """Return the lines of a file that ``write_lines`` wrote."""
    return file.read_text("utf-8").split("\n")[:-1]


def word_counts(lines: Iterable[str]) -> Counter[str]:
    """Return counts of white-space words, each with its leading space unless first in a line."""
    return Counter(chain.from_iterable(line.replace(" ", "\0 ").split("\0") for line in lines))
