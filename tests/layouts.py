"""Folders of tokenizers as they are on the hub and as transformers saves them, with few pieces."""

import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from sentencepiece import SentencePieceTrainer
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers_made import _bytes_trainer as bytes_trainer
from tokenizers_made import latin, llama3_like

from specialize.vocab.wordpiece.model import SPECIAL

Json = dict[str, Any]
Make = Callable[[Path], None]
LAYOUTS: dict[str, Make] = {}
CHAT = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
TOOLS = "{{ bos_token }}tools{% for m in messages %}[{{ m.content }}]{{ eos_token }}{% endfor %}"
QWEN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+"


def layout(make: Make) -> Make:
    LAYOUTS[make.__name__] = make
    return make


def put(folder: Path, **files: Any) -> None:
    """Write JSON objects and texts, ``__`` in a name standing for a dot."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        (folder / name.replace("__", ".")).write_text(text, "utf-8")


def saved(folder: Path, make: Make, *, model: Json | None = None, **more: Any) -> None:
    """Write the folder of ``make`` as transformers saves it, without the files it was read from."""
    from transformers import AutoTokenizer

    make(folder / "raw")
    tokenizer = AutoTokenizer.from_pretrained(folder / "raw", local_files_only=True, **more)
    tokenizer.save_pretrained(folder)
    for file in (folder / "raw").iterdir():
        file.unlink()
    (folder / "raw").rmdir()
    if model:
        put(folder, config__json=model)


# Vocabularies -------------------------------------------------------------------------------------


@cache
def words(*, lower: bool = False) -> tuple[str, ...]:
    """WordPiece's pieces: characters in both forms and some words."""
    text = [w if lower else w.title() for line in latin()[:60] for w in line.split()]
    letters = sorted({c for word in (*text, *latin()[0].split(), "abcdefghijklmnop") for c in word})
    letters += [c for c in ".,!?'[]<>" if c not in letters]
    longer = [w for w in dict.fromkeys(text) if len(w) > 1][:60]
    return (*letters, *("##" + c for c in letters), *longer)


@cache
def byte_pairs(size: int = 400) -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(latin(), bytes_trainer(size))
    return tokenizer.to_str()


def bytes_model(*special: str) -> tuple[dict[str, int], list[str]]:
    """Pieces, ``special`` ones first, and merges as lines."""
    model = json.loads(byte_pairs())["model"]
    pieces = [*special, *model["vocab"]]
    return {p: i for i, p in enumerate(pieces)}, [" ".join(pair) for pair in model["merges"]]


def gpt2_files(folder: Path, *special: str, behind: tuple[str, ...] = (), **files: Any) -> None:
    vocab, merges = bytes_model(*special)
    vocab |= {piece: len(vocab) + i for i, piece in enumerate(behind)}
    put(folder, vocab__json=vocab, merges__txt="\n".join(["#version: 0.2", *merges, ""]), **files)


@cache
def sentencepiece(kind: str = "unigram", size: int = 160, **settings: Any) -> bytes:
    made = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(latin()),
        model_writer=made,
        model_type=kind,
        vocab_size=size,
        num_threads=1,
        minloglevel=2,
        **settings,
    )
    return made.getvalue()


def model_file(folder: Path, name: str, content: bytes, **files: Any) -> None:
    put(folder, **files)
    (folder / name).write_bytes(content)


def token(text: str, *, special: bool = True, normalized: bool = False, **flags: bool) -> Json:
    plain = {"single_word": False, "lstrip": False, "rstrip": False} | flags
    return {"content": text, **plain, "normalized": normalized, "special": special}


def with_tokens(described: Json, *texts: str, special: bool = True) -> Json:
    """A tokenizer.json with added tokens behind the model's pieces."""
    tokenizer = Tokenizer.from_str(json.dumps(described))
    (tokenizer.add_special_tokens if special else tokenizer.add_tokens)([*texts])
    return json.loads(tokenizer.to_str())


# BERT ---------------------------------------------------------------------------------------------


def vocab_txt(*pieces: str) -> str:
    return "".join(piece + "\n" for piece in pieces)


@layout
def bert_cased(folder: Path) -> None:
    put(folder, vocab__txt=vocab_txt(*SPECIAL, *words()), config__json={"model_type": "bert"})
    put(folder, tokenizer_config__json={"do_lower_case": False, "model_max_length": 512})


