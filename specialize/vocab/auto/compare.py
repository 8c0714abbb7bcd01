"""Two tokenizers of transformers compared: what must not change when pieces are added or dropped.

``difference`` returns the first property that differs, by name, "" if none does. Ids are compared
as pieces, since pieces may move; where they may not is a check of its own (``verify.checks``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Value = Any
_ATTRIBUTES = (
    *("model_max_length", "padding_side", "truncation_side", "model_input_names"),
    *("clean_up_tokenization_spaces", "split_special_tokens", "pad_token_type_id"),
    *("src_lang", "tgt_lang"),
)
_NOT_COMPARED = frozenset(  # paths, and what a folder written by transformers says of itself
    (
        *("name_or_path", "vocab_file", "merges_file", "tokenizer_file", "is_local"),
        *("local_files_only", "backend", "revision"),
        *("vocab_size", "transformers_version"),
        *("add_bos_token", "add_eos_token"),  # compared by their effect
    )
)
_LANGUAGE = re.compile(r"__[a-z]{2,3}__|[a-z]{2,3}(_[A-Za-z]{2,4})?")
_FLAGS = ("special", "lstrip", "rstrip", "normalized", "single_word")
_SAMPLE = (
    *("", "a", "Hello, World! 12 é", " two  spaces ", "Größe\tмир 世界 ئۇيغۇر\n"),
    *("12345 3.14 1,000", "I'm don't it'S", "a_b(c) != '``x''';//", "x\n\n y\r\n"),
    *("e\u0301 ﬁ ½ Ⅷ \uff21B İ ǅ ß", "a\u200cb\xa0c", "日本語テキスト한국어", "😀👍🏽 ¿qué? «ja»"),
    *("the THE The", "A" * 120),
)
_LINES, _LENGTH = 40, 200
_CHAT = (
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Hi!"},
    {"role": "user", "content": "More"},
)


def difference(old: Any, new: Any, texts: Sequence[str], *, unk: str = "") -> str:
    """Return the first property of ``new`` that differs from ``old`` beyond its pieces, or "".

    ``unk``: the unknown piece; a text with it may be decoded otherwise.
    """
    for step in (_attributes, _named, _ends, _added, _methods, _templates):
        for what, before, now in step(old, new):
            if before != now:
                return f"{what} was {_short(before)}, and now is {_short(now)}"
    tokens = [str(token) for token in old.get_added_vocab()][:200]
    mixed = [f"a {token} b{token}c" for token in tokens]
    some = [text[:_LENGTH] for text in texts[:_LINES]]  # what frames a text does not depend on it
    return _texts(old, new, [*_SAMPLE, *mixed, *some], unk) or _languages(old, new)


def reading(tokenizer: Any, library: Tokenizer, texts: Sequence[str]) -> str:
    """Return the first text that the tokenizer of transformers segments unlike ``library``."""
    lines = [*_SAMPLE, *texts]
    theirs = tokenizer(lines, add_special_tokens=False)["input_ids"]
    ours = library.encode_batch_fast(lines, add_special_tokens=False)
    for line, ids, encoding in zip(lines, theirs, ours, strict=True):
        if ids != encoding.ids:
            found = tokenizer.convert_ids_to_tokens(ids)
            wanted = [library.id_to_token(i) for i in encoding.ids]
            pairs = zip(found, wanted, strict=False)
            first = next((i for i, (a, b) in enumerate(pairs) if a != b), 0)
            return (
                f"{line[:60]!r} has the pieces {found[first : first + 4]} there, and "
                f"{wanted[first : first + 4]} by tokenizer.json"
            )
    if (size := len(tokenizer)) != (pieces := library.get_vocab_size()):
        more = [p for p in tokenizer.get_vocab() if library.token_to_id(p) is None]
        return f"it has {size} pieces, and tokenizer.json {pieces}: {' '.join(more[:3])} is added"
    return ""


# Properties ---------------------------------------------------------------------------------------

Step = Iterator[tuple[str, Value, Value]]


def _attributes(old: Any, new: Any) -> Step:
    for name in _ATTRIBUTES:
        yield name, getattr(old, name, None), getattr(new, name, None)
    if type(old) is type(new):
        for name, value in old.init_kwargs.items():
            if isinstance(value, str | bool | int | float) and name not in _NOT_COMPARED:
                yield name, value, _plain(new.init_kwargs.get(name))


def _named(old: Any, new: Any) -> Step:
    """Yield the special tokens by name; where they were None, None."""
    before, now = old.special_tokens_map, new.special_tokens_map
    for name in dict.fromkeys((*before, *now)):
        yield name, _plain(before.get(name)), _plain(now.get(name))
    for name in ("bos_token", "eos_token", "unk_token", "pad_token", "cls_token", "sep_token"):
        yield name, _plain(getattr(old, name)), _plain(getattr(new, name))
    for name in ("extra_special_tokens", "additional_special_tokens"):
        yield name, _listed(old, name), _listed(new, name)
    yield "all_special_tokens", sorted(old.all_special_tokens), sorted(new.all_special_tokens)


def _ends(old: Any, new: Any) -> Step:
    """Yield whether texts get the pieces of their begin and end.

    By the attribute or in effect: transformers reads the attribute from a folder only where there
    is no tokenizer.json, whose post-processor has the same effect.
    """
    for kind, at in (("bos", 0), ("eos", -1)):
        name, token = f"add_{kind}_token", f"{kind}_token_id"
        yield name, _adds(old, name, token, at), _adds(new, name, token, at)


def _adds(tokenizer: Any, name: str, token: str, at: int) -> bool:
    ids = tokenizer("a")["input_ids"]
    in_effect = bool(ids) and ids[at] == getattr(tokenizer, token)
    return in_effect or bool(getattr(tokenizer, name, False))


def _listed(tokenizer: Any, name: str) -> list[str]:
    return sorted(map(str, getattr(tokenizer, name, None) or ()))


def _added(old: Any, new: Any) -> Step:
    """Yield the flags of added tokens."""
    before, now = ({str(t): t for t in each.added_tokens_decoder.values()} for each in (old, new))
    yield "the added tokens", sorted(before), sorted(now)
    for text, token in before.items():
        for flag in _FLAGS:
            yield f"{flag} of {text!r}", getattr(token, flag), getattr(now[text], flag)


def _methods(old: Any, new: Any) -> Step:
    """Yield what the old class can do, as names."""
    if type(old) is not type(new):
        public = (name for name in dir(type(old)) if not name.startswith("_"))
        lost = [n for n in public if hasattr(old, n) and not hasattr(new, n)]
        yield f"what {type(old).__name__} has", lost, []
        plain = type(old)._encode_plus is type(new)._encode_plus
        yield f"{type(old).__name__}'s own way to encode", not plain, False


def _templates(old: Any, new: Any) -> Step:
    before, now = old.chat_template, new.chat_template
    yield "chat_template", before, now
    for name in before if isinstance(before, dict) else [None] if before else []:
        for prompt in (True, False):

            def apply(each: Any, name: str | None = name, prompt: bool = prompt) -> str:
                more = {"tokenize": False, "add_generation_prompt": prompt, "chat_template": name}
                return str(each.apply_chat_template([*_CHAT], **more))

            yield f"a chat by template {name or ''}", _tried(apply, old), _tried(apply, new)


def _tried(call: Callable[[Any], str], tokenizer: Any) -> str:
    """Return the result of a template, or the class of its error: it may need other messages."""
    try:
        return call(tokenizer)
    except Exception as error:  # of any class: compared, not hidden
        return type(error).__name__


def _plain(token: Any) -> Any:
    """Return a token, or the tokens of a list, as text."""
    if isinstance(token, list | tuple):
        return [*map(str, token)]
    return token if token is None or isinstance(token, bool | int | float) else str(token)


# Texts --------------------------------------------------------------------------------------------


def _texts(old: Any, new: Any, texts: Sequence[str], unk: str) -> str:
    """Return how the pieces around texts, and around pairs, or a decoded text, differ, or ""."""
    for pairs in (None, [*texts[1:], texts[0]]):
        kind = "a pair of texts" if pairs else "a text"
        before, now = _encoded(old, texts, pairs), _encoded(new, texts, pairs)
        if [*before] != [*now]:
            return f"the input names of {kind} were {[*before]}, and now are {[*now]}"
        then, after = (_frames(*each, texts, pairs) for each in ((old, before), (new, now)))
        for text, one, other in zip(texts, then, after, strict=True):
            if one != other:
                was, is_now = _short(one), _short(other)
                return f"the pieces around {kind}, {text[:40]!r}, were {was}, and now are {is_now}"
        if pairs is None and (fault := _decoded(old, new, before, now, texts, unk)):
            return fault
    return ""


def _decoded(old: Any, new: Any, before: Any, now: Any, texts: Sequence[str], unk: str) -> str:
    """Return the first text without an unknown piece that is decoded otherwise, or ""."""
    spaced = old.backend_tokenizer.decoder is None  # the library puts spaces between pieces then
    unknown = {unk, old.unk_token, new.unk_token}
    for text, *both in zip(texts, before["input_ids"], now["input_ids"], strict=True):
        found = [*zip((old, new), both, strict=True)]
        if any(unknown & {*each.convert_ids_to_tokens(ids)} for each, ids in found):
            continue
        for skip in (True, False):
            then, after = (each.decode(ids, skip_special_tokens=skip) for each, ids in found)
            if then != after and not (spaced and _bare(then) == _bare(after)):
                return f"{text[:40]!r} was decoded as {_short(then)}, and now as {_short(after)}"
    return ""


def _bare(text: str) -> str:
    return text.replace(" ", "")


def _encoded(tokenizer: Any, texts: Sequence[str], pairs: Sequence[str] | None) -> Any:
    return tokenizer([*texts], None if pairs is None else [*pairs])


def _bodies(tokenizer: Any, texts: Sequence[str], pairs: Sequence[str] | None) -> list[list[Any]]:
    """Return the ids of each text alone, and of its second text."""
    kinds = [texts] if pairs is None else [texts, pairs]
    found = [tokenizer([*some], add_special_tokens=False)["input_ids"] for some in kinds]
    return [[*each] for each in zip(*found, strict=True)]


def _frames(
    tokenizer: Any, encoded: Any, texts: Sequence[str], pairs: Sequence[str] | None
) -> list[Any]:
    bodies = _bodies(tokenizer, texts, pairs)
    return [_frame(tokenizer, encoded, bodies, i) for i in range(len(texts))]


def _frame(tokenizer: Any, encoded: Any, bodies: list[list[Any]], at: int) -> list[Any]:
    """Return the pieces and types of a text, with "A" and "B" in place of what is its own."""
    ids, bodies = encoded["input_ids"][at], bodies[at]
    types = encoded["token_type_ids"][at] if "token_type_ids" in encoded else [0] * len(ids)
    tokens = tokenizer.convert_ids_to_tokens(ids)
    frame: list[Any] = []
    start = 0
    for name, body in zip("AB", bodies, strict=False):
        end = _place(ids, body, start)
        if end < 0:
            return [*zip(tokens, types, strict=True)]  # the text is split otherwise in its frame
        frame += [*zip(tokens[start:end], types[start:end], strict=True)]
        frame.append((name, sorted({*types[end : end + len(body)]})))
        start = end + len(body)
    return [*frame, *zip(tokens[start:], types[start:], strict=True)]


def _place(ids: list[int], body: list[int], start: int) -> int:
    places = range(start, len(ids) - len(body) + 1)
    return next((i for i in places if ids[i : i + len(body)] == body), -1)


# Languages ----------------------------------------------------------------------------------------


def _languages(old: Any, new: Any) -> str:
    """Return the first language whose pieces around a text differ, source or target, or ""."""
    if not isinstance(getattr(old, "src_lang", None), str):
        return ""
    kept = [(each, each.src_lang, each.tgt_lang) for each in (old, new)]
    known = chain(getattr(old, "lang_code_to_id", {}) or {}, map(str, old.get_added_vocab()))
    try:
        for language in dict.fromkeys(code for code in known if _LANGUAGE.fullmatch(code)):
            framed = []
            for each in (old, new):
                each.src_lang = each.tgt_lang = language
                found, body = each("a", text_target="a"), _bodies(each, ["a"], None)
                inputs = ([found[name]] for name in ("input_ids", "labels"))
                framed.append([_frame(each, {"input_ids": ids}, body, 0) for ids in inputs])
            if framed[0] != framed[1]:
                was, now = map(_short, framed)
                return f"src_lang {language!r} gave {was}, and now gives {now}"
    finally:
        for each, source, target in kept:
            each.src_lang, each.tgt_lang = source, target
    return ""


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
