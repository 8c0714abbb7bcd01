"""The peers: each takes a job, loads its tokenizer, and returns the function to measure.

Each segments every line; pieces and unknowns are summed as fast as its interface allows. Nothing
here imports more than the peer itself.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from counting.jobs import Job, lines_of, serve

Work = Callable[[], dict[str, int]]


def tokenizers_lines(job: Job) -> Work:
    """Hugging Face tokenizers, ``encode_batch_fast``."""
    tokenizer, unknown = _tokenizers(job)

    def work() -> dict[str, int]:
        sums = [0, 0]
        for lines in lines_of(job.text):
            for found in tokenizer.encode_batch_fast(lines, add_special_tokens=False):
                ids = found.ids
                sums[0] += len(ids)
                sums[1] += ids.count(unknown)
        return {"pieces": sums[0], "unknown": sums[1]}

    return work


def tokenizers_types(job: Job) -> Work:
    """The obvious solution: a Counter of white-space types, then tokenizers on these."""
    tokenizer, unknown = _tokenizers(job)

    def work() -> dict[str, int]:
        counts: Counter[str] = Counter()
        for lines in lines_of(job.text):
            for line in lines:
                counts.update(line.split())
        types, sums = list(counts), [0, 0]
        for start in range(0, len(types), 20_000):
            batch = types[start : start + 20_000]
            encoded = tokenizer.encode_batch_fast(batch, add_special_tokens=False)
            for text, found in zip(batch, encoded, strict=True):
                ids = found.ids
                sums[0] += counts[text] * len(ids)
                sums[1] += counts[text] * ids.count(unknown)
        return {"pieces": sums[0], "unknown": sums[1]}

    return work


def _tokenizers(job: Job) -> tuple[Any, int]:
    from tokenizers import Tokenizer

    os.environ["TOKENIZERS_PARALLELISM"] = "true" if job.threads > 1 else "false"
    tokenizer = Tokenizer.from_file(f"{job.vocabulary}/tokenizer.json")
    return tokenizer, tokenizer.token_to_id("[UNK]")


def nanotoken(job: Job) -> Work:
    from nanotoken import TextFileSource, Tokenizer

    tokenizer = Tokenizer(f"{job.vocabulary}/tokenizer.json")
    unknown = tokenizer.token_to_id("[UNK]")

    def work() -> dict[str, int]:
        found = tokenizer.encode_files(
            TextFileSource(job.text, separator="\n"),
            add_special_tokens=False,
            parallel=job.threads > 1,
        )
        return _of_array(found.ids, unknown)

    return work


def tokie(job: Job) -> Work:
    from tokie import Tokenizer

    tokenizer = Tokenizer.from_json(f"{job.vocabulary}/tokenizer.json")
    unknown = tokenizer.token_to_id("[UNK]")

    def work() -> dict[str, int]:
        ids, _ = tokenizer.encode_files([job.text], separator=b"\n", add_special_tokens=False)
        return _of_array(ids, unknown)

    return work


def kitoken(job: Job) -> Work:
    from kitoken import Kitoken

    tokenizer = Kitoken.from_tokenizers_file(f"{job.vocabulary}/tokenizer.json")
    unknown = _id_of_unknown(job)

    def work() -> dict[str, int]:
        batches = (tokenizer.encode_all(lines, True) for lines in lines_of(job.text))
        return _of_lists((ids for batch in batches for ids in batch), unknown)

    return work


def flash_tokenizer(job: Job) -> Work:
    from flash_tokenizer import BertTokenizerFlash

    whole = 10**9  # no line is truncated
    tokenizer = BertTokenizerFlash(
        f"{job.vocabulary}/vocab.txt", do_lower_case=False, model_max_length=whole
    ).tokenizer
    unknown = _id_of_unknown(job)

    def work() -> dict[str, int]:
        lines = 0
        totals = {"pieces": 0, "unknown": 0}
        for batch in lines_of(job.text):
            encoded = tokenizer.batch_encode(batch, "longest", whole, job.threads > 1)
            found = _of_lists(encoded, unknown)
            totals = {key: totals[key] + found[key] for key in totals}
            lines += len(batch)
        totals["pieces"] -= 2 * lines  # [CLS] and [SEP]
        return totals

    return work


def tensorflow_text(job: Job) -> Work:
    """FastWordpiece with its own pre-tokeniser, which is not BERT's: no clean-up, no CJK."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import tensorflow as tf
    from tensorflow_text import FastWordpieceTokenizer

    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(job.threads)
    pieces = Path(job.vocabulary, "vocab.txt").read_text("utf-8").splitlines()
    tokenizer = FastWordpieceTokenizer(pieces, token_out_type=tf.int32)
    unknown = _id_of_unknown(job)

    def work() -> dict[str, int]:
        totals = {"pieces": 0, "unknown": 0}
        for batch in lines_of(job.text):
            found = _of_array(tokenizer.tokenize(tf.constant(batch)).flat_values.numpy(), unknown)
            totals = {key: totals[key] + found[key] for key in totals}
        return totals

    return work


def wordpiece_trainer(job: Job) -> Work:
    """Hugging Face tokenizers' trainer with the options of ours, from the file to 5,000 pieces."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    os.environ["TOKENIZERS_PARALLELISM"] = "true" if job.threads > 1 else "false"
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=5_000,
        min_frequency=5,
        limit_alphabet=1_000,
        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
        show_progress=False,
    )

    def work() -> dict[str, int]:
        tokenizer.train([job.text], trainer)
        return {"trained": tokenizer.get_vocab_size()}

    return work


def _of_array(ids: Any, unknown: int) -> dict[str, int]:
    return {"pieces": len(ids), "unknown": int((ids == unknown).sum())}


def _of_lists(lists: Iterable[list[int]], unknown: int) -> dict[str, int]:
    pieces = unknowns = 0
    for ids in lists:
        pieces += len(ids)
        unknowns += ids.count(unknown)
    return {"pieces": pieces, "unknown": unknowns}


def _id_of_unknown(job: Job) -> int:
    return Path(job.vocabulary, "vocab.txt").read_text("utf-8").split("\n").index("[UNK]")


TOOLS = {
    "tokenizers": tokenizers_lines,
    "counter-tokenizers": tokenizers_types,
    "nanotoken": nanotoken,
    "tokie": tokie,
    "kitoken": kitoken,
    "flash-tokenizer": flash_tokenizer,
    "tensorflow-text": tensorflow_text,
    "trainer": wordpiece_trainer,
}

if __name__ == "__main__":
    serve(TOOLS)
