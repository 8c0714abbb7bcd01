"""What the stages of heads do: fine-tune tasks, alone or together, and write what scores them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize import atomic
from specialize.atomic import link_tree
from specialize.corpus.files import plain_name
from specialize.head_facts import HeadFacts
from specialize.heads import chain, save_head
from specialize.pipeline.stages import checkpoint_of, without_times
from specialize.pipeline.task_data import TaskData, read_task
from specialize.progress import Log
from specialize.recipe.methods import Choice
from specialize.recipe.recipe import TaskFiles
from specialize.tasks._checks import unseen
from specialize.tasks._pretokenize import style_of

if TYPE_CHECKING:
    from specialize.model.load import Checkpoint
    from specialize.model.word_encoder import WordEncoder
    from specialize.pipeline.modular import Kept
    from specialize.tasks._base import Sentence
    from specialize.train.finetune import Finetune, Finetuned
    from specialize.train.multitask import Multitask


def finetune_task(
    folder: Path,
    *,
    log: Log,
    adapted: Path,
    task: TaskFiles,
    mixins: Sequence[Choice],
    plan: Finetune,
    seed: int,
    start: Path | None = None,
    start_task: str = "",
    modules: Choice | None = None,
    language: str = "",
) -> None:
    """Write a fine-tuned head, its predictions on test, and its scores.

    ``start``: of tasks trained together, from the model of one of which training begins.
    ``modules``: what trains in place of the encoder, on the modules of ``language`` if that is set;
    or modules of ``language`` around which the encoder trains.
    """
    from specialize.pipeline.modular import scope_of, task_modules
    from specialize.train.finetune import finetune

    checkpoint, words = _to_train(adapted, mixins, plan)
    given = read_task(task, seed)
    scope = scope_of(language, task)
    with task_modules(checkpoint, modules, adapted, scope, seed=seed) as kept:
        found = finetune(
            checkpoint,
            words,
            given.task,
            given.data,
            plan,
            seed=seed,
            folder=folder,
            start=start / start_task / "head" / "model.safetensors" if start else None,
            log=log,
        )
    log.say(_write_head(found, folder, task, mixins, plan, seed, kept))
    (folder / "checkpoint.pt").unlink(missing_ok=True)


def train_tasks_together(
    folder: Path,
    *,
    log: Log,
    adapted: Path,
    names: Sequence[str],
    tasks: Sequence[TaskFiles],
    mixins: Sequence[Choice],
    plan: Finetune,
    how: Multitask,
    seed: int,
) -> None:
    """Write a folder for each of ``names`` with what `finetune_task` writes for a task."""
    from specialize.train.multitask import Part, forget, train_together

    checkpoint, words = _to_train(adapted, mixins, plan)
    given = [read_task(task, seed) for task in tasks]
    parts = [Part(g.task, g.data, t.train_source) for g, t in zip(given, tasks, strict=True)]
    results = train_together(checkpoint, words, parts, plan, how, seed=seed, folder=folder, log=log)
    for name, task, found in zip(names, tasks, results, strict=True):
        (folder / name).mkdir(exist_ok=True)
        log.say(f"{name}: {_write_head(found, folder / name, task, mixins, plan, seed)}")
    forget(folder)


def take_head(folder: Path, *, log: Log, together: Path, task: str, seed: int) -> None:
    """Fill the folder of a task's head from tasks trained together."""
    link_tree(together / task, folder)


def _to_train(
    adapted: Path, mixins: Sequence[Choice], plan: Finetune
) -> tuple[Checkpoint, WordEncoder]:
    """Return the adapted model on its device, and how it reads words."""
    from specialize.model.word_encoder import WordEncoder
    from specialize.train.optim import device

    checkpoint = checkpoint_of(adapted / "model")
    checkpoint.model.to(device())
    mix = chain([choice() for choice in mixins])
    words = WordEncoder(checkpoint.vocabulary, checkpoint.framing, length=plan.length, mix=mix)
    return checkpoint, words


def _write_head(
    found: Finetuned,
    folder: Path,
    task: TaskFiles,
    mixins: Sequence[Choice],
    plan: Finetune,
    seed: int,
    kept: Kept | None = None,
) -> str:
    """Write the head, its predictions on test, and its scores; return its score as text."""
    given = read_task(task, seed)
    suffix = Path(plain_name(task.test)).suffix
    with atomic.whole_file(folder / f"predictions{suffix}") as file:
        given.task.write(found.predicted, file)
    facts = HeadFacts(
        task=task.choice.method,
        options=dict(task.choice.options),
        labels=found.labels,
        mixin=[],
        length=plan.length,
        precision=found.module.precision,
        seed=seed,
        pretokenize=style_of(sentence.words for sentence in given.data.train),
        scope=asdict(kept.scope) if kept else {},
        whole=kept is not None and kept.whole,
    )
    save_head(
        found.module, facts, folder / "head", mixins=mixins, pack=kept.pack() if kept else None
    )
    metric = given.task.metric
    scores = {"seed": seed, "metric": metric, "dev": found.dev, "test": found.test}
    scores |= _unseen(given, found.predicted)
    atomic.write_json(folder / "scores.json", scores | {"history": without_times(found.history)})
    return f"{metric} {found.test[metric]:.2f} on test"


def _unseen(given: TaskData, predicted: Sequence[Sentence[Any]]) -> dict[str, Any]:
    """Return the scores on the test sentences that are not in train, {} of none, and counts."""
    test = given.data.test
    places = unseen(given.data.train, test)
    rows = [test[i] for i in places], [predicted[i] for i in places]
    return {
        "test_unseen": given.task.score(*rows) if places else {},
        "test_sentences": len(test),
        "shared": len(test) - len(places),
    }
