"""The text that pieces spell."""

from small_tokenizers import byte_level, folding_unigram

from specialize.vocab.piece_text import Speller


def test_markers_of_each_family_are_removed_from_pieces() -> None:
    speller = Speller(byte_level(merges=[]))
    assert speller.bytes("Ġab") == b" ab"
    assert speller.text("Û") is None
    assert speller.readable("Û") == "<DB>"
    speller = Speller(folding_unigram("▁a", "<0xDB>"))
    assert (speller.bytes("▁a"), speller.bytes("<0xDB>")) == (b" a", b"\xdb")
    assert (speller.bytes("<unk>"), speller.text("<mask>")) == (None, None)
