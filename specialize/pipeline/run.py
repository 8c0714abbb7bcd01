"""The straight line from recipe to report."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomli_w

from specialize import atomic
from specialize.corpus.prepare import Prepared
from specialize.environment import machine_facts
from specialize.executors import run_all, unique
from specialize.model.find import find_model
from specialize.pipeline import checks, publish, results
from specialize.pipeline.estimate import bytes_needed, seconds_left, with_work
from specialize.pipeline.plan import ArmPlan, in_order, plan_arms, text_stages
from specialize.pipeline.results import Facts
from specialize.pipeline.stages import TaskData
from specialize.progress import Log, Silent, duration
from specialize.recipe.outside import outside_methods
from specialize.recipe.recipe import Recipe
from specialize.reports.run import write_report
from specialize.store import Stage, Store


def specialize(
    recipe: Recipe,
    out: Path,
    *,
    command: str = "",
    jobs: int = 1,
    log: Log | None = None,
) -> Facts:
    """Run every arm of ``recipe`` into ``out`` and return the facts of its report.

    What is finished in ``out`` for the same inputs is not done again, so an interrupted run
    resumes, and a recipe with one more arm, seed or task runs only what is new.
    """
    log = log or Silent()
    base = find_model(recipe.base)
    checks.check_folder(out)
    log.say("reading the base and the task data")
    tasks = checks.read_tasks(recipe)
    doubts = [*checks.check_tasks(recipe, tasks), *checks.reading_notes(base)]
    for warning in doubts:
        log.say(f"warning: {warning}")
    store = Store(out)
    plans = _estimated(plan_arms(recipe, base, store), base, store, tasks)
    checks.check_arms(plans, base)
    checks.check_disk(plans, store, base, out)
    run_all(list(text_stages(recipe).values()), store, log, jobs=jobs)
    plans = _estimated(plan_arms(recipe, base, store), base, store, tasks)
    early = [stage for plan in plans for stage in plan.early()]
    run_all(early, store, log, jobs=jobs)
    warnings = results.early_warnings(plans, store)
    for warning in warnings:
        log.say(f"warning: {warning}")
    while True:
        for stage in _without_weights(plans, store):
            store.discard(stage)
        run_all([stage for plan in plans for stage in plan.late()], store, log, jobs=jobs)
        with store.publishing():
            if _without_weights(plans, store):  # dropped by a run of another recipe in ``out``
                continue
            arms = [results.arm_facts(plan, store, tasks) for plan in plans]
            facts = _facts(recipe, arms, plans, store, tasks, command)
            facts["cautions"] = [*doubts, *warnings, *results.cautions(arms, tasks)]
            _publish(recipe, plans, arms, facts, store, out)
        return facts


def _publish(
    recipe: Recipe,
    plans: list[ArmPlan],
    arms: list[results.ArmFacts],
    facts: Facts,
    store: Store,
    out: Path,
) -> None:
    """Write the results of a run to ``out``."""
    publish.publish(plans, arms, store, out, recipe=recipe)
    publish.drop_other_heads(plans, arms, store)
    atomic.write_text(out / "recipe.toml", tomli_w.dumps(recipe.table))
    write_report(facts, out)
    atomic.write_json(out / "scores.json", {a["name"]: a["scores"] for a in facts["arms"]})
    atomic.write_json(out / "provenance.json", _provenance(recipe, facts, store, plans))


def plan(recipe: Recipe, out: Path) -> str:
    """Return the stages of a run as text: finished or not, with estimates; nothing is done."""
    base = find_model(recipe.base)
    checks.check_folder(out)
    tasks = checks.read_tasks(recipe)
    store = Store(out)
    plans = _estimated(plan_arms(recipe, base, store), base, store, tasks)
    stages = unique(in_order(plans), store)
    width = max(len(stage.label) for stage in stages)
    rows = []
    for stage in stages:
        if store.done(stage):
            state = f"done in {duration(store.record(stage).seconds)}"
        elif store.partial(stage).exists():
            state = f"begun, about {duration(stage.work)} in all"
        else:
            state = f"about {duration(stage.work)}"
        rows.append(f"{stage.label:<{width}}  {state}")
    done = sum(map(store.done, stages))
    needed = bytes_needed(plans, store, base) / 1e6
    rows += [
        "",
        f"{len(stages)} stages, {done} done; about {duration(seconds_left(stages, store))} on this "
        f"machine and {needed:,.0f} MB of disk to go (rough estimates)",
    ]
    code = [f"code outside of the package: {line}" for line in outside_methods(recipe.table, out)]
    return "\n".join([*code, *([""] if code else []), *rows])


def _estimated(
    plans: list[ArmPlan], base: Path, store: Store, tasks: dict[str, TaskData]
) -> list[ArmPlan]:
    words = {name: sum(len(s.words) for s in t.data.train) for name, t in tasks.items()}
    return [with_work(plan, base, store, words=words) for plan in plans]


def _without_weights(plans: Sequence[ArmPlan], store: Store) -> list[Stage]:
    """Return the best heads whose weights were dropped earlier, when others were the best."""
    found = []
    for plan in plans:
        for task in plan.tasks:
            heads = [plan.heads[task, seed] for seed in plan.arm.seeds]
            if all(map(store.done, heads)):
                best = results.best_head(plan, store, task)
                if not (store.folder(best) / "head").is_dir():
                    found.append(best)
    return found


def _facts(
    recipe: Recipe,
    arms: Sequence[results.ArmFacts],
    plans: Sequence[ArmPlan],
    store: Store,
    tasks: dict[str, TaskData],
    command: str,
) -> Facts:
    text = next((plan.text for plan in plans if plan.text), None)
    return {
        "title": recipe.title,
        "language": recipe.language,
        "base": recipe.base,
        "synthetic": recipe.note != "",
        "note": recipe.note,
        "command": command,
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine_facts(),
        "result": recipe.result,
        "corpus": _corpus(store.folder(text)) if text else {},
        "tasks": {name: t.choice.method for name, t in tasks.items()},
        "arms": results.to_json(arms),
    }


def _corpus(text: Path) -> Facts:
    """Return what a report says of the corpus."""
    found = Prepared(text).facts.corpus
    return {
        "documents": found.documents,
        "lines": found.lines,
        "bytes": found.bytes,
        "removed": found.removed_lines + found.removed_sentences,
        "files": [Path(file.path).name for file in found.files],
    }


def _provenance(
    recipe: Recipe, facts: Facts, store: Store, plans: Sequence[ArmPlan]
) -> dict[str, Any]:
    return {
        "command": facts["command"],
        "date": facts["date"],
        "machine": facts["machine"],
        "seeds": list(recipe.seeds),
        "vocabularies": {a["name"]: a["vocabulary_sha256"] for a in facts["arms"]},
        "stages": {
            stage.label: store.folder(stage).name for stage in unique(in_order(list(plans)), store)
        },
        "inputs": store.inputs(in_order(list(plans))),
    }
