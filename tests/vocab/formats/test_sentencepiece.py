"""SentencePiece models through the tokenizers library segment as sentencepiece itself does."""

import io
import json
import subprocess
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sentencepiece import (
    SentencePieceNormalizer,
    SentencePieceProcessor,
    SentencePieceTrainer,
    sentencepiece_model_pb2,
)
from tokenizers import Tokenizer, normalizers

from specialize.corpus import CorpusFiles, open_corpus
from specialize.errors import DataError, MissingError
from specialize.toylang import ToyFiles, to_latin
from specialize.vocab.formats.sentencepiece import read_sentencepiece, write_sentencepiece

NORMAL, UNKNOWN, CONTROL, SYMBOL, UNUSED = 1, 2, 3, 4, 5
SPECIAL = [("<unk>", 0.0, UNKNOWN), ("<s>", 0.0, CONTROL), ("</s>", 0.0, CONTROL)]


class Model:
    """A .model file with both libraries that read it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.described = read_sentencepiece(path)
        self.library = Tokenizer.from_str(json.dumps(self.described))
        self.original = SentencePieceProcessor(model_file=str(path))
        self.maps = SentencePieceNormalizer(
            model_file=str(path),
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
            escape_whitespaces=False,
        )
        charsmap = proto_of(path).normalizer_spec.precompiled_charsmap
        self.map = normalizers.Precompiled(charsmap) if charsmap else None
        self.scores = {p: s for p, s in scored(self.described) if self.original[p]}

    def pieces(self, text: str) -> list[str]:
        return self.library.encode(text).tokens

    def maps_alike(self, text: str) -> bool:
        """Whether both map the characters of ``text`` alike, if there is a map."""
        return self.map is None or self.map.normalize_str(text) == self.maps.normalize(text)

    def gain(self, ids: list[int]) -> float:
        """Return how far the score of ``ids`` is above that of as many unknown characters."""
        named = (self.original.id_to_piece(i) for i in ids)
        known = [piece for piece in named if piece in self.scores]
        unknown = min(self.scores.values()) - 10
        return sum(self.scores[piece] - len(piece) * unknown for piece in known)

    def check(self, text: str) -> None:
        """Fail if the libraries differ, except where rounding decides in a Unigram."""
        ids, expected = self.library.encode(text).ids, self.original.encode(text)
        if ids != expected and self.described["model"]["type"] == "Unigram":
            assert self.gain(ids) == pytest.approx(self.gain(expected), abs=1e-3), text
        else:
            assert ids == expected, text
            if self.original.unk_id() not in ids:
                decoded = self.library.decode(ids, skip_special_tokens=False)
                assert decoded == self.original.decode(ids), text


def scored(described: dict[str, Any]) -> Iterable[tuple[str, float]]:
    vocab = described["model"]["vocab"]
    return vocab if isinstance(vocab, list) else [(piece, 0.0) for piece in vocab]


def proto_of(path: Path) -> Any:
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(path.read_bytes())
    return proto


def write_model(path: Path, pieces: list[tuple[str, float, int]], **settings: Any) -> Path:
    """Write a .model of ``pieces``, with fields of its specs set; without a map of characters."""
    proto = sentencepiece_model_pb2.ModelProto()
    for piece, score, kind in pieces:
        proto.pieces.add(piece=piece, score=score, type=kind)
    proto.trainer_spec.model_type = settings.pop("model_type", 1)
    proto.normalizer_spec.add_dummy_prefix = True
    for name, value in settings.items():
        spec = proto.trainer_spec if hasattr(proto.trainer_spec, name) else proto.normalizer_spec
        setattr(spec, name, value)
    path.write_bytes(proto.SerializeToString())
    return path


def train(path: Path, lines: Iterable[str], **settings: Any) -> Model:
    written = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=written,
        character_coverage=1.0,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
        **settings,
    )
    path.write_bytes(written.getvalue())
    return Model(path)


# By eye -------------------------------------------------------------------------------------------


def test_a_unigram_keeps_its_ids_and_scores(tmp_path):
    normal = [("▁", -3.0, NORMAL), ("a", -2.0, NORMAL), ("▁ab", -1.5, NORMAL), ("b", -2.5, NORMAL)]
    model = Model(write_model(tmp_path / "m.model", SPECIAL + normal))
    assert model.described["model"]["vocab"][2:] == [
        ["</s>", 0.0],
        ["▁", -3.0],
        ["a", -2.0],
        ["▁ab", -1.5],
        ["b", -2.5],
    ]
    assert model.described["model"]["unk_id"] == 0
    assert [t["content"] for t in model.described["added_tokens"]] == ["<unk>", "<s>", "</s>"]
    assert model.library.encode("ab  ba x").ids == [5, 3, 6, 4, 3, 0]
    assert model.library.decode([5, 3, 6, 4]) == "ab ba"
    model.check(" ab  ba cc ")


def test_a_bpe_has_all_merges_of_its_pieces_by_score(tmp_path):
    """``▁a`` ranks last: it has the lowest score, though not the last id."""
    listed = [("▁a", -2.0), ("ab", 0.0), ("abc", -1.0), ("bc", -0.5), *((c, -9.0) for c in "▁abc")]
    normal = [(piece, score, NORMAL) for piece, score in listed]
    model = Model(write_model(tmp_path / "m.model", SPECIAL + normal, model_type=2))
    assert model.described["model"]["merges"] == [
        ["a", "b"],
        ["b", "c"],
        ["ab", "c"],
        ["a", "bc"],
        ["▁", "a"],
    ]
    assert model.pieces("abca") == ["▁", "abc", "a"]
    assert model.pieces("a") == ["▁a"]


def test_llama_2_has_its_known_layout(tmp_path):
    plain = {"model_type": 2, "remove_extra_whitespaces": False, "byte_fallback": True}
    bytes_ = [(f"<0x{byte:02X}>", 0.0, 6) for byte in range(256)]
    normal = [("▁", -1.0, NORMAL), ("a", -2.0, NORMAL)]
    model = Model(write_model(tmp_path / "m.model", SPECIAL + bytes_ + normal, **plain))
    assert model.described["normalizer"]["normalizers"] == [
        {"type": "Prepend", "prepend": "▁"},
        {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
    ]
    assert model.described["pre_tokenizer"] is None
    assert model.pieces(" aé") == ["▁", "▁", "a", "<0xC3>", "<0xA9>"]
    assert model.library.decode(model.library.encode(" aé\n").ids) == " aé\n"


def test_reading_needs_nothing_heavy_before_it_is_called():
    code = "import sys, specialize.vocab.formats.sentencepiece; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"sentencepiece", "google.protobuf", "tokenizers", "torch"} & {*loaded}


# Against sentencepiece ----------------------------------------------------------------------------

RAW = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False}
KINDS: dict[str, dict[str, Any]] = {
    "Unigram": {"model_type": "unigram", "vocab_size": 400},
    "Unigram without a map": {
        "model_type": "unigram",
        "vocab_size": 400,
        "normalization_rule_name": "identity",
    },
    "Unigram with all spaces": {"model_type": "unigram", "vocab_size": 400, **RAW},
    "Unigram without a prefix": {
        "model_type": "unigram",
        "vocab_size": 400,
        "add_dummy_prefix": False,
    },
    "Unigram with bytes": {
        "model_type": "unigram",
        "vocab_size": 700,
        "byte_fallback": True,
        "normalization_rule_name": "nfkc",
    },
    "Unigram over spaces": {
        "model_type": "unigram",
        "vocab_size": 400,
        "split_by_whitespace": False,
    },
    "Unigram with symbols": {
        "model_type": "unigram",
        "vocab_size": 400,
        "user_defined_symbols": ["<sep>", "ab", "▁▁"],
        "control_symbols": ["<cls>"],
    },
    "BPE": {"model_type": "bpe", "vocab_size": 500},
    "BPE without a prefix": {"model_type": "bpe", "vocab_size": 500, "add_dummy_prefix": False},
    "BPE with symbols": {
        "model_type": "bpe",
        "vocab_size": 500,
        "user_defined_symbols": ["<sep>", "ab", "▁▁"],
    },
    "Llama 2": {
        "model_type": "bpe",
        "vocab_size": 900,
        "byte_fallback": True,
        "allow_whitespace_only_pieces": True,
        "split_digits": True,
        **RAW,
    },
    "Gemma": {
        "model_type": "bpe",
        "vocab_size": 900,
        "byte_fallback": True,
        "add_dummy_prefix": False,
        "user_defined_symbols": ["<sep>", "▁▁", "▁▁▁", "\n", "\t"],
        **RAW,
    },
    "BPE with symbols and all spaces": {
        "model_type": "bpe",
        "vocab_size": 500,
        "user_defined_symbols": ["<sep>", "ab"],
        **RAW,
    },
}

ODD = (
    *("\u0301", "\u0327", "\u064b", "\u094d", "\u093f", "\u200b", "\u200c", "\u200d", "\u200f"),
    *("\t", "\n", "\r\n", "\x85", "\xa0", "\u2028", "\u3000", "\ufeff", "\ufffd", "▁", "<", "<0x4"),
    *(
        "世界",
        "界",
        "क्षि",
        "ശ്രീ",
        "שלום",
        "ئۇيغۇر",
        "می\u200cروم",
        "한",
        "ᄀ",
        "①",
        "ﬁ",
        "Å",
        "e\u0301",
    ),
    *("😀", "👩\u200d👩", "🇲🇹", "<sep>", "ab", "aaaaa", "......", "12345", "١٢", "e\u0301"),
)


@pytest.fixture(scope="module")
def made(toy: ToyFiles) -> list[str]:
    """Lines in the toy language's script and in Latin letters, with a few others."""
    lines = list(islice(open_corpus(CorpusFiles((str(toy.corpus),))), 300))
    return [*lines, *map(to_latin, lines), *["世界 é ß fi 12 34  ....... aaaaaa (ab)"] * 20]


