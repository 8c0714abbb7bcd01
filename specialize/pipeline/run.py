"""The straight line from recipe to report."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from specialize import atomic
from specialize.corpus.prepare import Prepared
from specialize.environment import machine_facts
from specialize.executors import Executor, run_all, unique
from specialize.model.find import find_model
from specialize.pipeline import cautions, checks, publish, results
from specialize.pipeline.estimate import bytes_needed, seconds_left, with_work
from specialize.pipeline.plan import ArmPlan, in_order, plan_arms, text_stages
from specialize.pipeline.results import Facts
from specialize.pipeline.task_data import TaskData
from specialize.progress import Log, Silent, duration
from specialize.recipe.outside import outside_methods
from specialize.recipe.recipe import Recipe
from specialize.reports.run import write_facts, write_report
from specialize.store import Stage, Store
from specialize.train.distributed import dismiss, first_of_several


@dataclass(frozen=True)
class Work:
    """A recipe on its way: what was read, and the stages of its arms."""

    point: str  # of the recipe's axes, "" without
    recipe: Recipe
    out: Path
    bases: Mapping[str, Path]  # by the names in recipes
    tasks: dict[str, TaskData]
    doubts: list[str]  # about the task data
    plans: list[ArmPlan]

    def planned(self, store: Store) -> Work:
        """Return the work with its stages as far as finished texts let them be known."""
        plans = plan_arms(self.recipe, self.bases, store, point=self.point)
        words = {name: sum(len(s.words) for s in t.data.train) for name, t in self.tasks.items()}
        return replace(self, plans=[with_work(plan, store, words=words) for plan in plans])


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
    return specialize_all({"": recipe}, out, command=command, jobs=jobs, log=log)[""]


def specialize_all(
    recipes: Mapping[str, Recipe],
    out: Path,
    *,
    command: str = "",
    jobs: int = 1,
    executor: Executor | None = None,
    log: Log | None = None,
) -> dict[str, Facts]:
    """Run recipes into folders of ``out`` with their names; all share the stages in ``out``.

    Everything is checked, and every vocabulary changed, before anything is trained. ``report.json``
    of a recipe is written after each of its stages, with what is missing.
    """
    log = log or Silent()
    store = Store(out)
    works = _read(recipes, out, store, log)
    checks.check_disk(_bytes_needed(works, store), out)
    with store.in_use():
        _note_points(list(recipes), out)
        return _run(works, store, log, command=command, jobs=jobs, executor=executor)


def _note_points(points: Sequence[str], out: Path) -> None:
    """Note what a grid's recipe names, so that older results beside it are told apart."""
    file = out / "grid.json"
    if file.exists() or list(points) != [""]:
        atomic.write_json(file, {"points": points})


def _run(
    works: list[Work],
    store: Store,
    log: Log,
    *,
    command: str,
    jobs: int,
    executor: Executor | None,
) -> dict[str, Facts]:
    """Finish the stages of ``works`` and publish their results."""
    texts = [stage for work in works for stage in text_stages(work.recipe, work.point).values()]
    run_all(texts, store, log, jobs=jobs, executor=executor)
    works = [work.planned(store) for work in works]
    early = [stage for work in works for plan in work.plans for stage in plan.early()]
    run_all(early, store, log, jobs=jobs, executor=executor)
    works = [work.planned(store) for work in works]  # with estimates by the audits
    warnings = {work.point: cautions.early_warnings(work.plans, store) for work in works}
    for point, found in warnings.items():
        for warning in found:
            log.say(f"warning: {_at(point)}{warning}")

    def facts_of(work: Work) -> Facts:
        return _facts(work, store, command, warnings[work.point])

    def note(stage: Stage) -> None:
        for work in works:
            if store.key(stage) in {store.key(s) for plan in work.plans for s in plan.late()}:
                write_facts(facts_of(work), work.out)

    adapted = [stage for work in works for plan in work.plans for stage in plan.adapted.values()]
    if first_of_several():  # all that they share, before they leave
        run_all(adapted, store, log, after=note)
        dismiss()
    while True:
        for stage in _without_weights(works, store):
            store.discard(stage)
        late = [stage for work in works for plan in work.plans for stage in plan.late()]
        run_all(late, store, log, jobs=jobs, executor=executor, after=note)
        with store.publishing():
            if _without_weights(works, store):  # dropped by a run of another recipe in ``out``
                continue
            found_facts = {work.point: facts_of(work) for work in works}
            for work in works:
                _publish(work, found_facts[work.point], store)
            with store.alone() as alone:
                if alone:  # else another run may need the weights
                    publish.drop_other_heads([p for work in works for p in work.plans], store)
        return found_facts


def _read(recipes: Mapping[str, Recipe], out: Path, store: Store, log: Log) -> list[Work]:
    """Return the works of recipes, checked; warn of what is doubtful about them."""
    arms = [arm for recipe in recipes.values() for arm in recipe.arms]
    names = dict.fromkeys(arm.base for arm in arms)
    checks.check_folder(out)
    log.say("reading the bases and the task data")
    bases = {name: find_model(name) for name in names}
    packs = [file for arm in arms if arm.modules for file in arm.modules.files()]
    checks.check_inputs(out, [*bases.values(), *packs])
    works = [_work(point, r, out / point, bases, store) for point, r in recipes.items()]
    for work in works:
        for warning in work.doubts:
            log.say(f"warning: {_at(work.point)}{warning}")
    for work in works:
        checks.check_arms(work.plans)
    return works


