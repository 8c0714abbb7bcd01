"""Sources of a function: its file and the modules beside it that it imports."""

import pytest

from specialize.recipe.sources import local_sources


def write(folder, **files):
    for name, text in files.items():
        path = folder.joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def names(file, folder):
    return [str(path.relative_to(folder)) for path in local_sources(file)]


def test_a_file_without_imports_is_its_only_source(tmp_path):
    write(tmp_path, mine="import json\n", json_tools="")
    assert names(tmp_path / "mine.py", tmp_path) == ["mine.py"]


def test_modules_beside_the_file_are_followed(tmp_path):
    write(
        tmp_path,
        mine="from letters import TABLE\n\ndef mix(line):\n    import late\n",
        letters="import deeper\nTABLE = {}\n",
        deeper="import mine\n",
        late="",
        other="",
    )
    assert names(tmp_path / "mine.py", tmp_path) == [
        "mine.py",
        "late.py",
        "letters.py",
        "deeper.py",
    ]


@pytest.mark.parametrize(
    "line", ["from . import b", "from .b import f", "from pkg import b", "import pkg.b"]
)
def test_imports_within_a_package_are_followed(tmp_path, line):
    write(tmp_path, pkg__a=line, pkg__b="", pkg__c="")
    (tmp_path / "pkg" / "__init__.py").write_text("")
    found = names(tmp_path / "pkg" / "a.py", tmp_path)
    assert {"pkg/a.py", "pkg/b.py"} <= set(found) <= {"pkg/a.py", "pkg/b.py", "pkg/__init__.py"}


def test_a_file_with_a_syntax_error_is_a_source(tmp_path):
    write(tmp_path, mine="import broken\n", broken="def (\n")
    assert names(tmp_path / "mine.py", tmp_path) == ["mine.py", "broken.py"]
