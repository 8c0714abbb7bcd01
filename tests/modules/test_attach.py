"""The contract of modules on a host: nothing of the host changes, idle modules stay."""

from typing import Any

import pytest
import torch
from module_hosts import IDS, REAL, logits, new_host, randomise

from specialize.errors import UsageError
from specialize.model.language_model import layers
from specialize.modules import madx
from specialize.modules.attach import Attached, attach
from specialize.modules.policy import Policy, tiers, trained
from specialize.modules.scope import Scope
from specialize.modules.sites import sites
from specialize.modules.sources import PerKey

State = dict[str, torch.Tensor]


def state(module: torch.nn.Module) -> State:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def equal(left: State, right: State) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[n], right[n]) for n in left)


def hooks(host: Any) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in host.modules())


def two_languages(host: Any, site: str = "ffn_h") -> tuple[PerKey, dict[str, PerKey]]:
    source = PerKey("language", sites(host).width, range(sites(host).layers), size=4)
    for key in ("ug", "to"):
        source.keyed.add(key)
    randomise(source)
    return source, {site: source}


def step(host: Any, source: PerKey, key: str) -> None:
    """Three steps of AdamW, with decay, on one language's modules."""
    policies = [Policy(source.keyed.set_of(key))]
    with trained(host, policies):
        optimizer = torch.optim.AdamW(tiers(policies, rate=1e-2, decay=0.1))
        for _ in range(3):
            host(input_ids=IDS, attention_mask=REAL, labels=IDS).loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)


def test_without_sources_a_host_computes_what_it_did(host: Any) -> None:
    before = logits(host)
    modules = attach(host, {})
    with modules.at(Scope()):
        assert torch.equal(logits(host), before)


@pytest.mark.parametrize("site", ["ffn_h", "ffn_s", "ffn_u"])
def test_a_detached_host_is_as_it_was_bit_for_bit(host: Any, site: str) -> None:
    if site not in sites(host).points:
        pytest.skip("a pre-norm host has no ffn_s")
    before, weights, hooked = logits(host), state(host), hooks(host)
    modules = attach(host, two_languages(host, site)[1])
    with modules.at(Scope("ug")):
        assert (logits(host) - before).abs().max() > 1e-2
    modules.detach()
    assert torch.equal(logits(host), before)
    assert equal(state(host), weights)
    assert hooks(host) == hooked


def test_recorded_states_are_those_after_the_modules(host: Any) -> None:
    alone = layers(host, IDS, REAL)[0]  # from now on, transformers records states by hooks
    source, table = two_languages(host, "ffn_u")
    modules = attach(host, table)
    with torch.no_grad(), modules.at(Scope("ug")):
        recorded = layers(host, IDS, REAL)[0]
        expected = alone + source.delta(alone, 0, Scope("ug"))
        if "ffn_s" in sites(host).points:
            expected = sites(host).points["ffn_s"][0].forward(expected)
    assert torch.equal(recorded, expected)


def test_idle_modules_have_no_gradient_and_stay_bit_for_bit(host: Any) -> None:
    source, table = two_languages(host)
    modules = attach(host, table)
    base = {n: t for n, t in state(host).items() if "module_sources" not in n}
    idle, active = state(source.keyed.set_of("to")), state(source.keyed.set_of("ug"))
    with modules.at(Scope("ug")):
        step(host, source, "ug")
    assert equal(state(source.keyed.set_of("to")), idle)
    assert not equal(state(source.keyed.set_of("ug")), active)
    assert all(p.grad is None for p in source.keyed.set_of("to").parameters())
    assert equal({n: t for n, t in state(host).items() if "module_sources" not in n}, base)


def test_adding_a_language_leaves_the_old_state_bit_for_bit(host: Any) -> None:
    source, table = two_languages(host)
    modules = attach(host, table)
    before = state(host)
    with modules.at(Scope("to")):
        expected = logits(host)
    source.keyed.add("mt", seed=1)
    after = state(host)
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert len(after) > len(before)
    with modules.at(Scope("to")):
        assert torch.equal(logits(host), expected)
    with modules.at(Scope("mt")):
        step(host, source, "mt")
    assert all(torch.equal(state(host)[name], tensor) for name, tensor in before.items())


