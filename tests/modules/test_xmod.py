"""X-MOD: equal to transformers' own, without the faults of its forward pass."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from module_hosts import IDS, REAL, logits, new_host, randomise
from tiny_models import write_model

from specialize.errors import DataError
from specialize.modules import xmod
from specialize.modules.attach import attach
from specialize.modules.policy import Policy, trained
from specialize.modules.scope import Scope

LANGUAGES = ["en_XX", "de_DE", "sw_KE"]
BASE: dict[str, Any] = {}
LARGE = {
    "pre_norm": True,
    "adapter_layer_norm": True,
    "adapter_reuse_layer_norm": False,
    "ln_before_adapter": False,
    "adapter_reduction_factor": 4,
}


def write_released(folder: Path, **config: Any) -> Any:
    """Write a random X-MOD as released, and return it."""
    settings = transformers.XmodConfig(
        vocab_size=20,
        hidden_size=8,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=16,
        languages=LANGUAGES,
        **config,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.XmodForMaskedLM(settings).eval()
    randomise(model)
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize("config", [BASE, LARGE], ids=["base", "large-prenorm"])
@torch.no_grad()
def test_a_released_model_computes_what_it_does_in_transformers(
    config: dict[str, Any], tmp_path: Path
) -> None:
    theirs = write_released(tmp_path, **config)
    modules = xmod.released(tmp_path)
    assert modules.host.config.model_type == ("roberta-prelayernorm" if config else "xlm-roberta")
    for index, language in enumerate(LANGUAGES):
        given = {"input_ids": IDS, "attention_mask": REAL, "output_hidden_states": True}
        expected = theirs(**given, lang_ids=torch.full((len(IDS),), index))
        with modules.at(Scope(language)):
            found = modules.host(**given)
        assert torch.equal(found.logits, expected.logits)
        for ours, other in zip(found.hidden_states, expected.hidden_states, strict=True):
            assert torch.equal(ours, other)
    assert expected.logits.std() > 0.1


def test_modules_of_other_languages_get_no_gradient(tmp_path: Path) -> None:
    write_released(tmp_path)
    modules = xmod.released(tmp_path)
    with modules.at(Scope("de_DE")), trained(modules.host, [Policy(modules.host)]):
        modules.host(input_ids=IDS, attention_mask=REAL, labels=IDS).loss.backward()
    graded = {n for n, p in modules.host.named_parameters() if "[" in n and p.grad is not None}
    assert graded
    assert all("[de_DE]" in name for name in graded)


def test_released_modules_drop_out_in_training_as_the_host_does(tmp_path: Path) -> None:
    write_released(tmp_path)
    modules = xmod.released(tmp_path)
    source = modules.table["ffn_u"]
    assert source.dropout == 0.1
    states = torch.ones(4, 5, 8)
    scope = Scope("sw_KE")
    modules.host.train()
    assert (source.delta(states, 0, scope) == 0).any()
    modules.host.eval()
    assert not (source.delta(states, 0, scope) == 0).any()


def test_another_architecture_is_refused_by_name(tmp_path: Path) -> None:
    write_released(tmp_path / "a", ln_before_adapter=False)
    with pytest.raises(DataError, match=r"as in facebook/xmod-base .* ln_before_adapter False"):
        xmod.released(tmp_path / "a")
    new_host("bert").save_pretrained(tmp_path / "b")
    with pytest.raises(DataError, match="expected an X-MOD model, got bert"):
        xmod.released(tmp_path / "b")


def test_a_new_modular_host_has_modules_by_language_or_one_for_all(host: Any) -> None:
    modular, shared = xmod.modules(host), xmod.modules(host, by="all")
    for key in ("ug", "mt"):
        modular.keyed.add(key)
        randomise(modular.keyed.set_of(key), 0.1 if key == "ug" else 0.9)
    assert sum(p.numel() for p in shared.parameters()) == 3 * (8 * 4 + 4 + 4 * 8 + 8)
    found = attach(host, {xmod.SITE: modular})
    seen = []
    for key in ("ug", "mt"):
        with found.at(Scope(key)):
            seen.append(logits(host))
    assert not torch.equal(*seen)


def test_a_bottleneck_has_one_unit_at_least() -> None:
    assert xmod.modules(new_host("bert"), reduction=16).size == 1


def test_an_activation_that_modules_lack_is_refused(tmp_path: Path) -> None:
    folder = write_model("x-mod", tmp_path / "xmod", hidden_act="silu")
    with pytest.raises(DataError, match=r"config.json: hidden_act 'silu': expected relu, gelu"):
        xmod.released(folder)
