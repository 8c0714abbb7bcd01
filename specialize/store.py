"""Stages keyed by content: done once, resumed where interrupted, never reused for other inputs.

A stage is a function that fills a folder. Its key is a hash of the stage's name and version, its
arguments, and the *content* of the files and stages among them, so a changed input file gives
another key and another folder. Folders lie side by side in ``ROOT/stages``; one is finished once
its ``stage.json`` exists, which is written after all other files are on the disk and tells what
they are: a damaged one is noticed, and the stage done again. Two processes that want the same stage
share it: the second waits for the lock, which the system releases when a process dies.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from statistics import median
from typing import Any

from filelock import FileLock, Timeout

from specialize import atomic
from specialize.errors import DataError
from specialize.fingerprints import Fingerprints, outputs_of
from specialize.memory import peak_memory, release, reset_peaks
from specialize.progress import Log
from specialize.records import RECORD, Record, read_list, read_record

_ELAPSED = ".elapsed.json"  # seconds of earlier attempts
_DROPPED = ".dropped.json"  # names of folders that were removed from a finished stage


@dataclass(frozen=True)
class Stage:
    """Work to be done once: ``make(folder, log=..., **arguments)`` fills the folder.

    Arguments are values (numbers, texts, dataclasses, mappings, sequences), paths of input files
    or folders, and other stages, which ``make`` receives as the paths of their folders. A value
    with a method ``key_parts`` enters the key as what that returns.
    """

    name: str  # of the kind of work; with the key, the folder's name
    label: str  # for people: "tva: LAPT"
    make: Callable[..., None]
    arguments: Mapping[str, Any]
    version: int = 1  # raised when ``make`` gives other results for the same arguments
    work: float = 0.0  # seconds by rule of thumb, which ``Store.seconds`` corrects

    @property
    def needs(self) -> list[Stage]:
        """Return the stages among the arguments, in their order."""
        return list(_stages(self.arguments.values()))


class Store:
    """The stages of a run's folder."""

    def __init__(self, root: Path) -> None:
        """Open ``root/stages``; nothing is created before a stage runs."""
        self.root = root / "stages"
        self._fingerprints = Fingerprints(self.root / "fingerprints.json")
        self._paces: dict[str, tuple[int, float]] = {}  # by kind: finished stages, and the median
        self._keys: dict[
            int, tuple[Stage, str]
        ] = {}  # holds the stage, so that its id stays its own

    def key(self, stage: Stage) -> str:
        """Return the key of ``stage`` (64 hexadecimal digits)."""
        if id(stage) not in self._keys:
            self._keys[id(stage)] = stage, self._hash(stage)
        return self._keys[id(stage)][1]

    def _hash(self, stage: Stage) -> str:
        text = json.dumps(self._identity(stage), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def folder(self, stage: Stage) -> Path:
        """Return where the finished stage lies, finished or not."""
        return self.root / f"{stage.name}-{self.key(stage)[:16]}"

    def partial(self, stage: Stage) -> Path:
        """Return where the stage is being filled."""
        folder = self.folder(stage)
        return folder.with_name(folder.name + ".partial")

    def done(self, stage: Stage) -> bool:
        """Return whether the stage is finished, and its files are as it left them."""
        return self._fault(stage) == ""

    def _fault(self, stage: Stage) -> str | None:
        """Return what is wrong with a finished stage, "" if nothing; None if it is not finished."""
        folder = self.folder(stage)
        if (record := read_record(folder)) is None:
            damaged = (folder / RECORD).exists()
            return f"{folder / RECORD} is damaged" if damaged else None
        dropped = tuple(f"{name}/" for name in read_list(folder / _DROPPED))
        kept = {n: o for n, o in record.outputs.items() if not n.startswith(dropped)}
        return self._fingerprints.fault(folder, kept)

    def record(self, stage: Stage) -> Record:
        """Return the record of a finished stage."""
        record = read_record(self.folder(stage))
        if record is None:
            raise DataError(f"{self.folder(stage)}: not a finished stage; run the command again")
        return record

    def seconds(self, stages: Iterable[Stage]) -> float:
        """Return the estimated seconds of stages, by those of their kind that are finished.

        These correct the rule of thumb by the median of what they took for each second of it.
        """
        found: dict[str, float] = {}
        for stage in stages:
            found[stage.name] = found.get(stage.name, 0.0) + stage.work
        return sum(work * self._pace(name) for name, work in found.items())

    def _pace(self, name: str) -> float:
        """Return the median; it is computed again once another stage is finished."""
        files = list(self.root.glob(f"{name}-*/{RECORD}"))  # "transfer" finds "transfer-base" too
        if (known := self._paces.get(name)) is None or known[0] != len(files):
            found = [r for r in map(read_record, (file.parent for file in files)) if r]
            shares = [r.seconds / r.work for r in found if r.name == name and r.work > 0]
            self._paces[name] = known = len(files), median(shares or [1.0])
        return known[1]

    def discard(self, stage: Stage) -> None:
        """Remove a finished stage, so that it is done again."""
        (self.folder(stage) / RECORD).unlink(missing_ok=True)
        atomic.remove(self.folder(stage))

    def drop(self, stage: Stage, name: str) -> None:
        """Remove the folder ``name`` of a finished stage, which stays finished without it."""
        folder = self.folder(stage)
        if (folder / name).is_dir():
            dropped = read_list(folder / _DROPPED)
            atomic.write_json(folder / _DROPPED, sorted({*dropped, name}))
            atomic.remove(folder / name)

    @contextmanager
    def publishing(self) -> Iterator[None]:
        """Keep other processes from publishing results meanwhile; waits for one that does."""
        lock = FileLock(self.root / ".locks" / "publish")
        Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
        with lock:
            yield

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Tell other runs of the folder that this one reads its stages, for ``alone``."""
        file = self.root / ".locks" / "users"
        file.parent.mkdir(parents=True, exist_ok=True)
        self._users = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            atomic.share(self._users)
            yield
        finally:
            os.close(self._users)

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Give whether no other run uses the stages; one that begins meanwhile waits."""
        try:
            yield atomic.claim(self._users)
        finally:
            atomic.share(self._users)

    def inputs(self, stages: Iterable[Stage]) -> dict[str, str]:
        """Return the SHA-256 of each file or folder among the arguments of ``stages``."""
        found: dict[str, str] = {}
        for stage in stages:
            for path in _paths(stage.arguments):
                if not path.is_relative_to(self.root):
                    found[str(path)] = self._fingerprints.of(path)
        return found

    def run(self, stage: Stage, log: Log) -> Path:
        """Return the folder of ``stage``, doing what is not finished; its needs must be."""
        if not self.done(stage):
            with self._locked(stage, log):
                if not self.done(stage):  # another process may have finished it meanwhile
                    if fault := self._fault(stage):
                        log.say(f"{stage.label}: {fault}; doing it again")
                    self._make(stage, log)
        return self.folder(stage)

    def _make(self, stage: Stage, log: Log) -> None:
        partial = self.partial(stage)
        atomic.check_folder(partial)
        partial.mkdir(parents=True, exist_ok=True)
        self._fingerprints.save()
        elapsed = partial / _ELAPSED
        before = sum(read_list(elapsed))
        began = time.monotonic()
        release()
        reset_peaks()
        with log.stage(stage.label):
            try:
                stage.make(partial, log=log, **self._resolved(stage.arguments))
            except BaseException:
                with suppress(OSError):  # as where the disk is full
                    atomic.write_json(elapsed, [before, time.monotonic() - began])
                raise
        if self._hash(stage) != self.key(stage):
            atomic.remove(partial)
            raise DataError(
                f"{stage.label}: an input changed while it was read; run the same command again"
            )
        elapsed.unlink(missing_ok=True)
        seconds = round(before + time.monotonic() - began, 3)
        atomic.remove_stale(partial)
        identity = self._identity(stage)
        record = Record(
            stage.name,
            stage.label,
            self.key(stage),
            identity["arguments"],
            seconds,
            peak_memory(),
            stage.work,
            outputs_of(partial),
        )
        atomic.sync_tree(partial)
        atomic.write_json(partial / RECORD, record.__dict__)
        atomic.remove(self.folder(stage))  # damaged, or half discarded
        os.replace(partial, self.folder(stage))
        atomic.sync(self.root)

    @contextmanager
    def _locked(self, stage: Stage, log: Log) -> Iterator[None]:
        lock = FileLock(self.root / ".locks" / self.folder(stage).name)
        Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.say(f"{stage.label}: waiting for another process that works on it")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _resolved(self, value: Any) -> Any:
        """Return arguments with folders in place of stages."""
        if isinstance(value, Stage):
            return self.folder(value)
        if isinstance(value, Mapping):
            return {key: self._resolved(item) for key, item in value.items()}
        if isinstance(value, list | tuple) and type(value) in (list, tuple):
            return type(value)(self._resolved(item) for item in value)
        return value

    def _identity(self, stage: Stage) -> dict[str, Any]:
        arguments = {name: self._parts(value) for name, value in stage.arguments.items()}
        return {"name": stage.name, "version": stage.version, "arguments": arguments}

    def _parts(self, value: Any) -> Any:
        """Return a value as JSON, with content in place of paths and keys in place of stages."""
        if value is None or isinstance(value, str | int | float):
            return value
        if isinstance(value, Stage):
            return {"stage": self.key(value)}
        if isinstance(value, Path):
            content = self._fingerprints.of(value)
            return content if value.is_dir() else {"file": value.name, "content": content}
        if hasattr(value, "key_parts"):
            return self._parts(value.key_parts())
        if is_dataclass(value):
            return {f.name: self._parts(getattr(value, f.name)) for f in fields(value)}
        if isinstance(value, Mapping):
            return {str(key): self._parts(item) for key, item in value.items()}
        if isinstance(value, Sequence):
            return [self._parts(item) for item in value]
        raise TypeError(f"a stage's argument cannot be a {type(value).__name__}: {value!r}")


def _paths(value: Any) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif hasattr(value, "key_parts"):
        yield from _paths(value.key_parts())
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _paths(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _paths(item)
    elif is_dataclass(value) and not isinstance(value, Stage):
        for part in fields(value):
            yield from _paths(getattr(value, part.name))


def _stages(values: Iterable[Any]) -> Iterator[Stage]:
    for value in values:
        if isinstance(value, Stage):
            yield value
        elif isinstance(value, Mapping):
            yield from _stages(value.values())
        elif isinstance(value, list | tuple):
            yield from _stages(value)
