"""What holds for every method and any change of a vocabulary."""

import copy
from collections import Counter
from functools import cache

import pytest
import torch
from changed_vocabularies import METHODS, MODELS, SAMPLERS, changes, checkpoint, method_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specialize.embed._rows import FreshRows, Tables
from specialize.model.install import install, snapshot
from specialize.model.language_model import tables
from specialize.recipe.methods import names
from specialize.vocab.base import VocabChange
from specialize.vocab.wordpiece.model import SPECIAL, WordPiece

FEW = settings(max_examples=12, suppress_health_check=list(HealthCheck))
NAMES = ("input", "output", "bias")


def test_every_method_is_tested_here() -> None:
    tested = {method.split()[0] for method in METHODS}
    elsewhere = {"unused", "distilled"}  # needs slots: test_methods; needs a model: test_distilled
    assert tested == {*names("embed")} - elsewhere


@pytest.mark.parametrize("family", MODELS)
@pytest.mark.parametrize("method", METHODS)
@FEW
@given(data=st.data(), tied=st.booleans(), padding=st.sampled_from([0, 3]))
def test_kept_rows_stay_and_fresh_ones_are_good(
    method: str, family: str, data: st.DataObject, tied: bool, padding: int
) -> None:
    change = data.draw(changes(family))
    base = checkpoint(family, tied, padding)
    before = snapshot(base.model)
    rows = method_of(method, change)(before, change, ["ab cab"], seed=data.draw(st.integers(0, 9)))
    model = copy.deepcopy(base.model)
    install(model, change, rows)
    for name in NAMES:
        old, new, fresh = (getattr(t, name) for t in (before, tables(model), rows))
        assert (old is None) == (new is None) == (fresh is None)
        if new is not None:
            kept, places = list(change.kept), list(change.fresh)
            assert torch.equal(new[kept], old[list(change.kept.values())]), name
            assert torch.equal(new[places], fresh), name
            assert fresh.isfinite().all(), name
    assert rows.input.abs().sum(dim=1).min() > 0
    assert len(rows.sources) == len(change.fresh)
    assert all(rows.sources)
    _assert_only_equal_sources_make_equal_rows(method, rows)


def _assert_only_equal_sources_make_equal_rows(method: str, rows: FreshRows) -> None:
    """No two rows are equal but mixtures of the same old pieces, which the methods document."""
    sampled = method in SAMPLERS or method == "blend"
    of: dict[bytes, Counter[str]] = {}
    for f, row in enumerate(rows.input):
        drawn = sampled or f in rows.unmatched
        words = rows.sources[f].partition(": ")[2] or rows.sources[f]
        source = f"{f} drawn" if drawn else " ".join(sorted(words.replace(",", "").split()))
        of.setdefault(row.numpy().tobytes(), Counter())[source] += 1
    assert all(len(found) == 1 for found in of.values()), of


@cache
def wide() -> tuple[Tables, VocabChange[WordPiece]]:
    """Tables so large that torch splits the sum of a bias among threads, and a change."""
    letters = "abcdefgh"
    old = WordPiece(
        [*SPECIAL, *letters, *(f"##{c}" for c in letters), *(f"z{i}" for i in range(120_000))]
    )
    new = [f"##{a}{b}{c}" for a in letters for b in letters for c in letters]
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(len(old.pieces), 5, generator=generator) + 3
    return Tables(table, table.flip(0), table[:, 0].exp()), old.place([*new, "xy", "яя"])


@pytest.mark.parametrize("method", METHODS)
def test_rows_depend_on_neither_threads_nor_the_global_generator(method: str) -> None:
    given_tables, change = wide()
    found = []
    before = torch.get_num_threads()
    try:
        for threads, disturbed in ((1, 0), (2, 1), (5, 2)):
            torch.set_num_threads(threads)
            torch.manual_seed(disturbed)
            state = torch.get_rng_state()
            found.append(method_of(method, change)(given_tables, change, [], seed=3))
            assert torch.get_num_threads() == threads
            assert torch.equal(torch.get_rng_state(), state)
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        assert all(torch.equal(getattr(found[0], n), getattr(other, n)) for n in NAMES)
        assert other.sources == found[0].sources
    rows = method_of(method, change)(given_tables, change, [], seed=4)
    drawn = [f for f, s in enumerate(rows.sources) if "drawn" in s]
    assert bool(drawn)
    assert not torch.equal(rows.input[drawn], found[0].input[drawn])
