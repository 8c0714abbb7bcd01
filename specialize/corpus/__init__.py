"""Raw text: files of many formats as one re-iterable, streaming corpus of documents.

The files of the package in reading order: ``files`` (paths, decompression, lines), ``conllu``,
``dump``, ``formats`` (one file as documents), ``decontaminate`` (evaluation sentences removed),
``source`` (split and sample), ``normalize`` (Unicode, punctuation), ``corpus`` (all of it
together), ``prepare`` (a corpus written once as plain files), ``token_counts``, ``count_files``
(counts kept in files and merged), ``ray`` (counting on a cluster).
"""

from specialize.corpus.corpus import Corpus, open_corpus
from specialize.corpus.count_files import (
    count_texts,
    merge_counts,
    open_text,
    read_counts,
    write_counts,
)
from specialize.corpus.facts import CorpusFacts, FileFacts
from specialize.corpus.files import read_lines
from specialize.corpus.source import CorpusFiles
from specialize.corpus.token_counts import Countable, Dropped, TextCounts, count_lines

__all__ = [
    "Corpus",
    "CorpusFacts",
    "CorpusFiles",
    "Countable",
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
