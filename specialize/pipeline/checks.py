"""Everything that can be known to fail, checked before the first stage."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from specialize import atomic
from specialize.errors import DataError, MissingError, UsageError
from specialize.pipeline.lengths import shortened
from specialize.pipeline.plan import ArmPlan, holds_encoder
from specialize.pipeline.stages import checkpoint_of
from specialize.pipeline.task_data import TaskData, read_task
from specialize.recipe.methods import Choice
from specialize.recipe.recipe import Recipe, TaskFiles
from specialize.tasks._checks import check_data, same_files
from specialize.tasks._split import FOLDS

if TYPE_CHECKING:
    from specialize.model.load import Checkpoint


def check_folder(out: Path) -> None:
    """Refuse a folder that holds anything but a run of this version."""
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder as --out")
    stages = out / "stages"
    ours = (stages / ".locks").is_dir() or any(stages.glob("*/stage.json"))
    if ours or not any(any(path.iterdir()) if path == stages else True for path in out.iterdir()):
        return
    if (out / "recipe.toml").exists():
        raise UsageError(
            f"{out} holds a run of an earlier version, which cannot be resumed; name another --out"
        )
    raise UsageError(f"{out} is not an empty folder; name another --out")


def check_inputs(out: Path, inputs: Iterable[Path]) -> None:
    """Refuse a folder that holds bases or packs which its results would replace."""
    for path in inputs:
        if path.resolve().is_relative_to(out.resolve()):
            raise UsageError(f"{out} holds {path}, which is an input; name another --out")


_RESULTS = ("recipe.toml", "report.json", "results.json", "heads")  # of runs and studies


def check_replaced(out: Path, *, inputs: Sequence[Path] = (), addition: bool = False) -> None:
    """Refuse a folder where a new base would replace its inputs or another command's results.

    ``addition``: the base has a language added, and may replace such a base alone.
    """
    check_inputs(out, inputs)
    if found := next((name for name in _RESULTS if (out / name).exists()), None):
        raise UsageError(f"{out} holds {found} of another command; name another --out")
    facts = out / "training.json"
    if facts.exists() and ("language" in atomic.read_json(facts)) != addition:
        made = "modules add" if not addition else "pretrain"
        raise UsageError(f"{out} holds a base of `specialize {made}`; name another --out")


def read_tasks(recipe: Recipe) -> dict[str, TaskData]:
    """Return the data of every task."""
    return {task.name: read_task(task) for task in recipe.tasks}


def check_tasks(recipe: Recipe, tasks: Mapping[str, TaskData]) -> list[str]:
    """Return warnings about the data of tasks; DataError where they cannot teach."""
    warnings = []
    for files in recipe.tasks:
        given, data = tasks[files.name], tasks[files.name].data
        found = [*_split(files, len(data.train) + len(data.dev)), *same_files(files.files)]
        found += check_data(given.task, data.train, data.dev, data.test)
        warnings += [f"{files.name}: {warning}" for warning in found]
    return warnings


def _split(files: TaskFiles, sentences: int) -> list[str]:
    """Return how the file of train or dev is split into both; DataError if it is too short."""
    if not files.whole:
        return []
    path, missing = files.files[files.whole], "dev" if files.whole == "train" else "train"
    if sentences < (folds := files.folds or FOLDS):
        raise DataError(
            f"{path}:1: expected {folds} sentences or more to split into train and dev, got "
            f"{sentences}; name a {missing} file"
        )
    if files.folds:
        how = f"cross-validation: fold s mod {folds} of {path.name} is dev of seed s"
    else:
        part = f"{-(-sentences // folds)} of {sentences}"
        how = f"every fifth sentence of {path.name} ({part}) is dev"
    return [f"no {missing} file; {how}, the others are train"]


def check_arms(plans: Sequence[ArmPlan]) -> None:
    """Refuse lengths, schedules and combinations that cannot work."""
    from specialize.model.language_model import is_causal
    from specialize.model.word_encoder import check_length
    from specialize.train.lapt import check

    for plan in plans:
        checkpoint = checkpoint_of(plan.base)
        name = plan.arm.name
        if plan.text is None and (plan.lapt or plan.arm.augment.method != "none"):
            raise UsageError(
                f"arm.{name} needs text: give [corpus] files, or set lapt = false and "
                'augment = "none"'
            )
        for mixin in plan.arm.mixin:
            mixin()("")  # refuses option values that it does not know
        if plan.lapt:
            with _of_arm(name):
                check(plan.lapt, checkpoint)
            if plan.lapt.train == "fresh" and plan.arm.augment.method == "none":
                raise UsageError(
                    f'arm.{name}: lapt.train = "fresh", but no piece is added; set augment, or '
                    'train "all"'
                )
        if plan.arm.modules:
            _check_modules(plan, plan.arm.modules, checkpoint)
        if plan.heads:
            if is_causal(checkpoint.model.config):
                raise UsageError(
                    f"arm.{name}: {', '.join(plan.tasks)}: expected an encoder, which sees both "
                    "sides of a word, got a base that predicts the next piece; choose another "
                    f"base, or set arm.{name}.tasks = []"
                )
            with _of_arm(name):
                check_length("finetune.length", plan.finetune.length, checkpoint.framing)


@contextmanager
def _of_arm(name: str) -> Iterator[None]:
    """Prefix a UsageError with the arm's name."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"arm.{name}: {error}", key=error.key) from None


