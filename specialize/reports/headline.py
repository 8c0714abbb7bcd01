"""What a run found, in sentences: every arm beside the named baselines, mix-ins kept apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean
from typing import NamedTuple

from specialize.reports.numbers import (
    Change,
    Difference,
    Facts,
    baseline,
    bits,
    bits_by_epoch,
    changes,
    decimal,
    difference,
    is_test,
    metric,
    percent,
    result,
    scores,
    spread,
    tasks,
    unknown,
)

WITHIN = "within the spread of the seeds"
ONE_SEED = "one seed: no standard deviation"
NOTHING = "Nothing was measured."


class Headline(NamedTuple):
    """What is found of one arm: its name, what it is, and sentences."""

    arm: str
    what: str  # "99 new pieces, LAPT"
    text: str

    def __str__(self) -> str:
        return f"{self.arm} ({self.what}): {self.text}"


def headlines(facts: Facts) -> list[Headline]:
    """Return a headline for the result and then for each other arm but the unadapted baseline."""
    first, unadapted = result(facts), baseline(facts, lapt=False)
    others = [arm for arm in facts["arms"] if arm is not first and arm is not unadapted]
    return [
        Headline(
            arm["name"],
            _what(facts, arm),
            " ".join(map(_sentence, _findings(facts, arm))) or NOTHING,
        )
        for arm in (first, *others)
    ]


def notes(found: Sequence[Headline]) -> list[str]:
    """Return what readers must know of the differences in the headlines."""
    if any("mean of" in headline.text and " points " in headline.text for headline in found):
        return ["Differences without a remark are larger than both sample standard deviations."]
    return []


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _what(facts: Facts, arm: Facts) -> str:
    """Return what distinguishes an arm from the base."""
    mixins, pieces = arm["mixin"], arm["pieces_added"]
    other = f"from {arm['base']}" if arm.get("base", facts["base"]) != facts["base"] else ""
    modules = f"modules: {arm['modules']}" if arm.get("modules") else ""
    together = f"tasks together: {arm['multitask']}" if arm.get("multitask") else ""
    if not mixins and not pieces:
        trained = "LAPT" if modules else "LAPT alone"
        alone = trained if arm["lapt"] else f"the base {other or 'as it is'}"
        return ", ".join(filter(None, [alone, other if arm["lapt"] else "", modules, together]))
    parts = [f"mix-in{'s' * (len(mixins) > 1)} {listed(mixins)}"] if mixins else []
    if pieces:
        parts.append(f"{pieces:,} new piece{'s' * (pieces > 1)}")
    parts += ["LAPT" if arm["lapt"] else "no LAPT", *filter(None, [other, modules, together])]
    return ", ".join(parts)


def _findings(facts: Facts, arm: Facts) -> Iterator[str]:
    yield from _unknowns(facts, arm)
    yield from _bits(facts, arm)
    yield from _scores(facts, arm)
    yield from _mixin(facts, arm)
    if arm is result(facts):
        yield from _rivals(facts, arm)


def listed(parts: Sequence[str]) -> str:
    """Return ``"a"``, ``"a and b"`` or ``"a, b and c"``."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


# Unknown pieces -----------------------------------------------------------------------------------


def _unknowns(facts: Facts, arm: Facts) -> Iterator[str]:
    """Yield how the texts' unknown pieces change; of texts without any, pieces per word."""
    found = [c for c in changes(facts, arm) if c.after["pieces"] and not is_test(c.text)]
    changed = arm["pieces_added"] or arm["mixin"]
    if not found or not (changed or arm is result(facts)):
        return
    some = [c for c in found if c.before["unknown_pieces"] or c.after["unknown_pieces"]]
    if not changed:
        shares = [(percent(unknown(c.after)), c.text) for c in found]
        yield f"the share of unknown pieces is {_by_text(shares)}"
    elif some:
        yield f"unknown pieces {_moves(some, fertility=False)}"
    else:
        yield f"no piece is unknown; pieces per word {_moves(found, fertility=True)}"


