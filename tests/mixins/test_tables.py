"""The schemes of the package: golden lines, published references, and their settings."""

import lzma
import unicodedata
from pathlib import Path

import pytest

from specialize.mixins import table
from specialize.mixins._table import read_table, scheme_file, schemes
from specialize.recipe.methods import bind

GOLDEN = [
    line.split("\t")
    for line in Path(__file__).with_name("golden.tsv").read_text("utf-8").splitlines()[1:]
]


@pytest.mark.parametrize(("scheme", "text", "result"), GOLDEN)
def test_golden_lines(scheme: str, text: str, result: str) -> None:
    assert table.mix(text, scheme=scheme) == result


def test_every_scheme_has_a_golden_line() -> None:
    assert {scheme for scheme, _, _ in GOLDEN} == set(schemes())


@pytest.mark.parametrize("name", schemes())
def test_a_scheme_says_what_it_is_and_its_sample_is_rewritten(name: str) -> None:
    found = read_table(scheme_file(name))
    assert found.title
    assert found.script
    assert found.source
    assert table.mix(found.sample, scheme=name) != found.sample


@pytest.mark.parametrize("name", schemes())
def test_words_are_rewritten_alike_alone_and_in_a_line(name: str) -> None:
    words = read_table(scheme_file(name)).sample.split()
    mix = bind("mixin", "table", {"scheme": name})
    assert mix(" ".join(words)) == " ".join(map(mix, words))


# Published output


def rows(file: Path) -> list[list[str]]:
    data = file.read_bytes()
    text = (lzma.decompress(data) if file.suffix == ".xz" else data).decode()
    return [line.split("\t") for line in text.removesuffix("\n").split("\n")[1:]]


def differences(scheme: str, pairs: list[tuple[str, str]], at_least: int) -> list[object]:
    assert len(pairs) >= at_least
    mix = bind("mixin", "table", {"scheme": scheme})
    return [(text, result, mix(text)) for text, result in pairs if mix(text) != result]


@pytest.mark.parametrize(
    ("file", "columns", "at_least"),
    [
        ("muller2021_sentences.tsv.xz", (0, 1), 3000),
        ("muller2021_words.tsv.xz", (0, 2), 10_000),
        ("muller2021_letters.tsv", (0, 3), 900),
    ],
)
def test_the_published_uyghur_transliterator_is_reproduced(
    data: Path, file: str, columns: tuple[int, int], at_least: int
) -> None:
    text, result = columns
    pairs = [(row[text], row[result]) for row in rows(data / "translit" / "uyghur" / file)]
    assert differences("uyghur_turkish", pairs, at_least) == []


def test_the_papers_way_of_writing_mari_is_reproduced(data: Path) -> None:
    file = data / "translit" / "mari" / "transliterate_ru_sentences.tsv.xz"
    pairs = [(row[0], row[1]) for row in rows(file)]
    assert differences("mari_russian", pairs, 2000) == []


def test_uyghur_latin_is_that_of_the_treebank(data: Path) -> None:
    folder = data / "translit" / "uyghur"
    pairs = [(r[1], r[2]) for r in rows(folder / "ud_sentences.tsv.xz")]
    pairs += [(r[0], r[1]) for r in rows(folder / "ud_words.tsv.xz")]
    ours = [(text, unicodedata.normalize("NFKC", result)) for text, result in pairs]  # … is ...
    assert differences("uyghur_uly", ours, 13_000) == []


def test_telugu_and_sanskrit_are_those_of_the_treebanks(data: Path) -> None:
    telugu = [(r[0], r[1]) for r in rows(data / "translit" / "telugu" / "ud_words.tsv.xz")]
    assert differences("telugu", telugu, 2000) == []
    sanskrit = [(r[0], r[1]) for r in rows(data / "translit" / "sanskrit" / "ud_words.tsv.xz")]
    assert len(differences("devanagari", sanskrit, 1000)) < 0.03 * len(sanskrit)  # lemmas, typos


def test_uyghur_words_come_back(data: Path) -> None:
    from specialize.mixins._transliterate import reverse, transliterator

    uly = read_table(scheme_file("uyghur_uly"))
    there, back = transliterator(uly), transliterator(reverse(uly))
    words = [row[0] for row in rows(data / "translit" / "uyghur" / "ud_words.tsv.xz")]
    assert sum(back(there(word)) == word for word in words) > 0.98 * len(words)
