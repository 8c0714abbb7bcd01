"""Bits per byte of a pretrained model on the held-out documents of its recipe, by language.

    SPECIALIZE_DATA=../shared/data python benchmarks/bits_per_language.py \\
        recipes/pretrain_mini.toml [MODEL_DIRECTORY]

At most 120 lines per language; 15 % of white-space tokens masked as a whole
(specialize.train.bits_per_byte).
"""

import sys
from itertools import islice
from pathlib import Path

from specialize.corpus import CorpusFiles, open_corpus
from specialize.model.find import find_model
from specialize.model.load import load_checkpoint
from specialize.recipe.read import read_pretrain
from specialize.train.bits_per_byte import bits_per_byte, held_out


def main() -> None:
    """Print one line: each language with its figure, and their mean."""
    recipe = read_pretrain(Path(sys.argv[1]))
    base = load_checkpoint(Path(sys.argv[2]) if len(sys.argv) > 2 else find_model("mini"))
    found = {}
    for code, files in recipe.languages.items():
        corpus = open_corpus(CorpusFiles(files, remove=recipe.remove, dev=0.01, seed=recipe.seed))
        lines = list(islice(corpus.dev(), 120))
        if lines:
            text = held_out(lines, islice(corpus.train(), 5_000), seed=recipe.seed)
            found[code] = bits_per_byte(
                base.model, base.vocabulary, base.framing, text, length=recipe.length
            )
    print(", ".join(f"{code} {bits:.2f}" for code, bits in found.items()))
    print(f"mean of {len(found)} languages: {sum(found.values()) / len(found):.3f}")


if __name__ == "__main__":
    main()