def _moves(found: Sequence[Change], *, fertility: bool) -> str:
    """Return ``"fall from A to B in X and from C to D in Y; they stay at E in Z"``."""
    verbs: dict[str, list[tuple[str, str]]] = {}
    for change in found:
        text = f"{change.text} as rewritten" if change.rewritten else change.text
        if fertility:
            old, new = (audit["fertility"] for audit in (change.before, change.after))
            shown = decimal(old), decimal(new)
        else:
            old, new = (unknown(audit) or 0.0 for audit in (change.before, change.after))
            shown = percent(old), percent(new)
        if shown[0] == shown[1]:
            verbs.setdefault("stay at", []).append((shown[1], text))
        else:
            move = f"from {shown[0]} to {shown[1]}"
            verbs.setdefault("fall" if new < old else "rise", []).append((move, text))
    return "; they ".join(f"{verb} {_by_text(moves)}" for verb, moves in verbs.items())


def _by_text(moves: Sequence[tuple[str, str]]) -> str:
    """Return what happens in each text, texts with the same figures together."""
    found: dict[str, list[str]] = {}
    for move, text in moves:
        found.setdefault(move, []).append(text)
    return listed([f"{move} in {listed(names)}" for move, names in found.items()])


# Bits per byte ------------------------------------------------------------------------------------


def _bits(facts: Facts, arm: Facts) -> Iterator[str]:
    mine, lapt = bits(arm), baseline(facts, lapt=True)
    theirs = bits(lapt) if lapt and lapt is not arm else []
    if not mine:
        return
    shown = spread(mine, places=2)
    if lapt and theirs:
        found = difference(mine, theirs, places=2)
        remark = f" ({WITHIN})" if found.within_spread else ""
        against = f"against {spread(theirs, places=2)}" if found.value else "as"
        yield f"bits per byte are {shown}, {against} in {lapt['name']}{remark}"
    elif (curve := bits_by_epoch(arm)) and curve[0][0] == 0:
        yield f"LAPT takes bits per byte from {decimal(curve[0][1])} to {shown}"


# Scores -------------------------------------------------------------------------------------------


def _scores(facts: Facts, arm: Facts) -> Iterator[str]:
    """Yield the scores on test, each beside those of the baselines."""
    found = (baseline(facts, lapt=lapt) for lapt in (True, False))
    others = [other for other in found if other is not None and other is not arm]
    names = [task for task in tasks(facts) if scores(arm, task)]
    if not names:
        return
    seeds = _seeds([arm, *others], names)
    clauses = []
    for task in names:
        mine = scores(arm, task)
        beside = {o["name"]: difference(mine, scores(o, task)) for o in others if scores(o, task)}
        clause = f"{_in_prose(facts, task)} is {mean(mine):.1f}"
        compared = _compared(beside, several=seeds != ONE_SEED)
        clauses.append(f"{clause}, {compared}" if compared else clause)
    yield f"on test ({seeds}), {'; '.join(clauses)}"


def _compared(beside: Mapping[str, Difference], *, several: bool) -> str:
    """Return ``"21.0 points above lapt and 36.4 above unadapted"``, empty without baselines."""
    parts: list[str] = []
    signs = set()
    for name, found in beside.items():
        if found.value == 0:
            parts.append(f"level with {name}")
            continue
        signs.add(found.value > 0)
        unit = "" if any("points" in part for part in parts) else " points"
        side = "above" if found.value > 0 else "below"
        remark = _remark(found) if several else ""
        parts.append(f"{abs(found.value):.1f}{unit} {side} {name}{remark}")
    return (" but " if len(signs) == 2 else " and ").join(parts)


def _remark(found: Difference) -> str:
    """Return what the seeds say of a difference between scores."""
    if found.deviation is None:
        return " (one seed)"
    return f" ({WITHIN})" if found.within_spread else ""


def _in_prose(facts: Facts, task: str) -> str:
    name = metric(facts, task)
    return name if facts["tasks"][task] == task else f"{name} of {task}"


