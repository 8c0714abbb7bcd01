"""Parameter sets by key: what is drawn, what is read, what is refused."""

import pytest
import torch

from specialize.errors import UsageError
from specialize.modules.keyed import Keyed, normal
from specialize.modules.scope import Scope


def keyed(by: str = "language") -> Keyed:
    return Keyed(by, [0, 2], {"down": (2, 3), "down_bias": (2,)}, normal(0.02))


def test_tensors_have_the_names_of_their_layers() -> None:
    sets = keyed()
    sets.add("ug")
    shapes = {name: tuple(tensor.shape) for name, tensor in sets.tensors_of("ug").items()}
    assert shapes == {"0.down": (2, 3), "0.down_bias": (2,), "2.down": (2, 3), "2.down_bias": (2,)}


def test_a_set_depends_on_its_seed_and_key_not_on_the_others_or_the_global_generator() -> None:
    first, second, third = keyed(), keyed(), keyed()
    first.add("ug", seed=1)
    torch.rand(5)
    second.add("wo", seed=1)
    second.add("ug", seed=1)
    third.add("ug", seed=2)
    drawn = [sets.tensors_of("ug")["2.down"] for sets in (first, second, third)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert not torch.equal(drawn[1], second.tensors_of("wo")["2.down"])


@pytest.mark.parametrize("key", ["to", "type", "keys", "half", "zh-Hans"])
def test_a_code_may_be_the_name_of_an_attribute(key: str) -> None:
    sets = keyed()
    sets.add(key)
    assert sets.keys == [key]
    assert set(sets.at(0, key)) == {"down", "down_bias"}


def test_a_set_is_copied_from_tensors() -> None:
    source, target = keyed(), keyed()
    source.add("ug", seed=5)
    tensors = source.tensors_of("ug")
    target.add("ug", tensors=tensors)
    assert all(torch.equal(target.tensors_of("ug")[n], t) for n, t in tensors.items())
    tensors["0.down"].fill_(7.0)
    assert not target.tensors_of("ug")["0.down"].eq(7).any()


def test_sets_are_frozen_until_a_policy_trains_them() -> None:
    sets = keyed("all")
    assert sets.keys == ["all"]
    assert not any(p.requires_grad for p in sets.parameters())


def test_what_cannot_be_added_is_refused() -> None:
    sets = keyed()
    sets.add("ug")
    with pytest.raises(UsageError, match="parameters of language 'ug' already"):
        sets.add("ug")
    with pytest.raises(UsageError, match=r"expected a key of letters, digits and -, got 'a\.b'"):
        sets.add("a.b")
    tensors = sets.tensors_of("ug")
    with pytest.raises(UsageError, match=r"expected 0.down of shape \(2, 3\), got None"):
        sets.add("wo", tensors={n: t for n, t in tensors.items() if n != "0.down"})
    with pytest.raises(UsageError, match=r"expected 1.down of shape None, got \(2, 3\)"):
        sets.add("wo", tensors={**tensors, "1.down": tensors["0.down"]})
    with pytest.raises(UsageError, match="no parameters of language 'mt'; known: ug"):
        sets.check(Scope("mt"))
