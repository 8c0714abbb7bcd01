"""Texts of a given size, grown from real ones: the same bytes every time.

    python -m counting.texts NAME DATA FOLDER MEGABYTES

The vocabulary grows realistically. Copy k repeats the real lines, but some rare types (those that
occur once or twice) are replaced by novel words of the same length from a character 4-gram model of
the types, so that there are V k^b types after k copies (Heaps' law), where V is the number of types
in the real text and b is such that half its lines have V / 2^b. Frequent types and the share of
unknown characters do not change. Text beyond the first copy is synthetic; reports must say so.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import math
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

SEED = 0
SOURCES = {
    "ug": ("Uyghur Wikipedia", "raw/wikipedia/ug.txt.xz"),
    "mix": ("all texts of some eighty languages, one after the other", "raw/**/*.txt.xz"),
}
_MODELLED = 200_000  # types to train the character model on


def make(name: str, data: Path, folder: Path, megabytes: float) -> Path:
    """Return the text ``name`` of ``megabytes`` in ``folder``; created unless it exists.

    Its facts are stored beside it as JSON.
    """
    path = folder / f"{name}-{megabytes:g}MB-seed{SEED}.txt"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        lines, facts = real_lines(name, data, int(megabytes * 1e6))
        facts |= _write(grown(lines, random.Random(SEED)), path, int(megabytes * 1e6))
        facts["real_share"] = min(1.0, facts["real_bytes"] / facts["bytes"])
        path.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    return path


def facts_of(path: Path) -> dict[str, Any]:
    """Return the facts of a text created by ``make``."""
    return json.loads(path.with_suffix(".json").read_text("utf-8"))  # type: ignore[no-any-return]


def real_lines(name: str, data: Path, size: int) -> tuple[list[str], dict[str, Any]]:
    """Return the real lines of a text, at most half of ``size``."""
    source, pattern = SOURCES[name]
    paths = sorted(data.glob(pattern))
    if not paths:
        raise SystemExit(f"{data}/{pattern}: no such file; set SPECIALIZE_DATA or --data")
    texts = [lzma.decompress(path.read_bytes()).decode() for path in paths]
    sizes = [len(text.encode()) for text in texts]
    kept = 1.0 if sum(sizes) <= size else size / 2 / sum(sizes)  # of each file
    lines = []
    for text in texts:
        lines += text[: math.ceil(len(text) * kept)].rstrip("\n").split("\n")
    real = sum(len(line.encode()) + 1 for line in lines)
    return lines, {"source": source, "files": len(paths), "real_bytes": real, "seed": SEED}


def grown(lines: list[str], chance: random.Random) -> Iterator[str]:
    """Yield ``lines``, then endless copies of them with novel types."""
    yield from lines
    counts = Counter(token for line in lines for token in line.split(" "))
    half = {token for line in lines[::2] for token in line.split(" ")}
    exponent = math.log2(len(counts) / len(half))
    rare = [token for token, n in counts.items() if token and n <= 2]
    novel = _Novel(counts, chance)
    for k in count(2):
        fresh = round(len(counts) * (k**exponent - (k - 1) ** exponent))
        chosen = chance.sample(rare, min(len(rare), fresh))
        renamed = {token: novel.word(len(token)) for token in chosen}
        for line in lines:
            yield " ".join([renamed.get(token, token) for token in line.split(" ")])


class _Novel:
    """Draws novel words; each character depends on up to three before it."""

    def __init__(self, types: Iterable[str], chance: random.Random) -> None:
        self._known = set(types)
        self._chance = chance
        types = list(types)
        following: defaultdict[str, list[str]] = defaultdict(list)
        for word in chance.sample(types, min(len(types), _MODELLED)):
            for i, character in enumerate(word):
                following[word[max(0, i - 3) : i]].append(character)
        self._following = {context: "".join(found) for context, found in following.items()}

    def word(self, length: int) -> str:
        while True:
            word = ""
            while len(word) < length:
                word += self._chance.choice(self._following.get(word[-3:], self._following[""]))
            if word not in self._known:
                self._known.add(word)
                return word
            length += 1  # all short words are taken


def _write(lines: Iterator[str], path: Path, size: int) -> dict[str, Any]:
    """Write lines up to ``size`` bytes; the file gets its name only when complete."""
    begun, digest, written = path.with_suffix(".begun"), hashlib.sha256(), 0
    with begun.open("wb") as file:
        while written < size:
            raw = next(lines).encode() + b"\n"
            written += file.write(raw)
            digest.update(raw)
    begun.rename(path)
    return {"bytes": written, "sha256": digest.hexdigest()}


if __name__ == "__main__":
    print(make(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])))
