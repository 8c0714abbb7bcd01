"""Ways to extend a tokenizer: this package's, AddedTokens, published mergers, an installable peer.

All add the same number of pieces. All but ours take them from an auxiliary tokenizer of the base's
family, trained on the new text: its first pieces that the base lacks.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from extending.bases import (
    FILE,
    MODEL,
    byte_trainer,
    train_sentencepiece,
    write_described,
)
from extending.measures import pieces_of
from extending.texts import Texts, lines_of
from specialize.augment.extend import change
from specialize.corpus import open_corpus
from specialize.vocab.formats.sentencepiece import read_sentencepiece, write_sentencepiece
from specialize.vocab.open import read_vocabulary
from specialize.vocab.wordpiece.model import WordPiece
from specialize.vocab.write import write_vocabulary

Json = dict[str, Any]


class Job(NamedTuple):
    """A base (a folder) to extend by ``n`` pieces, and the folder of the auxiliary tokenizer."""

    base: Path
    texts: Texts
    n: int
    auxiliary: Path
    peers: str  # interpreter with the peers

    def described(self) -> Json:
        """Return the base's tokenizer.json with special tokens as pieces of the model.

        Otherwise the library would give new pieces the ids of special tokens after the model's.
        """
        vocabulary = read_vocabulary(self.base)
        if isinstance(vocabulary, WordPiece):
            return read_json(self.base / FILE)
        return json.loads(json.dumps(vocabulary.folded()))


Way = Callable[[Job, Path], None]  # writes tokenizer.json to a folder


def read_json(file: Path) -> Json:
    """Return the content of a JSON file."""
    return json.loads(file.read_text("utf-8"))


# Ways for any base --------------------------------------------------------------------------------


def ours(choose: Callable[..., Any], guarded: bool, job: Job, out: Path) -> None:
    """Extend with this package."""
    guard = (str(job.texts.guard),) if guarded else ()
    text = open_corpus(str(job.texts.train))
    extended = choose(read_vocabulary(job.base), text, pieces=job.n, guard=guard)
    write_vocabulary(extended.new, out)


def added_tokens(job: Job, out: Path) -> None:
    """Add the most frequent words that are more than one piece, as AddedTokens."""
    tokenizer = Tokenizer.from_file(str(job.base / FILE))
    counts = Counter(w for line in lines_of(job.texts.train) for w in line.split() if w.isalpha())
    ranked = [word for word, _ in counts.most_common()]
    split = pieces_of(tokenizer, [f" {word}" for word in ranked])
    tokenizer.add_tokens([w for w, ids in zip(ranked, split, strict=True) if len(ids) > 1][: job.n])
    tokenizer.save(str(out / FILE))


# Auxiliary tokenizers -----------------------------------------------------------------------------


def auxiliary_bytes(job: Job, out: Path) -> None:
    """Train a byte-level BPE on the new text, with the base's pre-tokeniser."""
    base = Tokenizer.from_file(str(job.base / FILE))
    aux = Tokenizer(models.BPE())
    aux.pre_tokenizer, aux.decoder = base.pre_tokenizer, base.decoder
    aux.train([str(job.texts.train)], byte_trainer(3 * job.n + 1000))
    aux.save(str(out / FILE))


def auxiliary_wordpiece(job: Job, out: Path) -> None:
    """Train a WordPiece on the new text, with the base's pre-tokeniser."""
    aux = Tokenizer.from_file(str(job.base / FILE))
    aux.model = models.WordPiece(unk_token="[UNK]")
    size = 3 * job.n + 1000
    trainer = trainers.WordPieceTrainer(vocab_size=size, show_progress=False)
    aux.train([str(job.texts.train)], trainer)
    aux.save(str(out / FILE))


def auxiliary_sp_bpe(job: Job, out: Path) -> None:
    """Train a SentencePiece BPE on the new text."""
    train_sentencepiece(job.texts.train, out / MODEL, "bpe", 3 * job.n + 1000)
    write_described(read_sentencepiece(out / MODEL), out)


def auxiliary_unigram(job: Job, out: Path) -> None:
    """Train a Unigram on the new text, sized so that about ``n`` pieces are new."""
    size = 2 * job.n
    for _ in range(2):
        train_sentencepiece(job.texts.train, out / MODEL, "unigram", size)
        write_described(read_sentencepiece(out / MODEL), out)
        every = job._replace(n=size, auxiliary=out)
        size = int(1.1 * size * job.n / len(new_pieces(every, job.described())))


def new_pieces(job: Job, described: Json) -> list[str]:
    """Return the first ``n`` pieces of the auxiliary tokenizer that the base lacks.

    Characters come first: without them, longer pieces are never merged.
    """
    known = Tokenizer.from_str(json.dumps(described)).get_vocab()
    aux = Tokenizer.from_file(str(job.auxiliary / FILE))
    special = {token.content for token in aux.get_added_tokens_decoder().values()}
    ranked = sorted(aux.get_vocab().items(), key=lambda found: (len(found[0]) > 1, found[1]))
    new = (p for p, _ in ranked if p not in known and p not in special and p[:3] != "<0x")
    return [*islice(new, job.n)]


# Mergers ------------------------------------------------------------------------------------------