def test_an_unknown_language_or_task_is_an_error_never_a_default(bert: Any) -> None:
    languages, tasks = madx.language_adapters(bert), madx.task_adapters(bert)
    languages.keyed.add("ug")
    tasks.keyed.add("pos")
    modules = attach(bert, madx.table(bert, languages, tasks=tasks))
    with pytest.raises(UsageError, match="no parameters of language 'uig'; known: ug"):
        modules.at(Scope("uig", "pos")).__enter__()
    with pytest.raises(UsageError, match="no parameters of task 'ner'; known: pos"):
        modules.at(Scope("ug", "ner")).__enter__()
    with pytest.raises(UsageError, match="expected a scope with a task"):
        modules.at(Scope("ug")).__enter__()
    with pytest.raises(UsageError, match="expected a scope, got none"):
        logits(bert)


def failing(modules: Attached) -> None:
    with modules.at(Scope("to")):
        raise UsageError("a fault within the block")


def test_after_a_block_the_scope_is_the_one_before(bert: Any) -> None:
    modules = attach(bert, two_languages(bert)[1])
    with modules.at(Scope("ug")):
        expected = logits(bert)
        with modules.at(Scope("to")):
            assert not torch.equal(logits(bert), expected)
        with pytest.raises(UsageError):
            failing(modules)
        assert torch.equal(logits(bert), expected)


def test_one_set_for_all_serves_every_scope(bert: Any) -> None:
    source = PerKey("all", 8, range(3), size=4)
    randomise(source)
    modules = attach(bert, {"ffn_u": source})
    found = []
    for scope in (Scope("ug"), Scope("to", "pos"), Scope()):
        with modules.at(scope):
            found.append(logits(bert))
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


@pytest.mark.parametrize("site", ["ffn_h", "ffn_s", "ffn_u"])
def test_autocast_to_bfloat16_runs_forward_and_backward(host: Any, site: str) -> None:
    if site not in sites(host).points:
        pytest.skip("a pre-norm host has no ffn_s")
    source, table = two_languages(host, site)
    invertible = madx.invertible_adapters(host)
    invertible.keyed.add("ug")
    modules = attach(host, {**table, "embeddings": invertible})
    with modules.at(Scope("ug")):
        expected = logits(host)
        with trained(host, [Policy(source)]), torch.autocast("cpu", dtype=torch.bfloat16):
            output = host(input_ids=IDS, attention_mask=REAL, labels=IDS)
            output.loss.backward()
    assert all(p.grad is not None for p in source.keyed.set_of("ug").parameters())
    spread = (output.logits.float() - expected).abs().max() / expected.std()
    assert spread < 0.5


def test_gradients_of_a_source_reach_it_through_a_frozen_host(host: Any) -> None:
    source, table = two_languages(host)
    modules = attach(host, table)
    with modules.at(Scope("ug")), trained(host, [Policy(source.keyed.set_of("ug"))]):
        host(input_ids=IDS, attention_mask=REAL, labels=IDS).loss.backward()
    graded = {name for name, p in host.named_parameters() if p.grad is not None}
    assert graded == {n for n, _ in host.named_parameters() if ".[ug]." in n}
    assert graded


def test_what_does_not_fit_is_refused(bert: Any) -> None:
    source, table = two_languages(bert)
    modern = new_host("modernbert")
    with pytest.raises(UsageError, match="no site 'ffn_s'; it has: embeddings, ffn_h, ffn_u"):
        attach(modern, {"ffn_s": source})
    with pytest.raises(UsageError, match="modules of layer 2, but the host has layers 0 to 1"):
        attach(new_host("bert", layers=2), table)
    with pytest.raises(UsageError, match="modules of width 8, but the host has 12"):
        attach(new_host("bert", hidden_size=12), table)
    with pytest.raises(UsageError, match="PerKey cannot be used at the site embeddings"):
        attach(bert, {"embeddings": source})
    attach(bert, table)
    with pytest.raises(UsageError, match="attached already"):
        attach(bert, table)
    with pytest.raises(UsageError, match="cannot be attached to a electra model"):
        attach(new_host("electra"), table)
