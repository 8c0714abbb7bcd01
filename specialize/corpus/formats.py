"""The documents of one file, by its format."""

import functools
import html
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from specialize.corpus.columns import is_columns, read_tokens
from specialize.corpus.conllu import is_conllu, read_blocks
from specialize.corpus.dump import read_articles
from specialize.corpus.files import plain_name, read_lines
from specialize.errors import DataError, MissingError

_LINE_END = re.compile(r"\r\n|\r|\n")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_ROWS = 1024  # rows of a parquet file held at a time
_HEAD = 5  # lines that show what an XML file holds


def read_documents(path: Path) -> Iterator[list[str]]:
    """Yield the documents of ``path``, each as its non-empty stripped lines.

    The name chooses the format, a compression suffix aside:

    - ``.jsonl``: a document a row, its field ``text``;
    - ``.parquet``: the same, its column ``text``;
    - ``.conllu``: a line a sentence, its surface tokens joined by spaces; ``# newdoc`` begins a
      document, and a sentence before the first of them is a document of its own;
    - ``.counts``: DataError, as a count file holds no lines.

    The content of any other file chooses: WikiExtractor output in either of its forms, a MediaWiki
    dump, CoNLL-U, NER columns (their tokens are read as those of CoNLL-U; ``-DOCSTART-`` begins a
    document), or else plain text, where a blank line ends a document. In plain text without a blank
    line between lines each line is a document, which takes another pass to know.
    """
    return (document for document in _reader(path)(path) if document)


def is_text(path: Path) -> bool:
    """Return whether ``read_documents`` reads ``path`` as plain text, each line as it is."""
    return _reader(path) is _sniffed and _kind(path) is _text


def is_counts(path: Path) -> bool:
    """Return whether ``path`` is named as a count file is, compressed or not."""
    return _reader(path) is _refuse_counts


def has_text(path: Path) -> bool:
    """Return whether ``path`` has a line with text, reading no more of it than needed."""
    if is_text(path):
        return any(line.strip() for _, line in read_lines(path))
    return any(read_documents(path))


def _reader(path: Path) -> Callable[[Path], Iterator[list[str]]]:
    return _READERS.get(Path(plain_name(path)).suffix.lower(), _sniffed)


def _sniffed(path: Path) -> Iterator[list[str]]:
    """Read plain text, or another format that the first lines show."""
    return _kind(path)(path)


def _kind(path: Path) -> Callable[[Path], Iterator[list[str]]]:
    lines = (line.strip() for _, line in read_lines(path))
    head = list(islice(filter(None, lines), _HEAD))
    first = head[0] if head else ""
    if first.startswith("<doc "):
        return _wikiextractor
    if first.startswith("{") and _is_row(first):
        return _jsonl
    if first.startswith(("<mediawiki", "<?xml")) or plain_name(path).lower().endswith(".xml"):
        if not any("<mediawiki" in line for line in head):
            raise DataError(
                f"{path}:1: expected plain text, a MediaWiki dump or WikiExtractor output, got "
                "other XML; run WikiExtractor on a dump, or extract the text of other files"
            )
        return read_articles
    if is_conllu(path):
        return _conllu
    return _columns if is_columns(path) else _text


def _text(path: Path) -> Iterator[list[str]]:
    lines = (line.strip() for _, line in read_lines(path))
    if _has_blank_lines(path, path.stat().st_mtime_ns):
        return _blank_separated(lines)
    return ([line] for line in lines if line)


@functools.lru_cache(maxsize=4096)
def _has_blank_lines(path: Path, changed: int) -> bool:
    """Whether there is a blank line between two lines of the file as it was when ``changed``."""
    text_seen = blank_seen = False
    for _, line in read_lines(path):
        if not line.strip():
            blank_seen = text_seen
        elif blank_seen:
            return True
        else:
            text_seen = True
    return False