def _work(point: str, recipe: Recipe, out: Path, bases: Mapping[str, Path], store: Store) -> Work:
    """Return the work of a recipe, its task data read and checked."""
    tasks = checks.read_tasks(recipe)
    own = dict.fromkeys(bases[arm.base] for arm in recipe.arms)
    notes = [note for base in own for note in checks.reading_notes(base)]
    doubts = [*checks.check_tasks(recipe, tasks), *notes]
    work = Work(point, recipe, out, bases, tasks, doubts, []).planned(store)
    return replace(work, doubts=[*doubts, *checks.check_settings(work.plans)])


def _at(point: str) -> str:
    return f"{point}: " if point else ""


def _bytes_needed(works: Sequence[Work], store: Store) -> int:
    return sum(bytes_needed(work.plans, store) for work in works)


def _publish(work: Work, facts: Facts, store: Store) -> None:
    """Write the results of a run to its folder."""
    publish.publish(work.plans, store, work.out, recipe=work.recipe)
    atomic.write_text(work.out / "recipe.toml", tomli_w.dumps(work.recipe.table))
    write_report(facts, work.out)
    scores = {arm["name"]: arm["scores"] for arm in facts["arms"]}
    atomic.write_json(work.out / "scores.json", scores)
    atomic.write_json(work.out / "provenance.json", _provenance(work, facts, store))


def plan(recipes: Mapping[str, Recipe], out: Path) -> str:
    """Return the stages of runs as text: finished or not, with estimates; nothing is done."""
    store = Store(out)
    works = _read(recipes, out, store, Silent())
    plans = [plan for work in works for plan in work.plans]
    stages = unique(in_order(plans), store)
    width = max(len(stage.label) for stage in stages)
    rows = []
    for stage in stages:
        if store.done(stage):
            state = f"done in {duration(store.record(stage).seconds)}"
        elif store.partial(stage).exists():
            state = f"begun, about {duration(store.seconds([stage]))} in all"
        else:
            state = f"about {duration(store.seconds([stage]))}"
        rows.append(f"{stage.label:<{width}}  {state}")
    done = sum(map(store.done, stages))
    needed = _bytes_needed(works, store) / 1e6
    rows += [
        "",
        f"{len(stages)} stages, {done} done; about {duration(seconds_left(stages, store))} on this "
        f"machine and {needed:,.0f} MB of disk to go (rough estimates)",
    ]
    same = [
        f"{_at(work.point)}{arm} does the same as {other} and has no stages of its own"
        for work in works
        for arm, other in work.recipe.same.items()
    ]
    doubts = [f"warning: {_at(work.point)}{doubt}" for work in works for doubt in work.doubts]
    outside = {line for work in works for line in outside_methods(work.recipe.table, out)}
    code = [f"code outside of the package: {line}" for line in sorted(outside)]
    return "\n".join([*code, *([""] if code else []), *rows, *same, *doubts])


def _without_weights(works: Sequence[Work], store: Store) -> list[Stage]:
    """Return the stages whose weights were dropped earlier, and are needed now.

    The best heads, when others were the best, and tasks trained together that heads begin with.
    """
    found = []
    for plan in [plan for work in works for plan in work.plans]:
        for task in plan.tasks:
            heads = [stage for (name, _), stage in plan.heads.items() if name == task]
            needed = [stage for stage in heads if not store.done(stage)]
            if not needed:
                best = results.best_head(plan, store, task)
                if not (store.folder(best) / "head").is_dir():
                    found.append(best)
                    needed = [best]
            sources = [source for head in needed for source in plan.source_of(head)]
            done = filter(store.done, sources)
            found += [s for s in done if not (store.folder(s) / task / "head").is_dir()]
    return found


def _facts(work: Work, store: Store, command: str, warnings: Sequence[str]) -> Facts:
    """Return the facts of the stages that are finished, and which are not."""
    recipe = work.recipe
    plans = [part for plan in work.plans if (part := plan.finished(store))]
    arms = [results.arm_facts(plan, store, work.tasks) for plan in plans]
    text = next((plan.text for plan in work.plans if plan.text), None)
    late = unique([s for p in work.plans for s in p.late()], store, needs=False)
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
        "tasks": {name: t.choice.method for name, t in work.tasks.items()},
        "arms": results.to_json(arms),
        "same": dict(recipe.same),
        "missing": [
            stage.label.removeprefix(f"{work.point} ") for stage in late if not store.done(stage)
        ],
        "cautions": [*work.doubts, *warnings, *cautions.cautions(arms, work.tasks)],
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


def _provenance(work: Work, facts: Facts, store: Store) -> dict[str, Any]:
    stages = in_order(work.plans)
    return {
        "command": facts["command"],
        "date": facts["date"],
        "machine": facts["machine"],
        "seeds": list(work.recipe.seeds),
        "vocabularies": {a["name"]: a["vocabulary_sha256"] for a in facts["arms"]},
        "stages": {stage.label: store.folder(stage).name for stage in unique(stages, store)},
        "inputs": store.inputs(stages),
    }
