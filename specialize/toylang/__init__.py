"""A synthetic language from a seed, for the demo and the tests; no real text is shipped.

Roots are Turkish dictionary words and invented ones, endings and grammar are invented, and
multilingual BERT does not cover the script. ``_lexicon`` has the words, ``_morphology`` the
endings, ``_language`` the word frequencies of a seed, ``_phrases`` and ``_grammar`` the rules,
``_write`` the files.
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
