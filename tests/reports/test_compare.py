"""The page of a comparison of runs."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browser import run_in_browser
from compared_runs import arm, treebank, write_parsed, write_run
from html_page import Page
from run_facts import CORPUS, audit, audited, scored

from specialize.comparison import Comparison, compare
from specialize.reports.compare import page, write_page
from specialize.reports.compare_answers import answers
from specialize.reports.compare_charts import by_pieces, learning
from specialize.reports.compare_matrix import matrices
from specialize.reports.compare_mixture import squares

TVA: dict[str, Any] = {"augment": "tva", "embed": "unused", "pieces_added": 99, "lapt": True}
LATIN = ['table (scheme = "latin")']


def las(*test: float, dev: float = 0.0) -> dict[str, Any]:
    """Return scores of a parser; ``dev``: by how much those on dev are higher."""
    own = scored("dep", *test)
    return {"dep": own | {"dev": [{"las": score + dev} for score in test]}}


def uyghur(folder: Path, **changes: Any) -> Path:
    """Write a run of a 2 × 2 design; latin_tva is the best."""
    arms = [
        arm("lapt", 20.0, 21.0, 23.0, lapt=True, bits_per_byte=[2.0, 2.1, 2.2]),
        arm("tva", 30.0, 31.5, 33.0, **TVA, bits_per_byte=[1.5, 1.6, 1.8]),
        arm("latin", 31.0, 32.0, 33.5, mixin=LATIN, lapt=True),
        arm("latin_tva", 33.0, 34.0, 36.5, mixin=LATIN, **TVA),
    ]
    return write_run(folder / "ug", *arms, **changes)


@pytest.fixture
def compared(tmp_path: Path) -> Comparison:
    """Return Uyghur beside Maltese, which has two arms of one seed."""
    uyghur(tmp_path / "runs")
    arms = [arm("lapt", 60.0, lapt=True), arm("tva", 61.0, **TVA)]
    write_run(tmp_path / "runs" / "mt", *arms, language="mt", title="Maltese on mini")
    return compare([tmp_path / "runs"])


def shown(text: str) -> str:
    """Return a page's text without tags, white space as single spaces."""
    body = re.sub(r"(?s)<(script|style|svg)\b.*?</\1>", " ", text)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


# Answers ------------------------------------------------------------------------------------------


def test_each_language_has_its_answer(compared: Comparison) -> None:
    maltese, ug = answers(compared)
    assert ug.title == "Uyghur on mini"
    assert ug.verdict == "latin_tva is the best arm in LAS, significantly better than lapt."
    assert ug.findings[0].startswith(
        "LAS: latin_tva 34.5 ± 1.8 (3 seeds), 13.2 points above lapt (significant: p < 0.001, "
    )
    assert ug.findings[0].endswith(
        " latin_tva is significantly better than tva (+3.0, p = 0.005) and latin (+2.3, p = 0.010)."
    )
    assert maltese.verdict == "tva is the best arm in LAS, not significantly better than lapt."
    assert maltese.findings == ["LAS: tva 61.0 (1 seed), 1.0 points above lapt."]
    assert maltese.unproven == ["LAS: one seed, so no difference can be called significant"]


def test_the_best_arm_is_chosen_on_dev(tmp_path: Path) -> None:
    arms = [arm("lapt", 20, 21), arm("a", scores=las(30, 31, dev=9)), arm("b", scores=las(32, 33))]
    (answer,) = answers(compare([write_run(tmp_path / "ug", *arms)]))
    assert answer.verdict.startswith("a is the best arm in LAS")
    assert "b has more on test (32.5 ± 0.7), but was not chosen by dev scores" in answer.findings[0]


def test_arms_without_significance_may_not_be_called_better(tmp_path: Path) -> None:
    arms = [arm("lapt", 20, 22, 24), arm("worse", 19, 20, 23), arm("noisy", 20, 25, 24.5)]
    (answer,) = answers(compare([write_run(tmp_path / "ug", *arms)]))
    assert answer.unproven == ["LAS: that noisy (+1.2) is better than lapt"]


