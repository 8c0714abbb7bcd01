"""Long lines encoded in parts: the same ids as at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers_made import any_text, gpt2_like, llama2_like, llama3_like, xlmr_like

from specialize.vocab.base import Vocabulary
from specialize.vocab.bpe.model import BPE
from specialize.vocab.counting.long_lines import encode_long
from specialize.vocab.counting.space_units import LONG
from specialize.vocab.unigram.model import Unigram
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

LAYOUTS: dict[str, Vocabulary] = {
    "GPT-2": BPE(gpt2_like()),
    "Llama 3": BPE(llama3_like()),
    "Llama 2": BPE(llama2_like()),
    "XLM-R": Unigram(xlmr_like()),
    "BERT": WordPiece([*SPECIAL, "a", "b", "##a", "##b"]),
}


@pytest.mark.parametrize("name", LAYOUTS)
@given(text=any_text(), part=st.integers(1, 40))
def test_parts_of_a_line_have_the_ids_of_the_line(name: str, text: str, part: int) -> None:
    line = text.replace("\n", " ")
    assert encode_long(LAYOUTS[name], line, part=part) == LAYOUTS[name].encode(line)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_long_line_may_begin_with_any_character(name: str) -> None:
    line = "\u200f" + "ab ba " * LONG
    assert encode_long(LAYOUTS[name], line, part=100) == LAYOUTS[name].encode(line)
