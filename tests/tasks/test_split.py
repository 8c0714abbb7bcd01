"""A file split into training and dev sentences."""

from specialize.tasks._split import FOLDS, split


def test_every_fifth_sentence_is_dev() -> None:
    train, dev = split(range(12))
    assert dev == [0, 5, 10]
    assert train == [1, 2, 3, 4, 6, 7, 8, 9, 11]
    assert FOLDS == 5


def test_every_sentence_is_in_dev_of_one_fold() -> None:
    folds = [split(range(10), fold=fold, folds=3) for fold in range(3)]
    assert sorted(n for _, dev in folds for n in dev) == [*range(10)]
    assert all(sorted(train + dev) == [*range(10)] for train, dev in folds)
