"""Characters that a normaliser changes."""

from small_tokenizers import byte_level, folding_unigram, inspected
from tokenizers import normalizers

from specialize.vocab.audit.normalizer_changes import CharacterChange
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece
from specialize.vocab.wordpiece.pretokenize import BertRules

UNCASED = BertRules(strip_accents=True, lowercase=True)
SMALL = WordPiece([*SPECIAL, "a", "b", "##b", "##c", ".", "ab"])


def test_stripping_accents_changes_letters() -> None:
    """Not deleted (the joiner), white space, nor a special piece."""
    vocabulary = WordPiece(SMALL.pieces, rules=UNCASED)
    found = inspected(vocabulary).changed_characters(["ӱнжӱ Aa\u200c [MASK]", "e\u0301\u3000ӱ"])
    assert found == [
        CharacterChange("ӱ", "у", 3),
        CharacterChange("A", "a", 1),
        CharacterChange("\u0301", "", 1),
    ]
    assert found[0].to_json() == {"from": "ӱ", "to": "у", "count": 3}
    assert inspected(SMALL).changed_characters(["ӱA"]) == []


def test_a_library_normaliser_is_asked_for_each_character() -> None:
    tokenizer = folding_unigram("a")
    found = inspected(tokenizer).changed_characters(["ﬁ a\u200cﬁ"])
    assert found == [CharacterChange("ﬁ", "fi", 2)]
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.NFKC()])
    assert inspected(tokenizer).changed_characters(["ﬁ a"]) == [CharacterChange("ﬁ", "fi", 1)]
    assert inspected(byte_level(merges=[])).changed_characters(["ﬁ"]) == []
