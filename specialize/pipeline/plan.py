"""From a recipe to stages: what each arm needs, each key computed, nothing run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from specialize.corpus import CorpusFiles
from specialize.corpus.files import expand
from specialize.corpus.prepare import Prepared
from specialize.pipeline import head_stages, stages
from specialize.pipeline.lengths import fitted
from specialize.recipe.methods import Choice
from specialize.recipe.recipe import Arm, Recipe, TaskFiles
from specialize.recipe.table import build
from specialize.reports.numbers import DEV, TEST
from specialize.store import Stage, Store
from specialize.train.finetune import Finetune
from specialize.train.lapt import Lapt
from specialize.train.multitask import Multitask

Text = Prepared | Stage | None  # a stage where it is not finished yet

SCORES = 2  # version of fine-tuning: batches by pieces, test_unseen, CLAS, F1 by type
CORPUS = "held-out text"  # the name of the audit of the corpus's own


@dataclass(frozen=True)
class ArmPlan:
    """The stages of one arm."""

    arm: Arm
    base: Path
    lapt: Lapt | None
    finetune: Finetune
    text: Stage | None
    vocabulary: Stage
    rows: Stage | None
    ids: Stage | None  # of the text LAPT reads
    audits: Mapping[str, Stage]  # by the name of the text
    adapted: Mapping[int, Stage]  # by seed; the same stage for all without lapt.per_seed
    together: Mapping[int, Stage]  # by seed, of tasks trained together
    heads: Mapping[tuple[str, int], Stage]  # by task and seed

    @property
    def multitask(self) -> Multitask | None:
        """Return how the arm's tasks are trained together, None if each is trained alone."""
        return _multitask(self.arm)

    @property
    def prefinetunes(self) -> bool:
        """Return whether heads are fine-tuned from tasks trained together."""
        return bool(self.multitask and self.multitask.prefinetune)

    @property
    def tasks(self) -> list[str]:
        """Return the names of the arm's tasks."""
        return list(dict.fromkeys(task for task, _ in self.heads))

    def source_of(self, head: Stage) -> list[Stage]:
        """Return the stage whose weights ``head`` takes or begins with, if there is one."""
        return [stage for stage in self.together.values() if stage in head.needs]

    def finished(self, store: Store) -> ArmPlan | None:
        """Return the plan without unfinished training of tasks; None without a finished model."""
        if not all(map(store.done, [*self.early(), *self.adapted.values()])):
            return None
        together = {seed: stage for seed, stage in self.together.items() if store.done(stage)}
        heads = {key: stage for key, stage in self.heads.items() if store.done(stage)}
        return replace(self, together=together, heads=heads)

    def early(self) -> Iterator[Stage]:
        """Yield what takes little time, and finds faults before anything is trained."""
        yield from filter(None, (self.text, self.vocabulary, self.rows, self.ids))
        yield from self.audits.values()

    def late(self) -> Iterator[Stage]:
        """Yield what takes long: LAPT, tasks trained together, then every head."""
        yield from self.adapted.values()
        yield from self.together.values()
        yield from self.heads.values()


def text_stages(recipe: Recipe, point: str = "") -> dict[str, Stage]:
    """Return the stage of each arm's text, by the arm's name; none without a corpus."""
    if not recipe.corpus:
        return {}
    return {arm.name: _text(recipe.corpus, _labelled(arm, point)) for arm in recipe.arms}


def plan_arms(
    recipe: Recipe, bases: Mapping[str, Path], store: Store, *, point: str = ""
) -> list[ArmPlan]:
    """Return the plan of each arm; equal stages of several arms have equal keys.

    ``bases``: by their names in the recipe. Labels begin with the ``point`` of the recipe's axes.

    Later stages depend on what a text contains, not on how it was prepared: one more task, whose
    evaluation sentences are not in the corpus, changes nothing. So their keys are final only once
    the stages of the texts are finished.
    """
    texts = text_stages(recipe, point)
    return [
        replace(
            _plan(recipe, _labelled(arm, point), bases[arm.base], texts.get(arm.name), store),
            arm=arm,
        )
        for arm in recipe.arms
    ]


