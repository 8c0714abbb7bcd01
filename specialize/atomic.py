"""Files and folders that appear whole or not at all, also after a power cut.

What is written has a hidden name of its own beside its target, ``.NAME.1a2b3c4d.partial``, so two
processes never write to one file and no link is followed. It is flushed to the disk before it is
renamed. While it is written it is locked; the system releases the lock of a process that dies, and
the next writer of the same target removes what was left.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from specialize.errors import MissingError, UsageError

try:
    import fcntl
except ImportError:  # not on Windows: nothing is locked there, and nothing left over removed
    fcntl = None  # type: ignore[assignment]

_PARTIAL = re.compile(r"\.(.+)\.[0-9a-f]{8}\.partial", re.DOTALL)
_SHOWN = 40  # characters of the target's name in that of its partial
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


def write_text(path: Path, text: str) -> None:
    """Write ``path`` at once; a lone surrogate, of a file name that is not UTF-8, is escaped."""
    with whole_file(path) as partial:
        partial.write_bytes(text.encode("utf-8", "backslashreplace"))


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, at once."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """Return what ``write_json`` wrote."""
    return json.loads(path.read_text("utf-8"))


@contextmanager
def whole_folder(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """Give a folder to fill; it becomes ``path`` at the end, and vanishes if something goes wrong.

    ``replace``: also of a folder with something in it; else UsageError, looked up in the same step
    as the renaming.
    """
    check_folder(path)
    with _partial(path, Path.mkdir) as partial:
        yield partial
        sync_tree(partial)
        before = _set_aside(path) if replace else None
        try:
            os.replace(partial, path)
        except OSError as error:
            if before:
                os.replace(before, path)
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            raise UsageError(f"{path} is not an empty folder; name another --out") from None
        sync(path.parent)
        if before:
            _delete(before)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a file to write to; it becomes ``path`` at the end, and vanishes on an error."""
    check_file(path)
    with _partial(path, _create) as partial:
        yield partial
        sync(partial)
        os.replace(partial, path)
        sync(path.parent)


def check_file(path: Path) -> None:
    """Raise UsageError for what ``whole_file`` does not write to: folders, links, devices."""
    if path.is_symlink():
        raise UsageError(f"{path} is a symbolic link, which is not followed; name another file")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file to write")
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is not a regular file; name a file to write")


def check_folder(path: Path) -> None:
    """Raise UsageError for what ``whole_folder`` does not write to: files and links."""
    if path.is_symlink():
        raise UsageError(f"{path} is a symbolic link, which is not followed; name another folder")
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file; name a folder as --out")


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Keep other processes of this user from writing ``path`` meanwhile; UsageError if one does.

    The lock lies in the folder for temporary files; the system releases that of a dead process.
    """
    from filelock import FileLock, Timeout  # it imports asyncio

    place = os.path.realpath(path.parent) + os.sep + path.name
    user = os.getuid() if hasattr(os, "getuid") else ""
    folder = Path(tempfile.gettempdir()) / f"specialize-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or (user != "" and folder.stat().st_uid != user):
        raise MissingError(f"{folder}: not a folder of this user; remove it, or set TMPDIR")
    lock = FileLock(folder / hashlib.sha256(os.fsencode(place)).hexdigest()[:32])
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise UsageError(
            f"{path}: another process is writing it; wait for that, or name another output"
        ) from None
    try:
        yield
    finally:
        with suppress(OSError):  # subtle: while locked, so that nobody's lock is removed
            os.unlink(lock.lock_file)
        lock.release()


def remove(path: Path) -> None:
    """Remove a folder with all in it at once, if it is there; of a link, the link alone."""
    if path.is_symlink():
        path.unlink()
    elif before := _set_aside(path):
        _delete(before)


def remove_stale(folder: Path, name: str = "") -> None:
    """Remove what killed writers of ``folder/name`` left; without a name, all below ``folder``."""
    for path in list(folder.glob(".*.partial") if name else folder.rglob(".*.partial")):
        found = _PARTIAL.fullmatch(path.name)
        if not found or name[:_SHOWN] not in ("", found[1]):
            continue
        with suppress(OSError):
            descriptor = _open(path)
            try:
                if _lock(descriptor):
                    _delete(path)
            finally:
                os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Flush a folder with all its files to the disk."""
    for path in folder.rglob("*"):
        if not path.is_symlink() and (path.is_file() or path.is_dir()):
            sync(path)
    sync(folder)


def sync(path: Path) -> None:
    """Flush a file, or the names in a folder, to the disk."""
    try:
        descriptor = _open(path)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:  # some systems cannot flush a folder
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EACCES) or not path.is_dir():
            raise


@contextmanager
def _partial(path: Path, create: Callable[[Path], None]) -> Iterator[Path]:
    """Give what ``create`` makes beside ``path``, locked; whatever is left of it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_stale(path.parent, path.name)
    partial, descriptor = _claimed(path, create)
    try:
        yield partial
    finally:
        _delete(partial)
        os.close(descriptor)


def _claimed(path: Path, create: Callable[[Path], None]) -> tuple[Path, int]:
    while True:
        partial = _unused(path)
        create(partial)
        with suppress(FileNotFoundError):
            descriptor = _open(partial)
            # subtle: before it was locked, another process may have taken it for left over
            if _lock(descriptor) is not False and partial.exists():
                return partial, descriptor
            os.close(descriptor)


def _unused(path: Path) -> Path:
    return path.with_name(f".{path.name[:_SHOWN]}.{os.urandom(4).hex()}.partial")


def _set_aside(path: Path) -> Path | None:
    """Give a folder that is there another name, and return that."""
    if not path.is_dir():
        return None
    os.replace(path, before := _unused(path))
    return before


def _create(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | _NOFOLLOW)


def _lock(descriptor: int) -> bool | None:
    """Lock a file or folder; False if another process holds it, None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def share(descriptor: int) -> None:
    """Lock a file together with others who share it; waits for one who claimed it."""
    if fcntl is not None:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_SH)


def claim(descriptor: int) -> bool:
    """Lock a shared file alone, until it is shared again; False if others share it."""
    return _lock(descriptor) is not False


def link_tree(source: Path, target: Path) -> None:
    """Make ``target`` a folder with the files of ``source``."""
    for path in sorted(source.rglob("*")):
        if path.is_file():
            link(path, target / path.relative_to(source))


def link(source: Path, target: Path) -> None:
    """Copy a file; weights become a hard link where the file system has them."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix != ".safetensors":  # may be edited in place, which must not reach the stage
        shutil.copy2(source, target)
        return
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)