@layout
def bert_uncased(folder: Path) -> None:
    def raw(folder: Path) -> None:
        put(folder, vocab__txt=vocab_txt(*SPECIAL, *words(lower=True)))
        put(folder, tokenizer_config__json={"tokenizer_class": "BertTokenizer"})

    saved(folder, raw, model={"model_type": "bert"})


@layout
def bert_slots_declared(folder: Path) -> None:
    pieces = [SPECIAL[0], *(f"[unused{i}]" for i in range(1, 9)), *SPECIAL[1:], *words()]
    table = {str(pieces.index(p)): token(p) for p in (*SPECIAL, "[unused1]", "[unused2]")}
    config = {"tokenizer_class": "BertTokenizer", "do_lower_case": False}
    config |= {"additional_special_tokens": ["[unused1]", "[unused2]"]}
    put(folder, vocab__txt=vocab_txt(*pieces))
    put(folder, tokenizer_config__json=config | {"added_tokens_decoder": table})


@layout
def bert_bare(folder: Path) -> None:
    put(folder, vocab__txt=vocab_txt(*SPECIAL, *words()))


@layout
def bert_bare_uncased(folder: Path) -> None:
    put(folder, vocab__txt=vocab_txt(*SPECIAL, *words(lower=True)))


@layout
def bert_other_names(folder: Path) -> None:
    names = {"unk": "<unk>", "pad": "<pad>", "cls": "<s>", "sep": "</s>", "mask": "<mask>"}
    config = {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "strip_accents": True}
    config |= {f"{kind}_token": piece for kind, piece in names.items()}
    put(folder, vocab__txt=vocab_txt(*names.values(), *words()), tokenizer_config__json=config)


