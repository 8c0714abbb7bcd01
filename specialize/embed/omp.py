"""Few atoms: each fresh piece as a combination of old ones that approximates its vector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from specialize.embed._auxiliary import Auxiliary, auxiliary, of_pieces, spread
from specialize.embed._blocks import in_blocks, unit
from specialize.embed._rows import FreshRows, Tables, fresh_rows
from specialize.errors import DataError, UsageError
from specialize.progress import Log, Silent
from specialize.vocab.base import VocabChange, Vocabulary
from specialize.vocab.open import read_vocabulary
from specialize.vocab.piece_text import Speller

# shapes: Q queries, B of them in a block, O rows to combine, C candidates, D width, A atoms

_CANDIDATES = 256  # rows of the largest |cosine| that are tried


def init(
    tables: Tables,
    change: VocabChange[Vocabulary],
    corpus: Iterable[str],
    *,
    atoms: int = 8,
    donor: Path | None = None,
    vectors: Path | None = None,
    limit: int = 1_000_000,
    width: int = 100,
    epochs: int = 3,
    seed: int = 0,
    log: Log = Silent(),  # noqa: B008 (without state)
) -> FreshRows:
    """Return combinations of at most ``atoms`` old rows (orthogonal matching pursuit).

    The coefficients approximate a piece's vector by those of the overlap (Goddard & Fernandes Neto
    2025); some are negative. Auxiliary vectors are those of ``focus``, with the same options, at
    length 1, since their length is one of frequency; pieces without one: as in ``focus``.
    ``donor``: the folder of a model, of any family, with pieces of both kinds in its vocabulary.
    Its input rows, as they are, take the place of auxiliary vectors.
    """
    if atoms < 1:
        raise UsageError(f"expected atoms of 1 or more, got {atoms}")
    if donor:
        found = _of_donor(change, donor)
    else:
        found = auxiliary(change, corpus, vectors, limit, width, epochs, seed=seed, log=log)
        found = replace(found, fresh_KD=unit(found.fresh_KD), old_OD=unit(found.old_OD))
    combined = combinations(found.fresh_KD, found.old_OD, atoms)
    return fresh_rows(tables, change, spread(change, found, combined), seed=seed)


def combinations(queries_QD: Tensor, rows_OD: Tensor, atoms: int) -> list[dict[int, float]]:
    """Return the places of rows with their coefficient for each query.

    Greedy: the row of the largest |cosine| with the residual is added, and all coefficients are
    solved for again by least squares (Pati et al. 1993; mergekit chooses by inner product). Rows
    come from the 256 of the largest |cosine| with the query.
    """
    unit_OD = unit(rows_OD)
    lengths_O = rows_OD.norm(dim=1)
    count = min(_CANDIDATES, len(rows_OD))
    entries = max(len(rows_OD), count * rows_OD.shape[1])

    def work(block_BD: Tensor) -> list[dict[int, float]]:
        places_BC = (block_BD @ unit_OD.T).abs_().topk(count).indices
        chosen_BA, weights_BA = _pursue(block_BD, unit_OD[places_BC], min(atoms, count))
        places_BA = places_BC.gather(1, chosen_BA)
        weights_BA = weights_BA / lengths_O[places_BA]
        rows = zip(places_BA.tolist(), weights_BA.tolist(), strict=True)
        return [{o: w for o, w in zip(*row, strict=True) if w} for row in rows]

    return [row for block in in_blocks(queries_QD, entries, work) for row in block]


def _pursue(block_BD: Tensor, candidates_BCD: Tensor, atoms: int) -> tuple[Tensor, Tensor]:
    """Return the candidates [B, A] chosen for each query, and their coefficients [B, A].

    Atoms are orthogonalised as they are added (modified Gram-Schmidt), in float64.
    """
    residual_BD = block_BD.double().clone()
    b = torch.arange(len(block_BD))
    basis, chosen = list[Tensor](), list[Tensor]()
    taken_BC = torch.zeros(candidates_BCD.shape[:2], dtype=torch.bool)
    for _ in range(min(atoms, block_BD.shape[1])):
        gains_BC = torch.einsum("bcd,bd->bc", candidates_BCD, residual_BD.float()).abs()
        best_B = gains_BC.masked_fill(taken_BC, -1).argmax(1)
        taken_BC[b, best_B] = True
        atom_BD = candidates_BCD[b, best_B].double()
        for _ in range(2):  # twice is enough (Giraud et al. 2005)
            for direction_BD in basis:
                atom_BD = atom_BD - (atom_BD * direction_BD).sum(1, keepdim=True) * direction_BD
        length_B1 = atom_BD.norm(dim=1, keepdim=True)
        atom_BD = torch.where(length_B1 > 1e-6, atom_BD / length_B1.clamp(min=1e-12), 0)
        residual_BD -= (residual_BD * atom_BD).sum(1, keepdim=True) * atom_BD
        basis.append(atom_BD)
        chosen.append(best_B)
    chosen_BA = torch.stack(chosen, 1)
    return chosen_BA, _coefficients(block_BD, candidates_BCD[b[:, None], chosen_BA], basis)


def _coefficients(block_BD: Tensor, atoms_BAD: Tensor, basis: list[Tensor]) -> Tensor:
    """Return the least-squares coefficients [B, A] of atoms whose orthogonal basis is given."""
    basis_BAD = torch.stack(basis, 1)
    triangle_BAA = (basis_BAD @ atoms_BAD.double().transpose(1, 2)).triu()
    diagonal_BA = triangle_BAA.diagonal(dim1=1, dim2=2)
    diagonal_BA += diagonal_BA == 0  # of an atom in the span of the others: coefficient 0
    shares_BA1 = basis_BAD @ block_BD.double()[:, :, None]
    solved = torch.linalg.solve_triangular(triangle_BAA, shares_BA1, upper=True)
    return solved[:, :, 0].to(block_BD)


# Donors -------------------------------------------------------------------------------------------


def _of_donor(change: VocabChange[Vocabulary], folder: Path) -> Auxiliary:
    """Return the input rows of a model in ``folder`` as vectors of the pieces that it has."""
    from specialize.model.header import input_table

    vocabulary = read_vocabulary(folder)
    table_RD = input_table(folder)
    rows = {key: id for id, key in _keys(vocabulary)}
    shared = [(id, rows[key]) for id, key in _keys(change.new) if key in rows]
    if not any(id in change.kept for id, _ in shared):
        raise DataError(
            f"{folder}: expected pieces of the vocabulary, got none; name a donor of its script"
        )
    return of_pieces(change, [id for id, _ in shared], table_RD[[row for _, row in shared]])


def _keys(vocabulary: Vocabulary) -> Iterator[tuple[int, tuple[bytes, bool]]]:
    """Yield the ids of pieces that are text; their bytes, and whether they continue words."""
    speller, control = Speller(vocabulary.tokenizer), {*vocabulary.control_pieces}
    for id, piece in enumerate(vocabulary.pieces):
        text = None if piece in control else speller.bytes(piece)
        if text and text.strip(b" "):
            yield id, (text.strip(b" "), vocabulary.continues(id))
