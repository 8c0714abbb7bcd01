"""The results as text, CSV and LaTeX, in the layout of the paper's Tables 5 and 6."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from specialize.reports.compare_latex import escape
from specialize.reports.numbers import signed
from specialize.reports.tables import columns, wrapped
from specialize.studies.sharing.effects import (
    Effect,
    Estimate,
    Interval,
    Scores,
    additive_share,
    contrasts,
    equal_to_alone,
    gains,
    main_effects,
    marginal,
)
from specialize.studies.sharing.sharing import GRID, MODES, PARTS, Sharing

LETTERS = {"char": "C", "word": "W", "score": "S"}
NAMES = {"char": "characters", "word": "words", "score": "scoring"}
_HOST_NAMES = {"char": "lower layers", "word": "upper layers", "score": "scoring"}
MARKS = {"none": "✗", "soft": "ID", "hard": "✓"}
_LATEX = {"none": r"\xmark", "soft": r"\textsc{id}", "hard": r"\cmark"}
_HEAD = r"""% needs \usepackage{booktabs} and \usepackage{pifont}
\providecommand{\cmark}{\ding{51}}
\providecommand{\xmark}{\ding{55}}
"""


def names_of(scores: Scores) -> dict[str, str]:
    """Return what each part is: of the BiLSTM, or of adapters in a host."""
    return _HOST_NAMES if scores.host else NAMES


def between(interval: Interval | None) -> str:
    """Return an interval: "+0.1 to +0.7", – for none."""
    return f"{signed(interval[0])} to {signed(interval[1])}" if interval else "–"


def ranked(scores: Scores) -> list[tuple[Sharing, Estimate, list[float]]]:
    """Return the cells with their gain over MONO and LAS by language, best average first."""
    found = gains(scores)
    by_language = {c: [scores.mean(c, name) for name in scores.columns] for c in GRID}
    order = sorted(GRID, key=lambda cell: -mean(by_language[cell]))
    return [(cell, found[cell], by_language[cell]) for cell in order]


def alone(scores: Scores) -> list[float]:
    """Return LAS of the monolingual parsers by language."""
    return [mean(scores.alone[name, seed] for seed in scores.seeds) for name in scores.columns]


def text(scores: Scores) -> str:
    """Return the table of the cells and that of the main effects."""
    pairs = ", ".join("-".join(pair) for pair in scores.pairs)
    seeds = f"{len(scores.seeds)} seed{'s' * (len(scores.seeds) != 1)}"
    return "\n".join(
        [
            f"{scores.title}: {pairs}; LAS on test in percent, mean of {seeds}",
            "",
            *columns(list(_cells(scores))),
            "",
            "Main effects on LAS: nine cells less nine others, 95 % intervals",
            "",
            *columns(list(_effects(main_effects(scores)))),
            "",
            wrapped(notes(scores)),
        ]
    )


def contrast_texts(studies: Sequence[Scores]) -> list[str]:
    """Return a table for each two studies whose effects can be compared."""
    return [
        "\n".join(
            [
                f"{first} less {second}: main effects, 95 % intervals",
                "",
                *columns(list(_effects(effects))),
            ]
        )
        for (first, second), effects in contrasts(studies).items()
    ]


def _cells(scores: Scores) -> Iterator[tuple[str, ...]]:
    own = alone(scores)
    yield ("C  W  S", "", *scores.columns, "average", "less MONO", "over seeds")
    yield ("MONO", "", *(f"{value:.1f}" for value in [*own, mean(own)]), "", "")
    for cell, gain, values in ranked(scores):
        marks = " ".join(f"{MARKS[mode]:<2}" for mode in cell).rstrip()
        shown = [f"{value:.1f}" for value in [*values, mean(values)]]
        yield (marks, "", *shown, signed(gain.value), between(gain.seeds))


def _effects(effects: Sequence[Effect]) -> Iterator[tuple[str, ...]]:
    pairs = ["-".join(pair) for pair in effects[0].by_pair]
    yield ("part", "", "points", "over seeds", "over pairs", *pairs)
    for effect in effects:
        found = effect.estimate
        by_pair = map(signed, effect.by_pair.values())
        intervals = between(found.seeds), between(found.pairs)
        yield (name_of(effect), "", signed(found.value), *intervals, *by_pair)


def name_of(effect: Effect) -> str:
    """Return "S ✓ − ✗"."""
    return f"{LETTERS[effect.part]}  {MARKS[effect.mode]} − {MARKS[effect.against]}"


def notes(scores: Scores) -> list[str]:
    """Return how to read the figures, and the controls."""
    equal, runs = equal_to_alone(scores)
    control = "as it must be" if equal == runs else "which is a fault: report it"
    names = names_of(scores)
    what = ", ".join(f"{LETTERS[part]}: {names[part]}" for part in PARTS)
    where = f" (adapters in {Path(scores.host).name})" if scores.host else ""
    return [
        f"{what}{where}; ✗: not shared, ID: shared with a vector of the "
        "language, ✓: shared. Over seeds: intervals of these pairs; over pairs: of pairs like "
        "these. Do not read the order of cells as a ranking: read the effects. Of twenty intervals "
        "of 95 % one excludes 0 by chance; all cells are compared with the same MONO parsers.",
        "Intervals over seeds hold the variation of initial weights, order and dropout, and of the "
        "sentences drawn where treebanks are much larger than what is drawn, not that of test "
        "sentences.",
        f"Nothing shared equals MONO in {equal} of {runs} parsers, {control}. The main effects "
        f"explain {100 * additive_share(scores):.0f} % of the variance of the 27 averages.",
    ]


def csv_text(studies: Sequence[Mapping[str, Any]]) -> str:
    """Return a row for each parser and language."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    metrics = ("las", "uas", "clas")
    rows.writerow(["study", "pair", "seed", *PARTS, "language", *metrics, "updates", "seconds"])
    for facts in studies:
        for row in facts["runs"]:
            modes = row["sharing"] or ["alone"] * len(PARTS)
            for language, own in row["scores"].items():
                shown = [f"{own[metric]:.4f}" for metric in metrics]
                where = [facts["title"], "-".join(row["languages"]), row["seed"], *modes, language]
                rows.writerow([*where, *shown, row["updates"], row["seconds"]])
    return file.getvalue()