def _check_modules(plan: ArmPlan, modules: Choice, base: Checkpoint) -> None:
    """Raise UsageError where the base has no sites for the arm's modules, or other settings do."""
    from specialize.modules.scope import Scope
    from specialize.pipeline.modular import check_modules, scope_of

    made = [stage.arguments for stage in (*plan.adapted.values(), *plan.heads.values())]
    scopes = [
        scope_of(given["language"], given["task"]) if "task" in given else Scope(given["language"])
        for given in made
        if "modules" in given
    ]
    with _of_arm(f"{plan.arm.name}: modules = {modules.method!r}"):
        changed = plan.lapt or plan.arm.augment.method != "none"
        if changed and holds_encoder(plan.arm):
            raise UsageError(
                'modules of a pack stay as they are; set lapt = false and augment = "none", or '
                "train those of another language by: specialize modules add"
            )
        check_modules(base, modules, dict.fromkeys(scopes))


def check_settings(plans: Sequence[ArmPlan]) -> list[str]:
    """Return what the settings of arms do not do as their reader may expect."""
    found: list[str] = []
    for plan in plans:
        found += shortened(plan.arm, plan.base, plan.finetune, plan.lapt)
        found += [*_alone(plan), *_unmasked(plan)]
    return [*found, *_unlike_losses(plans)]


def _unlike_losses(plans: Sequence[ArmPlan]) -> Iterator[str]:
    """Yield that losses of causal and of masked models do not compare, if there are both."""
    from specialize.model.config import read_config
    from specialize.model.language_model import is_causal

    adapted = [plan for plan in plans if plan.lapt]
    causal = [plan.arm.name for plan in adapted if is_causal(read_config(plan.base))]
    if 0 < len(causal) < len(adapted):
        yield (
            f"bits per byte of {', '.join(causal)} are those of causal models, not comparable with "
            "the other arms'"
        )


def _alone(plan: ArmPlan) -> Iterator[str]:
    """Yield that no tasks of an arm are joint although it asks for that."""
    together = next(iter(plan.together.values()), None)
    sources = [task.train_source for task in together.arguments["tasks"]] if together else []
    if plan.multitask and plan.multitask.joint and len(set(sources)) == len(sources):
        files = [file for file, *_ in sources]
        what = "no two tasks name the same training file"
        if len(set(files)) < len(files):
            what = (
                "tasks that name the same file split it differently; give all of them a dev file, "
                "or none and the same folds"
            )
        yield f"{plan.arm.name}: multitask.joint changes nothing, as {what}"


def _unmasked(plan: ArmPlan) -> Iterator[str]:
    """Yield which settings of masks an arm has although its base predicts the next piece."""
    from specialize.model.config import read_config
    from specialize.model.language_model import is_causal

    if plan.lapt is None or not is_causal(read_config(plan.base)):
        return
    given = [field for field in fields(plan.lapt) if field.name in ("mask", "words", "static")]
    changed = [f"lapt.{f.name}" for f in given if getattr(plan.lapt, f.name) != f.default]
    if changed:
        yield (
            f"{plan.arm.name}: {', '.join(changed)}: no effect on a base that predicts the next "
            "piece, which masks nothing"
        )


def reading_notes(base: Path) -> list[str]:
    """Return what a user should know about how the base's tokenizer was read."""
    settings = checkpoint_of(base).vocabulary.settings
    return [f"base: {note}" for note in settings.notes] if settings else []


def check_disk(needed: int, out: Path) -> None:
    """Refuse to begin where the disk cannot hold the bytes ``needed``."""
    there = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise MissingError(
            f"{out}: about {needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free; "
            "free some space or name a folder on another disk"
        )
