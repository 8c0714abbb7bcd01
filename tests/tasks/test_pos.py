"""Tagging: literal files and scores, then the loss and the decoder, then real treebanks."""

import json
import math
import os
import re
from pathlib import Path

import pytest
import torch

from specialize.errors import DataError, UsageError
from specialize.tasks import pos
from specialize.tasks._udeval import evaluate_conllu

DATA = Path(os.environ.get("SPECIALIZE_DATA", Path(__file__).parents[3] / "shared" / "data"))

TEXT = """\
# text = Il-kelb jinbaħ
1-2\tIl-kelb\t_\t_\t_\t_\t_\t_\t_\t_
1\tIl-\til-\tDET\tDEF\t_\t2\tdet\t_\t_
2\tkelb\tkelb\tNOUN\tNN\t_\t3\tnsubj\t_\t_
3\tjinbaħ\tnebaħ\tVERB\tVB\t_\t0\troot\t_\t_

1\tIva Malta\tiva\tINTJ\tNN\t_\t0\troot\t_\t_

"""
TASK = pos.task(column="xpos", dropout=0.0)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "a.conllu").write_text(TEXT, encoding="utf-8")
    return tmp_path / "a.conllu"


def batch(sentences, width, seed=0):
    """Random word states, with noise at the pads, and the mask."""
    lengths = torch.tensor([len(s.words) for s in sentences])
    generator = torch.Generator().manual_seed(seed)
    words = torch.randn(len(sentences), int(lengths.max()), width, generator=generator)
    return words, torch.arange(words.shape[1]) < lengths.unsqueeze(1)


def test_words_and_tags_are_read(path):
    first, second = TASK.read(path)
    assert first.words == ("Il-", "kelb", "jinbaħ")
    assert first.gold == ("DEF", "NN", "VB")
    assert second.words == ("Iva Malta",)
    assert pos.task(column="upos").read(path)[0].gold == ("DET", "NOUN", "VERB")
    assert TASK.labels([first, second]) == {"tags": ["DEF", "NN", "VB"]}


def test_predictions_are_written_in_place(path, tmp_path):
    first, second = TASK.read(path)
    TASK.write([TASK.predicted(first, ("A", "B", "C")), second], tmp_path / "b.conllu")
    expected = TEXT.replace("\tDEF\t", "\tA\t").replace("NOUN\tNN", "NOUN\tB").replace("VB", "C")
    assert (tmp_path / "b.conllu").read_text(encoding="utf-8") == expected


def test_the_loss_may_be_the_mean_of_the_sentences_means(path):
    sentences = TASK.read(path)
    labels = TASK.labels(sentences)
    words, mask = batch(sentences, 8)
    head = TASK.head(8, labels)
    scores = head(words, mask)
    likely = scores.log_softmax(-1)
    gold = [[labels["tags"].index(tag) for tag in s.gold] for s in sentences]
    each = [
        -sum(likely[b, w, tag] for w, tag in enumerate(row)) / len(row)
        for b, row in enumerate(gold)
    ]
    task = pos.task(dropout=0.0, sentence_mean=True)
    loss = task.loss(head, scores, sentences, labels, mask).item()
    assert loss == pytest.approx((sum(each) / 2).item())
    assert loss != pytest.approx(TASK.loss(head, scores, sentences, labels, mask).item())
    some = {"tags": ["DEF", "VB"]}  # the second sentence has no known tag: it does not count
    head = task.head(8, some)
    both = task.loss(head, head.eval()(words, mask), sentences, some, mask)
    first = task.loss(head, head(words[:1], mask[:1]), sentences[:1], some, mask[:1])
    assert both.item() == pytest.approx(first.item())


def test_dropout_may_be_applied_twice():
    ones = torch.ones(1, 1, 20_000)
    for twice, kept in ((False, 0.6), (True, 0.36)):
        head = pos.task(dropout=0.4, dropout_twice=twice).head(20_000, {"tags": ["a"]})
        left = (head.dropout(ones) > 0).float().mean().item()
        assert left == pytest.approx(kept, abs=0.02)