def _labelled(arm: Arm, point: str) -> Arm:
    return replace(arm, name=f"{point} {arm.name}") if point else arm


def in_order(plans: list[ArmPlan]) -> list[Stage]:
    """Return the stages of all arms: vocabularies first, then arm by arm."""
    early = [stage for plan in plans for stage in plan.early()]
    return early + [stage for plan in plans for stage in plan.late()]


def _plan(recipe: Recipe, arm: Arm, base: Path, prepared: Stage | None, store: Store) -> ArmPlan:
    where = f"arm.{arm.name}"
    lapt = None if arm.lapt is None else fitted(Lapt, arm.lapt, f"{where}.lapt", base)
    finetune = fitted(Finetune, arm.finetune, f"{where}.finetune", base)
    text: Text = prepared
    if prepared and store.done(prepared):
        text = Prepared(store.folder(prepared))
    vocabulary = Stage(
        "vocabulary",
        f"{arm.name}: vocabulary",
        stages.change_vocabulary,
        {"base": base, "text": text if _reads_text(arm.augment) else None, "augment": arm.augment},
    )
    rows = _rows(arm, base, vocabulary, text) if _reads_text(arm.augment) else None
    ids = _ids(arm, base, vocabulary, text) if lapt else None
    trained = lapt or holds_encoder(arm)  # the modules of the language: in this run, or before
    language = recipe.language if trained else ""
    adapted = {
        seed: _adapted(arm, base, vocabulary, rows, text, ids, lapt, seed, language)
        for seed in (arm.seeds if lapt and lapt.per_seed else arm.seeds[:1])
    }
    adapted = {seed: adapted.get(seed, adapted[arm.seeds[0]]) for seed in arm.seeds}
    tasks = [task for task in recipe.tasks if task.name in arm.tasks]
    together = _together(arm, tasks, adapted, finetune)
    heads = {
        (task.name, seed): _head(
            arm, task, adapted[seed], together.get(seed), finetune, seed, language
        )
        for task in tasks
        for seed in arm.seeds
    }
    audits = _audits(recipe, arm, base, vocabulary, text)
    return ArmPlan(
        arm, base, lapt, finetune, prepared, vocabulary, rows, ids, audits, adapted, together, heads
    )


def _multitask(arm: Arm) -> Multitask | None:
    if arm.multitask is None:
        return None
    return build(Multitask, arm.multitask, f"arm.{arm.name}.multitask")


def _together(
    arm: Arm, tasks: Sequence[TaskFiles], adapted: Mapping[int, Stage], finetune: Finetune
) -> dict[int, Stage]:
    """Return the stage that trains the tasks together, by seed; none if each is trained alone."""
    if (how := _multitask(arm)) is None:
        return {}
    return {
        seed: Stage(
            "multitask",
            f"{arm.name}: {'+'.join(task.name for task in tasks)}, seed {seed}",
            head_stages.train_tasks_together,
            {
                "adapted": adapted[seed],
                "names": tuple(task.name for task in tasks),
                "tasks": tuple(tasks),
                "mixins": arm.mixin,
                "plan": finetune,
                "how": replace(how, prefinetune=False),
                "seed": seed,
            },
            version=SCORES,
        )
        for seed in arm.seeds
    }


def _head(
    arm: Arm,
    task: TaskFiles,
    adapted: Stage,
    together: Stage | None,
    finetune: Finetune,
    seed: int,
    language: str,
) -> Stage:
    """Return the stage of a task's head: fine-tuned, or taken from tasks trained together."""
    label = f"{arm.name}: {task.name}, seed {seed}"
    if together and not (arm.multitask or {}).get("prefinetune"):
        part = {"together": together, "task": task.name, "seed": seed}
        return Stage("head", label, head_stages.take_head, part)
    given: dict[str, Any] = {
        "adapted": adapted,
        "task": task,
        "mixins": arm.mixin,
        "plan": finetune,
        "seed": seed,
    }
    if together:
        given |= {"start": together, "start_task": task.name}
    if arm.modules:
        given |= {"modules": arm.modules, "language": language}
    version = SCORES
    if arm.modules and task.name != task.choice.method.rpartition(":")[2]:
        version += 1  # modules are kept by the task's name, before by its method's
    return Stage("finetune", label, head_stages.finetune_task, given, version=version)


