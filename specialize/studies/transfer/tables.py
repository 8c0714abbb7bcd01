"""Results of transfer and interference as text and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from specialize.reports.numbers import minus
from specialize.studies.transfer.charts import counted, signed

Facts = Mapping[str, Any]
_SCREENS = ("dot", "sign")
SINGLE = {"base": "No adapter", "alone": "Its own", "half": "Half of it", "third": "A third"}


def text(facts: Facts) -> str:
    """Return the tables of transfer: donors and recipients of each task at the last step."""
    k = str(facts["steps"][-1])
    blocks = []
    for task, own in facts["tasks"].items():
        found = own["steps"][k]
        rows = [
            [
                d["language"],
                signed(d["mean"]),
                between(d["interval"]),
                percent(d["positive"]),
                number(d["variance"]),
                f"{d['best']}, {d['worst']}",
                minus(d["kind"]),
            ]
            for d in sorted(found["donors"], key=lambda d: -_or_least(d["mean"]))
        ]
        head = ["Donor", "Mean", "95 % interval", "Gain (%)", "Variance", "Best, worst of", "Class"]
        title = f"{task}, {own['metric']}, after {counted(k, 'step')}"
        blocks.append(f"{title}\n{aligned([head, *rows])}")
        rows = [
            [
                r["target"],
                number(own["base"][r["target"]]),
                signed(r["mean"]),
                between(r["interval"]),
                percent(r["positive"]),
                *("–" if r["mean"] is None else end or "tied" for end in (r["best"], r["worst"])),
                signed(r["noise"]),
            ]
            for r in sorted(found["recipients"], key=lambda r: -_or_least(r["mean"]))
        ]
        head = ["Target", "Base", "Mean", "95 % interval", "Gain (%)", "Best", "Worst", "Noise"]
        blocks.append(aligned([head, *rows]))
    return "\n\n".join([*blocks, *controls(facts)])


def controls(facts: Facts) -> list[str]:
    """Return a sentence for each control of each task, at the last step."""
    k = str(facts["steps"][-1])
    found = []
    for task, own in facts["tasks"].items():
        at = own["steps"][k]
        noise = [v for row in at["noise"] for v in row if v is not None]
        ts = [v for row in at["ts"] for v in row if v is not None]
        if not ts:
            found.append(f"{task}: all targets score 0 or below `least`; nothing can be said.")
            continue
        shares = [100 * sum(v > 0 for v in values) / len(values) for values in (ts, noise)]
        found.append(
            f"{task}: noise of equal norm changes scores by {signed(sum(noise) / len(noise))} % on "
            f"average ({shares[1]:.0f} % of pairs gain), text by {signed(sum(ts) / len(ts))} % "
            f"({shares[0]:.0f} %); over targets the two agree with {rho(at['noise_by_target'])}."
        )
        first = own["steps"][str(facts["steps"][0])]["screen"]["sign"]
        found.append(
            f"{task}: the order of donors by their mean and by how far they move the weights "
            f"agrees with {rho(at['norm_by_donor'])}."
        )
        own_text = at["own_text"].values()
        found.append(
            f"{task}: text helps its own language more than the means of donor and target make "
            f"expect for {sum(value > 0 for value in own_text)} of "
            f"{counted(len(own_text), 'language')}."
        )
        groups = [
            f"{'seen' if group['seen'] else 'unseen'}, "
            f"{'in the adapter' if group['trained'] else 'zero-shot'} {signed(group['mean'])}"
            for group in at["by_trained"]
        ]
        found.append(f"{task}, mean by kind of target: {'; '.join(groups)}.")
        screens = [
            f"after {counted(steps, 'step')} {_bare(screen['pairs'])} over pairs and "
            f"{_bare(screen['within'])} within targets"
            for steps, screen in ((facts["steps"][0], first), (k, at["screen"]["sign"]))
        ]
        found.append(
            f"{task}: rho of the first-order screen, which reads the labels of test, with the "
            f"scores: {'; '.join(screens)}."
        )
    return [*found, "0 steps change no score, in any cell."]


def csv_text(facts: Facts) -> str:
    """Return a row for each task, number of steps, transfer language and target."""
    columns = ["task", "steps", "transfer", "target", "seen_transfer", "seen_target", "base"]
    columns += ["score", "ts", "low", "high", "deviation", "noise", "norm", *_SCREENS]
    rows: list[list[Any]] = [columns]
    for task, own in facts["tasks"].items():
        for k, at in own["steps"].items():
            for a, name in enumerate(facts["transfer"]):
                for b, target in enumerate(own["targets"]):
                    scores = [repeat[b] for repeat in at["scores"][a]]
                    row = [task, k, name, target, name in facts["seen"], target in facts["seen"]]
                    row += [own["base"][target], sum(scores) / len(scores), at["ts"][a][b]]
                    row += [*at["intervals"][a][b], at["deviation"][a][b], at["noise"][a][b]]
                    row += [at["norm"][a], *(at["screen"][x]["values"][a][b] for x in _SCREENS)]
                    rows.append(row)
    return written(rows)


def interference_text(facts: Facts) -> str:
    """Return the tables of interference: a row a language, for each task, size and fusion."""
    blocks = [single_text(facts, task) for task in facts["single"]]
    for found in facts["found"]:
        gains, clear = mean_gains(facts, found), clear_gains(facts, found)
        head = ["Language", *found["signs"], "Ties", "Mean gain", "Mean loss", "Clear"]
        head += ["Receives", "Gives"]
        rows = [
            [
                row["language"],
                *map(str, row["counts"]),
                str(row["ties"]),
                *(signed(value, 2) for value in gains[row["language"]]),
                minus("+{} -{}".format(*clear[row["language"]])),
                *([signed(axis, 2) for axis in row["place"]] or ["–"] * (2 + found["third"])),
            ]
            for row in found["rows"]
        ]
        head += ["Gives 2nd"] * found["third"]
        name = f"{found['task']}, {found['size']} languages, fusion {found['fusion']}"
        blocks.append(f"{name}\n{aligned([head, *rows])}")
    note = (
        "Signs: of the language itself, then of its partners. Ties have no sign and are left out.\n"
        "Mean gain and mean loss: of the language itself, in points, where it gains and loses.\n"
        "Clear: gains and losses whose 95 % interval over test sentences excludes 0; one in twenty "
        "does so\nby chance. Half and a third: what a mean of two or three leaves of an adapter; a "
        "gain that these\nhave too is no gain by other languages."
    )
    return "\n\n".join([*blocks, note])


def single_text(facts: Facts, task: str) -> str:
    """Return the scores of each language by itself, by how much of its adapter is in place."""
    rows = [
        [name, *(number(own[kind]) for kind in SINGLE)]
        for name, own in facts["single"][task].items()
    ]
    return f"{task}, one language\n{aligned([['Language', *SINGLE.values()], *rows])}"


def clear_gains(facts: Facts, found: Facts) -> dict[str, tuple[int, int]]:
    """Return how many of a language's gains, and losses, have an interval that excludes 0."""
    task = found["task"]
    ends: dict[str, list[Sequence[float]]] = {name: [] for name in facts["alone"][task]}
    for run in facts["combinations"]:
        if run["fusion"] == found["fusion"] and len(run["members"]) == found["size"]:
            for name, interval in run["intervals"][task].items():
                ends[name].append(interval)
    return {
        name: (sum(low > 0 for low, _ in own), sum(high < 0 for _, high in own))
        for name, own in ends.items()
    }


