"""A synthetic language from a seed, for the demo and the tests: no real text is shipped.

Its roots are dictionary words of Turkish and made-up ones, its endings and grammar are its own,
and its script is unknown to multilingual BERT. ``_lexicon`` holds the words, ``_morphology`` the
endings, ``_language`` how common the words of one seed are, ``_phrases`` and ``_grammar`` the
rules, ``_write`` the files.
"""

from specialize.toylang._grammar import document, sentence
from specialize.toylang._language import Language, make_language
from specialize.toylang._script import to_latin, to_script
from specialize.toylang._tree import DEPRELS, ENTITIES, UPOS, Sentence, Token
from specialize.toylang._write import LANGUAGE_NOTE, ToyFiles, conllu, iob2, write_language

__all__ = [
    "DEPRELS",
    "ENTITIES",
    "LANGUAGE_NOTE",
    "UPOS",
    "Language",
    "Sentence",
    "Token",
    "ToyFiles",
    "conllu",
    "document",
    "iob2",
    "make_language",
    "sentence",
    "to_latin",
    "to_script",
    "write_language",
]
