"""Rows of a model, read from the headers of its files."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tiny_models import write_model

from specialize.errors import DataError
from specialize.model.header import ModelRows, check_rows, model_rows


def test_rows_are_read_from_the_header(tmp_path: Path) -> None:
    assert model_rows(tmp_path) is None
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    assert model_rows(tmp_path) is None
    (tmp_path / "config.json").write_text('{"vocab_size": 20}')
    name = "bert.embeddings.word_embeddings.weight"
    shapes = {name: (20, 4), "bert.embeddings.position_embeddings.weight": (512, 4), "b": (20,)}
    tensors = {key: np.zeros(shape, np.float32) for key, shape in shapes.items()}
    save_file(tensors, tmp_path / "model.safetensors")
    assert model_rows(tmp_path) == ModelRows(20, {name: 20})
    found = check_rows(tmp_path, 13)
    assert found is not None
    assert found.rows == 20


def test_the_input_table_of_every_shape_is_recognised(tiny: Path, shape: str) -> None:
    found = model_rows(tiny)
    assert found is not None
    assert list(found.tables.values()) == [found.vocab_size]


def test_a_damaged_file_is_reported(tmp_path: Path) -> None:
    folder = write_model("bert", tmp_path)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(DataError, match=r"model\.safetensors:1: damaged .*; download it again"):
        model_rows(folder)


def test_reading_headers_needs_no_torch(tmp_path: Path) -> None:
    folder = write_model("bert", tmp_path)
    code = (
        "import sys; from pathlib import Path; from specialize.model.header import check_rows; "
        f"assert check_rows(Path({str(folder)!r}), 18); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