def mean_gains(facts: Facts, found: Facts) -> dict[str, tuple[float | None, float | None]]:
    """Return a language's mean gain where it gains, and where it loses, in points, without ties.

    ``found``: the task, size and fusion. None where it never gains, or loses.
    """
    task, alone = found["task"], facts["alone"][found["task"]]
    gains: dict[str, list[float]] = {name: [] for name in alone}
    for run in facts["combinations"]:
        if run["fusion"] == found["fusion"] and len(run["members"]) == found["size"]:
            own = {name: score - alone[name] for name, score in run["scores"][task].items()}
            for name, gain in own.items() if all(own.values()) else ():
                gains[name].append(gain)
    return {
        name: (_mean([g for g in own if g > 0]), _mean([g for g in own if g < 0]))
        for name, own in gains.items()
    }


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def interference_csv(facts: Facts) -> str:
    """Return a row for each task, fusion, combination and member, with its score and its gain."""
    rows: list[list[Any]] = [
        ["task", "fusion", "members", "language", "alone", "score", "gain", "low", "high"]
    ]
    for task, alone in facts["alone"].items():
        for run in facts["combinations"]:
            for name, score in run["scores"][task].items():
                members = "+".join(run["members"])
                gain = score - alone[name]
                interval = run["intervals"][task][name]
                rows.append(
                    [task, run["fusion"], members, name, alone[name], score, gain, *interval]
                )
    return written(rows)


def written(rows: Sequence[Sequence[Any]]) -> str:
    """Return rows as CSV; None is empty."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()


def between(interval: Sequence[float | None]) -> str:
    """Return "+0.1 to +0.7", or "–"."""
    return "–" if None in interval else " to ".join(map(signed, interval))


def number(value: float | None) -> str:
    """Return a number with one digit after the point, or "–"."""
    return "–" if value is None else f"{value:.1f}"


def percent(value: float | None) -> str:
    """Return a share without digits after the point, or "–"."""
    return "–" if value is None else f"{value:.0f}"


def rho(found: Mapping[str, float] | None) -> str:
    """Return "rho = 0.43 (p = 0.012)", or that it is not defined."""
    if found is None:
        return "no defined rank correlation"
    p = "p < 0.001" if found["p"] < 0.001 else f"p = {found['p']:.3f}"
    return minus(f"rho = {found['rho']:.2f} ({p})")


def _bare(value: float | None) -> str:
    return "–" if value is None else minus(f"{value:.2f}")


def _or_least(value: float | None) -> float:
    return float("-inf") if value is None else value


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines, the first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if not i else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)
