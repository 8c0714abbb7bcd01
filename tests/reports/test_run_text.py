"""The summary of a run as plain text."""

from run_facts import arm, audit, lapt, run, scored, tva, unadapted

from specialize.reports.run_text import summary
from specialize.reports.tables import WIDTH

SUMMARY = """\
            unknown pieces  pieces/word  bits/byte        XPOS  NER F1
 unadapted          25.0 %         2.00          –  54.1 ± 0.1       –
 lapt               25.0 %         2.00       1.60  69.5 ± 0.7       –
 tva                 1.2 %         2.50       1.20  90.5 ± 0.7    80.0

tva (2 new pieces, LAPT): Unknown pieces fall from 25.0 % to 1.2 % in corpus (held out) and from
  30.0 % to 0.0 % in pos dev. Bits per byte are 1.20, against 1.60 in lapt. On test (mean of 1 to 2
  seeds), XPOS is 90.5, 21.0 points above lapt and 36.4 above unadapted; NER F1 is 80.0.
lapt (LAPT alone): LAPT takes bits per byte from 2.10 to 1.60. On test (mean of 2 seeds), XPOS is
  69.5, 15.4 points above unadapted.

Differences without a remark are larger than both sample standard deviations.

Cautions:
- pos: only 100 test sentences; such scores move by several points

Time and memory:
  unadapted: short stages 0.2 s; peak memory 400 MB
  lapt: LAPT 1 min 00 s, pos 2 × 21.0 s; peak memory 400 MB
  tva: vocabulary 1.2 s, LAPT 3 min 05 s, pos 2 × 40.0 s, short stages 0.4 s; peak memory 1.9 GB
  in all: 6 min 09 s; peak memory 1.9 GB"""


def test_the_summary_is_a_table_with_headlines_cautions_and_times_below() -> None:
    assert summary(run(unadapted(), lapt(), tva())) == SUMMARY


def test_the_total_says_that_shared_stages_are_counted_once() -> None:
    text = summary(run(unadapted(), unadapted(name="other")))
    assert "\n  in all, shared stages counted once: 0.2 s; peak memory 400 MB" in text


def test_one_seed_has_no_plus_minus() -> None:
    scores = {"pos": scored("pos", 90.0), "ner": scored("ner", 80.0)}
    text = summary(run(lapt(scores={"pos": scored("pos", 60.0)}), tva(scores=scores)))
    assert "±" not in text
    assert "one seed: no standard deviation" in " ".join(text.split())


def test_paragraphs_keep_to_the_width_and_numbers_to_their_percent_signs() -> None:
    arms = [unadapted(), lapt(), *(tva(name=f"arm-{n}" + "x" * n) for n in range(20))]
    lines = summary(run(*arms)).splitlines()
    paragraphs = lines[: lines.index("Time and memory:")]
    assert max(map(len, paragraphs)) <= WIDTH
    assert not any(line.lstrip().startswith("%") for line in paragraphs)
    assert "\u00a0" not in "".join(lines)


def test_an_empty_run_has_a_summary() -> None:
    assert summary(run(arm("x", audit(0, 0, words=0), stages=[]), cautions=[])).splitlines() == [
        "    unknown pieces  pieces/word  bits/byte",
        " x               –            –          –",
        "",
        "x (the base as it is): Nothing was measured.",
    ]


def test_memory_that_was_not_measured_is_left_out() -> None:
    stages = [{"label": "pos, seed 1", "seconds": 2.0, "peak_memory": 0}]
    assert summary(run(unadapted(stages=stages))).endswith(
        "Time and memory:\n  unadapted: pos 2.0 s\n  in all: 2.0 s"
    )
