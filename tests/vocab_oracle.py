"""The tokenizers library as an outside oracle, and text that is difficult for tokenizers."""

from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from specialize.vocab.wordpiece.model import WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules

# letters, marks, ideographs (one of them not isolated), deleted and separating characters
LETTERS = "abcéşۋەئ\u0301\u0670"
ODD = (
    "\0\x0b\x1c\x1f\x85\u00ad\u200b\u200c\u200d\u2028\u2029\u3000\ufeff\ufffd\ue000\U0002b820世界가"
)
MARKS = ".,-!()[]#_«»؟،۔–“\u061d\u166d"
SPECIAL = ("[MASK]", "[UNK]", "[PAD]", "[CLS]x", "[mask]", "[MA\u200cSK]", "[unused1]")
LONG = ("a" * 100, "a" * 101, "ab" * 50 + "\u200c", "a" * 100 + "\u0301")


def hard_text() -> st.SearchStrategy[str]:
    """Lines with characters on which implementations differ."""
    word = st.text(LETTERS + ODD + MARKS, max_size=8) | st.sampled_from(SPECIAL + LONG)
    return st.lists(st.tuples(word, st.sampled_from(["", " ", "\t"])), max_size=8).map(
        lambda parts: "".join(part for pair in parts for part in pair)
    )


def library_rules(rules: BertRules) -> normalizers.BertNormalizer:
    return normalizers.BertNormalizer(
        clean_text=rules.clean,
        handle_chinese_chars=rules.ideographs,
        strip_accents=rules.strip_accents,
        lowercase=rules.lowercase,
    )


def library_words(text: str, rules: BertRules) -> list[str]:
    normal = library_rules(rules).normalize_str(text)
    return [word for word, _ in pre_tokenizers.BertPreTokenizer().pre_tokenize_str(normal)]


def library_tokenizer(vocabulary: WordPiece) -> Tokenizer:
    """The same vocabulary and rules in the library."""
    model = models.WordPiece(
        vocabulary.ids, unk_token=vocabulary.unk, max_input_chars_per_word=vocabulary.max_chars
    )
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = library_rules(vocabulary.rules)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(list(vocabulary.special))
    return tokenizer


def library_pieces(tokenizer: Tokenizer, line: str) -> list[str]:
    return tokenizer.encode(line, add_special_tokens=False).tokens
