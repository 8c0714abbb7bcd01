"""Parameter space factorization: divergences in closed form, means at test, draws in training."""

import pytest
import torch
from torch.distributions import Independent, LowRankMultivariateNormal, Normal, kl_divergence

from specialize.errors import UsageError
from specialize.modules.policy import Policy, trained
from specialize.modules.psf import Factorization, gaussian_divergence
from specialize.modules.scope import Scope

SCOPE = Scope("ug", "pos")
STATES = torch.randn(2, 3, 8, generator=torch.Generator().manual_seed(0))


def factorization(rank: int = 0) -> Factorization:
    found = Factorization(8, embedding=6, hidden=10, rank=rank)
    for key in ("ug", "mt"):
        found.languages.add(key)
    found.add_task("pos", 4)
    found.add_task("ner", 3)
    return found.eval()


def test_divergences_are_those_of_torchs_distributions() -> None:
    torch.manual_seed(0)
    mean, deviation, factor = torch.randn(5), torch.rand(5) + 0.1, torch.randn(5, 2)
    prior = Independent(Normal(torch.zeros(5), torch.ones(5)), 1)
    diagonal = Independent(Normal(mean, deviation), 1)
    torch.testing.assert_close(gaussian_divergence(mean, deviation), kl_divergence(diagonal, prior))
    full = LowRankMultivariateNormal(torch.zeros(5), torch.zeros(5, 1), torch.ones(5))
    joint = LowRankMultivariateNormal(mean, factor, deviation.square())
    torch.testing.assert_close(
        gaussian_divergence(mean, deviation, factor), kl_divergence(joint, full)
    )


def test_the_prior_itself_has_no_divergence() -> None:
    assert gaussian_divergence(torch.zeros(4), torch.ones(4)) == 0


@pytest.mark.parametrize("rank", [0, 2])
def test_draws_have_the_deviation_that_the_divergence_is_of(rank: int) -> None:
    found = factorization(rank)
    part = found.languages.at(0, "ug")
    torch.manual_seed(0)
    draws = torch.stack([found._variable(found.languages, SCOPE, draw=True) for _ in range(20_000)])
    variance = torch.nn.functional.softplus(part["deviation"]).square()
    if rank:
        variance = variance + part["factor"].square().sum(-1)
    torch.testing.assert_close(draws.mean(0), part["mean"], rtol=0, atol=0.03)
    torch.testing.assert_close(draws.var(0), variance, rtol=0.05, atol=0)


def test_at_test_the_means_are_used_and_nothing_is_drawn() -> None:
    found = factorization()
    state = torch.random.get_rng_state()
    first, second = found(STATES, SCOPE), found(STATES, SCOPE)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert first.logits.shape == (1, 2, 3, 4)
    assert torch.equal(first.logits, second.logits)
    assert not torch.equal(found(STATES, Scope("mt", "pos")).logits, first.logits)
    assert found(STATES, Scope("ug", "ner")).logits.shape == (1, 2, 3, 3)


def test_draws_differ_and_come_from_the_callers_seed() -> None:
    found = factorization()
    torch.manual_seed(5)
    first = found(STATES, SCOPE, samples=3).logits
    torch.manual_seed(5)
    assert torch.equal(found(STATES, SCOPE, samples=3).logits, first)
    assert first.shape == (3, 2, 3, 4)
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize("rank", [0, 2])
def test_idle_variables_train_only_where_a_factor_joins_them(rank: int) -> None:
    found = factorization(rank)
    with trained(found, [Policy(found)]):
        draws = found(STATES, SCOPE, samples=3)
        (draws.logits.logsumexp(-1).mean() + 0.01 * sum(draws.divergences)).backward()
    graded = {name for name, p in found.named_parameters() if p.grad is not None}
    assert any("languages" in name and "[ug]" in name for name in graded)
    assert any("[mt]" in name for name in graded) == bool(rank)
    assert not any("heads.[ner]" in name for name in graded)


@pytest.mark.parametrize("rank", [0, 2])
def test_divergences_stay_close_under_autocast(rank: int) -> None:
    found = factorization(rank)
    exact = found(STATES, SCOPE)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        draws = found(STATES, SCOPE)
    assert draws.logits.dtype == torch.bfloat16
    torch.testing.assert_close(sum(draws.divergences), sum(exact.divergences), rtol=1e-2, atol=0)


def test_training_lowers_the_bound_and_an_unseen_pair_has_parameters() -> None:
    found = factorization()
    targets = torch.tensor([[0, 1, 2], [3, 0, 1]])
    seen = [(Scope("ug", "pos"), targets), (Scope("mt", "ner"), targets.clamp(max=2))]
    torch.manual_seed(0)

    def loss(scope: Scope, gold: torch.Tensor) -> torch.Tensor:
        draws = found(STATES, scope, samples=3)
        scores = draws.logits.permute(0, 3, 1, 2)
        fits = torch.nn.functional.cross_entropy(scores, gold.expand(3, 2, 3))
        return fits + 1e-3 * sum(draws.divergences)

    with trained(found, [Policy(found)]):
        optimizer = torch.optim.Adam(found.parameters(), lr=1e-2)
        losses = []
        for step in range(120):
            optimizer.zero_grad(set_to_none=True)
            value = loss(*seen[step % 2])
            value.backward()
            optimizer.step()
            losses.append(value.item())
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])
    assert found(STATES, Scope("mt", "pos")).logits.isfinite().all()


def test_an_unknown_language_or_task_is_an_error() -> None:
    found = factorization()
    with pytest.raises(UsageError, match="no parameters of language 'wo'; known: ug, mt"):
        found(STATES, Scope("wo", "pos"))
    with pytest.raises(UsageError, match="no parameters of task 'dep'; known: pos, ner"):
        found.check(Scope("ug", "dep"))
    with pytest.raises(UsageError, match="expected samples of at least 0, got -1"):
        found(STATES, SCOPE, samples=-1)


def test_the_last_layer_of_a_task_may_have_a_width_of_its_own() -> None:
    found = factorization()
    found.add_task("dep", 5, width=9)
    states = torch.randn(2, 9, generator=torch.Generator().manual_seed(0))
    assert found(states, Scope("ug", "dep")).logits.shape == (1, 2, 5)


def test_a_task_that_is_added_later_is_where_the_rest_is() -> None:
    found = Factorization(8, embedding=6, hidden=10, rank=1)
    found.languages.add("ug")
    found.to("meta")  # stands for a GPU
    found.add_task("pos", 4)
    assert {p.device.type for p in found.parameters()} == {"meta"}