@pytest.fixture(scope="module")
def models(made: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Model]:
    folder = tmp_path_factory.mktemp("models")
    return {
        kind: train(folder / f"{i}.model", made, **chosen)
        for i, (kind, chosen) in enumerate(KINDS.items())
    }


def texts(words: list[str]) -> st.SearchStrategy[str]:
    """Texts of ``words``, odd characters and spaces; no leading or double U+2581.

    ``▁▁`` is a symbol that maps change: what is on its sides is a text of its own to the library.
    """
    space = st.sampled_from([" ", " ", "  ", "   "])
    part = st.sampled_from(words) | st.sampled_from(ODD) | space
    several = st.lists(part, max_size=10).map("".join)
    return several.filter(lambda text: text.lstrip()[:1] != "▁" and "▁▁" not in text)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60)
@given(data=st.data())
def test_a_text_has_the_same_pieces(models, made, kind, data):
    words = sorted({word for line in made[::40] for word in line.split()})
    text = data.draw(texts(words))
    model = models[kind]
    assume(model.maps_alike(text))
    assume(model.maps.normalize(text).strip(" ▁") not in ("<sep>", "ab"))  # a symbol alone
    model.check(text)


@pytest.mark.parametrize("kind", KINDS)
def test_training_text_has_the_same_pieces(models, made, kind):
    for line in made[::3]:
        models[kind].check(line)


