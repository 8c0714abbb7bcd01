"""The old pieces of a new piece's transliteration: for scripts that the model has never seen."""

from __future__ import annotations

from collections.abc import Iterable

from specialize.embed._rows import FreshRows, Tables, fresh_rows, mean_of
from specialize.mixins import Mix
from specialize.vocab.base import VocabChange, Vocabulary


def init(
    tables: Tables,
    change: VocabChange[Vocabulary],
    corpus: Iterable[str],
    *,
    mixin: Mix | tuple[Mix, ...],
    seed: int = 0,
) -> FreshRows:
    """Return the mean of the old rows of the pieces of each piece's transliteration.

    ``mixin``: any mix-in, or a list applied in order, such as ``{ method = "table", scheme =
    "uyghur_turkish" }``, whose schemes ``specialize translit --list`` shows. Only the rows use it:
    texts keep their script. The transliteration is segmented in the position of the piece: that of
    ``##ە`` by continuing pieces. Pieces that are written alike get equal rows; one whose
    transliteration is empty or unknown, or that is part of a character, is drawn around the mean.
    """
    old, new = change.old, change.new
    mixins = mixin if isinstance(mixin, tuple) else (mixin,)
    weights, prefixes = [], []
    for piece in change.fresh_pieces:
        text = new.text(piece)
        for mix in mixins:
            text = mix(text)
        weights.append(mean_of([old.ids[p] for p in old.parts(piece, text)]) if text else None)
        prefixes.append(f"transliterated {text}: ")
    return fresh_rows(tables, change, weights, seed=seed, prefixes=prefixes)