def test_an_arm_above_the_best_without_significance_may_not_be_called_better(
    tmp_path: Path,
) -> None:
    """The arm a is chosen on dev; b and c have more on test, c significantly."""
    chosen = arm("a", scores=las(30, 33, dev=9))
    arms = [arm("lapt", 20, 21), chosen, arm("b", 32, 32), arm("c", 35, 38.01)]
    (answer,) = answers(compare([write_run(tmp_path / "ug", *arms)]))
    assert answer.unproven[-1] == "LAS: that b (+0.5) is better than a"


def test_the_best_arm_is_compared_with_each_other_arm(tmp_path: Path) -> None:
    """Differences from far 20, 21, 19; from near −1, 1, 1.5: t = 0.65, p = 0.29."""
    arms = [
        arm("lapt", 20, 21, 23),
        arm("best", 30, 34, 33),
        arm("near", 31, 33, 31.5),
        arm("same", 30, 34, 33),
        arm("single", 29),
        arm("far", 10, 13, 14),
    ]
    (answer,) = answers(compare([write_run(tmp_path / "ug", *arms)]))
    assert answer.findings[0].partition("). ")[2] == (
        "best is significantly better than far (+20.0, p < 0.001); not significantly better than "
        "near (+0.5, p = 0.290); level with same (0.0); not tested against single (+1.0)."
    )


def test_the_baseline_can_be_the_best(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "ug", arm("lapt", 20, 22), arm("tva", 19, 20))
    (answer,) = answers(compare([folder]))
    assert answer.verdict == "lapt is the best arm in LAS: no arm is better than the baseline."


def test_an_arm_with_the_scores_of_the_baseline_is_level_with_it(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "ug", arm("unadapted", 20, 22), arm("lapt", 20, 22))
    (answer,) = answers(compare([folder]))
    assert answer.verdict == "unadapted is the best arm in LAS, level with lapt."
    assert answer.findings == ["LAS: unadapted 21.0 ± 1.4 (2 seeds), level with lapt."]
    assert answer.unproven == []


# Matrix -------------------------------------------------------------------------------------------


def test_the_matrix_marks_the_best_and_what_is_not_significantly_worse(
    compared: Comparison,
) -> None:
    table, bits = matrices(compared)
    assert (table.title, [c.heading for c in table.columns]) == ("LAS", ["mt", "ug"])
    assert (bits.title, [c.heading for c in bits.columns]) == ("bits per byte ↓", ["ug"])
    column = table.columns[1].entries
    assert {name: (e.text, e.best, e.level) for name, e in column.items()} == {
        "lapt": ("21.3 ± 1.5", False, False),
        "tva": ("31.5 ± 1.5", False, False),
        "latin": ("32.2 ± 1.3", False, False),
        "latin_tva": ("34.5 ± 1.8", True, False),
    }
    assert bits.columns[0].entries["tva"].best


def test_a_cells_note_has_n_seeds_p_and_what_is_best(compared: Comparison) -> None:
    note = matrices(compared)[0].columns[1].entries["tva"].note
    assert "tva, LAS, ug: 31.5 ± 1.5; n = 3 seeds (1: 30.0, 2: 31.5, 3: 33.0). On dev 32.5." in note
    assert "+10.2 against lapt; p < 0.001 (Holm < 0.001, Bonferroni < 0.001;" in note
    assert (
        "Significantly worse than the best on test, latin_tva (p = 0.005, one-sided paired t"
        in note
    )


def test_a_cells_note_says_which_arm_dev_scores_choose(tmp_path: Path) -> None:
    arms = [arm("lapt", 20, 21), arm("a", scores=las(30, 31, dev=9)), arm("b", scores=las(32, 33))]
    (table,) = matrices(compare([write_run(tmp_path / "ug", *arms)]))
    notes = {name: entry.note for name, entry in table.columns[0].entries.items()}
    assert "On dev 39.5, the best: chosen." in notes["a"]
    assert "On dev 32.5." in notes["b"]
    assert notes["b"].endswith(" Best on test.")


