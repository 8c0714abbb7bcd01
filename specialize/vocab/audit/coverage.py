"""Effects of new pieces on the words of a corpus: of each piece, and of the first k."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from specialize import native
from specialize.vocab.base import VocabChange, Vocabulary
from specialize.vocab.piece_text import visible
from specialize.vocab.wordpiece.model import WordPiece
from specialize.vocab.wordpiece.replacements import count_replacements

EXAMPLES = 3
_SIDES = ("before", "after")


@dataclass(frozen=True)
class WordFix:
    """A word with its pieces under the old and the new vocabulary."""

    word: str
    count: int
    before: list[str]
    after: list[str]


@dataclass(frozen=True)
class PieceFacts:
    """The effect of one fresh piece."""

    piece: str
    id: int
    replaced_unknowns: int  # occurrences of formerly unknown words with this piece
    words: list[WordFix]  # most frequent words with it, formerly unknown ones first
    saved: int = 0  # pieces: per occurrence, the old pieces it replaces, less one


def explain(change: VocabChange[Any], words: Mapping[str, int]) -> list[PieceFacts]:
    """Return the effect of each fresh piece on ``words`` (word -> occurrences), as selected."""
    if isinstance(words, native.WordCounts):
        return _explain_natively(change, words)
    old, new = change.old, change.new
    fresh = set(change.fresh_pieces)
    replaced, uses = dict.fromkeys(fresh, 0), dict.fromkeys(fresh, 0)
    holders: defaultdict[str, list[WordFix]] = defaultdict(list)
    for word, count in words.items():
        after = new.segment(word)
        held = fresh.intersection(after)
        if not held:
            continue
        fix = WordFix(word, count, old.segment(word), after)
        for piece in held:
            holders[piece].append(fix)
            replaced[piece] += count * _was_unknown(fix, old)
            uses[piece] += count * after.count(piece)

    return [
        PieceFacts(p, i, replaced[p], _examples(holders[p], old), uses[p] * _saves(old, p))
        for p, i in zip(change.fresh_pieces, change.fresh, strict=True)
    ]


def _explain_natively(change: VocabChange[WordPiece], words: native.WordCounts) -> list[PieceFacts]:
    old, new = change.old, change.new
    found = native.core().explain_pieces(
        words.handle, old.handle, new.handle, change.fresh, EXAMPLES, native.threads()
    )
    uses = count_replacements(words, old, new).overall
    facts = []
    for i, (replaced, held) in zip(change.fresh, found, strict=True):
        fixes = [WordFix(word, n, old.segment(word), new.segment(word)) for word, n in held]
        piece = new.pieces[i]
        saved = uses.get(piece, 0) * _saves(old, piece)
        facts.append(PieceFacts(piece, i, replaced, fixes, saved))
    return facts


def _saves(old: Vocabulary, piece: str) -> int:
    """Return how many pieces of ``old`` each occurrence of ``piece`` saves."""
    return max(0, len(old.parts(piece)) - 1)


def _was_unknown(fix: WordFix, old: Vocabulary) -> bool:
    return old.unk in fix.before


def _examples(fixes: list[WordFix], old: Vocabulary) -> list[WordFix]:
    """Return the most frequent of ``fixes``, unknown words first; ties go to the first word."""
    return sorted(fixes, key=lambda fix: (not _was_unknown(fix, old), -fix.count))[:EXAMPLES]


def readable_facts(change: VocabChange[Any], facts: Iterable[PieceFacts]) -> list[dict[str, Any]]:
    """Return the facts as JSON values, with words and pieces in readable form."""
    read = change.new.readable
    rows = [{**asdict(found), "text": read(found.piece)} for found in facts]
    for fix in (fix for row in rows for fix in row["words"]):
        fix["word"] = read(fix["word"])
        fix |= {side: [*map(read, fix[side])] for side in _SIDES}
    return rows


def with_sources(
    pieces: Sequence[Mapping[str, Any]], sources: Sequence[str]
) -> list[dict[str, Any]]:
    """Return pieces with what the initial row of each is made from; as they are if not recorded."""
    if not sources:
        return [{**facts} for facts in pieces]
    found = zip(pieces, sources, strict=True)
    return [{**facts, "initial_row": source} for facts, source in found]


def write_pieces(pieces: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Write pieces.tsv and words_fixed.tsv: the facts of ``explain``, given as dictionaries.

    ``text``: the readable form of a piece; ``initial_row``: of ``with_sources``, empty without.
    Tabs and line ends are escaped (``piece_text.visible``).
    """
    rows = ["rank\tid\tpiece\treplaced_unknowns\tsaved_pieces\ttext\tinitial_row\n"]
    fixes = ["piece\tword\tcount\tbefore\tafter\n"]
    for rank, facts in enumerate(pieces, 1):
        piece = visible(facts["piece"])
        use = f"{facts['replaced_unknowns']}\t{facts['saved']}"
        text = visible(facts.get("text", piece))
        source = visible(facts.get("initial_row", ""))
        rows.append(f"{rank}\t{facts['id']}\t{piece}\t{use}\t{text}\t{source}\n")
        for fix in facts["words"]:
            word, *sides = map(visible, (fix["word"], *(" ".join(fix[s]) for s in _SIDES)))
            fixes.append("\t".join((piece, word, str(fix["count"]), *sides)) + "\n")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pieces.tsv").write_text("".join(rows), "utf-8")
    (folder / "words_fixed.tsv").write_text("".join(fixes), "utf-8")


