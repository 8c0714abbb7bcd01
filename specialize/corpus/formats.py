"""The documents of one file, by its format."""

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from specialize.corpus.columns import is_columns, read_tokens, refuse_numbered
from specialize.corpus.conllu import is_conllu, read_blocks
from specialize.corpus.dump import read_articles
from specialize.corpus.files import plain_name, read_lines
from specialize.corpus.json_rows import begins_json, read_rows, text_lines
from specialize.corpus.wikiextractor import read_extracted
from specialize.errors import DataError, MissingError
from specialize.pipes import regular

_ROWS = 1024  # rows of a parquet file held at a time
_HEAD = 20  # lines that show what an XML or JSON file holds
# a declaration or comment, a line that is one tag, a tag with its end, or an attribute in a tag
_BEGINS_XML = re.compile(
    r"<[?!]|<[a-z_][\w:.-]*(\s[^<>]*)?>\s*$|<([a-z_][\w:.-]*)[^<>]*>.*</\2>|<[a-z_][\w:.-]*\s+[\w:.-]+=",
    re.I,
)


def read_documents(path: Path, field: str = "text") -> Iterator[list[str]]:
    """Yield the documents of ``path``, each as its non-empty stripped lines.

    The name chooses the format, a compression suffix aside:

    - ``.jsonl``, ``.ndjson``, ``.json``: a document a row, its ``field`` (`json_rows`);
    - ``.parquet``: the same, its column ``field``;
    - ``.conllu``: a line a sentence, its surface tokens joined by spaces; ``# newdoc`` begins a
      document, and a sentence before the first of them is a document of its own;
    - ``.counts``: DataError, as a count file holds no lines.

    The content of any other file chooses: JSON, WikiExtractor output in either of its forms, a
    MediaWiki dump, CoNLL-U, NER columns (their tokens are read as those of CoNLL-U; ``-DOCSTART-``
    begins a document), or else plain text, where a blank line ends a document. In plain text
    without a blank line between lines each line is a document, which takes another pass to know.
    What begins like XML or JSON and is neither is refused, and so are columns of other formats.
    """
    return (document for document in _kind(path)(path, field) if document)


def is_text(path: Path) -> bool:
    """Return whether ``read_documents`` reads ``path`` as plain text, each line as it is."""
    return _kind(path) is _text


def columns_note(paths: Iterable[Path]) -> str:
    """Return which files are read as their words alone, CoNLL-U or NER columns; "" without any."""
    found = [path for path in paths if _kind(path) in (_conllu, _columns)]
    more = f" and {len(found) - 1:,} more" if len(found) > 1 else ""
    return f"columns read as words: {found[0]}{more}" if found else ""


def is_counts(path: Path) -> bool:
    """Return whether ``path`` is named as a count file is, compressed or not."""
    return _by_name(path) is _refuse_counts


def has_text(path: Path, field: str = "text") -> bool:
    """Return whether ``path`` has a line with text, reading no more of it than needed."""
    if is_text(path):
        return any(line.strip() for _, line in read_lines(path))
    return any(read_documents(path, field))


def _by_name(path: Path) -> "Reader | None":
    return _READERS.get(Path(plain_name(path)).suffix.lower())


def _kind(path: Path) -> "Reader":
    """Return the reader of a file."""
    if reader := _by_name(path):
        return reader
    try:
        state = path.stat()
    except OSError as fault:
        raise MissingError(f"{path}: cannot be read: {fault.strerror}") from fault
    return _by_content(path, (state.st_ino, state.st_size, state.st_mtime_ns))


@functools.lru_cache(maxsize=4096)
def _by_content(path: Path, state: tuple[int, ...]) -> "Reader":
    """Return the reader that the first lines show, of the file as it was in ``state``."""
    lines = (line.strip() for _, line in read_lines(path))
    head = list(islice(filter(None, lines), _HEAD))
    first = head[0] if head else ""
    if first.startswith("<doc "):
        return _wikiextractor
    if begins_json("\n".join(head)):
        return read_rows
    if _BEGINS_XML.match(first) or plain_name(path).lower().endswith(".xml"):
        if not any("<mediawiki" in line for line in head):
            raise DataError(
                f"{path}:1: expected plain text, a MediaWiki dump or WikiExtractor output, got "
                f"other XML ({first[:40]!r}); run WikiExtractor on a dump, or extract the text of "
                "other files"
            )
        return _dump
    if is_conllu(path):
        return _conllu
    if is_columns(path):
        return _columns
    refuse_numbered(path)
    return _text


def _dump(path: Path, field: str) -> Iterator[list[str]]:
    return read_articles(path)


def _text(path: Path, field: str) -> Iterator[list[str]]:
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


def _wikiextractor(path: Path, field: str) -> Iterator[list[str]]:
    return read_extracted(path)


def _parquet(path: Path, field: str) -> Iterator[list[str]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as fault:
        raise MissingError(f"{path}: needs pyarrow: pip install specialize[parquet]") from fault
    if path.suffix.lower() != ".parquet":
        raise DataError(f"{path}:1: a compressed .parquet file cannot be read; decompress it")
    row = 0
    try:
        with parquet.ParquetFile(regular(path)) as file:
            if field not in (names := file.schema_arrow.names):
                raise DataError(
                    f"{path}:1: no column {field!r}; it has: {', '.join(names)}; name one of them: "
                    "--field, corpus.field in a recipe"
                )
            for batch in file.iter_batches(batch_size=_ROWS, columns=[field]):
                for text in batch.column(0).to_pylist():
                    row += 1
                    if not isinstance(text, str):
                        raise DataError(f"{path}:{row}: the row has no text in the column {field}")
                    yield text_lines(path, row, text, field)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as fault:
        reason = str(fault).partition("\n")[0]
        raise DataError(
            f"{path}:{row + 1}: broken parquet file ({reason}); fetch it again"
        ) from fault


def _conllu(path: Path, field: str) -> Iterator[list[str]]:
    return _sentences((block.opens_document, block.surface()) for block in read_blocks(path))


def _columns(path: Path, field: str) -> Iterator[list[str]]:
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


def _refuse_counts(path: Path, field: str) -> Iterator[list[str]]:
    raise DataError(f"{path}:1: counts have no lines; name the text itself")


Reader = Callable[[Path, str], Iterator[list[str]]]
_READERS: dict[str, Reader] = {
    ".json": read_rows,
    ".jsonl": read_rows,
    ".ndjson": read_rows,
    ".parquet": _parquet,
    ".conllu": _conllu,
    ".counts": _refuse_counts,
}