def test_rivals_of_the_best_are_grey(tmp_path: Path) -> None:
    arms = [arm("lapt", 20, 21, 23), arm("a", 30, 34, 32), arm("b", 31, 33, 31.5)]
    comparison = compare([write_run(tmp_path / "ug", *arms)])
    entries = matrices(comparison)[0].columns[0].entries
    assert [(n, e.best, e.level) for n, e in entries.items()] == [
        ("lapt", False, False),
        ("a", True, False),
        ("b", False, True),
    ]
    assert "Not significantly worse than the best on test, a (p = 0.4" in entries["b"].note


def test_one_language_has_its_tasks_side_by_side(tmp_path: Path) -> None:
    (table,) = matrices(compare([uyghur(tmp_path)]))
    assert [column.heading for column in table.columns] == ["LAS", "bits per byte ↓"]


# Interaction --------------------------------------------------------------------------------------


def test_the_interaction_is_what_both_gain_beyond_each_alone(tmp_path: Path) -> None:
    (square,) = squares(compare([uyghur(tmp_path)]))
    assert square.arms == ("lapt", "tva", "latin", "latin_tva")
    (effect,) = square.effects
    assert effect.pieces == [10.0, 10.5, 10.0]
    assert effect.mixin == [11.0, 11.0, 10.5]
    assert effect.both == [13.0, 13.0, 13.5]
    assert effect.interaction == [-8.0, -8.5, -7.0]


def test_without_one_of_the_four_arms_there_is_no_interaction(tmp_path: Path) -> None:
    arms = [arm("lapt", 20, lapt=True), arm("latin_tva", 33, mixin=LATIN, **TVA)]
    assert squares(compare([write_run(tmp_path / "ug", *arms)])) == []
    unlike = arm("tva", 30, **TVA, fresh_rate=3.0), arm("latin", 31, mixin=LATIN, lapt=True)
    assert squares(compare([write_run(tmp_path / "other", *arms, *unlike)])) == []
    together = (
        arm("tva", 30, **TVA, multitask="upsample"),
        arm("latin", 31, mixin=LATIN, lapt=True),
    )
    assert squares(compare([write_run(tmp_path / "mtl", *arms, *together)])) == []


# Charts -------------------------------------------------------------------------------------------


def test_curves_have_a_thin_line_for_each_seed(tmp_path: Path) -> None:
    scores = las(20, 21)
    scores["dep"]["by_epoch"] = [[1.0, 15.0, 20.0], [1.0, 21.0]]
    own = arm("lapt", scores=scores, lapt=True, bits_by_epoch=[[4.0, 2.0], [4.0, 2.2]])
    charts = learning(compare([write_run(tmp_path / "ug", own)]))
    assert [chart.caption.partition(":")[0] for chart in charts] == ["LAPT", "Fine-tuning"]
    assert [chart.svg.count('class="thin s0"') for chart in charts] == [2, 2]
    assert "lapt: 1.0 to 18.0" in charts[1].svg  # the mean ends with the shorter seed
    assert "lapt: 4.00 to 2.10" in charts[0].svg


def test_reports_without_the_seeds_curves_show_the_first(tmp_path: Path) -> None:
    rows = [{"epoch": n, "bits_per_byte": bits} for n, bits in enumerate([4.0, 2.0])]
    own = arm("lapt", 20, lapt=True, losses=rows)
    (chart,) = learning(compare([write_run(tmp_path / "ug", own)]))
    assert "lapt: 4.00 to 2.00" in chart.svg
    assert "thin" not in chart.svg


def test_arms_that_differ_in_pieces_alone_make_a_curve(tmp_path: Path) -> None:
    def tva(pieces: int, *test: float, **changes: Any) -> dict[str, Any]:
        options = {"augment": f"tva (pieces = {pieces})", "pieces_added": pieces}
        return arm(f"n{pieces}", *test, **TVA | options | changes)

    plain = arm("lapt", 20, 22, lapt=True)
    others = tva(500, 44, 46, fresh_rate=3.0), tva(600, 45, 46, multitask="upsample")
    folder = write_run(tmp_path / "ug", plain, tva(99, 40, 42), tva(50, 30, 32), *others)
    (chart,) = by_pieces(compare([folder]))
    assert chart.caption == "LAS by number of new pieces"
    assert "tva, unused, a = 1: 21.0 to 41.0" in chart.svg
    assert "a = 3" not in chart.svg  # two points, the start among them, are no curve
    assert "upsample" not in chart.svg


