"""What users load of a changed tokenizer, for the layouts of folders there are.

Extended, replaced or pruned, each either ends with every property of AutoTokenizer as it was, or is
refused in one line; nothing in between. The comparison here is the test's own.
"""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tokenizers_made as made
from layouts import CHAT, LAYOUTS

from specialize import augment_tokenizer, open_vocabulary, write_vocabulary
from specialize.augment import extend, prune, replace
from specialize.errors import DataError
from specialize.inspection import inspect_texts
from specialize.vocab.base import VocabChange
from specialize.vocab.open import read_vocabulary
from specialize.vocab.verify.claims import claims_of
from specialize.vocab.verify.run import verify
from specialize.vocab.wordpiece.model import is_slot
from specialize.vocab.write import write_files

TOY, LATIN = [*made.lines_in("toy")[:60]], [*made.latin()[:60]]
METHODS: dict[str, tuple[Any, list[str], dict[str, int]]] = {
    "extend": (extend, TOY, {"pieces": 12}),
    "replace": (replace, [*TOY, *LATIN], {"pieces": 700, "min_count": 2}),
    "prune": (prune, LATIN[:20], {}),
}
REFUSED = {  # (layout, method), or the layout: why
    "byt5": "ByT5Tokenizer has no pieces of the tokenizers library",
    "clip": "end_of_word_suffix: expected null, got '</w>'",
    "bert_nfc_by_its_class": "transformers reads the source as BertTokenizer, unlike its tokenizer",
    ("llama3_padding_id", "extend"): "pad_token_id is 703, the id of no piece",
}
BARE = {"bert_bare", "bert_bare_uncased", "gpt2_bare", "sentencepiece_bare"}  # AutoTokenizer fails
NAMES = ("bos_token", "eos_token", "unk_token", "pad_token", "cls_token", "sep_token", "mask_token")
SETTINGS = (
    *("padding_side", "truncation_side", "model_max_length", "model_input_names"),
    *("clean_up_tokenization_spaces", "split_special_tokens", "chat_template"),
    *("src_lang", "tgt_lang", "pad_token_type_id"),
)
FLAGS = ("special", "lstrip", "rstrip", "normalized", "single_word")
TEXTS = ["", "ab", "ab ba, 12 Ab!", *LATIN[:5]]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder of every layout."""
    home = tmp_path_factory.mktemp("layouts")
    for name, make in LAYOUTS.items():
        make(home / name)
    return {name: home / name for name in LAYOUTS}


def test_there_are_enough_layouts() -> None:
    assert len(LAYOUTS) >= 40


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_users_load_what_was_there_or_the_change_is_refused_in_one_line(
    layout: str, method: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    source, why = folders[layout], REFUSED.get(layout) or REFUSED.get((layout, method))
    if why:
        with pytest.raises(DataError) as refused:
            change(source, method, tmp_path)
        assert why in str(refused.value)
        assert "\n" not in str(refused.value)
        return
    done = change(source, method, tmp_path)
    assert method == "prune" or done.fresh
    if layout not in BARE:
        assert_same(load(source), load(tmp_path), extends=method == "extend", done=done)


def change(source: Path, method: str, out: Path) -> VocabChange[Any]:
    """As ``augment_tokenizer``, which verifies in a fresh process instead."""
    module, text, options = METHODS[method]
    done: VocabChange[Any] = module.change(read_vocabulary(source), text, **options)
    files = write_files(done.new, out)
    verify(out, claims_of(done, text, [], source=source, files=files))
    return done


def load(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def assert_same(old: Any, new: Any, *, extends: bool, done: VocabChange[Any]) -> None:
    """Assert that ``new`` differs from ``old`` in its pieces only."""
    assert type(new) is type(old)
    assert len(new) == len(done.new.pieces)
    for name in NAMES:
        assert getattr(new, name) == getattr(old, name), name
        assert not extends or getattr(new, f"{name}_id") == getattr(old, f"{name}_id"), name
    for name in SETTINGS:
        assert getattr(new, name, None) == getattr(old, name, None), name
    assert sorted(new.all_special_tokens) == sorted(old.all_special_tokens)
    assert sorted(map(str, new.extra_special_tokens)) == sorted(map(str, old.extra_special_tokens))
    before = {str(token): token for token in old.added_tokens_decoder.values()}
    now = {str(token): token for token in new.added_tokens_decoder.values()}
    assert before.keys() == now.keys()
    for token, flags in before.items():
        assert all(getattr(flags, f) == getattr(now[token], f) for f in FLAGS), token
    if extends:
        ids = new.get_vocab()
        slots = {p for p in old.get_vocab() if is_slot(p) and p not in before}
        assert {p for p, i in old.get_vocab().items() if ids.get(p) != i} <= slots
    special = ["a" + token + "b" for token in before][:20]
    assert_framed(old, new, [*TEXTS, *special])
    for language in (getattr(old, "src_lang", None) and ("fra_Latn", "mlt_Latn", "ro_RO")) or ():
        if language in before:
            old.src_lang = new.src_lang = language
            assert_framed(old, new, TEXTS)


def assert_framed(old: Any, new: Any, texts: Sequence[str]) -> None:
    """Assert the same pieces, types and names around texts and pairs, and the same decoding."""
    for text in texts:
        for pair in ((text,), (text, "ba")):
            before, now = old(*pair), new(*pair)
            assert list(before) == list(now), text
            assert frame(old, before, *pair) == frame(new, now, *pair), text
        unknown = {old.unk_token, new.unk_token, "<unk>", "[UNK]"}
        before, now = old(text)["input_ids"], new(text)["input_ids"]
        if not unknown & {*old.convert_ids_to_tokens(before), *new.convert_ids_to_tokens(now)}:
            assert old.decode(before) == new.decode(now)


def frame(tokenizer: Any, found: Any, *texts: str) -> list[Any]:
    """The special pieces of an encoding with their types, a dot for each run of others."""
    tokens = tokenizer.convert_ids_to_tokens(found["input_ids"])
    special = {*tokenizer.all_special_tokens} - {tokenizer.unk_token}
    types = found.get("token_type_ids", [0] * len(tokens))
    rows: list[Any] = []
    for token, kind in zip(tokens, types, strict=True):
        row = (token if token in special else ".", kind)
        if row[0] != "." or not rows or rows[-1] != row:
            rows.append(row)
    return rows


# Whole commands, and the import API ---------------------------------------------------------------


@pytest.mark.parametrize("layout", ["roberta_saved", "qwen2", "t5"])
def test_the_command_verifies_in_a_fresh_process(
    layout: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    source = folders[layout]
    said = augment_tokenizer(source, TOY, "extend", {"pieces": 5}, tmp_path / "new")
    assert said.splitlines()[-1] == str(tmp_path / "new")
    assert type(load(tmp_path / "new")) is type(load(source))
    manifest = json.loads((tmp_path / "new" / "manifest.json").read_text("utf-8"))
    assert manifest["verified"][-1]["name"] == "AutoTokenizer"
    named = {row["file"] for row in manifest["inputs"]["tokenizer"]}
    assert "tokenizer_config.json" in named


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("layout", ["qwen3", "nllb", "bert_other_names", "roberta_saved", "gemma"])
def test_a_vocabulary_carries_its_settings_whatever_it_was_opened_from(
    layout: str, live: bool, folders: dict[str, Path], tmp_path: Path
) -> None:
    source = folders[layout]
    vocabulary = open_vocabulary(load(source) if live else source)
    done = extend.change(vocabulary, TOY, pieces=8)
    write_vocabulary(done.new, tmp_path / "new")
    assert_same(load(source), load(tmp_path / "new"), extends=True, done=done)


def test_templates_and_settings_are_files_of_the_folder(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    source = folders["qwen3"]
    write_vocabulary(extend.change(open_vocabulary(source), TOY, pieces=8).new, tmp_path)
    for name in ("chat_template.jinja", "additional_chat_templates/tool_use.jinja"):
        assert (tmp_path / name).read_bytes() == (source / name).read_bytes()
    chat = [{"role": "user", "content": "a"}]
    old, new = load(source), load(tmp_path)
    assert old.chat_template.keys() == new.chat_template.keys() == {"default", "tool_use"}
    for name in old.chat_template:
        texts = [
            t.apply_chat_template(chat, chat_template=name, tokenize=False) for t in (old, new)
        ]
        assert texts[0] == texts[1] != ""
    assert old.chat_template["default"] == CHAT


def test_ids_of_generation_move_with_their_pieces(folders: dict[str, Path], tmp_path: Path) -> None:
    source = folders["whisper"]
    for method in ("extend", "prune"):
        out = tmp_path / method
        done = change(source, method, out)
        before = json.loads((source / "generation_config.json").read_text("utf-8"))
        now = json.loads((out / "generation_config.json").read_text("utf-8"))
        for (at, old), (again, new) in zip(
            before["forced_decoder_ids"], now["forced_decoder_ids"], strict=True
        ):
            assert (at, done.old.pieces[old]) == (again, done.new.pieces[new])
        kept = {done.new.pieces[i] for i in now["suppress_tokens"]}
        assert kept <= {done.old.pieces[i] for i in before["suppress_tokens"]}


def test_nothing_is_guessed_for_a_tokenizer_without_names(tmp_path: Path) -> None:
    """A bare tokenizer.json names no special piece; neither does what is written of it."""
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "tokenizer.json").write_text(json.dumps(made.xlmr_like()), "utf-8")
    write_vocabulary(open_vocabulary(tmp_path / "old"), tmp_path / "new")
    assert load(tmp_path / "new").special_tokens_map == load(tmp_path / "old").special_tokens_map
    config = json.loads((tmp_path / "new" / "tokenizer_config.json").read_text("utf-8"))
    assert config == {"tokenizer_class": "PreTrainedTokenizerFast"}


def test_declared_slots_are_not_free(folders: dict[str, Path]) -> None:
    vocabulary = open_vocabulary(folders["bert_slots_declared"])
    done = extend.change(vocabulary, TOY, pieces=40)
    taken = {vocabulary.pieces[i] for i in range(len(vocabulary.pieces)) if i in done.fresh}
    assert taken == {f"[unused{i}]" for i in range(3, 9)}


def test_inspect_counts_as_transformers_reads_the_folder(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    text = tmp_path / "text.txt"
    text.write_text("\n".join(LATIN), "utf-8")
    for layout in ("clip", "roberta", "t5", "pegasus", "llama2", "phi", "bert_added"):
        (finding,) = inspect_texts([str(folders[layout])], [str(text)])
        ids = load(folders[layout])(LATIN, add_special_tokens=False)["input_ids"]
        assert finding.audit.pieces == sum(map(len, ids)), layout


def test_a_refused_vocabulary_leaves_no_file(folders: dict[str, Path], tmp_path: Path) -> None:
    vocabulary = open_vocabulary(folders["bert_nfc_by_its_class"])
    with pytest.raises(DataError, match=r"not written: transformers reads the source as Bert"):
        write_vocabulary(vocabulary, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_class_that_cannot_be_read_is_refused_with_what_to_do(tmp_path: Path) -> None:
    LAYOUTS["roberta"](tmp_path / "old")
    config = {"tokenizer_class": "OurOwn", "auto_map": {"AutoTokenizer": ["ours.Own", None]}}
    (tmp_path / "old" / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    (tmp_path / "old" / "config.json").unlink()
    (tmp_path / "old" / "vocab.json").rename(tmp_path / "old" / "vocab.other")
    with pytest.raises(DataError, match=r"old: transformers cannot read .*; write its tokenizer"):
        open_vocabulary(tmp_path / "old")
    shutil.rmtree(tmp_path / "old")
