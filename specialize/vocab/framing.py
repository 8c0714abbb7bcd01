"""The pieces around a text and the number that fit, read from a model's folder.

Special pieces come from the post-processor of tokenizer.json, padding and mask from the names in
tokenizer_config.json, the maximal length from config.json. Neither torch nor transformers is
needed; tests compare with transformers on the same folders.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from specialize.errors import DataError
from specialize.vocab.base import VocabChange, Vocabulary
from specialize.vocab.formats.json_files import load_json
from specialize.vocab.library import live_tokenizer
from specialize.vocab.settings import load_config
from specialize.vocab.wordpiece.model import is_slot

Json = Mapping[str, Any]

_WITHOUT_LIMIT = 512  # positions if the files give no number, e.g. relative positions
_NO_LIMIT = 10**9  # transformers writes 10**30 for an unset model_max_length
_LENGTHS = ("max_position_embeddings", "n_positions")  # the second is GPT-2's and T5's
_KNOWN = {"pad": ("[PAD]", "<pad>"), "mask": ("[MASK]", "<mask>")}

# model_type of the families that count positions from pad_token_id + 1 on, so that as many rows of
# the table of positions are never used (create_position_ids_from_input_ids in transformers 5)
FROM_PADDING = frozenset(
    (
        "camembert",
        "data2vec-text",
        "esm",
        "ibert",
        "layoutlmv3",
        "lilt",
        "longformer",
        "luke",
        "markuplm",
        "mluke",
        "mpnet",
        "roberta",
        "roberta-prelayernorm",
        "xlm-roberta",
        "xlm-roberta-xl",
        "xmod",
    )
)


@dataclass(frozen=True)
class Framing:
    """The pieces that a model expects around a text, as ids of its vocabulary."""

    prefix: tuple[int, ...]  # before a text, such as (101,) for BERT's [CLS]
    suffix: tuple[int, ...]  # after it
    pad: int
    mask: int | None  # None for models that predict the next piece
    special: frozenset[int]  # never masked, never drawn at random
    positions: int  # maximal number of pieces, prefix and suffix included
    end: int | None = None  # ends a document where there is no suffix, such as <|endoftext|>

    @property
    def separator(self) -> tuple[int, ...]:
        """Return what separates documents: the suffix, or the piece that ends a document."""
        return self.suffix or (() if self.end is None else (self.end,))

    @property
    def room(self) -> int:
        """Return how many pieces of a text fit."""
        return self.positions - len(self.prefix) - len(self.suffix)


def frame_pieces(
    vocabulary: Vocabulary,
    *,
    prefix: Sequence[str],
    suffix: Sequence[str],
    pad: str,
    mask: str | None,
    positions: int,
) -> Framing:
    """Return the framing with these pieces of ``vocabulary``: DataError if one is missing."""
    wanted = [*prefix, *suffix, pad, *filter(None, [mask])]
    if missing := [piece for piece in wanted if piece not in vocabulary.ids]:
        raise DataError(f"the vocabulary lacks the special pieces {' '.join(missing)}; add them")
    of = vocabulary.ids
    before, after = tuple(of[p] for p in prefix), tuple(of[p] for p in suffix)
    special = _special(vocabulary, wanted)
    return Framing(before, after, of[pad], of[mask] if mask else None, special, positions)


def read_framing(vocabulary: Vocabulary, folder: Path) -> Framing:
    """Return the framing of the model in ``folder``, whose vocabulary is ``vocabulary``.

    - Prefix and suffix: what the post-processor of tokenizer.json, or that of the class that reads
      the folder, puts around a text; beside a bare vocab.txt, its classification and separator
      pieces ([CLS], [SEP]).
    - Padding, mask and end: ``pad_token``, ``mask_token`` and ``eos_token`` of
      tokenizer_config.json, else of special_tokens_map.json, else ``pad_token_id`` and so on of
      config.json, else [PAD] or <pad>. Without a padding piece, as in GPT-2 and Llama, the one that
      ends a text pads.
    - Positions: of config.json, less those that padding takes (``FROM_PADDING``), and no more than
      ``model_max_length``; without a number in config.json, that or 512.

    DataError without a padding piece, or without information on the pieces around a text.
    """
    config_file = folder / "config.json"
    config = load_json(config_file) if config_file.is_file() else {}
    names = _names(folder)
    prefix, suffix = _around(vocabulary, folder, names)
    pad, mask, end = (_id(kind, vocabulary, names, config) for kind in ("pad", "mask", "eos"))
    pad = end if pad is None else pad
    if pad is None:
        raise DataError(
            f"{folder}: expected a padding piece, got none; name one of the tokenizer's pieces as "
            '"pad_token" in tokenizer_config.json'
        )
    special = _special(vocabulary, names.values())
    end = None if suffix else end
    special |= {*prefix, *suffix, pad, *(i for i in (mask, end) if i is not None)}
    positions = _positions(config, load_config(folder), pad)
    return Framing(prefix, suffix, pad, mask, special, positions, end)


def moved(framing: Framing, change: VocabChange[Any]) -> Framing:
    """Return the framing of ``change.new``; moved pieces keep their role, filled slots lose it.

    KeyError if a framing, padding or mask piece is missing; no method drops these.
    """
    now = {old: new for new, old in change.kept.items()}
    return replace(
        framing,
        prefix=tuple(now[i] for i in framing.prefix),
        suffix=tuple(now[i] for i in framing.suffix),
        pad=now[framing.pad],
        mask=None if framing.mask is None else now[framing.mask],
        special=frozenset(now[i] for i in framing.special if i in now),
        end=None if framing.end is None else now[framing.end],
    )


def _names(folder: Path) -> dict[str, str]:
    """Return the special pieces by their names in transformers: pad_token, mask_token, ..."""
    extra = folder / "special_tokens_map.json"
    found: dict[str, str] = {}
    for table in (load_json(extra) if extra.is_file() else {}, load_config(folder)):
        for name, value in table.items():
            text = value.get("content") if isinstance(value, dict) else value
            if name.endswith("_token") and isinstance(text, str):
                found[name] = text
    return found


def _around(
    vocabulary: Vocabulary, folder: Path, names: Mapping[str, str]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the ids before and after a text."""
    file = folder / "tokenizer.json"
    if file.is_file():
        return _processed(load_json(file).get("post_processor"), str(file))
    if vocabulary.settings and vocabulary.settings.names_class:  # read by its class
        described = json.loads(vocabulary.tokenizer.to_str())
        return _processed(described.get("post_processor"), str(folder))
    if not (folder / "vocab.txt").is_file():
        raise DataError(
            f"{folder}: expected a tokenizer.json with the special pieces around a text; "
            "write it: AutoTokenizer.from_pretrained(folder).save_pretrained(folder)"
        )
    cls, sep = names.get("cls_token", "[CLS]"), names.get("sep_token", "[SEP]")
    if missing := [piece for piece in (cls, sep) if piece not in vocabulary.ids]:
        raise DataError(f"{folder / 'vocab.txt'}:1: special pieces {missing} are missing; add them")
    return (vocabulary.ids[cls],), (vocabulary.ids[sep],)