def test_accuracy_is_over_words(path):
    first, second = gold = TASK.read(path)
    predicted = [TASK.predicted(first, ("DEF", "NN", "NN")), second]
    assert TASK.score(gold, predicted) == {"accuracy": 75.0, "xpos": 75.0, "sentences": 50.0}
    assert TASK.metric in TASK.score(gold, gold)


def test_predictions_for_other_words_are_refused(path):
    first, second = TASK.read(path)
    with pytest.raises(DataError, match=r"a\.conllu:2: 3 words, but 1 predictions"):
        TASK.predicted(first, ("A",))
    with pytest.raises(DataError, match="other words"):
        TASK.score([first, second], [second, first])
    with pytest.raises(DataError, match="2 gold sentences, but 1"):
        TASK.score([first, second], [first])


def test_tags_unseen_in_training_are_counted(path):
    first, second = TASK.read(path)
    assert TASK.check([first, second], TASK.labels([second])) == 2
    with pytest.raises(DataError, match="no tag to learn"):
        TASK.check([], TASK.labels([]))


def test_morphology_is_a_whole_value_and_scored_by_its_universal_features(path, tmp_path):
    feats = ["Number=Sing|Own=A", "Case=Nom|Number=Sing", "_", "_"]
    rows = iter(feats)
    text = re.sub(r"\t_(?=\t[023]\t)", lambda _: f"\t{next(rows)}", TEXT)
    path.write_text(text, encoding="utf-8")
    task = pos.task(column="feats", dropout=0.0)
    first, second = gold = task.read(path)
    assert [*first.gold, *second.gold] == feats
    # the first differs in a feature of the language alone, the second lacks one
    other = task.predicted(first, ("Own=B|Number=Sing", "Number=Sing", "_"))
    found = task.score(gold, [other, second])
    assert found == {"accuracy": 50.0, "ufeats": 75.0, "sentences": 50.0}
    assert (task.metric, TASK.metric) == ("ufeats", "xpos")
    task.write([other, second], tmp_path / "b.conllu")
    assert evaluate_conllu(path, tmp_path / "b.conllu")["UFeats"].f1 == 75.0


@pytest.mark.parametrize(
    ("column", "key", "metric"),
    [("upos", "upos", "UPOS"), ("xpos", "xpos", "XPOS"), ("feats", "ufeats", "UFeats")],
)
@pytest.mark.parametrize("treebank", ["Wolof-WTB", "Uyghur-UDT", "Turkish-IMST"])
@pytest.mark.parametrize("system", ["labels", "heavy"])
def test_scores_of_every_column_equal_the_official_ones(treebank, system, column, key, metric):
    folder = DATA / "eval" / "ud"
    if not folder.is_dir():
        pytest.skip(f"no evaluation files in {folder}; set SPECIALIZE_DATA")
    expected = json.loads((folder / "expected_metrics.json").read_text())[f"{treebank}/{system}"]
    paths = [folder / treebank / f"{name}.conllu.xz" for name in ("gold", f"system_{system}")]
    task = pos.task(column=column)
    scores = task.score(*map(task.read, paths))
    assert scores[key] == pytest.approx(expected[metric]["f1"], abs=1e-6)


def test_an_empty_column_names_the_other_one(tmp_path):
    path = tmp_path / "a.conllu"
    path.write_text("# c\n1\ta\ta\tNOUN\t_\t_\t0\troot\t_\t_\n")
    sentences = TASK.read(path)  # predictions may be so
    with pytest.raises(DataError, match=r'a\.conllu:2: the XPOS column .* column = "upos"'):
        TASK.gaps(sentences)


