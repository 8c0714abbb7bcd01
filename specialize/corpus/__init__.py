"""Text to learn from: files of many formats as one re-iterable, streaming corpus of documents.

The files of the package in the order of reading: ``files`` (paths, decompression, lines),
``counts`` (tokens counted), ``conllu``, ``dump`` and ``formats`` (one file as documents),
``removal`` (evaluation sentences taken out), ``treatment`` (Unicode and punctuation), ``corpus``
(all of it together).
"""

from specialize.corpus.corpus import Corpus, CorpusFacts, CorpusFiles, FileFacts, open_corpus
from specialize.corpus.counts import TextCounts, count_lines
from specialize.corpus.files import read_lines

__all__ = [
    "Corpus",
    "CorpusFacts",
    "CorpusFiles",
    "FileFacts",
    "TextCounts",
    "count_lines",
    "open_corpus",
    "read_lines",
]
