"""Text to learn from: files of many formats as one re-iterable, streaming corpus of documents.

The files of the package in the order of reading: ``files`` (paths, decompression, lines),
``counts`` (tokens counted), ``conllu``, ``dump`` and ``formats`` (one file as documents),
``removal`` (evaluation sentences taken out), ``treatment`` (Unicode and punctuation), ``corpus``
(all of it together), ``countfile`` (counts kept in files and merged), ``distributed`` (counting on
a Ray cluster).
"""

from specialize.corpus.corpus import Corpus, CorpusFacts, CorpusFiles, FileFacts, open_corpus
from specialize.corpus.count_files import (
    count_texts,
    merge_counts,
    open_text,
    read_counts,
    write_counts,
)
from specialize.corpus.files import read_lines
from specialize.corpus.token_counts import Dropped, TextCounts, count_lines

__all__ = [
    "Corpus",
    "CorpusFacts",
    "CorpusFiles",
    "Dropped",
    "FileFacts",
    "TextCounts",
    "count_lines",
    "count_texts",
    "merge_counts",
    "open_corpus",
    "open_text",
    "read_counts",
    "read_lines",
    "write_counts",
]
