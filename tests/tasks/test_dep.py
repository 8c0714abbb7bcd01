"""Parsing: literal files and scores, then the loss and the decoder against their formulas."""

import json
import math
import os
import random
import re
from itertools import product
from pathlib import Path

import pytest
import torch

from specialize.cli import main
from specialize.errors import DataError, UsageError
from specialize.tasks import dep
from specialize.tasks._base import Tree, dev_score
from specialize.tasks._biaffine import ParserScores
from specialize.tasks._udeval import evaluate_conllu

DATA = Path(os.environ.get("SPECIALIZE_DATA", Path(__file__).parents[3] / "shared" / "data"))

TEXT = """\
# text = the dogs bark.
1\tthe\t_\tDET\t_\t_\t2\tdet\t_\t_
2\tdogs\t_\tNOUN\t_\t_\t3\tnsubj:x\t_\t_
3\tbark\t_\tVERB\t_\t_\t0\troot\t_\t_
4\t.\t_\tPUNCT\t_\t_\t3\tpunct\t_\t_

1\tyes\t_\tINTJ\t_\t_\t0\troot\t_\t_

"""
TASK = dep.task(dropout=0.0, width=6)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "a.conllu").write_text(TEXT, encoding="utf-8")
    return tmp_path / "a.conllu"


@pytest.fixture
def scored(path):
    """The two sentences, their labels, a fresh head and its scores."""
    sentences = TASK.read(path)
    labels = TASK.labels(sentences)
    torch.manual_seed(0)
    head = TASK.head(8, labels)
    words = torch.randn(2, 4, 8)
    mask = torch.tensor([[True] * 4, [True, False, False, False]])
    return sentences, labels, head, words, mask


def test_trees_are_read(path):
    first, second = sentences = TASK.read(path)
    assert first.gold == Tree((2, 3, 0, 3), ("det", "nsubj:x", "root", "punct"))
    assert second.gold == Tree((0,), ("root",))
    assert TASK.labels(sentences) == {"deprels": ["det", "nsubj:x", "punct", "root"]}
    assert TASK.check(sentences, TASK.labels([second])) == 3
    with pytest.raises(DataError, match="no relation to learn"):
        TASK.check(sentences, TASK.labels([]))


def test_a_file_without_trees_is_refused(tmp_path):
    path = tmp_path / "a.conllu"
    path.write_text(TEXT.replace("\t2\tdet", "\t0\tdet"))
    with pytest.raises(DataError, match=r"a\.conllu:4: a second root"):
        TASK.read(path)


def test_words_without_trees_are_read_and_parsed(path, tmp_path):
    trees = [sentence.gold for sentence in TASK.read(path)]
    path.write_text(re.sub(r"\t\d\t[a-z:]+\t_\t_\n", "\t_\t_\t_\t_\n", TEXT))
    sentences = TASK.words(path)
    assert [len(sentence.gold) for sentence in sentences] == [0, 0]
    parsed = [TASK.predicted(s, tree) for s, tree in zip(sentences, trees, strict=True)]
    TASK.write(parsed, tmp_path / "b.conllu")
    assert (tmp_path / "b.conllu").read_text() == TEXT
    with pytest.raises(DataError, match=r"a\.conllu:2: the word has no head"):
        TASK.read(path)


def test_predictions_are_written_in_place(path, tmp_path):
    first, second = TASK.read(path)
    TASK.write([TASK.predicted(first, Tree((0, 1, 1, 1), ("a", "b", "c", "d"))), second], path)
    rows = [line.split("\t") for line in path.read_text().split("\n")[1:5]]
    assert [(row[6], row[7]) for row in rows] == [("0", "a"), ("1", "b"), ("1", "c"), ("1", "d")]
    assert [row[3] for row in rows] == ["DET", "NOUN", "VERB", "PUNCT"]


