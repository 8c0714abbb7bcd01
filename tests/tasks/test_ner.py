"""Entities: literal files and scores, then the loss and the decoder."""

import json
import os
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from specialize.errors import DataError, SpecializeWarning, UsageError
from specialize.tasks import ner
from specialize.tasks._nereval import spans

DATA = Path(os.environ.get("SPECIALIZE_DATA", Path(__file__).parents[3] / "shared" / "data"))
TEXT = "ug:Ürümchi\tB-LOC\nug:shehiri\tI-LOC\nug:chong\tO\n\nug:Alim\tB-PER\n\n"
TASK = ner.task(dropout=0.0)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path / "a.txt"


def batch(sentences, width):
    lengths = torch.tensor([len(s.words) for s in sentences])
    words = torch.randn(
        len(sentences), int(lengths.max()), width, generator=torch.Generator().manual_seed(0)
    )
    return words, torch.arange(words.shape[1]) < lengths.unsqueeze(1)


def test_words_and_tags_are_read_and_written(path, tmp_path):
    first, second = TASK.read(path)
    assert first.words == ("Ürümchi", "shehiri", "chong")
    TASK.write([TASK.predicted(first, ("O", "B-PER", "O")), second], tmp_path / "b.txt")
    assert (tmp_path / "b.txt").read_text(encoding="utf-8") == (
        "ug:Ürümchi\tO\nug:shehiri\tB-PER\nug:chong\tO\n\nug:Alim\tB-PER\n\n"
    )


def test_words_without_tags_are_read_and_tagged(path, tmp_path):
    tags = [sentence.gold for sentence in TASK.read(path)]
    (tmp_path / "bare").write_text(re.sub(r"\t\S+", "", TEXT), encoding="utf-8")
    sentences = TASK.words(tmp_path / "bare")
    tagged = [TASK.predicted(s, t) for s, t in zip(sentences, tags, strict=True)]
    TASK.write(tagged, tmp_path / "b.txt")
    assert (tmp_path / "b.txt").read_text(encoding="utf-8") == TEXT


def test_iob1_is_read_as_iob2_with_a_warning(path, tmp_path):
    iob2 = TASK.read(path)
    path.write_text(TEXT.replace("B-", "I-"), encoding="utf-8")
    with pytest.warns(SpecializeWarning, match=r"a\.txt: the tags are IOB1 .* read as IOB2"):
        assert [s.gold for s in TASK.read(path)] == [s.gold for s in iob2]


def test_the_scheme_of_the_tags_is_an_option(tmp_path, recwarn):
    (tmp_path / "a.tsv").write_text("a\tI-X\nb\tE-X\nc\tS-X\n", encoding="utf-8")
    (sentence,) = ner.task(scheme="bioes").read(tmp_path / "a.tsv")
    assert sentence.gold == ("B-X", "I-X", "B-X")
    assert not recwarn
    with pytest.raises(DataError, match=r"a\.tsv:2: expected a tag of IOB1, got 'E-X'"):
        ner.task(scheme="iob1").read(tmp_path / "a.tsv")
    with pytest.warns(SpecializeWarning, match=r"a\.tsv: the tags are BIOES; they are"):
        assert ner.task().read(tmp_path / "a.tsv")[0].gold == sentence.gold
    with pytest.raises(UsageError, match="unknown scheme 'bio'"):
        ner.task(scheme="bio")


def test_the_column_of_the_tags_is_an_option(tmp_path):
    (tmp_path / "a.tsv").write_text("1\ta\tB-X\tB-Y\n2\tb\tO\tI-Y\n", encoding="utf-8")
    (sentence,) = ner.task(column=4).read(tmp_path / "a.tsv")
    assert (sentence.words, sentence.gold) == (("a", "b"), ("B-Y", "I-Y"))
    with pytest.raises(UsageError, match="column -1 is out of range"):
        ner.task(column=-1)


def test_every_type_has_b_and_i_tags(path):
    sentences = TASK.read(path)
    assert TASK.labels(sentences) == {"tags": ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]}
    assert TASK.check(sentences, TASK.labels(sentences)) == 0
    assert TASK.check(sentences, TASK.labels(sentences[1:])) == 2
    with pytest.raises(DataError, match="no entity to learn"):
        TASK.check(sentences, {"tags": ["O"]})


def test_scores_of_a_short_file_by_eye(path):
    first, second = gold = TASK.read(path)
    # LOC too short, PER found although it begins with I: nothing under strict IOB2
    predicted = [
        TASK.predicted(first, ("B-LOC", "O", "O")),
        TASK.predicted(second, ("I-PER",)),
    ]
    assert TASK.score(gold, predicted) == {
        "f1": 50.0,
        "precision": 50.0,
        "recall": 50.0,
        "macro_f1": 50.0,
        "f1_LOC": 0.0,
        "f1_PER": 100.0,
        "strict_f1": 0.0,
        "strict_precision": 0.0,
        "strict_recall": 0.0,
        "strict_macro_f1": 0.0,
        "strict_f1_LOC": 0.0,
        "strict_f1_PER": 0.0,
    }
    assert set(TASK.score(gold, gold).values()) == {100.0}


