"""``python -m specialize.vocab.auto.convert FOLDER``: the folder as transformers reads it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path

from specialize.vocab.auto.load import answer, converted_here

if __name__ == "__main__":
    raise SystemExit(answer(lambda: asdict(converted_here(Path(sys.argv[1])))))