def test_scores_by_eye_equal_the_official_ones(path, tmp_path):
    first, second = gold = TASK.read(path)
    # one wrong head (the full stop's), one wrong relation (det), one wrong subtype (nsubj:y)
    tree = Tree((2, 3, 0, 2), ("case", "nsubj:y", "root", "punct"))
    predicted = [TASK.predicted(first, tree), second]
    scores = TASK.score(gold, predicted)
    assert scores == {"uas": 80.0, "las": 60.0, "clas": 100.0, "las_full": 40.0}
    TASK.write(predicted, tmp_path / "b.conllu")
    official = evaluate_conllu(path, tmp_path / "b.conllu")
    assert [official[name].f1 for name in ("UAS", "LAS", "CLAS")] == [80.0, 60.0, 100.0]


@pytest.mark.parametrize("options", [{"width": 0}, {"dropout": 1.5}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(UsageError, match="out of range"):
        dep.task(**options)


def test_heads_are_the_root_and_the_other_words_of_the_sentence(scored):
    _, _, head, words, mask = scored
    likely = head(words, mask).arcs_BWH.exp()
    assert torch.allclose(likely.sum(-1), torch.ones(2, 4))
    assert torch.diagonal(likely[:, :, 1:], dim1=1, dim2=2).abs().max() == 0
    assert likely[1, 0].tolist() == [1, 0, 0, 0, 0]
    assert (likely[0] > 0).sum() == 4 * 4


def test_the_loss_is_that_of_heads_plus_that_of_relations(scored):
    sentences, labels, head, words, mask = scored
    scores = head(words, mask)
    loss = TASK.loss(head, scores, sentences, labels, mask).item()
    arcs = [scores.arcs_BWH[0, word, gold] for word, gold in enumerate((2, 3, 0, 3))]
    arcs.append(scores.arcs_BWH[1, 0, 0])
    relations = []
    for b, sentence in enumerate(sentences):
        for word, (at, name) in enumerate(
            zip(sentence.gold.heads, sentence.gold.deprels, strict=True)
        ):
            row = head.all_relations(scores.words_BWK[b], scores.heads_BHK[b])[word, at]
            relations.append(row.log_softmax(-1)[labels["deprels"].index(name)])
    expected = -sum(arcs) / 5 - sum(relations) / 5
    assert loss == pytest.approx(expected.item(), rel=1e-5)


def test_an_unknown_relation_adds_its_head_only(scored):
    sentences, _, _, words, mask = scored
    labels = {"deprels": ["det", "root"]}
    head = TASK.head(8, labels)
    scores = head(words, mask)
    loss = TASK.loss(head, scores, sentences, labels, mask)
    loss.backward()
    assert math.isfinite(loss.item())
    assert all(p.grad is not None and p.grad.isfinite().all() for p in head.parameters())


def test_pads_change_neither_loss_nor_trees(scored):
    sentences, labels, head, words, mask = scored
    wide = torch.cat([words, torch.full((2, 3, 8), 7.0)], dim=1)
    wide_mask = torch.cat([mask, torch.zeros(2, 3, dtype=torch.bool)], dim=1)
    losses, trees = zip(
        *(
            (
                TASK.loss(head, head(x, m), sentences, labels, m).item(),
                TASK.decode(head, head(x, m), labels, m),
            )
            for x, m in ((words, mask), (wide, wide_mask))
        ),
        strict=True,
    )
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert trees[0] == trees[1]


def test_the_likeliest_labelled_tree_is_decoded(scored):
    _, labels, head, words, mask = scored
    scores = head(words, mask)
    tree, single = TASK.decode(head, scores, labels, mask)
    assert single.heads == (0,)
    relations = head.all_relations(scores.words_BWK[0], scores.heads_BHK[0]).log_softmax(-1)
    edges = (scores.arcs_BWH[0] + relations.max(-1).values).tolist()

    def likelihood(heads):
        return sum(edges[word][at] for word, at in enumerate(heads))

    def is_tree(heads):
        reached = {0}
        for _ in heads:
            reached |= {word for word, at in enumerate(heads, 1) if at in reached}
        return heads.count(0) == 1 and len(reached) == 5

    best = max(filter(is_tree, product(range(5), repeat=4)), key=likelihood)
    assert likelihood(tree.heads) == pytest.approx(likelihood(best))
    for word, (at, name) in enumerate(zip(tree.heads, tree.deprels, strict=True)):
        assert labels["deprels"][relations[word, at].argmax()] == name


@pytest.mark.parametrize(
    ("first", "second", "product_heads", "sum_heads"),
    [  # P(root), P(word 1), P(word 2) as the head of word 1, then of word 2
        ((0.9, 0.0, 0.1), (0.3, 0.7, 0.0), (0, 1), (0, 1)),  # .9 * .7 > .1 * .3; .7 > .1
        ((0.9, 0.0, 0.1), (0.91, 0.09, 0.0), (2, 0), (2, 0)),  # .9 * .09 < .1 * .91; .09 < .1
        ((0.9, 0.0, 0.1), (0.5, 0.09, 0.0), (0, 1), (2, 0)),  # .9 * .09 > .1 * .5; .09 < .1
    ],
)
def test_trees_may_maximise_the_sum_of_probabilities_without_the_roots(
    scored, first, second, product_heads, sum_heads
):
    _, labels, head, _, _ = scored
    scores = ParserScores(
        torch.tensor([[first, second]]).log(), torch.zeros(1, 2, 6), torch.zeros(1, 3, 6)
    )
    mask = torch.ones(1, 2, dtype=torch.bool)
    for task, heads in (
        (TASK, product_heads),
        (dep.task(probability_sum=True), sum_heads),
    ):
        assert task.decode(head, scores, labels, mask)[0].heads == heads


def test_layers_of_words_may_start_as_copies_of_those_of_heads():
    head = dep.task(copied_layers=True).head(8, {"deprels": ["a"]})
    for word, other in (
        (head.arc_word, head.arc_head),
        (head.relation_word, head.relation_head),
    ):
        assert torch.equal(word[0].weight, other[0].weight)
        assert word[0].weight is not other[0].weight
    assert not torch.equal(head.arc_word[0].weight, head.relation_word[0].weight)


def test_the_best_epoch_may_be_chosen_without_punctuation_and_with_subtypes(path):
    first, second = gold = TASK.read(path)
    tree = Tree(
        (2, 3, 0, 2), ("det", "nsubj:y", "root", "punct")
    )  # a subtype, the full stop's head
    predicted = [TASK.predicted(first, tree), second]
    assert dev_score(TASK, gold, predicted) == TASK.score(gold, predicted)["las"] == 80.0
    assert dev_score(dep.task(skip_punctuation=True), gold, predicted) == 75.0


def test_dropout_drops_the_same_features_of_all_words():
    head = dep.task(dropout=0.5, width=6).head(8, {"deprels": ["a"]})
    kept = head._same_for_all_words(torch.ones(2, 5, 50)) > 0
    assert (kept == kept[:, :1]).all()
    assert 0 < kept.float().mean() < 1
    assert (head.eval()._same_for_all_words(torch.ones(2, 5, 50)) == 1).all()


def test_the_head_works_under_autocast(scored):
    sentences, labels, head, words, mask = scored
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores = head(words, mask)
    TASK.loss(head, scores, sentences, labels, mask).backward()
    assert [len(tree) for tree in TASK.decode(head, scores, labels, mask)] == [4, 1]


def test_the_head_learns(scored):
    sentences, labels, head, words, mask = scored
    optimizer = torch.optim.Adam(head.parameters(), 0.02)
    for _ in range(60):
        optimizer.zero_grad()
        loss = TASK.loss(head, head(words, mask), sentences, labels, mask)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2
    trees = TASK.decode(head, head(words, mask), labels, mask)
    predicted = [TASK.predicted(s, t) for s, t in zip(sentences, trees, strict=True)]
    assert TASK.score(sentences, predicted)["las_full"] == 100


@pytest.mark.parametrize("treebank", ["Wolof-WTB", "Uyghur-UDT", "Vietnamese-VTB", "Hebrew-HTB"])
@pytest.mark.parametrize("system", ["labels", "heavy"])
def test_scores_equal_the_official_ones(treebank, system):
    folder = DATA / "eval" / "ud"
    if not folder.is_dir():
        pytest.skip(f"no evaluation files in {folder}; set SPECIALIZE_DATA")
    expected = json.loads((folder / "expected_metrics.json").read_text())[f"{treebank}/{system}"]
    paths = [folder / treebank / f"{name}.conllu.xz" for name in ("gold", f"system_{system}")]
    scores = TASK.score(*map(TASK.read, paths))
    for metric in ("UAS", "LAS", "CLAS"):
        assert scores[metric.lower()] == pytest.approx(expected[metric]["f1"], abs=1e-6)


def test_a_relation_unseen_in_training_is_scored_as_wrong(scored):
    gold, _, _, words, mask = scored
    labels = {"deprels": ["det", "punct", "root"]}  # nsubj:x is unknown
    assert TASK.check(gold, labels) == 1
    head = TASK.head(8, labels)
    trees = TASK.decode(head, head(words, mask), labels, mask)
    rows = zip(gold, trees, strict=True)
    predicted = [TASK.predicted(s, Tree(s.gold.heads, tree.deprels)) for s, tree in rows]
    scores = TASK.score(gold, predicted)
    assert scores["uas"] == 100
    assert scores["las"] <= 80  # its word counts


ROW = "{0}\tw{0}\t_\t_\t_\t_\t{1}\tdep\t_\t_\n"
FAULTS = {
    "a cycle": r"form a cycle",
    "a second root": r"a second root \(head 0\) beside word",
    "no root": r"form a cycle, and no word has head 0",
    "a self-head": r"form a cycle",
    "an unknown head": r"head \d+ in a sentence of \d+ words",
    "no number": r"expected the number of a word as head, got '(-1|x|1\.5|3a)'",
    "no head": r"the word has no head",
}


def random_heads(chance, words):
    """Return the heads of a random tree with one root."""
    order = chance.sample(range(1, words + 1), words)
    heads = {word: chance.choice(order[:i]) if i else 0 for i, word in enumerate(order)}
    return [str(heads[word]) for word in range(1, words + 1)]


def broken(chance, heads, fault):
    """Return the heads of a tree with a fault."""
    heads = list(heads)
    root = heads.index("0")
    below = chance.choice([i for i in range(len(heads)) if i != root])
    if fault in ("a cycle", "no root"):
        heads[root] = str(below + 1)
        return [*heads, "0"] if fault == "a cycle" else heads  # another word is the root
    heads[below] = {
        "a second root": "0",
        "a self-head": str(below + 1),
        "an unknown head": str(len(heads) + chance.randint(1, 9)),
        "no number": chance.choice(["-1", "x", "1.5", "3a"]),
        "no head": "_",
    }[fault]
    return heads


@pytest.mark.parametrize("fault", FAULTS)
def test_every_broken_tree_is_refused_with_file_line_and_exit_code_3(fault, tmp_path, capsys):
    chance = random.Random(fault)
    path = tmp_path / "a.conllu"
    for _ in range(30):
        trees = [random_heads(chance, chance.randint(3, 12)) for _ in range(3)]
        place = chance.randrange(3)
        trees[place] = broken(chance, trees[place], fault)
        texts = ["".join(map(ROW.format, range(1, 99), heads)) for heads in trees]
        path.write_text("\n".join(texts) + "\n", "utf-8")
        with pytest.raises(DataError) as raised:
            TASK.read(path)
        found = re.fullmatch(rf".*a\.conllu:(\d+): .*{FAULTS[fault]}.*", str(raised.value))
        assert found, raised.value
        first = 1 + sum(len(heads) + 1 for heads in trees[:place])
        assert first <= int(found[1]) < first + len(trees[place])
        assert main(["evaluate", str(path), str(path)]) == 3
        assert f"a.conllu:{found[1]}: " in capsys.readouterr().err