@pytest.mark.parametrize("text", ["", " ", "   ", "\t", "\n", "a", " a", "a ", "  a  b  "])
@pytest.mark.parametrize("kind", KINDS)
def test_very_short_texts_have_the_same_pieces(models, kind, text):
    models[kind].check(text)


SCRIPTS = ("wikipedia/ug", "common_voice/mt", "common_voice/zh", "common_voice/hi")


@pytest.mark.parametrize("name", SCRIPTS)
def test_real_text_has_the_same_pieces(data, tmp_path, name):
    """Long lines are cut: the longer, the more often rounding decides."""
    lines = open_corpus(CorpusFiles((str(data / "raw" / f"{name}.txt.xz"),)))
    some = [line[:300] for line in islice(lines, 400)]
    bpe = {"model_type": "bpe", "vocab_size": 1500, "byte_fallback": True}
    for model in (
        train(tmp_path / "u.model", some[:300], model_type="unigram", vocab_size=1500),
        train(tmp_path / "b.model", some[:300], **bpe),
        Model(data / "vocab" / "t5" / "spiece.model"),
    ):
        for line in filter(model.maps_alike, some):
            model.check(line)


# Where the library must differ --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "pieces", "original"),
    [
        ("Unigram with symbols", "<cls>", ["<cls>"], "▁ < c l s >"),
        ("Unigram with bytes", "<0x41>", ["▁", "<0x41>"], "▁ <0x3C> 0 x 4 1 <0x3E>"),
        ("Unigram without a map", "▁é", ["▁", "é"], "▁ ▁ é"),
        ("BPE with symbols", "ab", ["ab"], "▁ ab"),
        ("Unigram", "4①\u0301", ["▁", "4", "1"], "▁ 4 1 \u0301"),
    ],
)
def test_known_differences_from_sentencepiece(models, kind, text, pieces, original):
    assert models[kind].pieces(text) == pieces
    assert models[kind].original.encode(text, out_type=str) == original.split()


