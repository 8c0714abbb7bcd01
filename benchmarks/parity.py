"""Do pieces and unknowns equal those of the tokenizers library on all real text?

    SPECIALIZE_DATA=../shared/data python benchmarks/parity.py [TEXT...]

Counts each text natively and, line by line, with the library under mBERT's vocabulary, cased and
with lower-casing and accent stripping, and prints a Markdown table. Exit code
1 if a count differs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from specialize import native
from specialize.corpus import open_corpus
from specialize.environment import machine_facts
from specialize.recipe.table import locate
from specialize.vocab.audit.audit import audit
from specialize.vocab.formats.tokenizer_json import read_wordpiece
from specialize.vocab.wordpiece.model import WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules

RULES = {"cased": BertRules(), "uncased": BertRules(strip_accents=True, lowercase=True)}


def library(vocabulary: WordPiece) -> Tokenizer:
    """Return the library's tokenizer for the vocabulary."""
    rules = vocabulary.rules
    tokenizer = Tokenizer(models.WordPiece(vocabulary.ids, unk_token=vocabulary.unk))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=rules.clean,
        handle_chinese_chars=rules.ideographs,
        strip_accents=rules.strip_accents,
        lowercase=rules.lowercase,
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(list(vocabulary.special))
    return tokenizer


def totals(tokenizer: Tokenizer, lines: Iterable[str], unk: int) -> tuple[int, int]:
    """Return pieces and unknown pieces of ``lines``."""
    pieces = unknown = 0
    for batch in batches(lines):
        for encoded in tokenizer.encode_batch_fast(batch, add_special_tokens=False):
            pieces += len(encoded.ids)
            unknown += encoded.ids.count(unk)
    return pieces, unknown


def batches(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yield the lines in batches."""
    rest = iter(lines)
    while batch := list(islice(rest, 4096)):
        yield batch


def main() -> int:
    """Print the table; return 1 if a count differs."""
    if native.core() is None:
        sys.exit("the native extension is not installed; run: " + native.INSTALL)
    folder = locate("$SPECIALIZE_DATA", Path())
    paths = [Path(name) for name in sys.argv[1:]]
    paths = paths or sorted((folder / "raw").rglob("*.txt.xz"))
    base = read_wordpiece(folder / "vocab" / "bert-base-multilingual-cased")
    vocabularies = {name: WordPiece(base.pieces, rules=rules) for name, rules in RULES.items()}
    libraries = {name: library(vocabulary) for name, vocabulary in vocabularies.items()}
    facts = machine_facts()
    print(
        f"mBERT's vocabulary, {len(paths)} texts; tokenizers {facts['tokenizers']}, "
        f"{facts['processor']}, {time.strftime('%Y-%m-%d')}.\n\n"
        "| text | bytes | rules | pieces | unknown | differs by |\n|---|---|---|---|---|---|"
    )
    differing = 0
    for path in paths:
        corpus = open_corpus(str(path))
        for name, vocabulary in vocabularies.items():
            ours = audit(vocabulary, corpus)
            pieces, unknown = totals(libraries[name], corpus, vocabulary.ids[vocabulary.unk])
            by = abs(ours.pieces - pieces) + abs(ours.unknown_pieces - unknown)
            differing += by > 0
            print(
                f"| {path.name} | {ours.bytes:,} | {name} | {pieces:,} | {unknown:,} | {by} |",
                flush=True,
            )
    return int(differing > 0)


if __name__ == "__main__":
    sys.exit(main())