def holds_encoder(arm: Arm) -> bool:
    """Whether the encoder is fine-tuned: without modules, or around those of a pack."""
    return arm.modules is None or "pack" in arm.modules.options


def _reads_text(augment: Choice) -> bool:
    return augment.method != "none"


def _text(corpus: CorpusFiles, arm: Arm) -> Stage:
    """Return the stage of the prepared text; arms with equal mix-ins share it."""
    options = {
        f.name: getattr(corpus, f.name) for f in fields(corpus) if f.name not in ("files", "remove")
    }
    return Stage(
        "text",
        f"{arm.name}: text",
        stages.prepare_text,
        {
            "files": tuple(expand(corpus.files)),
            "remove": tuple(expand(corpus.remove)),
            "options": options,
            "mixins": arm.mixin,
        },
        version=2,  # evaluation sentences are found whatever their case
    )


def _rows(arm: Arm, base: Path, vocabulary: Stage, text: Text) -> Stage:
    return Stage(
        "rows",
        f"{arm.name}: initial rows",
        stages.initialise_rows,
        {
            "base": base,
            "vocabulary": vocabulary,
            "text": text,
            "embed": arm.embed,
            "seed": arm.embed.options.get("seed", arm.seeds[0]),
        },
        version=2,  # auxiliary vectors by CBOW
    )


def _ids(arm: Arm, base: Path, vocabulary: Stage, text: Text) -> Stage:
    """Return the stage of the text in pieces; arms with equal text and vocabulary share it."""
    given = {"base": base, "vocabulary": vocabulary, "text": text}
    return Stage("ids", f"{arm.name}: text in pieces", stages.encode_text, given)


def _adapted(
    arm: Arm,
    base: Path,
    vocabulary: Stage,
    rows: Stage | None,
    text: Text,
    ids: Stage | None,
    lapt: Lapt | None,
    seed: int,
    language: str,
) -> Stage:
    return Stage(
        "model",
        f"{arm.name}: {'LAPT' if lapt else 'model'}"
        + (f", seed {seed}" if lapt and lapt.per_seed else ""),
        stages.adapt,
        {
            "base": base,
            "vocabulary": vocabulary,
            "rows": rows,
            "text": text if lapt else None,
            "mixins": arm.mixin if lapt else (),
            "lapt": lapt,
            "seed": seed if lapt else 0,
        }
        | ({"ids": ids} if ids else {})
        | ({"modules": arm.modules, "language": language} if lapt and arm.modules else {}),
    )


def _audits(
    recipe: Recipe, arm: Arm, base: Path, vocabulary: Stage, text: Text
) -> dict[str, Stage]:
    found = {}
    if text:
        found[CORPUS] = Stage(
            "audit",
            f"{arm.name}: audit of the corpus",
            stages.audit_corpus,
            {"base": base, "vocabulary": vocabulary, "text": text},
            version=2,
        )
    for task in recipe.tasks:
        if task.name in arm.tasks:
            given = {"base": base, "vocabulary": vocabulary, "task": task.choice}
            for part, file, beside in ((DEV, task.dev_file, text), (TEST, task.test, None)):
                found[f"{task.name}{part}"] = Stage(
                    "audit",
                    f"{arm.name}: audit of {task.name}{part}",
                    stages.audit_task,
                    {**given, "text": beside, "file": file, "mixins": arm.mixin},
                    version=2,  # pieces per word before mix-ins
                )
    return found