def test_a_symbol_changed_by_the_character_map_splits_its_text(made, tmp_path):
    symbols = {"user_defined_symbols": ["①"], "model_type": "bpe", "vocab_size": 300}
    model = train(tmp_path / "m.model", made, **symbols)
    assert "①" in model.pieces("a①b")
    model.check("a①")
    assert model.pieces("①") == ["①"]
    assert model.original.encode("①", out_type=str) == ["▁", "①"]


def test_only_sentencepiece_merges_a_piece_with_an_unknown_character(tmp_path):
    normal = [("▁", -9.0, NORMAL), ("a", -9.0, NORMAL), ("aq", -1.0, NORMAL)]
    model = Model(write_model(tmp_path / "m.model", SPECIAL + normal, model_type=2))
    assert model.pieces("aq") == ["▁", "a", "<unk>"]
    assert model.original.encode("aq", out_type=str) == ["▁", "aq"]


def test_of_equal_scores_the_library_takes_the_first_in_the_vocabulary(tmp_path):
    letters = [(c, -9.0, NORMAL) for c in "▁abc"]
    equal = [("bc", -1.0, NORMAL), ("ab", -1.0, NORMAL)]
    model = Model(write_model(tmp_path / "m.model", SPECIAL + letters + equal, model_type=2))
    assert model.pieces("abc") == ["▁", "a", "bc"]
    assert model.original.encode("abc", out_type=str) == ["▁", "ab", "c"]


# Settings no trainer writes -----------------------------------------------------------------------


@pytest.mark.parametrize("model_type", [1, 2])
@pytest.mark.parametrize("dummy", [True, False])
@pytest.mark.parametrize("remove", [True, False])
def test_unescaped_spaces_are_read_as_sentencepiece_reads_them(tmp_path, model_type, dummy, remove):
    normal = [(piece, -1.0 - i, NORMAL) for i, piece in enumerate((" a", " ", "a", "b", "ba"))]
    flags = {"add_dummy_prefix": dummy, "remove_extra_whitespaces": remove}
    path = write_model(
        tmp_path / "m.model",
        SPECIAL + normal,
        model_type=model_type,
        escape_whitespaces=False,
        **flags,
    )
    model = Model(path)
    for text in ("", "a", " a", "  ba  a ", "ab", "▁a▁"):
        assert model.library.encode(text).ids == model.original.encode(text), text


# Writing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["Unigram", "Llama 2"])
def test_pieces_are_appended_and_nothing_else_changes(models, made, tmp_path, kind):
    source, out = models[kind].path, tmp_path / "out.model"
    longest = max((word for line in made for word in line.split()), key=len)
    scores = [piece.score for piece in proto_of(source).pieces]
    write_sentencepiece(source, [(f"▁{longest}", max(scores)), ("zzz", min(scores) - 1)], out)
    old, new = proto_of(source), proto_of(out)
    size = len(old.pieces)
    assert [(p.piece, p.type) for p in new.pieces[size:]] == [(f"▁{longest}", 1), ("zzz", 1)]
    assert new.pieces[size + 1].score == min(scores) - 1
    del new.pieces[size:]
    assert new == old
    read = Model(out)
    assert len(read.original) == size + 2
    for line in made[::50]:
        read.check(line)