def coverage(
    change: VocabChange[Any], words: Mapping[str, int], *, steps: int = 12
) -> list[tuple[int, float]]:
    """Return (k, share of unknown pieces among all pieces with only the first k fresh pieces).

    k runs from 0 to all pieces in at most ``steps`` steps of nearly equal size. The figures are
    exact, even if a piece makes a word unknown: at each k, words that contain the text of a newly
    added piece are segmented again. All old pieces must be kept.
    """
    old, fresh = change.old, change.fresh_pieces
    points = _points(len(fresh), steps if old.unk else 1)
    if not old.unk:
        return [(k, 0.0) for k in points]
    if isinstance(words, native.WordCounts):
        sums = native.core().cover_words(
            words.handle, change.new.handle, change.fresh, points, native.threads()
        )
        return [(k, unk / n if n else 0.0) for k, (n, unk) in zip(points, sums, strict=True)]
    arrivals = {
        piece: next(i for i, k in enumerate(points) if k > n) for n, piece in enumerate(fresh)
    }
    due = _due(words, arrivals, old.prefix, len(points))
    lengths: dict[str, tuple[int, int]] = {}  # word -> pieces, unknown pieces
    pieces = unknown = 0
    curve = []
    for k, changing in zip(points, due, strict=True):
        vocabulary = change.new.restricted({*old.pieces, *fresh[:k]})
        for word in changing:
            now = vocabulary.segment(word)
            size, unk = len(now), now.count(vocabulary.unk)
            size_before, unk_before = lengths.get(word, (0, 0))
            pieces += words[word] * (size - size_before)
            unknown += words[word] * (unk - unk_before)
            lengths[word] = (size, unk)
        curve.append((k, unknown / pieces if pieces else 0.0))
    return curve


def _points(last: int, steps: int) -> list[int]:
    """Return at most ``steps`` + 1 whole numbers from 0 to ``last``, evenly spread."""
    steps = max(1, min(steps, last))
    return sorted({round(last * i / steps) for i in range(steps + 1)})


def _due(
    words: Mapping[str, int], arrivals: Mapping[str, int], prefix: str, points: int
) -> list[list[str]]:
    """Return the words to segment at each point: first all, then those with a new piece."""
    due: list[list[str]] = [[] for _ in range(points)]
    lengths = sorted({len(piece.removeprefix(prefix)) for piece in arrivals})
    for word in words:
        new = {0}
        for start in range(len(word)):
            mark = prefix if start else ""
            for length in lengths:
                if (point := arrivals.get(mark + word[start : start + length])) is not None:
                    new.add(point)
        for point in new:
            due[point].append(word)
    return due