def _blank_separated(lines: Iterable[str]) -> Iterator[list[str]]:
    document: list[str] = []
    for line in lines:
        if line:
            document.append(line)
        elif document:
            yield document
            document = []
    yield document


def _wikiextractor(path: Path) -> Iterator[list[str]]:
    """Read ``<doc ...>``, title line, text, ``</doc>``; undo its escapes, drop left-over tags."""
    document: list[str] = []
    at_title = False
    for _, line in read_lines(path):
        line = line.strip()
        if line.startswith("<doc ") or line == "</doc>":
            yield document
            document = []
        elif not at_title and (text := _TAG.sub("", html.unescape(line)).strip()):
            document.append(text)
        at_title = line.startswith("<doc ")
    yield document


def _jsonl(path: Path) -> Iterator[list[str]]:
    for number, row in read_lines(path):
        if row.strip():
            yield _row_lines(path, number, row)


def _is_row(line: str) -> bool:
    try:
        return isinstance(json.loads(line).get("text"), str)
    except json.JSONDecodeError:
        return False


def _row_lines(path: Path, number: int, row: str) -> list[str]:
    """Return the lines of the text of a JSON row, without a first line repeating its title."""
    try:
        value = json.loads(row)
    except json.JSONDecodeError as fault:
        raise DataError(
            f"{path}:{number}: not JSON ({fault.msg} at column {fault.colno}); "
            'write one object a line, as {"text": "..."}'
        ) from None
    text = value.get("text") if isinstance(value, dict) else None
    lines = _lines(path, number, text)
    return lines[1:] if lines and lines[0] == value.get("title") else lines


def _lines(path: Path, number: int, text: object) -> list[str]:
    if not isinstance(text, str):
        raise DataError(f"{path}:{number}: the row has no text in a field 'text'; give it one")
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        raise DataError(
            f"{path}:{number}: half a surrogate pair at character {fault.start + 1} of 'text'; "
            "write the character as UTF-8"
        ) from None
    return [line for line in map(str.strip, _LINE_END.split(text)) if line]


def _parquet(path: Path) -> Iterator[list[str]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as fault:
        raise MissingError(f"{path}: needs pyarrow: pip install specialize[parquet]") from fault
    if path.suffix.lower() != ".parquet":
        raise DataError(f"{path}:1: a compressed .parquet file cannot be read; decompress it")
    row = 0
    try:
        with parquet.ParquetFile(path) as file:
            if "text" not in (names := file.schema_arrow.names):
                raise DataError(f"{path}:1: no column 'text'; it has: {', '.join(names)}")
            for batch in file.iter_batches(batch_size=_ROWS, columns=["text"]):
                for text in batch.column(0).to_pylist():
                    row += 1
                    yield _lines(path, row, text)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as fault:
        reason = str(fault).partition("\n")[0]
        raise DataError(
            f"{path}:{row + 1}: broken parquet file ({reason}); fetch it again"
        ) from fault


def _conllu(path: Path) -> Iterator[list[str]]:
    return _sentences((block.opens_document, block.surface()) for block in read_blocks(path))


def _columns(path: Path) -> Iterator[list[str]]:
    return _sentences(read_tokens(path))


def _sentences(sentences: Iterable[tuple[bool, Sequence[str]]]) -> Iterator[list[str]]:
    """Yield documents of tokenised sentences, given with whether each opens a document."""
    document: list[str] = []
    documents_marked = False
    for opens_document, tokens in sentences:
        documents_marked |= opens_document
        if opens_document or not documents_marked:
            yield document
            document = []
        document.append(" ".join(tokens))
    yield document


def _refuse_counts(path: Path) -> Iterator[list[str]]:
    raise DataError(f"{path}:1: counts have no lines; name the text itself")


_READERS: dict[str, Callable[[Path], Iterator[list[str]]]] = {
    ".jsonl": _jsonl,
    ".parquet": _parquet,
    ".conllu": _conllu,
    ".counts": _refuse_counts,
}
