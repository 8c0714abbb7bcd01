"""Rows like the old ones of the same script and position in the word."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache, partial
from typing import NamedTuple

import regex
import torch
from torch import Tensor

from specialize.embed._rows import FreshRows, Tables, around_mean, fresh_rows
from specialize.errors import UsageError
from specialize.vocab.base import VocabChange, Vocabulary
from specialize.vocab.wordpiece.model import is_slot

COMMON = "Common"
PARTS = "parts of characters"  # of a byte-level vocabulary, instead of a script
_LIVING = """
Latin Cyrillic Arabic Han Hangul Hiragana Katakana Devanagari Greek Hebrew Armenian Georgian Thai
Lao Khmer Myanmar Tibetan Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala
Ethiopic Syriac Thaana Nko Tifinagh Mongolian Cherokee Canadian_Aboriginal Bopomofo Yi Vai Lisu
Ol_Chiki Meetei_Mayek Coptic Javanese Balinese Sundanese Buginese Batak Cham Tai_Le New_Tai_Lue
Tai_Tham Tai_Viet Limbu Lepcha Kayah_Li Syloti_Nagri Saurashtra Bamum Samaritan Mandaic Tagalog
Hanunoo Buhid Tagbanwa Rejang Chakma Adlam Osage Hanifi_Rohingya Miao Pahawh_Hmong Warang_Citi
Sora_Sompeng Osmanya Deseret Wancho Newa Tirhuta
"""


class Group(NamedTuple):
    """What pieces are drawn alike; None: of any script, or in any position."""

    script: str | None
    continues: bool | None

    def __str__(self) -> str:
        places = {None: "", False: "word-initial", True: "continuing"}
        return ", ".join(filter(None, (self.script, places[self.continues]))) or "all"


def init(
    tables: Tables,
    change: VocabChange[Vocabulary],
    corpus: Iterable[str],
    *,
    scale: float = 1.0,
    smallest: int = 20,
    seed: int = 0,
) -> FreshRows:
    """Return rows from N(mean, deviation) of the old pieces of the same script and position.

    Downey et al. 2023, "Embedding structure matters": pieces are grouped by Unicode script and by
    whether they begin a word. A group with fewer than ``smallest`` old pieces is replaced by both
    positions of its script, then by its position in any script. ``scale`` multiplies the
    deviations. Good for what has no old pieces to be made from.
    """
    if smallest < 2:
        raise UsageError(f"expected smallest of 2 or more, got {smallest}: one row has no spread")
    members = _members(change.old)
    chosen = [
        next(g for g in _wider(group) if len(members[g]) >= smallest or g == (None, None))
        for group in (_group(change.new, i) for i in change.fresh)
    ]
    names = {g: f"drawn around the mean of {len(members[g]):,} pieces ({g})" for g in set(chosen)}
    draw = partial(_draw, groups=chosen, members=members, scale=scale)
    weights, drawn = [None] * len(chosen), [names[g] for g in chosen]
    return fresh_rows(tables, change, weights, seed=seed, draw=draw, drawn=drawn)


def _members(old: Vocabulary) -> defaultdict[Group, list[int]]:
    """Return the old pieces of each group, and of all wider ones; control pieces are in none."""
    members: defaultdict[Group, list[int]] = defaultdict(list)
    apart = set(old.control_pieces)
    for i, piece in enumerate(old.pieces):
        if piece not in apart and not is_slot(piece):
            for group in _wider(_group(old, i)):
                members[group].append(i)
    return members


def _group(vocabulary: Vocabulary, id: int) -> Group:
    text = vocabulary.text(vocabulary.pieces[id])
    return Group(script_of(text) if text else PARTS, vocabulary.continues(id))


def _wider(group: Group) -> tuple[Group, ...]:
    script, continues = group
    return group, Group(script, None), Group(None, continues), Group(None, None)


def _draw(
    noise_FD: Tensor,
    old_VD: Tensor,
    *,
    groups: Sequence[Group],
    members: dict[Group, list[int]],
    scale: float,
) -> Tensor:
    """Return rows drawn from the moments of each piece's group."""
    rows_FD = torch.empty_like(noise_FD)
    for group in sorted(set(groups), key=str):
        places = torch.tensor([f for f, g in enumerate(groups) if g == group])
        rows_FD[places] = around_mean(noise_FD[places], old_VD[members[group]], scale=scale)
    return rows_FD


def script_of(text: str) -> str:
    """Return the Unicode script of the first character that has one, "Common" if none has."""
    found = (_script(character) for character in text)
    return next((script for script in found if script != COMMON), COMMON)


@cache
def _script(character: str) -> str:
    """Return the script of a character; of a historic one the first word of its name."""
    if regex.match(r"[\p{Common}\p{Inherited}\p{Unknown}]", character):
        return COMMON
    found = (name for name in _LIVING.split() if regex.match(rf"\p{{Script={name}}}", character))
    return next(found, "") or unicodedata.name(character, "Other").split()[0].title()
