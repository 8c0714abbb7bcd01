"""Small tokenizers with well-known layouts, trained offline, and text for them."""

import io
import json
from collections.abc import Callable
from functools import cache
from itertools import islice
from random import Random
from typing import Any

from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from specialize.toylang import document, make_language, to_script
from specialize.toylang._script import LATIN
from specialize.vocab.counting.separable import PATTERNS

Json = dict[str, Any]


# Text ---------------------------------------------------------------------------------------------


@cache
def latin(seed: int = 3, sentences: int = 300) -> tuple[str, ...]:
    """Sentences of a toy language in Latin letters."""
    draw, language = Random(seed), make_language(seed)
    found = (tree.text for _ in range(sentences) for tree in document(draw, language))
    return tuple(islice(found, sentences))


def cyrillic(line: str) -> str:
    return line.translate({ord(c): 0x430 + i for i, c in enumerate(LATIN)})


def arabic(line: str) -> str:
    """Right to left, with a ZWNJ after each ``k``."""
    table = {ord(c): chr(0x627 + i if i < 20 else 0x641 + i - 20) for i, c in enumerate(LATIN)}
    return line.replace("k", "k\u200c").translate(table)


def devanagari(line: str) -> str:
    """With vowel signs, which are combining marks, for vowels."""
    signs = dict(zip("aeıioöuü", "ािीुूेैो", strict=True))
    letters = {c: chr(0x915 + i) for i, c in enumerate(LATIN)} | signs
    return line.translate(str.maketrans(letters))


def ideographs(line: str) -> str:
    """One character per syllable of two letters, and no spaces."""
    text = line.replace(" ", "")
    pairs = (text[i : i + 2] for i in range(0, len(text), 2))
    return "".join(chr(0x4E00 + sum(map(ord, pair)) % 300) for pair in pairs)


SCRIPTS: dict[str, Callable[[str], str]] = {
    "Latin": str,
    "toy": to_script,
    "Cyrillic": cyrillic,
    "Arabic": arabic,
    "Devanagari": devanagari,
    "ideographs": ideographs,
}
SEEN = ("Latin", "Cyrillic", "Devanagari")  # by the tokenizers below; the toy script is not


@cache
def lines_in(script: str, seed: int = 3, sentences: int = 300) -> tuple[str, ...]:
    """The same sentences in another script."""
    return tuple(map(SCRIPTS[script], latin(seed, sentences)))


@cache
def _base_text() -> list[str]:
    return [line for script in SEEN for line in lines_in(script, seed=5, sentences=200)]


# combining marks, ideographs, right to left, ZWNJ and ZWJ, emoji, spaces, what NFKC changes
ODD = (
    "\u0301\u0308\u064e世界가ᄀشۋە\u200c\u200d😀\U0001f468\U0001f3fdﬁＡ①\u00a0\u2581\u3000\0\r\n\t"
)


def any_text() -> st.SearchStrategy[str]:
    """Lines of words that the tokenizers know, of words in other scripts, and of odd characters."""
    words = [w for s in SCRIPTS for line in lines_in(s)[:20] for w in line.split()]
    word = st.sampled_from(words) | st.text("abkı ,.'12" + ODD, max_size=5) | st.text(max_size=3)
    space = st.sampled_from(["", " ", " ", " ", "  ", "   ", "\n", "\n\n"])
    pairs = st.lists(st.tuples(word, space), max_size=8)
    return pairs.map(lambda found: "".join(part for pair in found for part in pair))


# Tokenizers ---------------------------------------------------------------------------------------


def gpt2_like() -> Json:
    """Byte-level BPE with GPT-2's pattern; one special piece, the last."""
    return json.loads(_gpt2_like())


def llama3_like() -> Json:
    """Byte-level BPE with cl100k's pattern; special pieces are added tokens after the model's.

    A word that is a piece stays whole, whatever the merges are.
    """
    return json.loads(_llama3_like())


def llama2_like() -> Json:
    """BPE over characters without a pre-tokeniser; unknown characters become bytes."""
    return json.loads(_llama2_like())


def xlmr_like() -> Json:
    """Unigram with NFKC; ``<mask>`` is the last of the model's pieces."""
    return json.loads(_xlmr_like())


@cache
def _gpt2_like() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    _train(tokenizer, _bytes_trainer(700))
    described = json.loads(tokenizer.to_str())
    vocab = described["model"]["vocab"]
    vocab["<|endoftext|>"] = len(vocab)
    tokenizer = Tokenizer.from_str(json.dumps(described))
    tokenizer.add_special_tokens(["<|endoftext|>"])
    return tokenizer.to_str()


@cache
def _llama3_like() -> str:
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    cut = pre_tokenizers.Split(Regex(PATTERNS[1]), "isolated")
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([cut, level])
    tokenizer.decoder = decoders.ByteLevel()
    _train(tokenizer, _bytes_trainer(700))
    tokenizer.add_special_tokens(["<|begin_of_text|>", "<|end_of_text|>", "<|reserved_0|>"])
    begin = tokenizer.token_to_id("<|begin_of_text|>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|begin_of_text|> $A", special_tokens=[("<|begin_of_text|>", begin)]
    )
    return tokenizer.to_str()


@cache
def _llama2_like() -> str:
    special = ["<unk>", "<s>", "</s>"]
    model = models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    names = [*special, *(f"<0x{byte:02X}>" for byte in range(256))]
    _train(
        tokenizer,
        trainers.BpeTrainer(vocab_size=700, special_tokens=names, show_progress=False),
    )
    described = json.loads(tokenizer.to_str()) | {"pre_tokenizer": None, "added_tokens": []}
    tokenizer = Tokenizer.from_str(json.dumps(described))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    tokenizer.add_special_tokens(special)
    begin = tokenizer.token_to_id("<s>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", begin)]
    )
    return tokenizer.to_str()


@cache
def _xlmr_like() -> str:
    head = [(name, 0.0) for name in ("<s>", "<pad>", "</s>", "<unk>")]
    tokenizer = Tokenizer(
        models.Unigram([*head, *_trained_unigram(600), ("<mask>", 0.0)], unk_id=3)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Nmt(),
            normalizers.NFKC(),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>"])
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer.to_str()


def _trained_unigram(size: int) -> list[tuple[str, float]]:
    """Return pieces of sentencepiece, whose training is reproducible, unlike the library's."""
    made = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(_base_text()),
        model_writer=made,
        vocab_size=size,
        normalization_rule_name="identity",
        num_threads=1,
        minloglevel=2,
    )
    model = SentencePieceProcessor(model_proto=made.getvalue())
    listed = ((model.id_to_piece(i), model.get_score(i)) for i in range(len(model)))
    return [found for found in listed if found[0] not in ("<unk>", "<s>", "</s>")]


def _bytes_trainer(size: int) -> trainers.BpeTrainer:
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)


def _train(tokenizer: Tokenizer, trainer: Any) -> None:
    tokenizer.train_from_iterator(_base_text(), trainer)