def test_the_loss_is_the_mean_or_the_sum_over_sentences(path):
    sentences = TASK.read(path)
    labels = TASK.labels(sentences)
    words, mask = batch(sentences, 4)
    task = ner.task(sum_loss=True, dropout_twice=True)
    head = task.head(4, labels).eval()
    losses = [t.loss(head, head(words, mask), sentences, labels, mask).item() for t in (TASK, task)]
    assert losses[1] == pytest.approx(2 * losses[0])
    assert len(head.dropout) == 2


@pytest.mark.parametrize("name", ["masakhaner2_wo_mbert_run1", "wikiann_ug_dev_illegal"])
def test_scores_equal_those_of_conlleval_and_of_seqeval(name):
    folder = DATA / "eval" / "ner"
    if not folder.is_dir():
        pytest.skip(f"no evaluation files in {folder}; set SPECIALIZE_DATA")
    expected = json.loads((folder / "expected_metrics.json").read_text())[name]
    path = folder / f"{name}.txt.xz"
    gold, predicted = (ner.task(column=column, scheme="iob2").read(path) for column in (2, 3))
    scores = TASK.score(gold, predicted)
    official = expected["conlleval"]
    for key, other in {"precision": "precision", "recall": "recall", "f1": "fb1"}.items():
        assert round(scores[key], 2) == official[other]
    types = {kind: own["fb1"] for kind, own in official["types"].items()}
    assert {kind: round(scores[f"f1_{kind}"], 2) for kind in types} == types
    assert scores["macro_f1"] == pytest.approx(sum(types.values()) / len(types), abs=0.01)
    for key, value in expected["seqeval_strict_iob2"].items():
        assert scores[f"strict_{key}"] == pytest.approx(100 * value, abs=1e-9)


def test_a_type_unseen_in_training_is_scored_as_wrong(path):
    sentences = TASK.read(path)
    labels = TASK.labels(sentences[1:])  # no LOC
    words, mask = batch(sentences, width=4)
    head = TASK.head(4, labels)
    annotations = TASK.decode(head, head(words, mask), labels, mask)
    predicted = [TASK.predicted(s, a) for s, a in zip(sentences, annotations, strict=True)]
    scores = TASK.score(sentences, predicted)
    assert scores["f1_LOC"] == 0
    assert scores["recall"] <= 50


def test_an_i_tag_is_predicted_only_inside_an_entity():
    labels = {"tags": ["B-LOC", "I-LOC", "O"]}
    head = TASK.head(2, labels)
    torch.nn.init.zeros_(head.transitions_LL)
    # I-LOC is best on both words, but may not begin: B-LOC I-LOC makes 4, O O makes 3
    scores = torch.tensor([[[1.0, 5.0, 2.0], [0.0, 3.0, 1.0]]])
    mask = torch.ones(1, 2, dtype=torch.bool)
    assert TASK.decode(head, scores, labels, mask) == [("B-LOC", "I-LOC")]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31))
def test_predictions_are_well_formed(seed):
    labels = {"tags": ["B-A", "B-B", "I-A", "I-B", "O"]}
    generator = torch.Generator().manual_seed(seed)
    head = TASK.head(2, labels)
    head.transitions_LL.data = torch.randn(5, 5, generator=generator)
    scores = 3 * torch.randn(3, 6, 5, generator=generator)
    mask = torch.arange(6) < torch.tensor([[6], [3], [1]])
    for tags, length in zip(TASK.decode(head, scores, labels, mask), (6, 3, 1), strict=True):
        assert len(tags) == length
        assert spans(tags) == spans(tags, strict=True)


def test_the_loss_is_the_mean_over_sentences_and_ignores_pads(path):
    sentences = TASK.read(path)
    labels = TASK.labels(sentences)
    words, mask = batch(sentences, width=4)
    head = TASK.head(4, labels)

    def loss_of(rows, cut):
        states, inside = words[rows, :cut], mask[rows, :cut]
        chosen = sentences[rows]
        return TASK.loss(head, head(states, inside), chosen, labels, inside).item()

    parts = loss_of(slice(0, 1), 3), loss_of(slice(1, 2), 1)
    assert loss_of(slice(0, 2), 3) == pytest.approx(sum(parts) / 2)


def test_the_head_learns(path):
    sentences = TASK.read(path)
    labels = TASK.labels(sentences)
    words, mask = batch(sentences, width=8)
    head = TASK.head(8, labels)
    optimizer = torch.optim.Adam(head.parameters(), 0.1)
    for _ in range(30):
        optimizer.zero_grad()
        loss = TASK.loss(head, head(words, mask), sentences, labels, mask)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2
    annotations = TASK.decode(head, head(words, mask), labels, mask)
    predicted = [TASK.predicted(s, a) for s, a in zip(sentences, annotations, strict=True)]
    assert TASK.score(sentences, predicted)["f1"] == 100