def inserted(job: Job, out: Path) -> None:
    """Append the auxiliary pieces of a WordPiece or byte-level BPE, without merges."""
    described = job.described()
    vocab: dict[str, int] = described["model"]["vocab"]
    for piece in new_pieces(job, described):
        vocab[piece] = len(vocab)
    write_described(described, out)


def with_merges(first: bool, job: Job, out: Path) -> None:
    """Append the auxiliary pieces of a byte-level BPE, their merges before or after the base's."""
    inserted(job, out)
    described = read_json(out / FILE)
    model = described["model"]
    old, aux = model["merges"], read_json(job.auxiliary / FILE)["model"]["merges"]
    new = [[a, b] for a, b in aux if {a, b, a + b} <= model["vocab"].keys()]
    both = [*new, *old] if first else [*old, *new]
    model["merges"] = [*dict.fromkeys(map(tuple, both))]
    write_described(described, out)


def scored(score: float, job: Job, out: Path) -> None:
    """Append auxiliary pieces to a Unigram with one score, as scripts for Chinese LLaMA do."""
    described = job.described()
    described["model"]["vocab"] += [[piece, score] for piece in new_pieces(job, described)]
    write_described(described, out)


def scored_bpe(last: bool, job: Job, out: Path) -> None:
    """Append auxiliary pieces to a SentencePiece BPE, all with score 0, or below all others."""
    new = new_pieces(job, job.described())
    below = -float(len(read_vocabulary(job.base).pieces))
    pairs = [(piece, (below - i) * last) for i, piece in enumerate(new)]
    write_sentencepiece(job.base / MODEL, pairs, out / MODEL)
    write_described(read_sentencepiece(out / MODEL), out)


def edited(job: Job, out: Path) -> None:
    """Let bpe-tokenizer-editor merge a SentencePiece BPE of ``n`` new pieces into the base.

    It treats its source's pieces as SentencePiece's, and writes them in bytes if the base does.
    """
    described = job.described()
    vocab: dict[str, int] = described["model"]["vocab"]
    auxiliary_sp_bpe(job, out)
    source = read_json(out / FILE)
    (out / "base.json").write_text(json.dumps(described), "utf-8")
    spell = in_bytes if "\u0120" in vocab else str
    ranked = sorted(source["model"]["vocab"], key=lambda piece: len(piece) > 1)  # stable
    new = {*islice((p for p in ranked if spell(p) not in vocab), job.n)}
    few = {p: i for p, i in source["model"]["vocab"].items() if p in new or spell(p) in vocab}
    model = source["model"] | {"vocab": {piece: i for i, piece in enumerate(few)}}
    model["merges"] = [[a, b] for a, b in model["merges"] if {a, b, a + b} <= few.keys()]
    write_described(source | {"model": model, "added_tokens": []}, out)
    code = (
        "from bpe_tokenizer_editor import BPETokenizerEditor\n"
        "editor = BPETokenizerEditor('base.json')\n"
        "editor.merge_from('tokenizer.json')\n"
        "editor.save('tokenizer.json')"
    )
    subprocess.run([job.peers, "-c", code], cwd=out, check=True, capture_output=True)


def in_bytes(piece: str) -> str:
    """Return a SentencePiece piece in the letters of byte-level BPE."""
    bare = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return bare.pre_tokenize_str(piece.replace("\u2581", " "))[0][0]


OURS = {
    "ours": partial(ours, change, False),
    "ours, guard": partial(ours, change, True),
    "ours, guard, budget 0.1 %": partial(ours, partial(change, guard_budget=0.001), True),
}
STRICT = {
    "ours, strict": partial(ours, partial(change, strict=True), False),
    "ours, strict, guard": partial(ours, partial(change, strict=True), True),
}
EDITOR = {"bpe-tokenizer-editor": edited}
ADDED = {"AddedTokens": added_tokens}
WITHOUT_AUXILIARY = (OURS | STRICT | ADDED | EDITOR).keys()
BYTES: dict[str, Way] = OURS | {
    "merges behind": partial(with_merges, False),
    "merges before": partial(with_merges, True),
    "no merges": inserted,
}
SP_BPE: dict[str, Way] = OURS | {
    "merged, score 0": partial(scored_bpe, False),
    "merged, lowest scores": partial(scored_bpe, True),
}
UNIGRAM: dict[str, Way] = OURS | STRICT | {"merged, score 0": partial(scored, 0.0)} | ADDED
WORDPIECE: dict[str, Way] = OURS | {"inserted": inserted} | ADDED
WAYS: dict[str, tuple[Way, dict[str, Way]]] = {  # base -> training of the auxiliary, ways
    "xlmr-like": (auxiliary_unigram, UNIGRAM),
    "llama3-like": (auxiliary_bytes, BYTES | EDITOR | ADDED),
    "llama2-like": (auxiliary_sp_bpe, SP_BPE | EDITOR | ADDED),
    "mbert": (auxiliary_wordpiece, WORDPIECE),
    "bert-cased": (auxiliary_wordpiece, WORDPIECE),
    "gpt2": (auxiliary_bytes, BYTES | EDITOR | ADDED),
    "t5": (auxiliary_unigram, UNIGRAM),
}