def test_readers_are_told_of_words_without_a_tag_but_not_without_features(path, tmp_path):
    assert TASK.gaps(TASK.read(path)) == []
    gapped = tmp_path / "gaps.conllu"
    gapped.write_text(path.read_text("utf-8").replace("\tNN\t", "\t_\t", 1), encoding="utf-8")
    (told,) = TASK.gaps(TASK.read(gapped))
    assert re.search(r'gaps\.conllu:\d+: 1 of \d+ words have no XPOS; .* column = "upos"', told)
    features = tmp_path / "feats.conllu"
    row = "1\ta\ta\tNOUN\t_\t{}\t0\troot\t_\t_\n\n"
    features.write_text(row.format("_") + row.format("Case=Nom"))
    task = pos.task(column="feats")
    assert task.gaps(task.read(features)) == []


def test_words_without_tags_are_read_and_tagged(path, tmp_path):
    bare = re.sub(r"\t(DEF|NN|VB)\t", "\t_\t", TEXT)
    path.write_text(bare, encoding="utf-8")
    first, second = TASK.words(path)
    assert [(s.words, s.gold) for s in (first, second)] == [
        (("Il-", "kelb", "jinbaħ"), ()),
        (("Iva Malta",), ()),
    ]
    tagged = [TASK.predicted(first, ("DEF", "NN", "VB")), TASK.predicted(second, ("NN",))]
    TASK.write(tagged, tmp_path / "b.conllu")
    assert (tmp_path / "b.conllu").read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize("options", [{"column": "tag"}, {"dropout": 1.0}, {"dropout": -0.1}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(UsageError, match=r"known: upos, xpos, feats|out of range"):
        pos.task(**options)


def test_the_loss_is_the_mean_over_words_with_a_known_tag(path):
    sentences = TASK.read(path)
    labels = {"tags": ["DEF", "NN"]}  # VB is unknown
    words, mask = batch(sentences, width=4)
    head = TASK.head(4, labels)
    loss = TASK.loss(head, head(words, mask), sentences, labels, mask)
    rows = head(words, mask).log_softmax(-1)
    assert loss.item() == pytest.approx(-(rows[0, 0, 0] + rows[0, 1, 1] + rows[1, 0, 1]).item() / 3)


def test_a_batch_without_a_known_tag_loses_nothing(path):
    sentences = TASK.read(path)
    labels = {"tags": ["X", "Y"]}
    words, mask = batch(sentences, width=4)
    head = TASK.head(4, labels)
    loss = TASK.loss(head, head(words, mask), sentences, labels, mask)
    loss.backward()
    assert loss.item() == 0
    assert head.linear.weight.grad.abs().sum() == 0


def test_the_best_tag_of_every_word_is_decoded(path):
    labels = {"tags": ["DEF", "NN", "VB"]}
    scores = torch.tensor([[[1.0, 0, 0], [0, 0, 1], [0, 1, 0]], [[0, 1, 0], [9, 9, 9], [9, 9, 9]]])
    mask = torch.tensor([[True, True, True], [True, False, False]])
    assert TASK.decode(None, scores, labels, mask) == [("DEF", "VB", "NN"), ("NN",)]


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
    assert loss.item() < 0.1 < math.log(3)
    annotations = TASK.decode(head, head(words, mask), labels, mask)
    predicted = [TASK.predicted(s, a) for s, a in zip(sentences, annotations, strict=True)]
    assert TASK.score(sentences, predicted)["accuracy"] == 100


def test_a_real_treebank_scores_itself_perfectly():
    if not (DATA / "ud").is_dir():
        pytest.skip(f"no treebanks in {DATA / 'ud'}; set SPECIALIZE_DATA")
    (path,) = DATA.glob("ud/UD_Vietnamese-VTB/*dev*")
    sentences = TASK.read(path)
    assert len(sentences) == 800
    assert any(" " in word for s in sentences for word in s.words)
    assert TASK.score(sentences, sentences)["accuracy"] == 100
