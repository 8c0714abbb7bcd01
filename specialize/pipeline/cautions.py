"""What a reader should know before trusting a run: of its data, mix-ins and new pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from specialize.pipeline.plan import CORPUS, ArmPlan
from specialize.pipeline.results import ArmFacts, Facts, added, audits
from specialize.pipeline.task_data import TaskData
from specialize.reports.numbers import DEV, TEST, is_test
from specialize.store import Store
from specialize.tasks._checks import unseen
from specialize.terminal import named


def cautions(arms: Sequence[ArmFacts], tasks: Mapping[str, TaskData]) -> list[str]:
    """Return what a reader should know before trusting the figures."""
    found = [
        f"{name}: only {len(t.data.test)} test sentences; such scores move by several points"
        for name, t in tasks.items()
        if len(t.data.test) < 200
    ]
    for name, t in tasks.items():
        for part, sentences in (("dev", t.data.dev), ("test", t.data.test)):
            total, known = len(sentences), len(sentences) - len(unseen(t.data.train, sentences))
            if known > 0.02 * total:
                found.append(f"{name}: {known} of {total} {part} sentences also occur in train")
        words = t.task.check(t.data.test, t.task.labels([*t.data.train, *t.data.dev]))
        if words:
            found.append(f"{name}: words of test with labels that train and dev lack: {words}")
    for arm in arms:
        if arm.best_epoch == 0:
            found.append(f"{arm.name}: LAPT did not improve bits per byte; its start was kept")
        first = next(iter(arm.audit.values()), None)
        if arm.pieces_added and first and _changes_little(first["before"], first["after"]):
            found.append(
                f"{arm.name}: under 1 % of the pieces are unknown to the base, so that added "
                "pieces have few unknowns to replace, and words have hardly fewer with them"
            )
        found += _unknown_in_test(arm)
    return found


def _changes_little(before: Facts, after: Facts) -> bool:
    """Return whether new pieces neither replace unknowns nor shorten words by a tenth."""
    few = before["unknown_pieces"] < 0.01 * before["pieces"]
    return few and after["pieces"] > 0.9 * before["pieces"]


def _unknown_in_test(arm: ArmFacts) -> Iterator[str]:
    """Yield the texts of tests that have more unknown words than those of dev, by a point."""
    for text, audit in arm.audit.items():
        if not is_test(text):
            continue
        task = text.removesuffix(TEST)
        dev, test = (found["after"] for found in (arm.audit[task + DEV], audit))
        shares = [100 * found["unknown_words"] / max(1, found["words"]) for found in (dev, test)]
        if shares[1] > shares[0] + 1:
            yield (
                f"{arm.name}: {shares[1]:.1f} % of the words of {text} have unknown pieces, "
                f"{shares[0]:.1f} % of {task} dev; missing: {named(test['missing'])}"
            )


def early_warnings(plans: Sequence[ArmPlan], store: Store) -> list[str]:
    """Return what audits show to be doubtful before anything is trained, each warning once."""
    plain = next((plan for plan in plans if not plan.arm.mixin), None)
    known = [{t: a for t, a in audits(plan, store).items() if not is_test(t)} for plan in plans]
    original = known[plans.index(plain)] if plain else {}
    found = [
        warning
        for plan, texts in zip(plans, known, strict=True)
        for warning in (
            *_differences(plan, texts),
            *_unused_pieces(plan.arm.name, added(plan, store), texts),
            *_unchanged(plan, texts, original),
            *_more_unknown(plan, texts, original),
        )
    ]
    return list(dict.fromkeys(found))


def _unchanged(
    plan: ArmPlan, audits: Mapping[str, Facts], plain: Mapping[str, Facts]
) -> Iterator[str]:
    """Yield a warning where mix-ins leave the held-out text as it is."""
    if not plan.arm.mixin or CORPUS not in audits or CORPUS not in plain:
        return
    if audits[CORPUS]["before"] == plain[CORPUS]["before"]:
        mixins = ", ".join(map(str, plan.arm.mixin))
        yield (
            f"{plan.arm.name}: {mixins} changes nothing in the held-out text of the corpus: "
            "choose a scheme for its script, or leave the arm out"
        )


def _more_unknown(
    plan: ArmPlan, audits: Mapping[str, Facts], plain: Mapping[str, Facts]
) -> Iterator[str]:
    """Yield a warning for each text that mix-ins rewrite into much that is unknown."""
    if not plan.arm.mixin:
        return
    for text, audit in audits.items():
        if text not in plain:
            continue
        before, after = _unknown_share(plain[text]["before"]), _unknown_share(audit["after"])
        if after > before + 0.05:
            mixins, lacking = ", ".join(map(str, plan.arm.mixin)), audit["after"]["missing"]
            yield (
                f"{plan.arm.name}: {mixins} raises the unknown pieces of {text} from "
                f"{100 * before:.1f} % to {100 * after:.1f} %; the vocabulary lacks "
                f"characters that it writes, {named(lacking)}: choose another scheme, or add pieces"
            )


def _unknown_share(audit: Facts) -> float:
    return float(audit["unknown_pieces"]) / max(1, audit["pieces"])


def _differences(plan: ArmPlan, audits: Mapping[str, Facts]) -> Iterator[str]:
    """Yield how the texts of tasks are written differently from the corpus."""
    mixins = ", ".join(map(str, plan.arm.mixin))
    after = f" (after {mixins})" if mixins else ""
    for text, audit in audits.items():
        for difference in audit["mismatch"]:
            yield f"{text}{after}: {difference}"


def _unused_pieces(arm: str, pieces: int, audits: Mapping[str, Facts]) -> Iterator[str]:
    """Yield a warning for each text that hardly uses an arm's new pieces.

    Hardly: a tenth of their share in the held-out text, or a tenth as many different ones.
    """
    if not pieces or CORPUS not in audits:
        return
    usual = audits[CORPUS]
    for text, audit in audits.items():
        rare = audit["fresh_share"] < usual["fresh_share"] / 10
        if rare or audit["fresh_pieces_used"] < usual["fresh_pieces_used"] / 10:
            yield (
                f"{arm}: of {pieces:,} new pieces, {audit['fresh_pieces_used']:,} occur in {text} "
                f"and {usual['fresh_pieces_used']:,} in the held-out text of the corpus; are the "
                "two written alike?"
            )