def test_fields_that_are_not_known_here_stay(models, tmp_path):
    source, out = tmp_path / "in.model", tmp_path / "out.model"
    unknown = b"\xa2\x06\x03abc"  # field 100
    source.write_bytes(models["BPE"].path.read_bytes() + unknown)
    write_sentencepiece(source, [("zzz", -1.0)], out)
    assert unknown in out.read_bytes()


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([("▁", -1.0)], "duplicate piece '▁'"),
        ([("zz", -1.0), ("zz", -2.0)], "duplicate piece 'zz'"),
        ([("<s>", -1.0)], "duplicate piece '<s>'"),
        ([("", -1.0)], "'' with the score -1.0 is not a valid piece"),
        ([("z\0", -1.0)], "'z\\x00' with the score -1.0 is not a valid piece"),
        ([("zz", float("nan"))], "with the score nan"),
    ],
)
def test_pieces_that_cannot_be_written_are_refused(models, tmp_path, pieces, reason):
    out = tmp_path / "out.model"
    with pytest.raises(DataError) as raised:
        write_sentencepiece(models["Unigram"].path, pieces, out)
    assert reason in str(raised.value)
    assert not out.exists()


# Faults -------------------------------------------------------------------------------------------

LETTER = [("a", -1.0, NORMAL)]
FAULTS: dict[str, tuple[dict[str, Any] | bytes, str]] = {
    "empty": (b"", "0 pieces without settings"),
    "text": (b"some text\n", "damaged: "),
    "cut short": (
        b"\n\x0a\n\x01a\x15\0\0\0\0\x18\x01\n\x09\n\x05<unk>\x18\x02",
        "2 pieces without settings",
    ),
    "of words": ({"model_type": 3}, "model type 3 (3 is word, 4 is char) is not handled"),
    "suffixes": ({"treat_whitespace_as_suffix": True}, "treat_whitespace_as_suffix, "),
    "unused": ({"pieces": [*SPECIAL, ("a", -1.0, UNUSED)]}, "piece 'a' of the type UNUSED"),
    "no unknown": ({"pieces": LETTER}, "unk is not defined"),
    "duplicate": ({"pieces": [*SPECIAL, *LETTER, *LETTER]}, "a is already defined"),
    "no bytes": ({"byte_fallback": True}, "not 256 byte pieces"),
    "no number": ({"pieces": [*SPECIAL, ("a", float("inf"), NORMAL)]}, "score"),
    "half a map": ({"precompiled_charsmap": b"\x08\0\0\0ab"}, "damaged: "),
    "odd map": ({"precompiled_charsmap": b"\x04\0\0\0\0\0\0\0\xff\0"}, "damaged: "),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_reported_with_what_is_wrong(tmp_path, fault):
    content, reason = FAULTS[fault]
    path = tmp_path / "m.model"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        settings = {"pieces": SPECIAL + LETTER} | content
        write_model(path, settings.pop("pieces"), **settings)
    with pytest.raises(DataError) as raised:
        read_sentencepiece(path)
    message = str(raised.value)
    assert message.startswith(f"{path}:1: ")
    assert reason in message
    assert "\n" not in message


def test_a_piece_that_is_not_utf8_is_refused(tmp_path):
    path = write_model(tmp_path / "m.model", [*SPECIAL, ("xyz", -1.0, NORMAL)])
    path.write_bytes(path.read_bytes().replace(b"xyz", b"x\xffz"))
    with pytest.raises(DataError, match=r"m\.model:1: not a SentencePiece model, or damaged: "):
        read_sentencepiece(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(MissingError, match="no such file"):
        read_sentencepiece(tmp_path / "m.model")