# Page ---------------------------------------------------------------------------------------------


def parsed(folder: Path) -> Comparison:
    """Return a comparison whose words and trees are shown; names and words are hostile."""
    gold = folder / "gold.conllu"
    sentence = "".join(
        f"{n}\t{word}\t_\tX\tX\t_\t{n - 1}\t{{}}\t_\t_\n"
        for n, word in enumerate(["<script>alert(1)</script>", "ئۇيغۇر", "&amp;", "b"], 1)
    )
    right, wrong = (sentence.format("root", *[name] * 3) for name in ("obj", "x<y"))
    gold.write_text(f"{right}\n{treebank('obj')}", "utf-8")
    texts = [f"{own}\n{treebank('obj')}" for own in (wrong, right)]
    systems = {"lapt": [texts[0]] * 2, "tva": [texts[1]] * 2}
    return compare([write_parsed(folder / "ug", gold, systems)])


def test_words_and_trees_are_shown_and_escaped(tmp_path: Path) -> None:
    text = page(parsed(tmp_path))
    assert "dep, tva (best on dev): 3 improved, 0 worse" in shown(text)
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "x&lt;y" in text
    assert text.count('class="tree"') == 1


def hostile(folder: Path) -> Comparison:
    texts = {CORPUS: audited(audit(8, 220), audit(1, 230), 1)}
    arms = [
        arm("lapt", 20, 21),
        arm('"<b>&', 22, 23, mixin=["lower"], audit=texts),
        arm("tva", scores={"x<y": scored("my_pkg.mod:fn", 5.0)}),
    ]
    runs = write_run(folder / "a<b", *arms, language="<i>", title="</script><b>")
    return replace(compare([runs]), missing=("<u>",), cautions=("<s>",))


def test_every_page_is_well_formed_and_fetches_nothing(
    compared: Comparison, tmp_path: Path
) -> None:
    nothing = compare([write_run(tmp_path / "x", arm("x", bits_per_byte=[2.0]))])
    for comparison in (compared, parsed(tmp_path), hostile(tmp_path), nothing):
        text = page(comparison, command="specialize compare 'a<b'")
        found = Page(text)
        assert found.open == []
        tags = {tag for tag, _ in found.tags}
        assert not {"link", "img", "iframe", "object", "u", "s"} & tags
        assert not [attrs for _, attrs in found.tags if {"src", "href"} & attrs.keys()]
        assert not re.search(r"https?:|@import|url\(|\b(nan|inf)\b", text)
        assert "specialize compare &#39;a&lt;b&#39;" in text


def test_what_is_missing_and_cautions_are_shown(tmp_path: Path) -> None:
    comparison = replace(compare([uyghur(tmp_path)]), missing=("tva: seed 3",), cautions=("few",))
    write_page(comparison, tmp_path / "page.html")
    text = shown((tmp_path / "page.html").read_text("utf-8"))
    assert "Cautions (1) few Missing (2) tva: seed 3 ug: changed words of dep: " in text


# In a browser -------------------------------------------------------------------------------------

FIND = """
const rows = () => [...document.querySelectorAll(".matrix")[0].tBodies[0].rows]
  .filter(row => !row.hidden).map(row => row.dataset.arm);
const columns = () => [...document.querySelectorAll(".matrix")[0].tHead.rows[0].cells]
  .filter(cell => !cell.hidden).map(cell => cell.textContent.trim());
const type = text => { const box = document.getElementById("filter");
  box.value = text; box.dispatchEvent(new Event("input")); };
"""


