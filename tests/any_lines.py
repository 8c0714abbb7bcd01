"""Lines of text with characters that may confuse a tokenizer."""

from hypothesis import strategies as st

ODD = (
    "\0\x0b\x1c\x85\xa0\xad\u0301\u0600\u0e33\u200b\u200c\u200d\u2028\u2581\u3000\ufeff\ufffd\uff9e"
)
LETTERS = "abcdst12345,.'´¨ªéşۋاﷺ가世ᄀ\U0001f1e9\U0001f3fb\U00020000٣"
SPECIAL = ("<s>", "</s>", "<unk>", "<mask>", "<extra_id_0>", "xy yx", "y  x")


def any_line() -> st.SearchStrategy[str]:
    word = st.text(LETTERS, min_size=1, max_size=4) | st.text(LETTERS + ODD, max_size=5)
    word |= st.sampled_from((*SPECIAL, "'s", "can't", "x'LL", "d'\u017f", "12345 678"))
    space = st.sampled_from(["", " ", " ", " ", "  ", "\t", "\r", "\n ", " \u00a0"])
    return st.lists(st.tuples(word, space), max_size=9).map(
        lambda parts: "".join(part for pair in parts for part in pair)
    )