def bert_json(**changes: Any) -> Json:
    tokenizer = Tokenizer(
        models.WordPiece({p: i for i, p in enumerate((*SPECIAL, *words()))}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens([*SPECIAL])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    for name, value in changes.items():
        setattr(tokenizer, name, value)
    return json.loads(tokenizer.to_str())


BERT_NAMES = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]"}
BERT_NAMES |= {"sep_token": "[SEP]", "mask_token": "[MASK]"}
GENERIC = {"tokenizer_class": "PreTrainedTokenizerFast"}


@layout
def bert_nfc(folder: Path) -> None:
    """Other rules, as of IndicBERT and KLUE: NFC, and words split at white space."""
    rules = normalizers.Sequence([normalizers.NFC(), normalizers.BertNormalizer(lowercase=False)])
    described = bert_json(normalizer=rules, pre_tokenizer=pre_tokenizers.Whitespace())
    put(folder, tokenizer__json=described, tokenizer_config__json=GENERIC | BERT_NAMES)


@layout
def bert_nfc_by_its_class(folder: Path) -> None:
    """The same, read by transformers 5 with BERT's rules instead."""
    bert_nfc(folder)
    put(folder, tokenizer_config__json=BERT_NAMES | {"tokenizer_class": "BertTokenizer"})


@layout
def bert_added(folder: Path) -> None:
    """Added tokens as ``add_tokens`` and ``save_pretrained`` leave them."""
    described = with_tokens(bert_json(), "qqq", special=False)
    put(folder, tokenizer__json=described, tokenizer_config__json=GENERIC | BERT_NAMES)


@layout
def bert_single_words(folder: Path) -> None:
    """Added tokens that are whole words only, saved and loaded twice."""
    from transformers import AddedToken, AutoTokenizer

    def raw(folder: Path) -> None:
        bert_cased(folder)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        tokenizer.add_tokens([AddedToken(w, single_word=True) for w in ("some_word", "some_words")])
        tokenizer.save_pretrained(folder)

    saved(folder, raw)


@layout
def bert_added_tokens_file(folder: Path) -> None:
    bert_cased(folder)
    put(folder, added_tokens__json={"<new>": len(SPECIAL) + len(words())})


# Byte-level BPE -----------------------------------------------------------------------------------

ROBERTA = ("<s>", "<pad>", "</s>", "<unk>")


@layout
def gpt2(folder: Path) -> None:
    gpt2_files(folder, behind=("<|endoftext|>",), config__json={"model_type": "gpt2"})
    put(folder, tokenizer_config__json={"model_max_length": 1024})


@layout
def gpt2_bare(folder: Path) -> None:
    gpt2_files(folder, behind=("<|endoftext|>",))


@layout
def roberta(folder: Path) -> None:
    gpt2_files(folder, *ROBERTA, behind=("<mask>",), config__json={"model_type": "roberta"})


@layout
def roberta_saved(folder: Path) -> None:
    """With tokenizer.json; the names are known to the class alone, the class to config.json."""
    saved(folder, roberta, model={"model_type": "roberta", "vocab_size": 500})
    put(folder, tokenizer_config__json={"model_max_length": 512})


def qwen_config(first: int, *tokens: str) -> Json:
    table = {str(first + i): token(text) for i, text in enumerate(tokens)}
    config = {"added_tokens_decoder": table, "additional_special_tokens": [*tokens[1:]]}
    config |= {"bos_token": None, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    config |= {"unk_token": None, "model_max_length": 32768, "add_prefix_space": False}
    return config | {"tokenizer_class": "Qwen2Tokenizer", "clean_up_tokenization_spaces": False}


CHAT_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


@layout
def qwen2(folder: Path) -> None:
    config = qwen_config(len(bytes_model()[0]), *CHAT_TOKENS) | {"chat_template": CHAT}
    gpt2_files(folder, tokenizer_config__json=config, config__json={"model_type": "qwen2"})
    put(folder, generation_config__json={"eos_token_id": [len(bytes_model()[0]) + 2]})


@layout
def qwen3(folder: Path) -> None:
    """As transformers 5 saves it, with templates in files."""
    saved(folder, qwen2, model={"model_type": "qwen3", "vocab_size": 900})
    put(folder, chat_template__jinja=CHAT)
    put(folder / "additional_chat_templates", tool_use__jinja=TOOLS)


@layout
def llama3(folder: Path) -> None:
    described = llama3_like()
    config = GENERIC | {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>"}
    config |= {"model_input_names": ["input_ids", "attention_mask"], "chat_template": TOOLS}
    put(folder, tokenizer__json=described, tokenizer_config__json=config)
    put(folder, config__json={"model_type": "llama", "vocab_size": 2000})


@layout
def llama3_padding_id(folder: Path) -> None:
    """The configuration names an id that no piece has: a new piece must not get it."""
    llama3(folder)
    size = len(Tokenizer.from_str(json.dumps(llama3_like())).get_vocab())
    put(folder, config__json={"model_type": "llama", "vocab_size": 2000, "pad_token_id": size})


@layout
def bloom(folder: Path) -> None:
    tokenizer = Tokenizer.from_str(byte_pairs())
    cut = pre_tokenizers.Split(Regex(r" ?[^(\s|[.,!?…。，、।۔،])]+"), "isolated")
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([cut, level])
    tokenizer.decoder = decoders.ByteLevel()
    described = with_tokens(json.loads(tokenizer.to_str()), *ROBERTA)
    names = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    config = names | {"tokenizer_class": "BloomTokenizerFast", "padding_side": "left"}
    put(folder, tokenizer__json=described, tokenizer_config__json=config)
    put(folder, config__json={"model_type": "bloom", "vocab_size": 900})


@layout
def falcon(folder: Path) -> None:
    tokenizer = Tokenizer.from_str(byte_pairs())
    steps = [pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(False)]
    steps.append(pre_tokenizers.Digits(individual_digits=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    described = with_tokens(json.loads(tokenizer.to_str()), ">>TITLE<<", "<|endoftext|>")
    names = {"eos_token": "<|endoftext|>", "model_input_names": ["input_ids", "attention_mask"]}
    config = GENERIC | names | {"additional_special_tokens": [">>TITLE<<"]}
    put(folder, tokenizer__json=described, tokenizer_config__json=config)
    put(folder, special_tokens_map__json={"eos_token": "<|endoftext|>"})
    put(folder, config__json={"model_type": "falcon", "vocab_size": 900})


@layout
def starcoder(folder: Path) -> None:
    tokenizer = Tokenizer.from_str(byte_pairs())
    digits, level = pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, level])
    tokenizer.decoder = decoders.ByteLevel()
    described = with_tokens(json.loads(tokenizer.to_str()), "<|endoftext|>", "<fim_prefix>")
    names = dict.fromkeys(("bos_token", "eos_token", "unk_token"), "<|endoftext|>")
    config = names | {"tokenizer_class": "GPT2TokenizerFast", "vocab_size": 49152}
    config |= {"additional_special_tokens": ["<|endoftext|>", "<fim_prefix>"]}
    put(folder, tokenizer__json=described, tokenizer_config__json=config)
    put(folder, config__json={"model_type": "gpt_bigcode", "vocab_size": 900})


@layout
def whisper(folder: Path) -> None:
    size = len(bytes_model()[0])
    names = ("<|startoftranscript|>", "<|en|>", "<|mt|>", "<|transcribe|>", "<|notimestamps|>")
    gpt2_files(folder / "raw", behind=("<|endoftext|>",))

    def raw(folder: Path) -> None:
        gpt2_files(folder, behind=("<|endoftext|>",))
        table = {str(size + i): token(p) for i, p in enumerate(("<|endoftext|>", *names))}
        config = {"tokenizer_class": "WhisperTokenizer", "added_tokens_decoder": table}
        put(folder, tokenizer_config__json=config | {"additional_special_tokens": [*names]})

    saved(folder, raw, model={"model_type": "whisper", "vocab_size": 900})
    forced = [[1, size + 2], [2, size + 4]]
    put(folder, generation_config__json={"forced_decoder_ids": forced, "suppress_tokens": [1, 2]})


@layout
def phi(folder: Path) -> None:
    """CodeGen's tokenizer, with white space in added_tokens.json and placeholders behind."""
    gpt2_files(folder, behind=("<|endoftext|>",), config__json={"model_type": "phi"})
    size = len(bytes_model("<|endoftext|>")[0])
    put(folder, added_tokens__json={" " * (5 - i): size + i for i in range(3)})
    put(folder, tokenizer_config__json={"tokenizer_class": "CodeGenTokenizer"})


@layout
def clip(folder: Path) -> None:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*letters, *(letter + "</w>" for letter in letters), "th", "the</w>"]
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    merges = ["#version: 0.2", "t h", "th e</w>", ""]
    put(folder, vocab__json={p: i for i, p in enumerate(pieces)}, merges__txt="\n".join(merges))
    put(folder, tokenizer_config__json={"tokenizer_class": "CLIPTokenizer"})
    put(folder, config__json={"model_type": "clip"})


# SentencePiece ------------------------------------------------------------------------------------

FALLBACK = {"kind": "bpe", "size": 420, "byte_fallback": True}
LLAMA = {"model_max_length": 4096, "add_bos_token": True, "add_eos_token": False}


@layout
def llama2(folder: Path) -> None:
    config = LLAMA | {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>"}
    plain = sentencepiece(**FALLBACK, normalization_rule_name="identity")
    files = {"tokenizer_config__json": config, "config__json": {"model_type": "llama"}}
    model_file(folder, "tokenizer.model", plain, **files)


@layout
def llama2_saved(folder: Path) -> None:
    saved(folder, llama2, model={"model_type": "llama", "vocab_size": 900})


@layout
def mistral(folder: Path) -> None:
    """A tokenizer.json with Metaspace beside the .model, chat in tokenizer_config.json."""
    saved(folder, llama2, model={"model_type": "mistral", "vocab_size": 900})
    config = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    chat = "{{ bos_token }}{% for m in messages %}[INST] {{ m.content }} [/INST]{% endfor %}"
    put(folder, tokenizer_config__json=config | {"chat_template": chat})


@layout
def gemma(folder: Path) -> None:
    pieces = {"pad_id": 0, "eos_id": 1, "bos_id": 2, "unk_id": 3}
    turns = "<mask>,<start_of_turn>,<end_of_turn>"
    plain = {"normalization_rule_name": "identity", "add_dummy_prefix": False}
    plain |= {"remove_extra_whitespaces": False, "user_defined_symbols": turns}
    config = {"tokenizer_class": "GemmaTokenizer", "bos_token": "<bos>", "eos_token": "<eos>"}
    plain |= {"bos_piece": "<bos>", "eos_piece": "<eos>"}

    def raw(folder: Path) -> None:
        content = sentencepiece(**FALLBACK, **pieces, **plain)
        model_file(folder, "tokenizer.model", content, tokenizer_config__json=config)

    saved(folder, raw, model={"model_type": "gemma", "vocab_size": 900})
    put(folder, chat_template__jinja="{{ bos_token }}{{ messages[0].content }}")


@layout
def xlmr(folder: Path) -> None:
    model_file(folder, "sentencepiece.bpe.model", sentencepiece())
    put(folder, config__json={"model_type": "xlm-roberta"})


@layout
def xlmr_saved(folder: Path) -> None:
    saved(folder, xlmr, model={"model_type": "xlm-roberta", "vocab_size": 900})
    put(folder, tokenizer_config__json={"model_max_length": 512})


@layout
def nllb(folder: Path) -> None:
    languages = ["eng_Latn", "fra_Latn", "mlt_Latn"]
    config = {"tokenizer_class": "NllbTokenizer", "additional_special_tokens": languages}
    config |= {"src_lang": "eng_Latn", "tgt_lang": "mlt_Latn"}

    def raw(folder: Path) -> None:
        content = sentencepiece("bpe", 200)
        model_file(folder, "sentencepiece.bpe.model", content, tokenizer_config__json=config)

    saved(folder, raw)


@layout
def mbart(folder: Path) -> None:
    config = {"tokenizer_class": "MBartTokenizer", "src_lang": "en_XX", "tgt_lang": "ro_RO"}

    def raw(folder: Path) -> None:
        files = {"tokenizer_config__json": config}
        model_file(folder, "sentencepiece.bpe.model", sentencepiece(), **files)

    saved(folder, raw, model={"model_type": "mbart", "vocab_size": 900})


T5 = {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1}


@layout
def t5(folder: Path) -> None:
    config = {"tokenizer_class": "T5Tokenizer", "extra_ids": 100, "model_max_length": 512}
    files = {"tokenizer_config__json": config, "config__json": {"model_type": "t5"}}
    model_file(folder, "spiece.model", sentencepiece(**T5), **files)


@layout
def t5_symbols(folder: Path) -> None:
    """Symbols of the user, which SentencePiece takes whole wherever they are."""
    content = sentencepiece(**T5, user_defined_symbols="<P>,reserved_01,ing")
    config = {"tokenizer_class": "T5Tokenizer", "extra_ids": 0}
    files = {"tokenizer_config__json": config, "config__json": {"model_type": "t5"}}
    model_file(folder, "spiece.model", content, **files)


@layout
def mt5(folder: Path) -> None:
    config = {"tokenizer_class": "T5Tokenizer", "extra_ids": 0}
    files = {"tokenizer_config__json": config, "config__json": {"model_type": "mt5"}}
    model_file(folder, "spiece.model", sentencepiece(**T5), **files)


@layout
def pegasus(folder: Path) -> None:
    names = {"tokenizer_class": "PegasusTokenizer", "model_max_length": 1024}
    files = {"tokenizer_config__json": names, "config__json": {"model_type": "pegasus"}}
    model_file(folder, "spiece.model", sentencepiece(**T5), **files)


@layout
def albert(folder: Path) -> None:
    pieces = {"pad_id": 0, "unk_id": 1, "bos_id": -1, "eos_id": -1}
    content = sentencepiece(control_symbols="[CLS],[SEP],[MASK]", **pieces)
    model_file(folder, "spiece.model", content, config__json={"model_type": "albert"})
    put(folder, tokenizer_config__json={"do_lower_case": True, "keep_accents": True})


@layout
def deberta_v2(folder: Path) -> None:
    pieces = {"pad_id": 0, "bos_id": 1, "eos_id": 2, "unk_id": 3, "pad_piece": "[PAD]"}
    pieces |= {"bos_piece": "[CLS]", "eos_piece": "[SEP]", "unk_piece": "[UNK]"}
    content = sentencepiece(**pieces)
    model_file(folder, "spm.model", content, config__json={"model_type": "deberta-v2"})
    put(folder, tokenizer_config__json={"do_lower_case": False, "vocab_type": "spm"})


@layout
def camembert(folder: Path) -> None:
    files = {"config__json": {"model_type": "camembert"}}
    model_file(folder, "sentencepiece.bpe.model", sentencepiece(), **files)


@layout
def sentencepiece_bare(folder: Path) -> None:
    model_file(folder, "spm.model", sentencepiece())


@layout
def byt5(folder: Path) -> None:
    put(folder, tokenizer_config__json={"tokenizer_class": "ByT5Tokenizer", "extra_ids": 5})
    put(folder, config__json={"model_type": "t5"})