def test_sorting_by_a_column(compared: Comparison, tmp_path: Path) -> None:
    script = f"""{FIND}
    const button = document.querySelectorAll(".matrix .sort")[2], found = [rows()];
    for (let n = 0; n < 3; n++) {{ button.click(); found.push(rows()); }}
    return found;
    """
    start, down, up, back = run_in_browser(page(compared), script, tmp_path)
    assert start == ["lapt", "tva", "latin", "latin_tva"]
    assert down == ["latin_tva", "latin", "tva", "lapt"]
    assert up == ["lapt", "tva", "latin", "latin_tva"]
    assert back == start


def test_scores_that_are_missing_are_sorted_last(compared: Comparison, tmp_path: Path) -> None:
    script = f"""{FIND}
    const button = document.querySelectorAll(".matrix .sort")[1], found = [];
    for (let n = 0; n < 2; n++) {{ button.click(); found.push(rows()); }}
    return found;
    """
    down, up = run_in_browser(page(compared), script, tmp_path)
    assert down == ["tva", "lapt", "latin", "latin_tva"]
    assert up == ["lapt", "tva", "latin", "latin_tva"]


def test_filtering_by_language_and_arm(compared: Comparison, tmp_path: Path) -> None:
    script = f"""{FIND}
    const found = {{}};
    for (const text of ["", "ug", "maltese", "latin", "mt lapt", "nothing"]) {{
      type(text);
      found[text] = [columns(), rows(), document.querySelector(".found").textContent,
        [...document.querySelectorAll(".language")].filter(box => !box.hidden).length];
    }}
    return found;
    """
    found = run_in_browser(page(compared), script, tmp_path)
    names = ["lapt", "tva", "latin", "latin_tva"]
    assert found[""] == [["Arm", "mt", "ug"], names, "", 2]
    assert found["ug"] == [["Arm", "ug"], names, "6 of 8 scores", 1]
    assert found["maltese"] == [["Arm", "mt"], names, "2 of 8 scores", 1]
    assert found["latin"] == [["Arm", "mt", "ug"], ["latin", "latin_tva"], "2 of 8 scores", 2]
    assert found["mt lapt"] == [["Arm", "mt"], ["lapt"], "1 of 8 scores", 1]
    assert found["nothing"][1:] == [[], "0 of 8 scores", 2]


def test_a_cells_note_is_shown_on_focus_and_on_hover(compared: Comparison, tmp_path: Path) -> None:
    script = """
    const tip = document.getElementById("tip");
    const cells = document.querySelectorAll(".cell[tabindex]");
    const found = [tip.hidden];
    cells[0].focus(); found.push(tip.textContent, tip.hidden);
    dispatchEvent(new KeyboardEvent("keydown", {key: "Escape"})); found.push(tip.hidden);
    cells[1].dispatchEvent(new MouseEvent("mouseenter")); found.push(tip.textContent, tip.hidden);
    return found;
    """
    found = run_in_browser(page(compared), script, tmp_path)
    assert found[0] is True
    assert found[1].startswith(
        "lapt, LAS, mt: 60.0; n = 1 seed (1: 60.0). On dev 61.0. The baseline."
    )
    assert found[2:4] == [False, True]
    assert found[4].startswith("lapt, LAS, ug: 21.3 ± 1.5; n = 3 seeds")
    assert found[5] is False


@pytest.mark.parametrize("width", [500, 1280])
def test_no_page_is_wider_than_its_window(width: int, tmp_path: Path) -> None:
    for comparison in (parsed(tmp_path), compare([uyghur(tmp_path / "other")])):
        script = "return [document.documentElement.scrollWidth, innerWidth];"
        wide, window = run_in_browser(page(comparison), script, tmp_path, width=width)
        assert wide <= window


def test_hostile_names_run_no_script(tmp_path: Path) -> None:
    script = "return [document.title, document.querySelectorAll('b, u, s').length];"
    title, _ = run_in_browser(page(hostile(tmp_path)), script, tmp_path)
    assert title == "</script><b>"


def test_an_error_on_the_console_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="broken"):
        run_in_browser("<body></body>", "throw new Error('broken')", tmp_path)
