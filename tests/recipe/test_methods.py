"""Methods by name: what is found, and how each fault is named."""

import subprocess
import sys
from functools import partial

import pytest

from specialize.augment import tva
from specialize.errors import MissingError, UsageError
from specialize.recipe import methods
from specialize.recipe.methods import KINDS, bind, describe, find, names

OUTSIDE = '''
def fn(line, *, path: str, times: int = 1, rate: float = 0.5, loud: bool = False,
       keys: tuple[str, ...] = (), sizes: "tuple[int, ...] | None" = None, table: dict = {}):
    """Mix a line.

    At length.
    """
    return line * times

plain = 3
'''


@pytest.fixture(autouse=True)
def outside(tmp_path, monkeypatch):
    """A module of someone else: ``their_pkg``."""
    (tmp_path / "their_pkg.py").write_text(OUTSIDE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("their_pkg", None)


def bound(**options) -> partial:
    return bind("mixin", "their_pkg:fn", {"path": "x"} | options)


def test_a_file_is_a_method():
    assert find("augment", "tva") is tva.change
    assert {"tva", "char_first", "greedy", "none"} <= set(names("augment"))
    assert not any(name.startswith("_") for kind in KINDS for name in names(kind))


def test_every_method_is_found_and_described():
    for kind in KINDS:
        for name in names(kind):
            summary, options = describe(kind, name)
            assert summary.endswith("."), (kind, name)
            assert all(option.type for option in options.values()), (kind, name)


def test_options_are_bound():
    method = bind("augment", "tva", {"pieces": 9, "pad": True})
    assert method.func is tva.change
    assert method.keywords == {"pieces": 9, "pad": True}


def test_a_method_is_described_by_its_signature():
    summary, options = describe("augment", "tva")
    assert summary.startswith("Add the n pieces")
    assert options["pieces"] == ("int", 99)
    assert options["pad"] == ("bool | None", None)
    assert describe("mixin", "their_pkg:fn").options["keys"] == ("tuple[str, ...]", ())
    assert describe("mixin", "their_pkg:fn").options["rate"] == ("float", 0.5)


@pytest.mark.parametrize(
    ("option", "value", "kept"),
    [
        ("times", 3, 3),
        ("rate", 2, 2.0),
        ("rate", 0.25, 0.25),
        ("loud", True, True),
        ("keys", ["a", "b"], ("a", "b")),
        ("keys", (), ()),
        ("sizes", [1, 2], (1, 2)),
        ("sizes", None, None),
        ("table", {"a": 1}, {"a": 1}),  # no type of ours: the method's own affair
    ],
)
def test_values_of_the_right_type_are_taken(option, value, kept):
    found = bound(**{option: value}).keywords[option]
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("option", "value", "legal"),
    [
        ("times", 3.0, "int"),
        ("times", True, "int"),
        ("times", None, "int"),
        ("rate", "3", "float"),
        ("rate", False, "float"),
        ("loud", 1, "bool"),
        ("path", 7, "str"),
        ("keys", "ab", "list of str"),
        ("keys", ["a", 1], "list of str"),
        ("sizes", ["a"], "list of int"),
    ],
)
def test_values_of_another_type_are_refused(option, value, legal):
    with pytest.raises(UsageError) as raised:
        bound(**{option: value})
    what = f"option '{option}' of mixin 'their_pkg:fn'"
    assert str(raised.value) == f"{what} is of type {legal}, not {value!r}"


def message(call, *arguments) -> str:
    with pytest.raises(UsageError) as raised:
        call(*arguments)
    return str(raised.value)


def test_unknown_names_are_answered_with_the_known_ones():
    known = ", ".join(names("augment"))
    said = message(find, "augment", "tav")
    assert said == f"unknown augment 'tav'; known: {known}; did you mean 'tva'?"
    assert message(find, "augment", "quux") == f"unknown augment 'quux'; known: {known}"
    assert "did you mean 'embed'?" in message(names, "embedd")
    said = message(bind, "augment", "tva", {"piece": 3})
    assert said.startswith("unknown option 'piece' of augment 'tva'; known: pieces, new_vocab")
    assert said.endswith("did you mean 'pieces'?")
    assert message(bind, "augment", "none", {"x": 1}).endswith("; known: none")


def test_an_option_without_default_is_needed():
    said = message(bind, "mixin", "their_pkg:fn", {})
    assert said == "mixin 'their_pkg:fn' needs the option 'path'"


def test_what_is_outside_must_be_a_function_of_a_module():
    assert find("mixin", "their_pkg:fn")("ab", path="", times=2) == "abab"
    assert "no module 'nobodys_pkg'" in message(find, "mixin", "nobodys_pkg:fn")
    for name in ("their_pkg:none", "their_pkg:plain", "their_pkg:", ":fn"):
        assert "is no function; write it as my_pkg.my_module:my_function" in message(
            find, "mixin", name
        )


def test_a_method_whose_package_is_missing_says_which(tmp_path, monkeypatch):
    folder = tmp_path / "their_methods"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "needy.py").write_text("import nobodys_pkg\n")
    monkeypatch.setitem(methods.KINDS, "mixin", ("their_methods", "mix"))
    with pytest.raises(MissingError, match="'needy' needs the package 'nobodys_pkg'; install it"):
        find("mixin", "needy")


def test_listing_imports_no_method():
    code = (
        "import sys; from specialize.recipe.methods import KINDS, names; "
        "[names(k) for k in KINDS]; "
        "sys.exit(str([m for m in sys.modules if m.startswith('specialize.')]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "['specialize.recipe', 'specialize.errors', 'specialize.recipe.methods']"