def effects_csv(studies: Sequence[Scores]) -> str:
    """Return a row for each main effect, and for each difference of studies."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    ends = ["seeds_low", "seeds_high", "pairs_low", "pairs_high"]
    rows.writerow(["study", "part", "mode", "against", "points", *ends])
    found = {scores.title: main_effects(scores) for scores in studies}
    found |= {" less ".join(titles): own for titles, own in contrasts(studies).items()}
    for title, effects in found.items():
        for effect in effects:
            own = effect.estimate
            bounds = [*(own.seeds or ("", "")), *(own.pairs or ("", ""))]
            shown = [f"{b:.4f}" if b != "" else "" for b in (own.value, *bounds)]
            rows.writerow([title, effect.part, effect.mode, effect.against, *shown])
    return file.getvalue()


def latex(studies: Sequence[Scores]) -> str:
    """Return the tables of all studies, each with its main effects, with booktabs."""
    return "\n".join([_HEAD, *(part for scores in studies for part in _latex_tables(scores))])


def _latex_tables(scores: Scores) -> Iterator[str]:
    own, size = alone(scores), len(scores.columns)
    rows = [["C", "W", "S", *map(escape, scores.columns), "average"]]
    rows += [["MONO", "", "", *(f"{value:.1f}" for value in [*own, mean(own)])]]
    yield f"% {escape(scores.title)}: LAS on test"
    yield rf"\begin{{tabular}}{{ccc{'r' * (size + 1)}}}"
    yield from (r"\toprule", _row(rows[0]), r"\midrule", _row(rows[1]), r"\midrule")
    for cell, _, values in ranked(scores):
        marks = [_LATEX[mode] for mode in cell]
        yield _row([*marks, *(f"{value:.1f}" for value in [*values, mean(values)])])
    yield from (r"\bottomrule", r"\end{tabular}", "")
    yield f"% {escape(scores.title)}: mean LAS of the nine cells that share a part so; differences"
    yield r"\begin{tabular}{lrrrrr}"
    yield r"\toprule"
    heads = ["", *(_LATEX[mode] for mode in MODES)]
    differences = [rf"{_LATEX['hard']}$-${_LATEX['none']}", rf"{_LATEX['soft']}$-${_LATEX['none']}"]
    yield from (_row([*heads, *differences]), r"\midrule")
    effects = {(e.part, e.mode, e.against): e.estimate for e in main_effects(scores)}
    for part in PARTS:
        means = [mean(map(mean, marginal(scores, part, mode).values())) for mode in MODES]
        gains_of = [_latex_gain(effects[part, mode, "none"]) for mode in ("hard", "soft")]
        yield _row([LETTERS[part], *(f"{value:.2f}" for value in means), *gains_of])
    yield from (r"\bottomrule", r"\end{tabular}")
    yield from (f"% {' '.join(note.split())}" for note in notes(scores))


def _latex_gain(found: Estimate) -> str:
    shown = f"{found.value:+.2f}"
    return f"{shown} [{found.seeds[0]:+.2f}, {found.seeds[1]:+.2f}]" if found.seeds else shown


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"
