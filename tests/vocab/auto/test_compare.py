"""What differs between two tokenizers of transformers is named; pieces may differ."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from layouts import LAYOUTS
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

from specialize import open_vocabulary, write_vocabulary
from specialize.vocab.auto.compare import difference, reading
from specialize.vocab.auto.load import load

Json = dict[str, Any]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("auto")
    for name in ("qwen3", "bert_uncased", "bert_added", "nllb"):
        LAYOUTS[name](folder / name)
    return folder


def edited(folder: Path, out: Path, name: str, edit: Callable[[Json], object]) -> Any:
    """The tokenizer of a folder, one JSON file of which is changed by ``edit``."""
    shutil.copytree(folder, out)
    described = json.loads((out / name).read_text("utf-8"))
    edit(described)
    (out / name).write_text(json.dumps(described), "utf-8")
    return load(out)


def setting(**values: Any) -> Callable[[Json], object]:
    return lambda config: config.update(values)


def flag(described: Json) -> None:
    described["added_tokens"][-1]["rstrip"] = True


def lose(described: Json) -> None:
    described["added_tokens"].pop()


CONFIG, JSON = "tokenizer_config.json", "tokenizer.json"
EDITS: list[tuple[str, str, Callable[[Json], object], str]] = [
    ("qwen3", CONFIG, setting(model_max_length=9), "model_max_length was 32768, and now is 9"),
    ("qwen3", CONFIG, setting(padding_side="left"), "padding_side was 'right', and now is 'left'"),
    ("qwen3", CONFIG, setting(truncation_side="left"), "truncation_side was 'right'"),
    ("qwen3", CONFIG, setting(clean_up_tokenization_spaces=True), "clean_up_tokenization_spaces"),
    ("qwen3", CONFIG, setting(eos_token="<|endoftext|>"), "eos_token was '<|im_end|>', and now is"),
    ("qwen3", CONFIG, setting(pad_token=None), "pad_token was '<|endoftext|>'"),
    ("bert_added", JSON, flag, "rstrip of 'qqq' was False, and now is True"),
    (
        "bert_added",
        JSON,
        lose,
        "the added tokens was ['[CLS]', '[MASK]', '[PAD]', '[SEP]', '[UNK]'",
    ),
    ("bert_uncased", CONFIG, setting(model_input_names=["input_ids"]), "model_input_names was"),
    ("bert_uncased", CONFIG, setting(do_lower_case=False), "do_lower_case was True, and now is"),
    (
        "nllb",
        CONFIG,
        setting(src_lang="fra_Latn"),
        "src_lang was 'eng_Latn', and now is 'fra_Latn'",
    ),
    ("nllb", CONFIG, setting(tokenizer_class="PreTrainedTokenizerFast"), "src_lang was 'eng_Latn'"),
    ("nllb", CONFIG, setting(extra_special_tokens=["eng_Latn"]), "extra_special_tokens was"),
]


@pytest.mark.parametrize(
    ("layout", "file", "edit", "message"), EDITS, ids=[message[:30] for *_, message in EDITS]
)
def test_each_property_is_compared_by_name(
    layout: str, file: str, edit: Any, message: str, home: Path, tmp_path: Path
) -> None:
    old = load(home / layout)
    assert difference(old, load(home / layout), ["ab ba"]) == ""
    new = edited(home / layout, tmp_path / "new", file, edit)
    assert difference(old, new, ["ab ba"]).startswith(message)


def test_pieces_around_texts_are_compared(tmp_path: Path) -> None:
    def double(described: Json) -> None:
        described["post_processor"] = json.loads(twice.__getstate__())

    LAYOUTS["llama3"](tmp_path / "old")
    begin = "<|begin_of_text|>"
    old = load(tmp_path / "old")
    twice = TemplateProcessing(
        single=f"{begin} {begin} $A", special_tokens=[(begin, old.bos_token_id)]
    )
    found = difference(old, edited(tmp_path / "old", tmp_path / "new", JSON, double), [])
    assert found.startswith("the pieces around a text, '', were [")
    assert found.endswith(f"and now are [('A', []), ('{begin}', 0), ('{begin}', 0)]")


@pytest.mark.parametrize("layout", ["llama2", "llama3"])  # without tokenizer.json, and with it
@pytest.mark.parametrize(("kind", "other"), [("bos", True), ("eos", False)])
def test_pieces_at_begin_and_end_are_compared_by_name(
    layout: str, kind: str, other: bool, tmp_path: Path
) -> None:
    LAYOUTS[layout](tmp_path / "old")
    old, new = load(tmp_path / "old"), load(tmp_path / "old")
    assert difference(old, new, []) == ""
    new.add_bos_token, new.add_eos_token = kind != "bos", kind == "eos"
    found = difference(old, new, [])
    assert found == f"add_{kind}_token was {other}, and now is {not other}"


def test_pieces_set_at_the_ends_of_a_live_tokenizer_are_kept(tmp_path: Path) -> None:
    LAYOUTS["llama2"](tmp_path / "old")
    live = load(tmp_path / "old")
    live.add_eos_token = True
    write_vocabulary(open_vocabulary(live), tmp_path / "new")
    ids = load(tmp_path / "new")("ab ba")["input_ids"]
    assert ids == live("ab ba")["input_ids"]
    assert (ids[0], ids[-1]) == (live.bos_token_id, live.eos_token_id)


def test_templates_are_compared_as_texts_and_as_chats(home: Path, tmp_path: Path) -> None:
    old = load(home / "qwen3")
    for name in ("chat_template.jinja", "additional_chat_templates/tool_use.jinja"):
        out = shutil.copytree(home / "qwen3", tmp_path / name.partition(".")[0].replace("/", "_"))
        (out / name).write_text("{{ messages }}", "utf-8")
        assert difference(old, load(out), []).startswith("chat_template was {")


def test_a_text_that_is_decoded_otherwise_is_named(home: Path, tmp_path: Path) -> None:
    def glue(described: Json) -> None:
        described["decoder"] = {"type": "Fuse"}

    LAYOUTS["falcon"](tmp_path / "old")
    new = edited(tmp_path / "old", tmp_path / "new", JSON, glue)
    assert " was decoded as " in difference(load(tmp_path / "old"), new, [])


def test_a_tokenizer_that_reads_its_file_otherwise_is_named(home: Path, tmp_path: Path) -> None:
    """BERT's class of transformers 5 takes no other rules from a tokenizer.json."""
    LAYOUTS["bert_nfc_by_its_class"](tmp_path / "bert")
    library = Tokenizer.from_file(str(tmp_path / "bert" / JSON))
    found = reading(load(tmp_path / "bert"), library, [])
    assert found.startswith("'Hello, World! 12 é' has the pieces ['h', ")
    library = Tokenizer.from_file(str(home / "qwen3" / JSON))
    assert reading(load(home / "qwen3"), library, ["ab ba"]) == ""
    library.add_tokens(["qqq"])
    assert "has 403 pieces, and tokenizer.json 404" in reading(load(home / "qwen3"), library, [])
