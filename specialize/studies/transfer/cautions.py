"""What a reader should know before trusting results of transfer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from specialize.store import Store
from specialize.studies.transfer.cells import Cells, read_text
from specialize.studies.transfer.charts import counted
from specialize.studies.transfer.recipe import Study

Facts = Mapping[str, Any]


def cautions_of(study: Study, facts: Facts, found: Cells, store: Store) -> list[str]:
    """Return the cautions of finished cells with these results."""
    return [*_of_recipe(study), *_left_out(facts), *_read_again(study, found, store)]


def _of_recipe(study: Study) -> Iterator[str]:
    if study.repeats < 5:
        yield f"few repeats: {counted(study.repeats, 'repeat')}; take five or more"
    if not study.seen:
        yield "no language is listed as seen, so that all count as unseen; add seen = [...]"


def _left_out(facts: Facts) -> Iterator[str]:
    for task, own in facts["tasks"].items():
        if own["left_out"]:
            names = ", ".join(f"{name} ({own['base'][name]:.1f})" for name in own["left_out"])
            yield f"{task}: left out, as the base scores below `least`: {names}"


def _read_again(study: Study, found: Cells, store: Store) -> Iterator[str]:
    """Yield the languages whose text is read more than once in a trajectory."""
    wanted = study.steps[-1] * study.mlm.batch
    short = {name: len(read_text(store.folder(stage))) for name, stage in found.texts.items()}
    names = [f"{name} ({count:,})" for name, count in short.items() if count < wanted]
    if names:
        yield (
            f"{study.steps[-1]} steps read {wanted:,} sequences, so that text with fewer is read "
            f"more than once: {', '.join(names)}"
        )
