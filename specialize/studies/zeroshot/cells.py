"""The stages of a zero-shot study: text, language adapters, and the models of each system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from specialize.model.find import find_model
from specialize.store import Stage
from specialize.studies.transfer.cells import derived, pack_text
from specialize.studies.zeroshot.languages import train_language
from specialize.studies.zeroshot.partition import MODELS
from specialize.studies.zeroshot.plans import Hyperx, Madx, Mlm, Plan, kind_of
from specialize.studies.zeroshot.recipe import Study
from specialize.studies.zeroshot.training import train_model

_MLM_STEP = 0.25  # seconds of an update on 8 sequences of 128 pieces, one thread of a CPU
_SENTENCE = 0.015  # of a sentence in training; a third of it in scoring

Key = tuple[str, str, int]  # system, model, seed


@dataclass(frozen=True)
class Cells:
    """The stages of a study."""

    texts: dict[str, Stage]  # by language
    adapters: dict[str, dict[str, Stage]]  # by system and language
    models: dict[Key, Stage]

    @property
    def all(self) -> list[Stage]:
        """The texts, which may turn out to be empty, then the models with what they need."""
        return [*self.texts.values(), *self.models.values()]


def cells(study: Study) -> Cells:
    """Return the stages of a study."""
    base = find_model(study.base)
    texts = _text_stages(study, base)
    adapters = {
        name: _adapter_stages(study, base, plan, texts) for name, plan in study.systems.items()
    }
    models = {
        (name, model, seed): _model_stage(study, base, (name, model, seed), adapters[name], texts)
        for seed in study.seeds
        for name in study.systems
        for model in MODELS
    }
    return Cells(texts, adapters, models)


def _text_stages(study: Study, base: Path) -> dict[str, Stage]:
    """Return the stages that pack the text of each language, without its test sentences."""
    if not any(plan.needs_text for plan in study.systems.values()):
        return {}
    tests = {
        name: sorted({pair.files["test"] for pair in study.pairs if pair.language == name})
        for name in study.languages
    }
    options = {"length": study.mlm.length, "lines": study.mlm.lines, "seed": study.seeds[0]}
    return {
        name: Stage(
            "zeroshot-text",
            f"{name}: text",
            pack_text,
            {"base": base, "files": list(study.text[name]), "remove": tests[name], **options},
            work=2.0,
        )
        for name in study.languages
    }


def _adapter_stages(
    study: Study, base: Path, plan: Plan, texts: Mapping[str, Stage]
) -> dict[str, Stage]:
    """Return the stages that train language adapters; by the first seed, for all seeds."""
    if not isinstance(plan, Madx):
        return {}
    how = {
        "rate": plan.language_rate,
        "reduction": plan.language_reduction,
        "invertible": plan.invertible,
        "last": plan.last,
        "mlm": study.mlm,
        "seed": study.seeds[0],
    }
    work = study.mlm.steps * mlm_seconds(study)
    return {
        name: Stage(
            "zeroshot-language",
            f"{name}: language adapter",
            train_language,
            {"base": base, "language": name, "text": texts[name], **how},
            work=work,
        )
        for name in study.languages
    }


def _model_stage(
    study: Study,
    base: Path,
    key: Key,
    adapters: Mapping[str, Stage],
    texts: Mapping[str, Stage],
) -> Stage:
    name, model, seed = key
    plan, part = study.systems[name], study.part(model)
    own = texts if isinstance(plan, Hyperx) else {}
    return Stage(
        "zeroshot",
        f"{name}, model {model}, seed {seed}",
        train_model,
        {
            "base": base,
            "kind": kind_of(plan),
            "plan": plan,
            "seen": list(part.seen),
            "unseen": list(part.unseen),
            "adapters": dict(adapters),
            "texts": dict(own),
            "training": study.training,
            # in the key only what the model reads of it: texts have their own
            "mlm": replace(study.mlm, steps=Mlm.steps, lines=Mlm.lines) if own else Mlm(),
            "few": study.few,
            "sentences": study.sentences,
            "seed": derived(seed, "zeroshot", model),
        },
        version=2,
        work=model_seconds(study, text=bool(own)),
    )


def mlm_seconds(study: Study) -> float:
    """Return about how long an update on text takes."""
    return _MLM_STEP * study.mlm.batch * study.mlm.length / 1024


def model_seconds(study: Study, *, text: bool) -> float:
    """Return about how long a model takes: updates, evaluations on dev, and scores.

    ``text``: as many updates on text as there are on annotated sentences, and a third more.
    """
    own = study.training
    dev = (own.sentences // 4 or 500) * (own.evaluations + 1) * len(study.pairs) / 2
    test = (study.sentences or 700) * len(study.pairs)
    unseen = len(study.pairs) // 2
    few = sum(study.few.sentences) * study.few.epochs * unseen
    test += (study.sentences or 700) * len(study.few.sentences) * unseen
    more = 4 / 3 * own.steps * mlm_seconds(study) if text else 0.0
    return _SENTENCE * (own.steps * own.batch + few + (dev + test) / 3) + more
