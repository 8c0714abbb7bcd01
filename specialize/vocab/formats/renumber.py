"""Ids of tokens outside the vocabulary itself, renumbered when pieces move.

In tokenizer.json these are the added tokens, the post-processor that puts [CLS] and [SEP] around a
text, and the padding; in tokenizer_config.json the added tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = dict[str, Any]


def renumbered(described: Json, ids: Mapping[str, int]) -> Json:
    """Return a tokenizer.json with ``ids`` (token -> id) everywhere except in its model.

    Tokens not in ``ids`` are unchanged.
    """
    made = dict(described)
    if tokens := described.get("added_tokens"):
        made["added_tokens"] = [_token(token, ids) for token in tokens]
    if processor := described.get("post_processor"):
        made["post_processor"] = _processor(processor, ids)
    if (padding := described.get("padding")) and padding.get("pad_token") in ids:
        made["padding"] = padding | {"pad_id": ids[padding["pad_token"]]}
    return made


def renumbered_config(config: Json, ids: Mapping[str, int]) -> Json:
    """Return a tokenizer_config.json with ``ids`` in its table of added tokens."""
    table: Mapping[str, Json] | None = config.get("added_tokens_decoder")
    if not table:
        return config
    moved = {ids.get(token["content"], int(old)): token for old, token in table.items()}
    return config | {"added_tokens_decoder": {str(i): moved[i] for i in sorted(moved)}}


_ID_KEYS = ("suppress_tokens", "begin_suppress_tokens", "lang_to_id", "task_to_id")
_ID_LISTS = ("bad_words_ids", "force_words_ids", "forced_decoder_ids")  # a list a text or place


def moved_ids(config: Json, old: Sequence[str], ids: Mapping[str, int]) -> Json:
    """Return a generation_config.json with the ids of ``old`` pieces as in ``ids`` (piece -> id).

    An id of no old piece stays. What names a piece without a new id is left out.
    """

    def now(at: Any) -> Any:
        return ids.get(old[at]) if type(at) is int and 0 <= at < len(old) else at

    def moved(key: str, value: Any) -> Any:
        if key in _ID_LISTS and value:
            first = int(key == "forced_decoder_ids")  # a place, then the id for it
            lists = ((each, [*each[:first], *map(now, each[first:])]) for each in value)
            return [new for before, new in lists if None not in new or None in before]
        if not (key.endswith("_token_id") or key in _ID_KEYS):
            return value
        if isinstance(value, dict):
            return {name: at for name, each in value.items() if (at := now(each)) is not None}
        if isinstance(value, list):
            return [at for each in value if (at := now(each)) is not None]
        return now(value)

    found = {key: moved(key, value) for key, value in config.items()}
    return {key: value for key, value in found.items() if value is not None or config[key] is None}


def named_tokens(described: Json) -> list[str]:
    """Return the distinct tokens with ids outside the model of a tokenizer.json."""
    added = [token["content"] for token in described.get("added_tokens") or ()]
    around = _around(described.get("post_processor") or {})
    padding = [token for token in ((described.get("padding") or {}).get("pad_token"),) if token]
    return list(dict.fromkeys([*added, *around, *padding]))


def _token(token: Json, ids: Mapping[str, int]) -> Json:
    return token | {"id": ids[token["content"]]} if token["content"] in ids else token


_PAIRS = ("BertProcessing", "RobertaProcessing")  # "cls": ["[CLS]", 101], "sep": ["[SEP]", 102]


def _processor(processor: Json, ids: Mapping[str, int]) -> Json:
    kind = processor.get("type")
    if kind == "Sequence":
        steps = [_processor(step, ids) for step in processor["processors"]]
        return processor | {"processors": steps}
    if kind in _PAIRS:
        pairs = {name: processor[name] for name in ("cls", "sep")}
        return processor | {name: [t, ids.get(t, old)] for name, (t, old) in pairs.items()}
    if kind == "TemplateProcessing":
        tokens = {
            name: _template(token, ids) for name, token in processor["special_tokens"].items()
        }
        return processor | {"special_tokens": tokens}
    return processor


def _template(token: Json, ids: Mapping[str, int]) -> Json:
    pairs = zip(token["tokens"], token["ids"], strict=True)
    return token | {"ids": [ids.get(text, old) for text, old in pairs]}


def _around(processor: Json) -> Iterator[str]:
    """Yield the tokens that a post-processor adds around a text."""
    kind = processor.get("type")
    if kind == "Sequence":
        for step in processor["processors"]:
            yield from _around(step)
    elif kind in _PAIRS:
        yield from (processor[name][0] for name in ("cls", "sep"))
    elif kind == "TemplateProcessing":
        for token in processor["special_tokens"].values():
            yield from token["tokens"]
