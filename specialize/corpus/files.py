"""Text files: their paths, and their lines whatever the compression."""

import bz2
import codecs
import gzip
import lzma
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from specialize.errors import DataError, MissingError
from specialize.pipes import regular

BLOCK = 1 << 20  # bytes read at a time
HEAD = 1 << 14  # bytes of the first block that are split into lines first
COMPRESSED = (".gz", ".xz", ".zst", ".bz2")
BOM = "\ufeff"
INNER_MARK = (
    "a byte order mark (U+FEFF) inside the file, probably of files joined end to end; remove it"
)
MISSING_BLANK = "the blank line between two sentences is probably missing; add it above this line"
STDIN = Path("/dev/stdin")  # named "-"


def expand(names: Iterable[str]) -> list[Path]:
    """Return the files that ``names`` refer to, in the order given.

    ``$VARIABLES`` and ``~`` are expanded; a directory means all files below it, sorted, except
    hidden ones; ``-`` is the standard input.
    """
    if isinstance(names, str | bytes | os.PathLike):
        raise TypeError(f"expected a list of paths, got {names!r}; write [{names!r}]")
    return [path for name in names for path in _expand_one(name)]


def _expand_one(name: str) -> list[Path]:
    path = STDIN if name == "-" else Path(os.path.expandvars(name)).expanduser()
    if not _is_there(path):
        hint = "set the variable named in it" if "$" in str(path) else "correct the path"
        raise MissingError(f"{path}: no such file or directory; {hint}")
    if not path.is_dir():
        return [path]
    below = sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p, path))
    if not below:
        raise DataError(f"{path}:1: the directory holds no file to read")
    return below


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or with a NUL
        return False


def _hidden(path: Path, top: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(top).parts)


def plain_name(path: Path) -> str:
    """Return the file's name without its compression suffix: ``ug.txt.xz`` -> ``ug.txt``."""
    return path.stem if path.suffix.lower() in COMPRESSED else path.name


def compression(path: Path) -> str:
    """Return the suffix of a file's compression, by its name or its first bytes; "" if plain."""
    suffix = path.suffix.lower()
    if suffix in COMPRESSED:
        return suffix
    with regular(path).open("rb") as file:
        first = file.read(10)
    return next((suffix for suffix, magic in _MAGIC.items() if magic.match(first)), "")


_MAGIC = {
    ".gz": re.compile(rb"\x1f\x8b\x08"),
    ".xz": re.compile(rb"\xfd7zXZ\0"),
    ".zst": re.compile(rb"\x28\xb5\x2f\xfd"),
    ".bz2": re.compile(rb"BZh[1-9]1AY&SY"),
}


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
        if "\0" in line:
            raise not_utf8(path, number, raw, raw.index(0))
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
    if (at := block.find(b"\0")) >= 0:
        *before, line = (block[:at] + b".").splitlines()
        raise not_utf8(path, len(before) + 1, line[:-1] + b"\0", len(line) - 1)


def not_utf8(path: Path, number: int, raw: bytes, at: int) -> DataError:
    """Return the error for a line whose byte ``at`` is not UTF-8."""
    column = len(raw[:at].decode(errors="replace")) + 1
    return DataError(
        f"{path}:{number}: not UTF-8 (byte 0x{raw[at]:02x} at column {column}); "
        "convert it, for example with iconv"
    )


def blocks(path: Path, size: int = BLOCK) -> Iterator[bytes]:
    """Yield the decompressed bytes of ``path``, about ``size`` at a time; a pipe is read once."""
    line, suffix = 1, ""
    try:
        suffix = compression(path)
        for block in _READERS[suffix](regular(path), size):
            if block:
                yield block
                line += block.count(b"\n")
    except _FAULTS as fault:
        raise _refusal(path, line, suffix, fault) from fault


@contextmanager
def plain_file(path: Path) -> Iterator[IO[bytes] | None]:
    """Open a file to read it to its end, or yield None if it is compressed.

    It is unbuffered. The errors are those of ``blocks``.
    """
    try:
        if compression(path):
            yield None
            return
        with _whole(regular(path)) as file:
            yield file
    except _FAULTS as fault:
        line = 1
        if isinstance(fault, EOFError):
            with path.open("rb") as rest:
                line += sum(1 for _ in rest)
        raise _refusal(path, line, "", fault) from fault


_FAULTS = (OSError, EOFError, lzma.LZMAError, zlib.error)


def _refusal(path: Path, line: int, suffix: str, fault: Exception) -> DataError | MissingError:
    if isinstance(fault, OSError) and fault.errno is not None:
        return MissingError(f"{path}: cannot be read: {fault.strerror}")
    what = f"broken or truncated {suffix} archive ({fault}); fetch it again"
    return DataError(f"{path}:{line}: {what if suffix else fault}")


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """Open a file; raise EOFError if it ends, once read, before the size that it has now."""
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        yield file
        if file.tell() < size:
            raise EOFError("the file got shorter while it was read; run again once it is complete")


def _plain_blocks(path: Path, size: int) -> Iterator[bytes]:
    with _whole(path) as file:
        while block := file.read(size):
            yield block


def _opened_by(opener: Callable[..., IO[Any]]) -> Callable[[Path, int], Iterator[bytes]]:
    def read(path: Path, size: int) -> Iterator[bytes]:
        with opener(path, "rb") as file:
            while block := file.read(size):
                yield block

    return read


def _zst_blocks(path: Path, size: int) -> Iterator[bytes]:
    """Decompress a few bytes at a time: each may become 32,000, which no decoder here limits."""
    new_decoder, failure = _zstandard(path)
    decoder = new_decoder()
    ready: list[bytes] = []
    length = 0
    try:
        for part in _slices(path):
            while part:  # a file may hold several frames, each with a decoder of its own
                if decoder.eof:
                    decoder = new_decoder()
                ready.append(decoder.decompress(part))
                length += len(ready[-1])
                part = decoder.unused_data if decoder.eof else b""
            if length >= size:
                yield b"".join(ready)
                ready, length = [], 0
    except failure as fault:
        raise EOFError(str(fault)) from fault
    yield b"".join(ready)
    if not decoder.eof:
        raise EOFError("the last frame has no end")


def _slices(path: Path, size: int = 1 << 10) -> Iterator[bytes]:
    for block in _plain_blocks(path, BLOCK):
        for begin in range(0, len(block), size):
            yield block[begin : begin + size]


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


_READERS: dict[str, Callable[[Path, int], Iterator[bytes]]] = {
    "": _plain_blocks,
    ".gz": _opened_by(gzip.open),
    ".xz": _opened_by(lzma.open),
    ".bz2": _opened_by(bz2.open),
    ".zst": _zst_blocks,
}
