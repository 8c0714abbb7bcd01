"""Files for ``specialize inspect``: three tokenizers, a text and its translation."""

from pathlib import Path

import pytest
from small_tokenizers import byte_level

from specialize.vocab.wordpiece.model import SPECIAL

PIECES = [*SPECIAL, "a", "b", "##b", "##c", "ab", "a."]
TEXT = "a ab abc\nabc ۋb a<b>ۋ\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A WordPiece and a byte-level BPE, a text, and its translation."""
    (tmp_path / "wordpiece").mkdir()
    (tmp_path / "wordpiece/vocab.txt").write_text("".join(f"{p}\n" for p in PIECES), "utf-8")
    (tmp_path / "other").mkdir()
    more = [*PIECES, "ۋ", "##ۋ"]
    (tmp_path / "other/vocab.txt").write_text("".join(f"{p}\n" for p in more), "utf-8")
    byte_level(merges=[("a", "b")]).save(str(tmp_path / "bytes.json"))
    (tmp_path / "ug.txt").write_text(TEXT, "utf-8")
    (tmp_path / "en.txt").write_text("a\nab b\n", "utf-8")
    (tmp_path / "empty.tsv").write_text("\t\n", "utf-8")
    return tmp_path
