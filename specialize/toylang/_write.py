"""The files of a toy language: corpus, treebank and named entities, without shared sentences."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from specialize.errors import UsageError
from specialize.toylang._grammar import document, sentence
from specialize.toylang._language import Language, make_language
from specialize.toylang._script import to_script
from specialize.toylang._tree import Sentence

LANGUAGE_NOTE = (
    "This language is synthetic: its sentences come from a seeded program and mean nothing, and "
    "scores on them say nothing about a real language."
)
_SPLITS = ("train", "dev", "test")
_NAMED = 2.0  # frequency of names in entity sentences, relative to the corpus
_NAMELESS = 0.3  # share of entity sentences without a name that are kept


@dataclass(frozen=True)
class ToyFiles:
    """Paths of a toy language: lines of text, CoNLL-U, and columns of token, tab, IOB2 tag."""

    corpus: Path
    train: Path
    dev: Path
    test: Path
    ner_train: Path
    ner_dev: Path
    ner_test: Path


def write_language(
    out: Path,
    *,
    seed: int = 0,
    documents: int = 1500,
    sentences: tuple[int, int, int] = (400, 100, 200),
) -> ToyFiles:
    """Write the language of ``seed`` to folder ``out`` and return its files.

    The corpus has ``documents`` (1,500 are about 800,000 letters, 2 MB of UTF-8); treebank and
    entities have ``sentences`` each in train, dev and test. No annotated sentence is repeated or
    occurs in the corpus. The same arguments give the same bytes on every machine. A README.txt
    beside the files says that they are synthetic.
    """
    _check(documents, sentences)
    out.mkdir(parents=True, exist_ok=True)
    language = make_language(seed)
    corpus, seen = _corpus(language, seed, documents)
    files = {"corpus": _replace(out / "corpus.txt", corpus)}
    for split, count in zip(_SPLITS, sentences, strict=True):
        rng = Random(f"toylang/{seed}/{split}")
        text = "".join(
            conllu(tree, f"toy-{split}-{number}")
            for number, tree in enumerate(_unseen(rng, language, count, seen), 1)
        )
        files[split] = _replace(out / f"{split}.conllu", text)
    for split, count in zip(_SPLITS, sentences, strict=True):
        rng = Random(f"toylang/{seed}/ner/{split}")
        trees = _unseen(rng, language, count, seen, names=_NAMED)
        files[f"ner_{split}"] = _replace(out / f"ner_{split}.tsv", "".join(map(iob2, trees)))
    _replace(out / "README.txt", LANGUAGE_NOTE + "\n")
    return ToyFiles(**files)


def conllu(tree: Sentence, sent_id: str) -> str:
    """Return a sentence as CoNLL-U in the toy script, ending with a blank line."""
    lines = [f"# sent_id = {sent_id}", f"# text = {to_script(tree.text)}"]
    last = len(tree.tokens) - 1
    for index, token in enumerate(tree.tokens):
        word = token.word
        attached = index < last and not tree.spaced(index + 1)
        columns = (
            str(index + 1),
            to_script(word.form),
            to_script(word.lemma),
            word.upos,
            word.xpos,
            word.feats,
            str(token.head),
            token.deprel,
            "_",
            "SpaceAfter=No" if attached else "_",
        )
        lines.append("\t".join(columns))
    return "\n".join(lines) + "\n\n"


def iob2(tree: Sentence) -> str:
    """Return a sentence as lines of token, tab, tag in the toy script, then a blank line."""
    lines = [f"{to_script(token.word.form)}\t{token.tag}\n" for token in tree.tokens]
    return "".join(lines) + "\n"


def _corpus(language: Language, seed: int, documents: int) -> tuple[str, set[str]]:
    """Return the corpus, a sentence per line with blank lines between documents, and its lines."""
    rng = Random(f"toylang/{seed}/corpus")
    seen: set[str] = set()
    blocks = []
    for _ in range(documents):
        lines = [tree.text for tree in document(rng, language)]
        seen.update(lines)
        blocks.append("\n".join(lines) + "\n")
    return to_script("\n".join(blocks)), seen


def _unseen(
    rng: Random, language: Language, count: int, seen: set[str], *, names: float | None = None
) -> Iterator[Sentence]:
    """Yield ``count`` sentences not in ``seen``, adding them; with ``names``, most have a name."""
    while count:
        tree = sentence(rng, language, names=1.0 if names is None else names)
        nameless = all(token.tag == "O" for token in tree.tokens)
        dropped = names is not None and nameless and rng.random() >= _NAMELESS
        if dropped or tree.text in seen:
            continue
        seen.add(tree.text)
        count -= 1
        yield tree


def _check(documents: int, sentences: tuple[int, int, int]) -> None:
    if documents < 0 or len(sentences) != len(_SPLITS) or min(sentences) < 0:
        raise UsageError(
            f"expected documents and three numbers of sentences (train, dev, test) of 0 or more, "
            f"got {documents} and {sentences}"
        )


def _replace(path: Path, text: str) -> Path:
    """Write ``text`` to ``path`` atomically: a reader sees the old or the new file."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return path
