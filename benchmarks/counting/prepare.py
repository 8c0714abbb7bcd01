"""Inputs of the tools, each created in a separate process.

python -m counting.prepare vocabulary VOCAB_TXT FOLDER     # the same with a tokenizer.json
python -m counting.prepare train VOCABULARY TEXT FOLDER    # 5,000 pieces of a text
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from counting.jobs import environment


def prepare(*arguments: object) -> None:
    """Run this module with ``arguments``."""
    command = [sys.executable, "-m", "counting.prepare", *map(str, arguments)]
    if code := subprocess.run(command, env=environment(1), check=False).returncode:
        raise SystemExit(code)


def make_text(name: str, data: Path, folder: Path, megabytes: float) -> Path:
    """Create a text in a process whose memory is freed before anything is measured."""
    command = [sys.executable, "-m", "counting.texts", name, str(data), str(folder)]
    done = subprocess.run(
        [*command, str(megabytes)],
        env=environment(1),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    return Path(done.stdout.strip())


def _vocabulary(source: str, folder: str) -> None:
    from specialize.vocab.formats.tokenizer_json import read_wordpiece, write_wordpiece

    write_wordpiece(read_wordpiece(Path(source)), Path(folder))


def _train(source: str, text: str, folder: str) -> None:
    from specialize.corpus import open_corpus
    from specialize.vocab.counting.words import count_words
    from specialize.vocab.formats.tokenizer_json import read_wordpiece, write_wordpiece
    from specialize.vocab.train.byte_pairs import train_wordpiece

    old = read_wordpiece(Path(source))
    pieces = train_wordpiece(count_words(open_corpus(text)), size=5_000, special=old.special)
    write_wordpiece(old.with_pieces(pieces), Path(folder))


if __name__ == "__main__":
    {"vocabulary": _vocabulary, "train": _train}[sys.argv[1]](*sys.argv[2:])
