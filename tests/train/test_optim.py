"""Optimizers: which parameters each takes."""

from pathlib import Path

import pytest
from tiny_models import write_model

from specialize.model.load import load_checkpoint
from specialize.train.optim import muon


@pytest.mark.parametrize("shape", ["xlm-r", "modernbert"])
def test_muon_takes_the_hidden_matrices_and_no_embedding_table(shape: str, tmp_path: Path) -> None:
    model = load_checkpoint(write_model(shape, tmp_path)).model
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    hidden, rest = (
        {names[id(p)] for group in optimizer.param_groups for p in group["params"]}
        for optimizer in muon(model, rate=1e-3, hidden_rate=1e-3, decay=0.1)
    )
    assert hidden | rest == set(names.values())
    assert len(hidden) >= 4 * 2  # of two layers
    assert not any("embed" in name or "decoder" in name for name in hidden)
