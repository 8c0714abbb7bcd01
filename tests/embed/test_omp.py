"""Orthogonal matching pursuit: against a direct least-squares reference; donors of any family."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tiny_models import SHAPES, write_model

from specialize.embed import omp
from specialize.embed._rows import Tables
from specialize.errors import DataError, MissingError, UsageError
from specialize.model.header import input_table
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

OLD = WordPiece([*SPECIAL, *"abcdef", *(f"##{c}" for c in "abcdef")])


def reference(query: torch.Tensor, rows: torch.Tensor, atoms: int) -> dict[int, float]:
    """Greedy choice by |cosine| with the residual, least squares by lstsq, in float64."""
    query, rows = query.double(), rows.double()
    chosen: list[int] = []
    residual = query
    for _ in range(atoms):
        gains = (rows @ residual).abs() / rows.norm(dim=1)
        gains[chosen] = -1
        chosen.append(int(gains.argmax()))
        weights = torch.linalg.lstsq(rows[chosen].T, query[:, None]).solution[:, 0]
        residual = query - weights @ rows[chosen]
    return dict(zip(chosen, weights.tolist(), strict=True))


@pytest.mark.parametrize(
    ("width", "count", "atoms"), [(12, 40, 1), (12, 40, 5), (6, 4, 9), (8, 30, 8)]
)
def test_atoms_and_coefficients_are_those_of_a_direct_solution(
    width: int, count: int, atoms: int
) -> None:
    generator = torch.Generator().manual_seed(width)
    rows = torch.randn(count, width, generator=generator)
    rows *= 10 ** torch.rand(count, 1, generator=generator)
    queries = torch.randn(300, width, generator=generator)  # two blocks
    found = omp.combinations(queries, rows, atoms)
    for query, combined in zip(queries[::30], found[::30], strict=True):
        expected = reference(query, rows, min(atoms, count, width))
        assert combined.keys() == expected.keys()
        for place, weight in expected.items():
            assert combined[place] == pytest.approx(weight, rel=1e-3, abs=1e-4)


def test_an_atom_in_the_span_of_others_has_no_weight() -> None:
    rows = torch.tensor([[1.0, 0, 0], [2.0, 0, 0], [0, 1.0, 0]])
    (found,) = omp.combinations(torch.tensor([[3.0, 1.0, 5.0]]), rows, 3)
    assert found[2] == pytest.approx(1)
    assert found.get(0, 0) + 2 * found.get(1, 0) == pytest.approx(3)


@pytest.mark.parametrize("name", ["roberta", "xlm-r", "electra"])
def test_a_donor_of_any_family_gives_the_vectors(name: str, tmp_path: Path) -> None:
    """Its ``cab`` or ``ab`` is the sum of two shared pieces, and so is our row."""
    folder = write_model(name, tmp_path / name)
    from specialize.vocab.open import read_vocabulary

    donor = read_vocabulary(folder)
    fresh, parts = {
        "roberta": ("abc", ("##a", "##b")),  # abc continues a word there
        "xlm-r": ("ab", ("##c", "##d")),
        "electra": ("ab", ("c", "##d")),
    }[name]
    spelt = {"roberta": "abc", "xlm-r": "▁ab", "electra": "ab"}[name]
    piece = f"##{fresh}" if name == "roberta" else fresh
    table = torch.eye(len(donor.pieces), 40)[torch.arange(len(donor.pieces)).clamp(max=39)]
    old_of = {"##": lambda p: p.removeprefix("##")} if name != "electra" else {}
    strip = old_of.get("##", lambda p: p)
    rows = [donor.ids[strip(p)] for p in parts]
    for n, row in enumerate(rows):
        table[row] = torch.eye(40)[n] * (n + 2)
    table[donor.ids[spelt]] = 0.5 * table[rows[0]] - 2 * table[rows[1]]
    save_file({"embeddings.word_embeddings.weight": table}, str(folder / "model.safetensors"))
    mine = torch.randn(len(OLD.pieces), 3, generator=torch.Generator().manual_seed(0))
    change = OLD.place([piece])
    made = omp.init(Tables(mine, None, None), change, [], donor=folder, atoms=2)
    first, second = (mine[OLD.ids[p]] for p in parts)
    assert torch.allclose(made.input[0], 0.5 * first - 2 * second, atol=1e-5)
    assert SHAPES[name].family


def test_donors_without_a_table_or_shared_pieces_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        MissingError, match=r"expected a model\.safetensors with an embedding table"
    ):
        input_table(tmp_path)
    folder = write_model("electra", tmp_path / "electra")
    change = WordPiece([*SPECIAL, "x", "##y"]).place(["ab"])
    with pytest.raises(DataError, match="name a donor of its script"):
        omp.init(Tables(torch.ones(7, 2), None, None), change, [], donor=folder)
    with pytest.raises(UsageError, match="atoms of 1 or more, got 0"):
        omp.init(Tables(torch.ones(7, 2), None, None), change, [], atoms=0)
