"""Treebanks to learn from and to annotate: CoNLL-U with its heads checked, or plain text."""

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from specialize.corpus.conllu import HEAD, ID, WIDTH, Block, is_conllu, read_blocks
from specialize.corpus.files import read_lines
from specialize.errors import DataError
from specialize.tasks._plain import PlainSentence, is_plain, read_plain
from specialize.tasks._pretokenize import Style

_NUMBER = re.compile(r"[0-9]{1,9}")


def read_treebank(path: Path | str) -> list[Block]:
    """Return the sentences of a CoNLL-U file (.xz and .gz too), heads that are given checked."""
    blocks = []
    for block in read_blocks(path):
        _check_columns(block)
        _check_heads(block)
        blocks.append(block)
    if not blocks:
        raise DataError(f"{path}:1: no sentence in the file")
    return blocks


def read_words(path: Path | str, pretokenize: Style = "spaces") -> list[Block]:
    """Return the sentences of a file to annotate: CoNLL-U, or plain text (`_plain`) as CoNLL-U."""
    if is_conllu(path):
        return read_treebank(path)
    if is_plain(path):
        plain = enumerate(read_plain(path, pretokenize), 1)
        return [_plain_block(sentence, name, str(path)) for name, sentence in plain]
    lines = ((n, line) for n, line in read_lines(path) if line.strip() and line[0] != "#")
    for number, _ in islice(lines, 1):
        raise DataError(
            f"{path}:{number}: expected CoNLL-U (a word a line, 10 columns separated by tabs) or "
            "plain text (a sentence a line) in a file named .txt"
        )
    raise DataError(f"{path}:1: no sentence in the file")


def write_blocks(blocks: Iterable[Block], path: Path | str) -> None:
    """Write sentences as CoNLL-U, comments, multiword tokens and empty nodes included."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for block in blocks:
            lines = [*block.comments, *("\t".join(row) for row in block.rows)]
            file.write("\n".join(lines) + "\n\n")


def has_heads(blocks: Iterable[Block]) -> bool:
    """Return whether any word has a head."""
    return any(block.rows[i][HEAD] != "_" for block in blocks for i in block.words)


def tree(block: Block) -> tuple[int, ...]:
    """Return the heads of the words; anything but a tree with one root is a `DataError`."""
    for i in block.words:
        if block.rows[i][HEAD] == "_":
            raise block.fault(i, "the word has no head, '_'; give its number, or 0 for the root")
    heads = tuple(map(int, block.column(HEAD)))
    roots = [word for word, head in enumerate(heads) if head == 0]
    if len(roots) > 1:
        other = block.rows[block.words[roots[0]]][ID]
        raise block.fault(
            block.words[roots[1]], f"a second root (head 0) beside word {other}; a tree has one"
        )
    loop = _cycle(heads)
    if loop is not None:
        missing = "" if roots else ", and no word has head 0"
        raise block.fault(block.words[loop], f"the heads from this word form a cycle{missing}")
    return heads


def _plain_block(sentence: PlainSentence, name: int, path: str) -> Block:
    """Return words as a block that has no other column but SpaceAfter=No."""
    comments = (f"# sent_id = {name}", f"# text = {sentence.text}")
    unknown = ("_",) * (WIDTH - 3)  # all but the id, the form and the last column
    words = zip(sentence.words, sentence.glued, strict=True)
    rows = tuple(
        (str(number), word, *unknown, "SpaceAfter=No" if glued else "_")
        for number, (word, glued) in enumerate(words, 1)
    )
    return Block(comments, rows, path, sentence.line)


def _check_columns(block: Block) -> None:
    """Every column has a value."""
    for i, row in enumerate(block.rows):
        if "" in row:
            raise block.fault(i, f"column {row.index('') + 1} is empty; write _ for no value")


def _check_heads(block: Block) -> None:
    """Heads are '_' or the number of a word, or 0."""
    count = len(block.words)
    for i in block.words:
        head = block.rows[i][HEAD]
        if head == "_":
            continue
        if not _NUMBER.fullmatch(head):
            shown = repr(head[:20]) + "…" * (len(head) > 20)
            raise block.fault(i, f"expected the number of a word as head, got {shown}")
        if int(head) > count:
            raise block.fault(i, f"head {head} in a sentence of {count} words")


def _cycle(heads: Sequence[int]) -> int | None:
    """Return a word (from 0) whose heads lead back to it, or None."""
    seen = [-1] * len(heads)  # the walk that passed each word
    for start in range(len(heads)):
        word = start
        while word >= 0 and seen[word] < 0:
            seen[word] = start
            word = heads[word] - 1
        if word >= 0 and seen[word] == start:
            return word
    return None
