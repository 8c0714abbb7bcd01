"""Methods by name: lookup, options, and errors."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from specialize.augment import tva
from specialize.errors import MissingError, UsageError
from specialize.recipe import methods
from specialize.recipe.methods import (
    KINDS,
    Choice,
    bind,
    choose,
    describe,
    find,
    names,
    source_files,
)
from specialize.recipe.table import keys_of

OUTSIDE = '''
from pathlib import Path

def fn(line, *, path: str, times: int = 1, rate: float = 0.5, loud: bool = False,
       keys: tuple[str, ...] = (), sizes: "tuple[int, ...] | None" = None, table: dict = {},
       files: tuple[Path, ...] = (), odd: "Unheard" = None):
    """Mix a line.

    At length.
    """
    return line * times

plain = 3
'''


@pytest.fixture(autouse=True)
def outside(tmp_path, monkeypatch):
    """A third-party package: ``their_pkg``."""
    (tmp_path / "their_pkg.py").write_text(OUTSIDE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("their_pkg", None)


def bound(**options) -> partial:
    return bind("mixin", "their_pkg:fn", {"path": "x"} | options)


def test_every_file_of_a_methods_folder_is_a_method():
    assert find("augment", "tva") is tva.change
    assert {"tva", "char_first", "greedy", "none"} <= set(names("augment"))
    assert not any(name.startswith("_") for kind in KINDS for name in names(kind))


def test_every_method_is_found_and_described():
    for kind in KINDS:
        for name in names(kind):
            found = describe(kind, name)
            assert found.summary.endswith("."), (kind, name)
            assert not [o for o, key in found.options.items() if key.type is Any], (kind, name)


def test_options_are_bound():
    method = bind("augment", "tva", {"pieces": 9, "pad": True})
    assert method.func is tva.change
    assert method.keywords == {"pieces": 9, "pad": True}


def test_a_method_is_described_by_its_signature():
    found = describe("augment", "tva")
    assert found.summary.startswith("Add the n pieces")
    assert found.options["pieces"] == (int, 99)
    assert found.options["pad"] == (bool | None, None)
    assert describe("mixin", "their_pkg:fn").options["keys"] == (tuple[str, ...], ())
    assert describe("mixin", "their_pkg:fn").options["rate"] == (float, 0.5)


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
        ("table", {"a": 1}, {"a": 1}),
        ("files", ["a.txt"], (Path("a.txt"),)),
        ("odd", "anything", "anything"),  # a type we cannot check is left to the method
    ],
)
def test_values_of_the_right_type_are_taken(option, value, kept):
    found = bound(**{option: value}).keywords[option]
    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("times", 3.0, "3.0: expected a whole number; write 3"),
        ("times", 2.5, "2.5: expected a whole number; the default is 1"),
        ("times", "two", "'two': expected a whole number; the default is 1"),
        ("times", "2", "'2': expected a whole number; write 2, without quotes"),
        ("times", True, "true: expected a whole number; the default is 1"),
        ("rate", False, "false: expected a number; the default is 0.5"),
        ("loud", 1, "1: expected true or false; the default is false"),
        ("path", 7, "7: expected text"),
        ("keys", "ab", "'ab': expected a list of texts; write ['ab']"),
        ("keys", ["a", 1], "['a', 1]: expected a list of texts"),
        ("sizes", ["a"], "['a']: expected a list of whole numbers"),
        ("sizes", 1, "1: expected a list of whole numbers; write [1]"),
    ],
)
def test_values_of_another_type_are_refused(option, value, expected):
    with pytest.raises(UsageError) as raised:
        bound(**{option: value})
    assert str(raised.value) == f"{option} = {expected}"


def message(call, *arguments) -> str:
    with pytest.raises(UsageError) as raised:
        call(*arguments)
    return str(raised.value)


def test_unknown_names_are_answered_with_the_known_ones():
    known = ", ".join(names("augment"))
    answer = message(find, "augment", "tav")
    assert answer == f"unknown augment 'tav'; known: {known}; did you mean 'tva'?"
    assert message(find, "augment", "quux") == f"unknown augment 'quux'; known: {known}"
    assert "did you mean 'embed'?" in message(names, "embedd")
    answer = message(bind, "augment", "tva", {"piece": 3})
    assert answer.startswith(
        "unknown key 'piece' in the options of augment 'tva'; known: pieces, new_vocab"
    )
    assert answer.endswith("did you mean 'pieces'?")
    assert message(bind, "augment", "none", {"x": 1}).endswith("; known: none")


def test_an_option_without_default_must_be_given():
    answer = message(bind, "mixin", "their_pkg:fn", {})
    expected = "lacks 'path': expected text; add path = ..."
    assert answer == f"the options of mixin 'their_pkg:fn' {expected}"


def test_an_external_method_must_be_a_function_of_a_module():
    assert find("mixin", "their_pkg:fn")("ab", path="", times=2) == "abab"
    assert "no module 'nobodys_pkg'" in message(find, "mixin", "nobodys_pkg:fn")
    for name in ("their_pkg:none", "their_pkg:plain", "their_pkg:", ":fn"):
        assert "expected a function, as my_module:my_function" in message(find, "mixin", name)


# Functions of files beside a recipe


def test_a_function_of_a_file_beside_the_recipe_is_found(tmp_path):
    (tmp_path / "my_mixin.py").write_text("def upper(line):\n    return line.upper()\n")
    for name in ("my_mixin.py:upper", "my_mixin:upper"):
        chosen = choose("mixin", name, {}, "mixin", folder=tmp_path)
        assert chosen()("ab") == "AB"
        assert chosen.method == f"{tmp_path}/my_mixin.py:upper"
        assert source_files(chosen) == (tmp_path / "my_mixin.py",)
    with pytest.raises(MissingError, match=r"none\.py: no such file"):
        choose("mixin", "none.py:upper", {}, "mixin", folder=tmp_path)


def test_a_syntax_error_in_a_method_file_is_reported_with_its_line(tmp_path):
    (tmp_path / "broken.py").write_text("x = 1\ndef (\n")
    with pytest.raises(UsageError, match=r"broken\.py:2: invalid syntax"):
        choose("mixin", "broken.py:fn", {}, "mixin", folder=tmp_path)


def test_the_source_of_an_installed_module_is_its_file_and_ours_have_none():
    (file,) = source_files(Choice("mixin", "their_pkg:fn", {}))
    assert file.name == "their_pkg.py"
    assert source_files(Choice("augment", "tva", {})) == ()


def test_a_choice_lists_its_options_as_json_and_its_files(tmp_path):
    (tmp_path / "english.txt").write_text("one")
    chosen = choose(
        "augment", "tva", {"pieces": 9, "guard": ["english.txt"]}, "augment", folder=tmp_path
    )
    assert chosen.options == {"pieces": 9, "guard": [f"{tmp_path}/english.txt"]}
    assert chosen.files() == [tmp_path / "english.txt"]
    resolved = chosen.resolved()
    assert resolved == json.loads(json.dumps(resolved))
    assert resolved == {name: key.default for name, key in keys_of(tva.change).items()} | {
        "pieces": 9,
        "guard": [f"{tmp_path}/english.txt"],
    }
    assert (
        str(Choice("augment", "tva", {"pieces": 9, "pad": True})) == "tva (pieces = 9, pad = true)"
    )


# Packages, imports


def test_a_method_names_its_missing_package(tmp_path, monkeypatch):
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
        "sys.exit(str(sorted(m for m in sys.modules if m.startswith('specialize.'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    light = [
        "errors",
        "modules",
        *(f"recipe{m}" for m in ("", ".imports", ".methods", ".sources", ".table")),
    ]
    assert done.stderr.strip() == str([f"specialize.{name}" for name in light])


def test_a_changed_function_beside_the_recipe_is_loaded_again(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def mix(line):\n    return line.lower()\n", "utf-8")
    choice = methods.choose("mixin", "mine.py:mix", {}, "mixin", folder=tmp_path)
    assert choice()("AB") == "ab"
    file.write_text("def mix(line):\n    return line + line\n", "utf-8")
    assert choice()("AB") == "ABAB"


# Options that are methods


OUTER = '''
from typing import Annotated, Callable
from pathlib import Path

Mix = Annotated[Callable[[str], str], "mixin"]

def mix(line, *, inner: Mix | tuple[Mix, ...], last: Mix | None = None):
    """Mix a line by others.

    ``inner``: what is applied first. The rest is not of interest.
    """
    for one in inner if isinstance(inner, tuple) else (inner,):
        line = one(line)
    return last(line) if last else line
'''


@pytest.fixture
def outer(tmp_path: Path) -> str:
    (tmp_path / "outer.py").write_text(OUTER, "utf-8")
    return f"{tmp_path / 'outer.py'}:mix"


def test_a_method_gets_the_functions_of_the_methods_it_is_given(outer: str, tmp_path: Path):
    table = tmp_path / "own.tsv"
    table.write_text("a\tb\n", "utf-8")
    own = {"method": "table", "file": "own.tsv"}
    assert bind("mixin", outer, {"inner": "lower"})("ABC") == "abc"
    both = bind("mixin", outer, {"inner": ["lower", own]}, folder=tmp_path)
    assert both("ABC") == "bbc"
    nested = {"inner": own, "last": {"method": outer, "inner": "lower"}}
    assert bind("mixin", outer, nested, folder=tmp_path)("aB") == "bb"


def test_a_choice_holds_methods_as_json_and_their_files(outer: str, tmp_path: Path):
    table = tmp_path / "own.tsv"
    table.write_text("a\tb\n", "utf-8")
    given = {"inner": ["lower", {"method": "table", "file": "own.tsv"}]}
    choice = choose("mixin", outer, given, "mixin", folder=tmp_path)
    placed = {"inner": ["lower", {"method": "table", "file": str(table)}]}
    assert choice.options == placed == json.loads(json.dumps(choice.options))
    assert choice()("AX") == "bx"
    assert choice.files() == [table]
    assert choice.resolved() == placed | {"last": None}
    again = choose("mixin", choice.method, choice.options, "mixin", folder=tmp_path / "elsewhere")
    assert again == choice


def test_the_content_of_inner_files_decides_a_stages_key(outer: str, tmp_path: Path):
    from specialize.store import Stage, Store

    def key(content: str) -> str:
        (tmp_path / "own.tsv").write_text(content, "utf-8")
        given = {"inner": {"method": "table", "file": "own.tsv"}}
        choice = choose("mixin", outer, given, "mixin", folder=tmp_path)
        return Store(tmp_path / "run").key(Stage("x", "x", print, {"choice": choice}))

    assert key("a\tb\n") == key("a\tb\n")
    assert key("a\tb\n") != key("a\tc\n")


def test_inner_methods_are_checked_where_the_recipe_names_them(outer: str):
    def answer(inner: object) -> str:
        return message(partial(bind, where="mixin"), "mixin", outer, {"inner": inner})

    assert answer("lowr").startswith("unknown mixin 'lowr'; known: ")
    assert answer({"method": "lower", "x": 1}).startswith(
        "unknown key 'x' in the options of mixin 'lower'"
    )
    expected = "expected a method (mixin) or a list of methods"
    assert answer(3) == f"mixin.inner = 3: {expected}"
    assert answer({"scheme": "x"}) == f"mixin.inner = {{scheme = 'x'}}: {expected}"
    missing = message(bind, "mixin", outer, {})
    assert missing.endswith(f"{expected}; add inner = ... (what is applied first)")
