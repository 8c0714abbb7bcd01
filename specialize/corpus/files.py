"""Text files: their paths, and their lines whatever the compression."""

import bz2
import codecs
import gzip
import lzma
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from specialize.errors import DataError, MissingError

BLOCK = 1 << 20  # bytes read at a time
HEAD = 1 << 14  # bytes of the first block that are split into lines first
COMPRESSED = (".gz", ".xz", ".zst", ".bz2")


def expand(names: Iterable[str]) -> list[Path]:
    """Return the files that ``names`` refer to, in the order given.

    ``$VARIABLES`` and ``~`` are expanded; a directory means all files below it, sorted, except
    hidden ones.
    """
    return [path for name in names for path in _expand_one(name)]


def _expand_one(name: str) -> list[Path]:
    path = Path(os.path.expandvars(name)).expanduser()
    if path.is_dir():
        below = sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p, path))
        if not below:
            raise DataError(f"{path}:1: the directory holds no file to read")
        return below
    if path.exists():
        return [path]
    hint = "set the variable named in it" if "$" in str(path) else "correct the path"
    raise MissingError(f"{path}: no such file or directory; {hint}")


def _hidden(path: Path, top: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(top).parts)


def plain_name(path: Path) -> str:
    """Return the file's name without its compression suffix: ``ug.txt.xz`` -> ``ug.txt``."""
    return path.stem if path.suffix.lower() in COMPRESSED else path.name


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of ``path`` without their ends, numbered from 1.

    A line ends at ``\\n``, ``\\r\\n`` or a lone ``\\r``. The text is strict UTF-8; a leading byte
    order mark is dropped.
    """
    path = Path(path)
    for number, raw in enumerate(_raw_lines(path), 1):
        try:
            line = raw.decode()
        except UnicodeDecodeError as fault:
            raise not_utf8(path, number, raw, fault.start) from None
        yield number, line.rstrip("\r\n")


def _raw_lines(path: Path) -> Iterator[bytes]:
    begun: list[bytes] = []  # the parts of a line whose end is not read yet
    for nth, block in enumerate(blocks(path)):
        if nth == 0:
            refuse_binary(path, block)
            block = block.removeprefix(codecs.BOM_UTF8)
        # a caller that needs the first lines only does not wait for the whole block
        for part in (block[:HEAD], block[HEAD:]) if nth == 0 else (block,):
            begun.append(part)
            if b"\n" in part or b"\r" in part:
                lines = b"".join(begun).splitlines(keepends=True)
                # subtle: a last line with an end is held back too: its \r may be half of a \r\n
                begun = [lines.pop()]
                yield from lines
    yield from b"".join(begun).splitlines(keepends=True)


def refuse_binary(path: Path, block: bytes) -> None:
    """Raise DataError if the first block of a file holds a NUL: it is not text."""
    at = block.find(b"\0")
    if at >= 0:
        start = block.rfind(b"\n", 0, at) + 1
        raise not_utf8(path, block.count(b"\n", 0, at) + 1, block[start:], at - start)


def not_utf8(path: Path, number: int, raw: bytes, at: int) -> DataError:
    """Return the error for a line whose byte ``at`` is not UTF-8."""
    column = len(raw[:at].decode(errors="replace")) + 1
    return DataError(
        f"{path}:{number}: not UTF-8 (byte 0x{raw[at]:02x} at column {column}); "
        "convert it, for example with iconv"
    )


def blocks(path: Path) -> Iterator[bytes]:
    """Yield the decompressed bytes of ``path``, about a megabyte at a time."""
    line = 1
    try:
        for block in _READERS.get(path.suffix.lower(), _plain_blocks)(path):
            if block:
                yield block
                line += block.count(b"\n")
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as fault:
        if isinstance(fault, OSError) and fault.errno is not None:
            raise MissingError(f"{path}: cannot be read: {fault.strerror}") from fault
        raise DataError(
            f"{path}:{line}: broken or truncated {path.suffix} archive ({fault}); fetch it again"
        ) from fault


def _opened_by(opener: Callable[..., IO[Any]]) -> Callable[[Path], Iterator[bytes]]:
    def read(path: Path) -> Iterator[bytes]:
        with opener(path, "rb") as file:
            while block := file.read(BLOCK):
                yield block

    return read


_plain_blocks = _opened_by(open)


def _zst_blocks(path: Path) -> Iterator[bytes]:
    new_decoder, failure = _zstandard(path)
    decoder = new_decoder()
    try:
        for block in _plain_blocks(path):
            while block:  # a file may hold several frames, each with a decoder of its own
                if decoder.eof:
                    decoder = new_decoder()
                yield decoder.decompress(block)
                block = decoder.unused_data if decoder.eof else b""
    except failure as fault:
        raise EOFError(str(fault)) from fault
    if not decoder.eof:
        raise EOFError("the last frame has no end")


def _zstandard(path: Path) -> tuple[Callable[[], Any], type[Exception]]:
    """Return what makes a decoder and what a decoder raises, by the first library there is."""
    try:
        from compression import zstd  # Python 3.14
    except ImportError:
        pass
    else:
        return zstd.ZstdDecompressor, zstd.ZstdError
    try:
        import zstandard
    except ImportError as fault:
        raise MissingError(f"{path}: needs zstandard: pip install specialize[zst]") from fault
    return zstandard.ZstdDecompressor().decompressobj, zstandard.ZstdError


_READERS: dict[str, Callable[[Path], Iterator[bytes]]] = {
    ".gz": _opened_by(gzip.open),
    ".xz": _opened_by(lzma.open),
    ".bz2": _opened_by(bz2.open),
    ".zst": _zst_blocks,
}
