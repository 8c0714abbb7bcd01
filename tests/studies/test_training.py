"""What is shared, what is not, and that the grid begins at the monolingual parser."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_treebanks import write_treebank

from specialize.errors import UsageError
from specialize.model.load import Checkpoint, load_checkpoint
from specialize.modules.scope import Scope
from specialize.studies.sharing import training
from specialize.studies.sharing.host import HostParser
from specialize.studies.sharing.parser import Parser, Symbols
from specialize.studies.sharing.parts import LANGUAGE, Parts
from specialize.studies.sharing.sharing import GRID, MODES, NOTHING, PARTS, Sharing
from specialize.studies.sharing.training import Trained, Training, parse, train
from specialize.tasks import dep
from specialize.tasks._base import Sentence, Tree

PLAN = Training(steps=6, epochs=2, batch=4)
Treebanks = dict[str, list[Sentence[Tree]]]


@pytest.fixture(scope="module")
def treebanks(tmp_path_factory: pytest.TempPathFactory) -> Treebanks:
    folder = tmp_path_factory.mktemp("treebanks")
    sizes = {"aa": 12, "bb": 7}  # each in its own order, as often as needed
    return {
        name: dep.task().read(write_treebank(folder / name, seed=seed, sentences=size))
        for seed, (name, size) in enumerate(sizes.items())
    }


def trained(treebanks: Treebanks, sharing: Sharing, folder: Path, plan: Training = PLAN) -> Trained:
    return train(treebanks, treebanks, sharing, plan, seed=1, folder=folder)


@pytest.mark.parametrize("clip", [5.0, 1e-3])
def test_without_sharing_each_language_is_its_monolingual_parser_bit_for_bit(
    clip: float, treebanks: Treebanks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_CLIP", clip)
    both = trained(treebanks, NOTHING, tmp_path / "both").parser
    for name, sentences in treebanks.items():
        alone = trained({name: sentences}, NOTHING, tmp_path / name).parser
        fresh = Parser({name: sentences}, NOTHING, dep.task(dropout=0.33), seed=1)
        for part in PARTS:
            ours, mono = (p.part(part, name).state_dict() for p in (both, alone))
            start = fresh.part(part, name).state_dict()
            assert all(torch.equal(ours[key], mono[key]) for key in mono), part
            assert not any(torch.equal(start[key], mono[key]) for key in mono), part
        assert both.labels[name] == alone.labels[name]
        assert parse(both, name, sentences) == parse(alone, name, sentences)


def test_what_one_language_learns_changes_the_other_where_they_share(
    treebanks: Treebanks, tmp_path: Path
) -> None:
    other = {"aa": treebanks["aa"], "bb": treebanks["bb"][:3]}
    for part in PARTS:
        sharing = NOTHING._replace(**{part: "hard"})
        one = trained(treebanks, sharing, tmp_path / part).parser
        two = trained(other, sharing, tmp_path / f"{part} other").parser
        key = {"char": "lstm.ahead.bias_ih_l0", "word": "layers.0.ahead.bias_ih_l0"}
        names = [p.part(part, "aa").state_dict() for p in (one, two)]
        weights = [own[key.get(part, "arc_weight")] for own in names]
        assert not torch.equal(*weights), part


def test_parts_are_one_module_or_each_languages_own(treebanks: Treebanks) -> None:
    for sharing in GRID:
        parser = Parser(treebanks, sharing, dep.task(), seed=1)
        for part in PARTS:
            same = parser.part(part, "aa") is parser.part(part, "bb")
            assert same == (sharing.of(part) != "none"), (sharing, part)
        assert len(parser.once) == 3 + sharing.count("none")


def test_soft_sharing_widens_the_input_of_its_part_by_the_languages_vector(
    treebanks: Treebanks,
) -> None:
    hard, soft = (
        Parser(treebanks, Sharing(mode, mode, mode), dep.task(), seed=1)
        for mode in ("hard", "soft")
    )
    widths = [
        [
            parser.part("char", "aa").lstm.ahead.input_size,
            parser.part("word", "aa").layers[0].ahead.input_size,
            parser.part("score", "aa").root_D.numel(),
        ]
        for parser in (hard, soft)
    ]
    assert [b - a for a, b in zip(*widths, strict=True)] == [LANGUAGE] * 3


def test_the_vector_of_a_language_is_learned_and_tells_languages_apart(
    treebanks: Treebanks, tmp_path: Path
) -> None:
    soft = Sharing("none", "none", "soft")
    parser = trained(treebanks, soft, tmp_path).parser.eval()
    fresh = Parser(treebanks, soft, dep.task(dropout=0.33), seed=1)
    assert not torch.equal(parser.vectors.weight, fresh.vectors.weight)
    states = torch.ones(1, 2, 250)
    scores = [
        parser.part("score", name)(
            torch.cat([states, parser.vector("score", name).expand(1, 2, -1)], -1),
            torch.ones(1, 2, dtype=torch.bool),
        ).arcs_BWH
        for name in treebanks
    ]
    assert not torch.equal(*scores)


def test_rare_symbols_are_replaced_by_the_unknown_one_in_training_alone() -> None:
    symbols = Symbols({"rare": 1, "frequent": 10**9}, 2)
    ids = torch.tensor([symbols.ids["rare"], symbols.ids["frequent"]]).repeat(1000, 1)
    torch.manual_seed(0)
    unknown = (symbols(ids) == symbols.vectors.weight[0]).all(-1).float().mean(0)
    assert 0.15 < unknown[0] < 0.25  # 0.25 / (0.25 + 1)
    assert unknown[1] == 0
    symbols.eval()
    assert torch.equal(symbols(ids), symbols.vectors(ids))


def test_words_and_characters_that_training_lacks_are_parsed(
    treebanks: Treebanks, tmp_path: Path
) -> None:
    parser = Parser(treebanks, NOTHING, dep.task(), seed=1)
    other = dep.task().read(write_treebank(tmp_path / "other", seed=9, letters="ЖЩ"))
    found = parse(parser, "aa", other)
    assert [s.words for s in found] == [s.words for s in other]
    assert all(s.gold.heads.count(0) == 1 for s in found)


# On a transformer


@pytest.fixture
def host(base_folder: Path) -> Checkpoint:
    return load_checkpoint(base_folder)


def test_on_a_host_without_sharing_each_language_is_its_monolingual_parser_bit_for_bit(
    treebanks: Treebanks, base_folder: Path, tmp_path: Path
) -> None:
    def made(given: Treebanks, folder: Path) -> Parts:
        plan = replace(PLAN, rate=1e-2)
        return train(given, given, NOTHING, plan, seed=1, folder=folder, host=base_folder).parser

    both = made(treebanks, tmp_path / "both")
    for name, sentences in treebanks.items():
        alone = made({name: sentences}, tmp_path / name)
        fresh = HostParser(
            load_checkpoint(base_folder),
            {name: sentences},
            NOTHING,
            dep.task(dropout=0.33),
            seed=1,
        )
        for part in PARTS:
            ours, mono = (p.part(part, name).state_dict() for p in (both, alone))
            start = fresh.part(part, name).state_dict()
            assert all(torch.equal(ours[key], mono[key]) for key in mono), part
            assert not any(torch.equal(start[key], mono[key]) for key in mono), part
        assert parse(both, name, sentences) == parse(alone, name, sentences)


def test_a_host_stays_as_it_is_and_is_not_in_checkpoints(
    treebanks: Treebanks, host: Checkpoint
) -> None:
    before = {name: tensor.clone() for name, tensor in host.model.state_dict().items()}
    parser = HostParser(host, treebanks, Sharing("hard", "soft", "none"), dep.task(), seed=1)
    names = [name for name, _ in parser.named_parameters()]
    assert all(name.startswith(("once.", "vectors.")) for name in names)
    optimizer = torch.optim.Adam([p for p in parser.parameters() if p.requires_grad], lr=0.1)
    for language, sentences in treebanks.items():
        batch = parser.batch(language, sentences[:4])
        head, scores = parser.part("score", language), parser(language, batch)
        parser.task.loss(
            head, scores, sentences[:4], parser.labels[language], batch.mask_BW
        ).backward()
    moved = [name for name, p in parser.named_parameters() if p.grad is not None]
    assert {*names} == {*moved}
    optimizer.step()
    after = host.model.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_host_is_shared_as_asked(
    part: str, treebanks: Treebanks, base_folder: Path
) -> None:
    """Not shared or soft: languages differ by it; hard: the same sentence has the same scores."""
    sentences = treebanks["aa"][:3]
    for mode in MODES:
        sharing = Sharing("hard", "hard", "hard")._replace(**{part: mode})
        host = load_checkpoint(base_folder)
        parser = HostParser(host, treebanks, sharing, dep.task(), seed=1).eval()
        for own in parser.once:
            for parameter in own.parameters():
                torch.nn.init.normal_(parameter, std=0.2)
        first, second = (parser(name, parser.batch(name, sentences)).arcs_BWH for name in treebanks)
        assert torch.equal(first, second) == (mode == "hard"), mode


def test_a_language_without_adapters_is_refused(treebanks: Treebanks, host: Checkpoint) -> None:
    parser = HostParser(host, treebanks, NOTHING, dep.task(), seed=1)
    with pytest.raises(UsageError, match="no adapters of 'cc'; known: aa, bb"):
        parser._modules_at(Scope("cc")).__enter__()
