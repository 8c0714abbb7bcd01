"""Tables and the page of a study, on results without training."""

import csv
import io
import re
from pathlib import Path

import pytest
from browser import run_in_browser
from html_page import Page
from small_treebanks import made_facts

from specialize.studies.sharing import report, tables
from specialize.studies.sharing.effects import main_effects
from specialize.studies.sharing.run import scores_of
from specialize.studies.sharing.tables import names_of


def test_the_table_is_the_papers_monolingual_first_then_cells_by_average() -> None:
    lines = tables.text(scores_of(made_facts()["studies"][0])).splitlines()
    assert lines[0] == "Made: aa-bb, cc-dd; LAS on test in percent, mean of 2 seeds"
    assert lines[2].split()[:8] == ["C", "W", "S", "aa", "bb", "cc", "dd", "average"]
    assert lines[3].split()[:6] == ["MONO", "70.0", "70.0", "70.0", "70.0", "70.0"]
    assert lines[4].split()[:9] == ["✗", "✗", "✓", "72.3", "72.3", "72.3", "72.3", "72.3", "+2.3"]
    assert lines[30].split()[:4] == ["✓", "✓", "ID", "69.0"]


def test_the_effects_stand_below_with_intervals_and_controls() -> None:
    found = tables.text(scores_of(made_facts()["studies"][0]))
    assert re.search(r"S  ✓ − ✗ +\+2.3 +\+2.0 to \+2.6 +\+2.3 to \+2.3 +\+2.3 +\+2.3", found)
    assert "Nothing shared equals MONO in 8 of 8 parsers, as it must be." in found
    assert "explain 100 % of the variance" in " ".join(found.split())


def test_the_csv_has_a_row_for_each_parser_and_language() -> None:
    rows = list(csv.DictReader(io.StringIO(tables.csv_text(made_facts()["studies"]))))
    assert len(rows) == 4 * 2 + 2 * 2 * 27 * 2
    first = {name: rows[0][name] for name in ("pair", "char", "language", "las", "uas")}
    wanted = {"pair": "aa", "char": "alone", "language": "aa", "las": "70.0000", "uas": "75.0000"}
    assert first == wanted
    effects = list(
        csv.DictReader(io.StringIO(tables.effects_csv([scores_of(made_facts()["studies"][0])])))
    )
    assert [row["points"] for row in effects if row["part"] == "score"] == [
        "2.3000",
        "0.0000",
        "-2.3000",
    ]


def test_the_latex_has_a_table_of_cells_and_one_of_effects() -> None:
    found = tables.latex([scores_of(made_facts()["studies"][0])])
    assert found.count(r"\begin{tabular}") == found.count(r"\end{tabular}") == 2
    assert found.count(r"\toprule") == found.count(r"\bottomrule") == 2
    assert r"\xmark & \xmark & \cmark & 72.3 & 72.3 & 72.3 & 72.3 & 72.3 \\" in found
    assert r"S & 69.67 & 69.67 & 71.97 & +2.30 [+2.00, +2.60] & +0.00 [+0.00, +0.00] \\" in found


def test_findings_say_what_is_shown_and_for_which_pairs() -> None:
    def sentences(**options) -> list[str]:
        scores = scores_of(made_facts(**options)["studies"][0])
        return report.findings(main_effects(scores), names_of(scores))

    assert sentences()[1] == (
        "Words: shared, no effect is shown (0.0 to 0.0); "
        "shared with ID, no effect is shown (0.0 to 0.0)."
    )
    gain = "Scoring: shared, a gain of 2.3 points (+2.0 to +2.6)"
    assert sentences()[2].startswith(f"{gain}; shared with ID")
    one = sentences(pairs=(("aa", "bb"),))[2]
    assert "points (+1.0 to +3.6), not shown for other pairs;" in one
    single = sentences(seeds=(1,))
    assert single[2].startswith("Scoring: shared, +2.2 points; one seed gives no interval;")
    assert "shown" not in "".join(single)


def test_the_page_is_one_file_of_closed_tags_and_escaped_text() -> None:
    text = report.page(made_facts())
    page = Page(text)
    assert page.open == []
    assert "<sharing>" not in text
    assert "few &lt;pairs&gt;" in text
    assert not [tag for tag, own in page.tags if own.keys() & {"src", "href"}]
    assert sum(tag == "rect" for tag, _ in page.tags) == 27


def test_two_studies_of_the_same_languages_are_compared(tmp_path: Path) -> None:
    facts, other = made_facts(), made_facts(pairs=(("aa", "cc"), ("bb", "dd")))
    facts["studies"].append(other["studies"][0] | {"title": "Other"})
    facts["studies"][0]["title"] = "Related <pairs>"
    text = report.write(facts, tmp_path)
    assert "Related <pairs> less Other: main effects, 95 % intervals" in text
    assert Page(page := report.page(facts)).open == []
    assert "Related &lt;pairs&gt; less Other" in page
    rows = list(csv.DictReader((tmp_path / "effects.csv").open(encoding="utf-8")))
    assert [row["study"] for row in rows[::9]] == [
        "Related <pairs>",
        "Other",
        "Related <pairs> less Other",
    ]
    assert "less Other" not in report.page(made_facts())


def test_one_seed_and_one_pair_make_a_page_without_intervals() -> None:
    facts = made_facts(pairs=(("aa", "bb"),), seeds=(1,))
    assert "framed" not in report.page(facts).partition("</style>")[2]
    assert "–" in tables.text(scores_of(facts["studies"][0]))


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(width: int, tmp_path: Path) -> None:
    script = "return [document.documentElement.scrollWidth, innerWidth]"
    policy = "style-src 'unsafe-inline'"  # the page itself has no script
    page = report.page(made_facts()).replace(policy, f"{policy}; script-src 'unsafe-inline'")
    wide, window = run_in_browser(page, script, tmp_path, width=width)
    assert wide <= window
