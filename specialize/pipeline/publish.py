"""A run's folder as its user sees it: the arms side by side, and the result on top.

Weights of finished stages are hard links (copies where the file system has none), all else is
copied, so the folders can be moved, edited, packed or uploaded like any other.
"""

from __future__ import annotations

from pathlib import Path

from specialize import atomic
from specialize.atomic import link, link_tree
from specialize.pipeline.card import write_card
from specialize.pipeline.plan import ArmPlan
from specialize.pipeline.results import best_head
from specialize.recipe.recipe import Recipe
from specialize.store import Store

PARTS = ("model", "modules", "heads", "predictions", "vocab")


def publish(plans: list[ArmPlan], store: Store, out: Path, *, recipe: Recipe) -> None:
    """Lay out ``arms/NAME`` for every arm, and the arm ``recipe.result`` in ``out`` itself too."""
    names = {plan.arm.name for plan in plans}
    for folder in (out / "arms").glob("*"):
        if folder.name not in names:  # an arm that the recipe has no more; its stages stay
            atomic.remove(folder)
    for plan in plans:
        target = out / "arms" / plan.arm.name
        with atomic.whole_folder(target) as partial:
            _lay_out(plan, store, partial)
            write_card(partial / "model", plan.arm, base=plan.arm.base, language=recipe.language)
        if plan.arm.name == recipe.result:
            for part in PARTS:
                if (target / part).exists():
                    with atomic.whole_folder(out / part) as partial:
                        link_tree(target / part, partial)
                else:
                    atomic.remove(out / part)


def _lay_out(plan: ArmPlan, store: Store, folder: Path) -> None:
    seed = plan.arm.seeds[0]
    for part in ("model", "modules"):
        if (made := store.folder(plan.adapted[seed]) / part).is_dir():
            link_tree(made, folder / part)
    for name in ("pieces.tsv", "words_fixed.tsv"):
        # the stage of the rows has them with sources, unless an earlier version made it
        files = [store.folder(stage) / name for stage in (plan.rows, plan.vocabulary) if stage]
        if found := next((file for file in files if file.exists()), None):
            link(found, folder / "vocab" / name)
    best = {task: best_head(plan, store, task) for task in plan.tasks}
    for (task, seed), stage in plan.heads.items():
        head = store.folder(stage)
        for file in head.glob("predictions*"):
            link(file, folder / "predictions" / f"{task}-{seed}{file.suffix}")
        if stage is best[task]:
            link_tree(head / "head", folder / "heads" / task)


def drop_other_heads(plans: list[ArmPlan], store: Store) -> None:
    """Remove the weights of heads that are not the best of their seeds; scores stay."""
    kept = {store.key(best_head(plan, store, task)) for plan in plans for task in plan.tasks}
    for plan in plans:
        for (task, seed), stage in plan.heads.items():
            if store.key(stage) not in kept:
                store.drop(stage, "head")
            if plan.together and (store.key(stage) not in kept or plan.prefinetunes):
                store.drop(plan.together[seed], f"{task}/head")
