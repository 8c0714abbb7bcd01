"""The values of a comparison: runs, scores of arms, tests against the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

METRICS: Mapping[str, Mapping[str, str]] = {  # names of scores by task method and key
    "pos": {"upos": "UPOS", "xpos": "XPOS", "ufeats": "UFeats"},
    "dep": {"las": "LAS"},
    "ner": {"f1": "NER F1"},
}
TEXT, BITS = "text", "bits per byte"  # the task and the metric of LAPT's held-out text


def metric_name(method: str, key: str) -> str:
    """Return how to call the score ``key`` of a task's method; the key of a user's own.

    >>> metric_name("dep", "las"), metric_name("pos", "xpos"), metric_name("my.py:fn", "r2")
    ('LAS', 'XPOS', 'r2')
    """
    return METRICS.get(method, {}).get(key, key)


def label(task: str, metrics: Iterable[str]) -> str:
    """Return the heading of a task's scores: the metrics, after the task unless they tell it.

    >>> label("dep", ["LAS"]), label("news", ["LAS"]), label("pos", ["XPOS", "UPOS", "XPOS"])
    ('LAS', 'news: LAS', 'XPOS / UPOS')
    """
    names = dict.fromkeys(metrics)
    shown = " / ".join(names)
    told = task == TEXT or names.keys() <= set(METRICS.get(task, {}).values())
    return shown if told else f"{task}: {shown}"


@dataclass(frozen=True)
class Run:
    """A run's folder."""

    folder: Path
    language: str
    title: str
    base: str
    facts: Mapping[str, Any]  # report.json


@dataclass(frozen=True)
class Cell:
    """The scores of one arm in one task of one language.

    ``values`` are scores on test in percent, or, in the task "text", bits per byte of the held-out
    text, lower is better. ``dev`` are the scores on dev, of the same seeds; empty for "text".
    """

    language: str
    arm: str
    task: str
    metric: str  # "XPOS", "LAS", "NER F1", "bits per byte", or a user's own
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    dev: tuple[float, ...]
    mean: float
    sd: float | None  # sample standard deviation; None with one seed
    n: int


@dataclass(frozen=True)
class Test:
    """A paired comparison of an arm with the baseline, over the seeds that both have.

    ``mean`` and ``sd`` are the arm's on these ``n`` seeds. ``difference``: arm minus baseline,
    positive where the arm is higher, which is worse in bits per byte. ``p``: one-sided paired t
    test, whether the arm is better; None with fewer than two common seeds.
    """

    __test__ = False  # no test case of pytest

    language: str
    arm: str
    baseline: str
    task: str
    metric: str
    mean: float
    sd: float | None
    n: int
    difference: float
    p: float | None
    p_bonferroni: float | None
    p_holm: float | None
    bootstrap_low: float | None  # 95 % interval of the difference over test sentences
    bootstrap_high: float | None


@dataclass(frozen=True)
class Comparison:
    """Runs compared: every arm in every task and language, beside one baseline."""

    runs: tuple[Run, ...]
    baseline: str
    cells: tuple[Cell, ...]
    tests: tuple[Test, ...]
    missing: tuple[str, ...]  # "ug: tva, dep: seed 3 is not finished"
    cautions: tuple[str, ...]  # what may not be claimed
