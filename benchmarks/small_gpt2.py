"""Write a small untrained GPT-2 with GPT-2's own tokenizer, for recipes/uyghur_causal.toml.

    SPECIALIZE_DATA=../shared/data python benchmarks/small_gpt2.py FOLDER

Four layers of 128, 256 positions, seed 1. The tokenizer is made from $SPECIALIZE_DATA/vocab/gpt2.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

END = "<|endoftext|>"


def main() -> None:
    """Write the folder."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    data = Path(os.environ.get("SPECIALIZE_DATA", "../shared/data"))
    lines = (data / "vocab" / "gpt2" / "merges.txt").read_text("utf-8").splitlines()
    merges = [(a, b) for a, _, b in (line.partition(" ") for line in lines[1:] if line)]
    letters = {letter: i for i, letter in enumerate(byte_letters())}
    pieces = dict.fromkeys([*letters, *(a + b for a, b in merges), END])
    vocab = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    end = vocab[END]
    torch.manual_seed(1)
    config = GPT2Config(
        vocab_size=len(vocab),
        n_layer=4,
        n_embd=128,
        n_head=4,
        n_positions=256,
        bos_token_id=end,
        eos_token_id=end,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=END,
        eos_token=END,
        unk_token=END,
        model_max_length=1024,
    ).save_pretrained(folder)


def byte_letters() -> list[str]:
    """Return the letter of each byte in the order of GPT-2's vocabulary: printable bytes first."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [*map(chr, shown), *(chr(256 + n) for n in range(len(hidden)))]


if __name__ == "__main__":
    main()
