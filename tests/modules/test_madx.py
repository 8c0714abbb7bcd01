"""MAD-X: equal to adapters 1.3.0 on stored tensors; another language by exchanging its adapter.

The stored logits are those of a flex head: the models of transformers that adapters wraps run the
invertible adapter but never its inverse, so their logits are not those of the paper.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from module_hosts import IDS, REAL, logits, randomise
from safetensors import safe_open

from specialize.errors import UsageError
from specialize.modules import madx
from specialize.modules.attach import Attached, attach
from specialize.modules.policy import Policy, trained
from specialize.modules.scope import Scope
from specialize.modules.sources import Fuse, Mean, PerKey, Source

FIXTURES = Path(__file__).parent / "fixtures"
UG, MT = Scope("ug", "pos"), Scope("mt", "pos")


class Stored:
    """A stored host, its modules, and what adapters 1.3.0 computed."""

    def __init__(self, name: str) -> None:
        with safe_open(FIXTURES / f"madx_{name}.safetensors", "pt") as file:
            self.config = json.loads(file.metadata()["config"])
            self.tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118

    def part(self, name: str) -> dict[str, torch.Tensor]:
        found = {k: t for k, t in self.tensors.items() if k.startswith(f"{name}/")}
        return {key.split("/", 1)[1]: tensor for key, tensor in found.items()}

    def host(self) -> Any:
        config = transformers.AutoConfig.for_model(
            **self.config, pad_token_id=0, tie_word_embeddings=False
        )
        host = transformers.AutoModelForMaskedLM.from_config(config).eval()
        found = host.load_state_dict(self.part("host"), strict=False)
        # BERT and RoBERTa hold the output bias twice; the one of the decoder is added
        assert set(found.missing_keys) <= {"cls.predictions.bias", "lm_head.bias"}
        assert not found.unexpected_keys
        return host

    def adapters(self, host: Any) -> tuple[PerKey, PerKey]:
        act = self.config["act"]
        languages = madx.language_adapters(host, act=act)
        tasks = madx.task_adapters(host, reduction=4, act=act)
        for key in ("ug", "mt"):
            languages.keyed.add(key, tensors=self.part(key))
        tasks.keyed.add("pos", tensors=self.part("pos"))
        return languages, tasks

    def attached(self, languages: Source, tasks: Source | None, host: Any) -> Attached:
        invertible = madx.invertible_adapters(host, act=self.config["act"])
        for key in ("ug", "mt"):
            invertible.keyed.add(key, tensors=self.part(f"invertible {key}"))
        return attach(host, madx.table(host, languages, tasks=tasks, invertible=invertible))

    def states(self, modules: Attached, scope: Scope) -> torch.Tensor:
        with torch.no_grad(), modules.at(scope):
            base = modules.host.base_model
            found: torch.Tensor = base(IDS, attention_mask=REAL).last_hidden_state
        return found


@pytest.fixture(params=["bert", "xlm-roberta"])
def stored(request: pytest.FixtureRequest) -> Stored:
    return Stored(request.param)


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    assert expected.std() > 0.1
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6)


def test_language_adapters_give_the_states_of_adapters(stored: Stored) -> None:
    host = stored.host()
    modules = stored.attached(stored.adapters(host)[0], None, host)
    close(stored.states(modules, UG), stored.tensors["states/ug"])


def test_task_adapters_on_a_language_and_on_another_give_theirs(stored: Stored) -> None:
    host = stored.host()
    modules = stored.attached(*stored.adapters(host), host)
    close(stored.states(modules, UG), stored.tensors["states/ug+pos"])
    close(stored.states(modules, MT), stored.tensors["states/mt+pos"])


def test_a_fusion_under_a_task_adapter_gives_theirs(stored: Stored) -> None:
    host = stored.host()
    languages, tasks = stored.adapters(host)
    fusion = Fuse(languages, ("ug", "mt"))
    for name, tensor in stored.part("fusion").items():
        layer, field = name.split(".")
        fusion.maps.at(int(layer), "all")[field].copy_(tensor)
    fusion.trained.fill_(True)
    # under a fusion, adapters runs the invertible adapter of the first language
    close(
        stored.states(stored.attached(fusion, tasks, host), UG),
        stored.tensors["states/fuse+pos"],
    )


def test_a_mean_of_adapters_gives_theirs(stored: Stored) -> None:
    host = stored.host()
    modules = stored.attached(Mean(stored.adapters(host)[0], ("ug", "mt")), None, host)
    close(stored.states(modules, UG), stored.tensors["states/mean"])


@pytest.mark.parametrize("key", ["ug", "mt"])
def test_logits_are_those_with_the_inverse_before_the_output_layer(
    stored: Stored, key: str
) -> None:
    host = stored.host()
    modules = stored.attached(stored.adapters(host)[0], None, host)
    with modules.at(Scope(key)):
        close(logits(host), stored.tensors[f"logits/{key}"])


def test_without_the_last_layer_its_states_are_the_hosts(bert: Any) -> None:
    languages = madx.language_adapters(bert, last=False)
    languages.keyed.add("ug")
    randomise(languages)
    assert languages.layers == (0, 1)
    modules = attach(bert, madx.table(bert, languages))
    last = bert.base_model.encoder.layer[-1]
    states = torch.randn(2, 5, 8)
    with torch.no_grad(), modules.at(Scope("ug")):
        with_modules = last(states)
    modules.detach()
    with torch.no_grad():
        assert torch.equal(last(states), with_modules)


def test_sizes_are_those_of_the_paper(bert: Any) -> None:
    languages, tasks = madx.language_adapters(bert), madx.task_adapters(bert, reduction=4)
    assert languages.keyed.shapes["down"] == (4, 8)
    assert tasks.keyed.shapes["down"] == (2, 8)


def test_an_untrained_fusion_is_refused_by_name(bert: Any) -> None:
    languages = madx.language_adapters(bert)
    for key in ("ug", "mt"):
        languages.keyed.add(key)
    fusion = Fuse(languages, ("ug", "mt"))
    modules = attach(bert, madx.table(bert, fusion))
    with pytest.raises(UsageError, match=r"the fusion ug\+mt is untrained"):
        modules.at(UG).__enter__()
    with trained(bert, [Policy(fusion.maps)]), modules.at(UG):
        logits(bert)  # such as a score before the first step
        bert.train()
        bert(input_ids=IDS, attention_mask=REAL, labels=IDS).loss.backward()
    assert all(p.grad is not None for p in fusion.maps.parameters())
    assert all(p.grad is None for p in languages.parameters())
    with modules.at(UG):
        logits(bert.eval())


def test_a_fusion_that_was_only_measured_stays_untrained(bert: Any) -> None:
    languages = madx.language_adapters(bert)
    for key in ("ug", "mt"):
        languages.keyed.add(key)
    fusion = Fuse(languages, ("ug", "mt"))
    modules = attach(bert, madx.table(bert, fusion))
    with trained(bert, [Policy(fusion.maps)]), modules.at(UG):
        logits(bert)
    with pytest.raises(UsageError, match="untrained"):
        modules.at(UG).__enter__()


def test_members_of_a_fusion_must_exist(bert: Any) -> None:
    languages = madx.language_adapters(bert)
    languages.keyed.add("ug")
    with pytest.raises(UsageError, match="no parameters of language 'mt'; known: ug"):
        Fuse(languages, ("ug", "mt"))
    with pytest.raises(UsageError, match="expected two or more members, got"):
        Mean(languages, ("ug",))