def _processed(processor: Any, source: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the pieces that ``processor`` adds around a text, tried on a one-piece tokenizer."""
    model = {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}
    tokenizer = live_tokenizer({"model": model, "post_processor": processor}, source)
    encoding = tokenizer.encode("a")
    at = encoding.special_tokens_mask.index(0)
    return tuple(encoding.ids[:at]), tuple(encoding.ids[at + 1 :])


def _id(kind: str, vocabulary: Vocabulary, names: Mapping[str, str], config: Json) -> int | None:
    """Return the id of the padding or mask piece, None if there is none."""
    named = vocabulary.ids.get(names.get(f"{kind}_token", ""))
    if named is not None:
        return named
    given = config.get(f"{kind}_token_id")
    given = given[0] if isinstance(given, list) and given else given
    if isinstance(given, int) and 0 <= given < len(vocabulary.pieces):
        return given
    return next((vocabulary.ids[p] for p in _KNOWN.get(kind, ()) if p in vocabulary.ids), None)


def _special(vocabulary: Vocabulary, named: Iterable[str]) -> frozenset[int]:
    """Return the ids of special pieces, of those ``named``, and of [unusedN] slots."""
    special = {*vocabulary.special, vocabulary.unk, *named}
    return frozenset(i for i, p in enumerate(vocabulary.pieces) if p in special or is_slot(p))


def _positions(config: Json, tokenizer: Json, pad: int) -> int:
    limit = tokenizer.get("model_max_length")
    limited = limit if isinstance(limit, int | float) and 0 < limit < _NO_LIMIT else None
    rows = next((n for name in _LENGTHS if isinstance(n := config.get(name), int) and n > 0), None)
    if rows is None:
        return int(limited or _WITHOUT_LIMIT)
    if config.get("model_type") in FROM_PADDING:
        first = config.get("pad_token_id")
        rows -= 1 + (first if isinstance(first, int) else pad)
    return rows if limited is None else min(rows, int(limited))
