"""Rows with the covariance of the old ones, of any rank."""

import torch

from specialize.embed import covariance
from specialize.embed._rows import Tables
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

OLD = WordPiece([*SPECIAL, *(f"a{i}" for i in range(395))])
CHANGE = OLD.place([f"b{i}" for i in range(20_000)])


def test_rows_have_the_mean_and_covariance_of_the_old_ones() -> None:
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(400, 3, generator=generator) @ torch.randn(3, 3, generator=generator) + 5
    rows = covariance.init(Tables(table, 2 * table, table[:, 0]), CHANGE, [])
    torch.testing.assert_close(torch.cov(rows.input.T), torch.cov(table.T), rtol=0.05, atol=0.05)
    torch.testing.assert_close(rows.input.mean(dim=0), table.mean(dim=0), rtol=0.01, atol=0.05)
    torch.testing.assert_close(
        torch.cov(rows.output.T), 4 * torch.cov(table.T), rtol=0.05, atol=0.2
    )
    torch.testing.assert_close(rows.bias, table[:, 0].mean().expand(20_000))


def test_a_covariance_that_is_not_of_full_rank_is_drawn_from() -> None:
    """With rounding, eigenvalues that should be 0 are negative; transformers then gives up."""
    old = WordPiece([*SPECIAL, "a", "b"])
    change = old.place(["c", "d"])
    table = torch.randn(7, 1, generator=torch.Generator().manual_seed(0)) * torch.arange(1.0, 65)
    rows = covariance.init(Tables(table, None, None), change, []).input
    assert rows.isfinite().all()
    assert not torch.equal(rows[0], rows[1])
    steps = rows / torch.arange(1.0, 65)  # all old rows are multiples of one
    torch.testing.assert_close(steps, steps[:, :1].expand(-1, 64), rtol=1e-3, atol=1e-3)


def test_the_scale_multiplies_deviations() -> None:
    table = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
    tables = Tables(table, None, None)
    rows, small = (covariance.init(tables, CHANGE, [], scale=s).input for s in (1.0, 0.1))
    mean = table.mean(dim=0)
    torch.testing.assert_close(0.1 * (rows - mean), small - mean, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(covariance.init(tables, CHANGE, [], scale=0.0).input[0], mean)