def _seeds(arms: Sequence[Facts], names: Sequence[str]) -> str:
    """Return the number of seeds behind the scores of a sentence."""
    counts = {len(found) for arm in arms for task in names if (found := scores(arm, task))}
    low, high = min(counts), max(counts)
    if high == 1:
        return ONE_SEED
    return f"mean of {low} seeds" if low == high else f"mean of {low} to {high} seeds"


# Mix-ins ------------------------------------------------------------------------------------------


def counterpart(facts: Facts, arm: Facts) -> Facts | None:
    """Return the arm that is most like ``arm`` but lacks a mix-in of it, or several."""
    found = [
        other
        for other in facts["arms"]
        if set(other["mixin"]) < set(arm["mixin"]) and same_setup(arm, other)
    ]
    return max(found, key=lambda other: len(other["mixin"]), default=None)


def same_setup(arm: Facts, other: Facts) -> bool:
    """Return whether two arms differ in nothing but their mix-ins, as far as facts show."""
    keys = ["augment", "lapt"]
    if arm["pieces_added"] and other["pieces_added"]:  # without, neither has a meaning
        keys += ["embed", "fresh_rate"]
    return all(other[key] == arm[key] for key in keys) and same_tasks(arm, other)


def same_tasks(arm: Facts, other: Facts) -> bool:
    """Return whether two arms train alike: the same modules or none, and tasks in one way."""
    return all(arm.get(key, "") == other.get(key, "") for key in ("modules", "multitask"))


def _mixin(facts: Facts, arm: Facts) -> Iterator[str]:
    """Yield what the mix-in alone does, or that the run cannot tell."""
    if not arm["mixin"]:
        return
    other = counterpart(facts, arm)
    lacking = [name for name in arm["mixin"] if not other or name not in other["mixin"]]
    without = f"counterpart without the mix-in{'s' * (len(lacking) > 1)} {listed(lacking)}"
    if other is None:
        yield f"the run has no {without}, so what that gains by itself is not known"
    elif any(other is baseline(facts, lapt=lapt) for lapt in (True, False)):
        yield f"its {without} is {other['name']}"
    elif found := [*_higher(facts, arm, other)]:
        yield f"against {other['name']}, its {without}, {listed(found)}"


def _higher(facts: Facts, arm: Facts, other: Facts) -> Iterator[str]:
    """Yield how each score and the bits per byte differ from those of ``other``."""
    named = [(_in_prose(facts, t), scores(arm, t), scores(other, t), 1) for t in tasks(facts)]
    for name, mine, theirs, places in [*named, ("bits per byte", bits(arm), bits(other), 2)]:
        if not mine or not theirs:
            continue
        verb, unit = ("are", "") if places == 2 else ("is", " points")
        found = difference(mine, theirs, places=places)
        if found.value == 0:
            yield f"{name} {verb} level"
            continue
        side = "higher" if found.value > 0 else "lower"
        remark = "" if places == 2 else _remark(found)
        yield f"{name} {verb} {abs(found.value):.{places}f}{unit} {side}{remark}"


# Rivals -------------------------------------------------------------------------------------------


def _rivals(facts: Facts, arm: Facts) -> Iterator[str]:
    """Yield where another arm scores higher than the result, or as high for all the seeds tell."""
    compared = [baseline(facts, lapt=True), baseline(facts, lapt=False), counterpart(facts, arm)]
    for task in tasks(facts):
        mine, name = scores(arm, task), _in_prose(facts, task)
        others = [other for other in facts["arms"] if other is not arm and scores(other, task)]
        if not mine or not others:
            continue
        rival = max(others, key=lambda other: mean(scores(other, task)))
        theirs = scores(rival, task)
        found = difference(mine, theirs)
        score = f"{rival['name']} ({mean(theirs):.1f})"
        if found.within_spread and not any(rival is other for other in compared):
            yield f"on {name} the seeds do not separate it from {score}"
        elif found.value < 0 and not found.within_spread:
            yield f"on {name} the best arm is {score}"
