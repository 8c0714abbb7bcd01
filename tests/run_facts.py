"""Facts of invented runs, as the pipeline passes them to reports."""

from collections.abc import Sequence
from typing import Any

Facts = dict[str, Any]
CORPUS = "corpus (held out)"


def audit(unknown: int, pieces: int, *, words: int = 100) -> Facts:
    """Return an audit of ``words`` words, as many unknown as there are unknown pieces."""
    return {
        "words": words,
        "pieces": pieces,
        "unknown_words": unknown,
        "unknown_pieces": unknown,
        "continued_words": words // 2,
        "characters": 6 * words,
        "bytes": 12 * words,
        "fertility": pieces / words if words else 0.0,
        "missing": {},
        "deleted": {},
    }


def audited(before: Facts, after: Facts, used: int = 0) -> Facts:
    """Return the audits of a text."""
    return {"before": before, "after": after, "fresh_pieces_used": used}


def losses(*bits: float | None) -> list[Facts]:
    """Return LAPT's epochs, from 0, with these bits per byte."""
    return [
        {"epoch": epoch, "steps": 10 * epoch, "train_nats": None, "bits_per_byte": value}
        for epoch, value in enumerate(bits)
    ]


def scored(method: str, *test: float, seeds: Sequence[int] = (), metric: str = "") -> Facts:
    """Return the scores of seeds 1, 2, …; on dev each is a point higher than on test."""
    metric = metric or {"pos": "xpos", "dep": "las", "ner": "f1"}.get(method, "f1")
    return {
        "method": method,
        "metric": metric,
        "seeds": list(seeds) or [*range(1, len(test) + 1)],
        "test": [{metric: score} for score in test],
        "dev": [{metric: score + 1} for score in test],
        "best_seed": 1,
    }


def stage(label: str, seconds: float, memory: int = 400_000_000) -> Facts:
    """Return a finished stage."""
    return {"label": label, "seconds": seconds, "peak_memory": memory}


def arm(name: str, after: Facts | None = None, /, **changes: Any) -> Facts:
    """Return an arm without LAPT, mix-ins, new pieces and scores, with ``changes``.

    ``after``: the audit of the corpus; before, a quarter of 200 pieces is unknown.
    """
    texts = {CORPUS: audited(audit(50, 200), after)} if after else {}
    return {
        "name": name,
        "mixin": [],
        "augment": "none",
        "embed": "",
        "lapt": False,
        "modules": "",
        "multitask": "",
        "fresh_rate": 1.0,
        "base": "mini",
        "pieces_added": 0,
        "vocabulary_sha256": "0" * 64,
        "audit": texts,
        "pieces": [],
        "coverage": [],
        "losses": [],
        "best_epoch": None,
        "bits_per_byte": [],
        "scores": {},
        "stages": [stage("vocabulary", 0.2)],
    } | changes


PIECES = [
    {
        "piece": "##ە",
        "text": "##ە",
        "id": 17,
        "replaced_unknowns": 1234,
        "saved": None,
        "words": [{"word": "مەن", "count": 12, "before": ["[UNK]"], "after": ["م", "##ە", "##ن"]}],
    },
    {
        "piece": "##<script>",
        "text": "##<script>",
        "id": 18,
        "replaced_unknowns": 7,
        "saved": None,
        "words": [
            {"word": "<script>alert(1)</script>", "count": 1, "before": ["[UNK]"], "after": ["a&b"]}
        ],
    },
]


def unadapted(**changes: Any) -> Facts:
    """Return the unadapted base, with POS scores."""
    scores = {"pos": scored("pos", 54.0, 54.2)}
    return arm("unadapted", audit(50, 200), **{"scores": scores} | changes)


def lapt(**changes: Any) -> Facts:
    """Return the arm with LAPT alone, with POS scores."""
    facts: Facts = {
        "lapt": True,
        "losses": losses(2.1, 1.6),
        "best_epoch": 1,
        "bits_per_byte": [1.6],
        "scores": {"pos": scored("pos", 69.0, 70.0)},
        "stages": [stage("LAPT", 60.0), stage("pos, seed 1", 20.0), stage("pos, seed 2", 22.0)],
    }
    return arm("lapt", audit(50, 200), **facts | changes)


def tva(**changes: Any) -> Facts:
    """Return an arm with two new pieces and LAPT, with POS and NER scores."""
    facts: Facts = {
        "augment": "tva",
        "embed": "mean",
        "lapt": True,
        "fresh_rate": 3.0,
        "pieces_added": 2,
        "pieces": PIECES,
        "coverage": [[0, 0.25], [1, 0.02], [2, 0.012]],
        "losses": losses(2.4, 1.2, 1.3),
        "best_epoch": 1,
        "bits_per_byte": [1.2],
        "scores": {"pos": scored("pos", 90.0, 91.0), "ner": scored("ner", 80.0)},
        "audit": {
            CORPUS: audited(audit(50, 200), audit(3, 250), 2),
            "pos dev": audited(audit(60, 200), audit(0, 260), 1),
        },
        "stages": [
            stage("vocabulary", 1.2),
            stage("LAPT", 185.0, 1_900_000_000),
            stage("pos, seed 1", 39.0),
            stage("pos, seed 2", 41.0),
            stage("ner, seed 1", 0.4),
        ],
    }
    return arm("tva", **facts | changes)


def run(*arms: Facts, **changes: Any) -> Facts:
    """Return the facts of a run whose last arm is the result."""
    found = {task: own["method"] for a in arms for task, own in a["scores"].items()}
    return {
        "title": "Uyghur on mini",
        "language": "ug",
        "base": "mini",
        "synthetic": False,
        "note": "",
        "command": "specialize run recipes/uyghur.toml --out runs/ug",
        "date": "2026-11-20",
        "machine": {"processor": "a processor", "cores": 2, "memory_gb": 23.4, "device": "cpu"},
        "result": arms[-1]["name"],
        "corpus": {
            "files": [{"path": "ug.txt", "documents": 9, "lines": 90, "bytes": 900}],
            "documents": 9,
            "removed_lines": 1,
            "train": {"documents": 8, "lines": 80},
        },
        "tasks": found,
        "arms": list(arms),
        "cautions": ["pos: only 100 test sentences; such scores move by several points"],
    } | changes
