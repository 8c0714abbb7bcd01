"""A study's files: tables as text, CSV and LaTeX, and one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import jinja2

from specialize.atomic import write_text
from specialize.progress import duration
from specialize.reports.numbers import signed
from specialize.reports.page import environment
from specialize.studies.sharing import charts, tables
from specialize.studies.sharing.effects import (
    Effect,
    Scores,
    contrasts,
    excludes_zero,
    gains,
    main_effects,
    marginal,
)
from specialize.studies.sharing.run import scores_of
from specialize.studies.sharing.sharing import MODES, PARTS

Facts = Mapping[str, Any]
FILES = ("sharing.html", "runs.csv", "effects.csv", "tables.tex", "results.json")


def write(facts: Facts, out: Path) -> str:
    """Write the tables and the page of ``facts`` (`results.json`) to ``out``; return the text."""
    studies = [scores_of(own) for own in facts["studies"]]
    write_text(out / "sharing.html", page(facts))
    write_text(out / "runs.csv", tables.csv_text(facts["studies"]))
    write_text(out / "effects.csv", tables.effects_csv(studies))
    write_text(out / "tables.tex", tables.latex(studies))
    texts = [tables.text(scores) for scores in studies]
    texts += tables.contrast_texts(studies)
    texts += [f"caution: {caution}" for caution in facts["cautions"]]
    names = ", ".join(FILES)
    return "\n\n".join([*texts, f"page, tables and results: {out} ({names})"])


def page(facts: Facts) -> str:
    """Return the page of ``facts`` as HTML."""
    studies = [scores_of(own) for own in facts["studies"]]
    effects = [main_effects(scores) for scores in studies]
    found = [gains(scores) for scores in studies]
    largest = max(abs(gain.value) for own in found for gain in own.values())
    bound = charts.bound_of([effect for own in effects for effect in own])
    shown = [
        {
            "scores": scores,
            "training": own["training"],
            "findings": findings(its_effects, tables.names_of(scores)),
            "names": tables.names_of(scores),
            "maps": [(mode, charts.heat_map(its_gains, mode, largest)) for mode in MODES],
            "chart": charts.effects_chart(
                its_effects, tables.names_of(scores), scores.title, bound
            ),
            "effects": its_effects,
            "means": means(scores),
            "alone": tables.alone(scores),
            "ranked": tables.ranked(scores),
            "notes": tables.notes(scores),
            "parsers": len(own["runs"]),
            "seconds": sum(row["seconds"] for row in own["runs"]),
        }
        for scores, own, its_effects, its_gains in zip(
            studies, facts["studies"], effects, found, strict=True
        )
    ]
    return _template().render(facts=facts, studies=shown, contrasts=contrasts(studies))


def findings(effects: Sequence[Effect], names: Mapping[str, str]) -> list[str]:
    """Return a sentence for each part: what sharing it does, as far as the intervals show it."""
    sentences = []
    for part in PARTS:
        own = {e.mode: _finding(e) for e in effects if e.part == part and e.against == "none"}
        name = names[part].capitalize()
        sentences.append(f"{name}: shared, {own['hard']}; shared with ID, {own['soft']}.")
    return sentences


def _finding(effect: Effect) -> str:
    """Return "a gain of 0.4 points (+0.1 to +0.7)", or that no effect is shown, or can be."""
    found, span = effect.estimate, tables.between(effect.estimate.seeds)
    if found.seeds is None:
        return f"{signed(found.value)} points; one seed gives no interval"
    if not found.shown:
        return f"no effect is shown ({span})"
    kind = "gain" if found.value > 0 else "loss"
    text = f"a {kind} of {abs(found.value):.1f} points ({span})"
    return text if excludes_zero(found.pairs) else f"{text}, not shown for other pairs"


def means(scores: Scores) -> dict[str, list[float]]:
    """Return for each part the mean LAS of its nine cells, by mode."""
    return {
        part: [mean(map(mean, marginal(scores, part, mode).values())) for mode in MODES]
        for part in PARTS
    }


def _template() -> jinja2.Template:
    found = environment()
    own = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    assert found.loader
    found.loader = jinja2.ChoiceLoader([own, found.loader])
    found.filters.update(duration=duration, signed=signed, mean=mean)
    found.globals.update(
        STYLES=6,
        MARKS=tables.MARKS,
        MODES=MODES,
        LETTERS=tables.LETTERS,
        between=tables.between,
        name_of=tables.name_of,
    )
    return found.get_template("sharing.html.j2")
