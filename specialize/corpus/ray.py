"""Counting many files on a Ray cluster: the same counts as here, in the same order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from specialize.corpus.count_files import count_file, open_text, summed
from specialize.corpus.files import expand
from specialize.corpus.formats import is_counts
from specialize.corpus.token_counts import Dropped, TextCounts
from specialize.errors import MissingError, SpecializeError
from specialize.pipes import regular

# Keys among the tokens, none of which contains a space
_FACTS = (" characters", " bytes", " dropped types", " dropped tokens")
_FILE = 1 << 40  # places in a file at most


def count_with_ray(names: Sequence[str], *, field: str = "text") -> TextCounts:
    """Return the counts of files and folders: a task for each file, summed by token in the engine.

    Unless the program has connected to a cluster, Ray starts one here or uses the one that
    RAY_ADDRESS names. Its machines must see the files at the same paths.
    """
    try:
        import pyarrow
        import ray.data
        from ray.data.aggregate import Min, Sum
    except ImportError as fault:
        raise MissingError("this needs Ray: pip install specialize[ray]") from fault
    paths = expand(names)
    if not any(map(is_counts, paths)):
        open_text(names, field=field)  # refuses texts without any line
    items = [
        {"number": i, "path": str(regular(path).absolute()), "field": field}
        for i, path in enumerate(paths)
    ]
    files = ray.data.from_items(items, override_num_blocks=len(items))
    files.context.raise_original_map_exception = True
    rows = files.map_batches(_count_one, batch_size=1, batch_format="pyarrow")
    sums = rows.groupby("text").aggregate(
        Sum("count", alias_name="count"), Min("first", alias_name="first")
    )
    try:
        tables = list(sums.iter_batches(batch_size=None, batch_format="pyarrow"))
    except SpecializeError as fault:  # Ray's, an instance of its cause's class too
        cause = getattr(fault, "cause", fault)
        raise type(cause)(str(cause).partition("\n")[0]) from None  # Ray's message has more lines
    found = _items(pyarrow.concat_tables(tables).sort_by("first"))
    facts = dict(next(found) for _ in _FACTS)
    characters, size, *dropped = (facts[name] for name in _FACTS)
    return TextCounts(summed(found), characters, size, Dropped(*dropped))


def _count_one(batch: Any) -> Any:
    """Return rows (text, count, first) for a batch of one file: its facts, then its tokens."""
    import pyarrow

    [number], [path], [field] = (batch[name].to_pylist() for name in ("number", "path", "field"))
    counts = count_file(Path(path), field=field)
    texts, dropped = [*_FACTS, *counts.tokens], counts.dropped
    sums = [counts.characters, counts.bytes, dropped.types, dropped.tokens]
    sums += counts.tokens.values()
    first = range(number * _FILE, number * _FILE + len(texts))
    return pyarrow.table(
        [pyarrow.array(texts, pyarrow.large_string()), sums, list(first)],
        names=["text", "count", "first"],
    )


def _items(table: Any) -> Iterator[tuple[str, int]]:
    for batch in table.to_batches(max_chunksize=1 << 16):
        yield from zip(batch["text"].to_pylist(), batch["count"].to_pylist(), strict=True)
