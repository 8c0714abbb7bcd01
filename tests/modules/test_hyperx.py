"""Hyper-X: exact parameter counts, generation by language, task and layer."""

from typing import Any

import pytest
import torch
from module_hosts import IDS, REAL, logits
from torch import nn

from specialize.errors import UsageError
from specialize.modules import hyperx
from specialize.modules.attach import attach
from specialize.modules.hyperx import Hypernetwork
from specialize.modules.policy import Policy, tiers, trained
from specialize.modules.scope import Scope


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def small(**options: Any) -> Hypernetwork:
    network = Hypernetwork(8, 3, size=4, projected=5, embedding=6, **options)
    for key in ("ug", "mt"):
        network.languages.add(key)
    for key in ("pos", "mlm"):
        network.tasks.add(key)
    return network


@pytest.mark.parametrize(
    ("projected", "generated", "projector"),
    [(32, 13_009_920, 43_232), (192, 76_088_320, 74_112)],  # the paper's 13 M and 76 M
)
def test_counts_are_those_of_mberts_shape(projected: int, generated: int, projector: int) -> None:
    network = Hypernetwork(768, 12, projected=projected)
    assert count(network.generators) == generated
    assert count(network.projector) == projector
    assert count(network) == generated + projector + 12 * 64


def test_adding_a_language_adds_one_embedding_and_changes_nothing_else() -> None:
    network = small()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.languages.add("wo")
    after = network.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    (added,) = after.keys() - before.keys()
    assert after[added].shape == (6,)


def test_language_task_and_layer_each_change_the_adapter() -> None:
    network = small()
    with torch.no_grad():
        for parameter in network.projector.parameters():
            parameter.normal_(0, 0.5, generator=torch.Generator().manual_seed(0))
        found = [
            network.part(layer, Scope(language, task))
            for layer, language, task in [
                (0, "ug", "pos"),
                (1, "ug", "pos"),
                (0, "mt", "pos"),
                (0, "ug", "mlm"),
            ]
        ]
    assert [tuple(tensor.shape) for tensor in found[0]] == [(4, 8), (4,), (8, 4), (8,)]
    assert all(not torch.equal(found[0].down, other.down) for other in found[1:])


def test_a_task_only_network_ignores_the_language() -> None:
    network = small(by=("task",))
    assert network.projector[0].in_features == 12
    first, second = (network.part(0, Scope(key, "pos")) for key in ("ug", "mt"))
    assert torch.equal(first.down, second.down)
    network.check(Scope("wo", "pos"))


def test_an_unknown_language_or_task_is_an_error() -> None:
    with pytest.raises(UsageError, match="no parameters of language 'wo'; known: ug, mt"):
        small().check(Scope("wo", "pos"))
    with pytest.raises(UsageError, match="no parameters of task 'ner'; known: pos, mlm"):
        small().check(Scope("ug", "ner"))


def test_the_network_the_norms_and_no_idle_embedding_train(host: Any) -> None:
    network = small()
    modules = attach(host, {hyperx.SITE: network})
    before = {name: tensor.clone() for name, tensor in host.state_dict().items()}
    policies = hyperx.policies(host, network)
    scope = Scope("ug", "mlm")
    with modules.at(scope):
        first = logits(host)
        with trained(host, policies):
            optimizer = torch.optim.AdamW(tiers(policies, rate=1e-2, decay=0.01))
            host(input_ids=IDS, attention_mask=REAL, labels=IDS).loss.backward()
            optimizer.step()
        assert not torch.equal(logits(host), first)
    changed = {n for n, t in host.state_dict().items() if not torch.equal(t, before[n])}
    assert any("norm" in name.lower() for name in changed)
    assert any("generators.up_bias" in name for name in changed)
    assert not any("[mt]" in name or "[pos]" in name for name in changed)
    norms_or_network = [n for n in changed if "norm" in n.lower() or "module_sources" in n]
    assert sorted(norms_or_network) == sorted(changed)


def test_the_policy_is_the_networks_alone_where_norms_stay(bert: Any) -> None:
    network = hyperx.hypernetwork(bert, projected=4)
    modules = attach(bert, {hyperx.SITE: network})
    network.languages.add("ug")
    network.tasks.add("pos")
    with trained(bert, [Policy(network)]), modules.at(Scope("ug", "pos")):
        bert(input_ids=IDS, attention_mask=REAL, labels=IDS).loss.backward()
    assert all(p.grad is None for n, p in bert.named_parameters() if "module_sources" not in n)
