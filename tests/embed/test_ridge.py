"""Ridge regression: against numpy's normal equations and left-out rows; blended by piece."""

from pathlib import Path

import numpy as np
import pytest
import torch

from specialize.embed import ridge
from specialize.embed._rows import Tables
from specialize.errors import UsageError
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

OLD = WordPiece([*SPECIAL, *"abcdefgh", *(f"##{c}" for c in "abcd")])
CHANGE = OLD.place(["ab", "cd", "dc", "яя", "ю"])


def data(count: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(count, 5, generator=generator) + 3
    y = x @ torch.randn(5, 7, generator=generator) + torch.randn(count, 7, generator=generator) - 9
    return x, y


@pytest.mark.parametrize("penalty", [1e-3, 1.0, 100.0])
def test_slopes_solve_the_normal_equations(penalty: float) -> None:
    x, y = data()
    fitted = ridge.fit(x, y, (penalty,))
    centred = x.double().numpy() - x.double().numpy().mean(0)
    gram = centred.T @ centred
    size = penalty * np.trace(gram) / 5
    mean = y.double().numpy().mean(0)
    target = y.double().numpy() - mean
    expected = np.linalg.solve(gram + size * np.eye(5), centred.T @ target)
    assert np.allclose(fitted.slope_DE.numpy(), expected, atol=1e-4)
    assert np.allclose(
        fitted(x[:2]), centred[:2] @ expected + y.double().numpy().mean(0), atol=1e-4
    )


def test_the_penalty_has_the_lowest_generalised_cross_validation_error() -> None:
    x, y = data(12)
    penalties = (1e-3, 1e-1, 1.0, 10.0)
    centred = (x - x.mean(0)).double()
    errors = []
    for penalty in penalties:
        gram = centred.T @ centred
        size = penalty * gram.trace() / 5 * torch.eye(5)
        hat = centred @ torch.linalg.solve(gram + size, centred.T) + 1 / 12
        residual = y.double() - hat @ y.double()
        errors.append(float(residual.square().sum() / (12 - hat.trace()) ** 2))
    best = penalties[int(np.argmin(errors))]
    assert torch.equal(ridge.fit(x, y, penalties).slope_DE, ridge.fit(x, y, (best,)).slope_DE)


def vectors(tmp_path: Path) -> Path:
    """Of old pieces and of three fresh ones, so that old rows are a linear map of them."""
    rng = np.random.default_rng(0)
    names = [*"abcdefgh", "##a", "##b", "##c", "ab", "dc", "яя"]
    rows = rng.normal(size=(len(names), 3))
    lines = [f"{n} {' '.join(f'{v:.6f}' for v in row)}" for n, row in zip(names, rows, strict=True)]
    (tmp_path / "a.vec").write_text(f"{len(names)} 3\n" + "\n".join(lines) + "\n", "utf-8")
    return tmp_path / "a.vec"


def test_rows_are_predicted_for_each_table_and_blended_with_subwords(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(3)
    table = torch.randn(len(OLD.pieces) + 2, 4, generator=generator)
    given = Tables(table, table.flip(0).clone(), table[:, 0].clone())
    file = vectors(tmp_path)
    alone = ridge.init(given, CHANGE, [], vectors=file, subwords=0.0)
    half = ridge.init(given, CHANGE, [], vectors=file)
    none = ridge.init(given, CHANGE, [], vectors=file, subwords=1.0)
    for name in ("input", "output", "bias"):
        old, pure, blended, mean = (getattr(t, name) for t in (given, alone, half, none))
        assert torch.allclose(mean[0], old[[OLD.ids["a"], OLD.ids["##b"]]].mean(0), atol=1e-6)
        assert torch.allclose(blended[[0, 2]], (pure[[0, 2]] + mean[[0, 2]]) / 2, atol=1e-6)
        assert torch.equal(blended[1], mean[1])  # no vector
        assert torch.equal(blended[3], pure[3])  # no old segmentation
        assert torch.equal(blended[4], mean[4])  # neither
    assert half.sources == (
        "regression from auxiliary vectors + 0.5 of mean of a, ##b",
        "mean of c, ##d",
        "regression from auxiliary vectors + 0.5 of mean of d, ##c",
        "regression from auxiliary vectors",
        "drawn around the mean",
    )
    assert half.unmatched == {4}


def test_a_share_beyond_one_is_refused() -> None:
    with pytest.raises(UsageError, match="subwords from 0 to 1, got 2"):
        ridge.init(Tables(torch.ones(17, 2), None, None), CHANGE, [], subwords=2)
